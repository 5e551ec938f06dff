/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of an evaluation: one HTML page that stands alone, for the screen and for paper. */
#ifndef SENTROID_REPORT_H
#define SENTROID_REPORT_H

#include "evaluation.h"

/* Write the page whole or not at all; `command` is the command line that made it. -ENOENT: no gnuplot. */
int sen_report_write(const char *path, const struct sen_evaluation *e,
		     const struct sen_evaluation_context *x, const char *command,
		     struct sen_why *why);

#endif
