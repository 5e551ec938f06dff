/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures drawn by gnuplot, for pages that stand alone. */
#ifndef SENTROID_PLOT_H
#define SENTROID_PLOT_H

#include "why.h"

/* Run a gnuplot script, which sets its terminal to svg and draws one figure; its data stand in it. *svg is
 * the element `<svg>`, to free(), without what an HTML page has no use for: prologue and namespaces but
 * the SVG one. -ENOENT: gnuplot is not there; -EBADMSG: it did not like the script. */
int sen_plot_svg(const char *script, char **svg, struct sen_why *why);

#endif
