/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of the report of an evaluation. */
#ifndef SENTROID_REPORT_PLOTS_H
#define SENTROID_REPORT_PLOTS_H

#include "evaluation.h"

/* Each draws one figure: an element `<svg>`, to free(). Errors as of sen_plot_svg(), -ENOMEM. */
int sen_report_plot_roc(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
			char **svg, struct sen_why *why);
int sen_report_plot_precision(const struct sen_evaluation *e,
			      const struct sen_evaluation_context *x, char **svg,
			      struct sen_why *why);
int sen_report_plot_time(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
			 char **svg, struct sen_why *why);
int sen_report_plot_features(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
			     char **svg, struct sen_why *why);

#endif
