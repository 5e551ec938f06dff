/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures as text: a dash where one is undefined. */
#ifndef SENTROID_FIGURE_H
#define SENTROID_FIGURE_H

struct text {
	char is[16];
};

struct text decimal(double v, int decimals);
/* 0.5 as "50.00%". */
struct text percent(double share);
/* 1536 as "1.5 KiB". */
struct text size_text(double bytes);

#endif
