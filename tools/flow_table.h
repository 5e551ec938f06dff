/* SPDX-License-Identifier: BSD-2-Clause */
/* `sentroid train --flow-table` and `sentroid eval --flow-table`. */
#ifndef SENTROID_TOOLS_FLOW_TABLE_H
#define SENTROID_TOOLS_FLOW_TABLE_H

#include "harvest.h"
#include "model.h"
#include "why.h"

/* Append the rows of a table as samples; where it has no labels, all are normal. Classes of attacks get
 * ids of `names`, as far as there is room. *format is what earlier tables were, NULL before the first;
 * another is refused. */
int flow_table_samples(const char *path, const char **format, struct sen_model *names,
		       struct sen_harvest *h, struct sen_why *why);
/* Make a trained model one of flow tables of that kind. */
void flow_table_mark(struct sen_model *model, const char *format);
/* Score labelled tables of the model's kind, print how well that separates attacks from normal flows. */
int flow_table_eval(const char *model_path, const char *const *paths, bool json,
		    struct sen_why *why);

#endif
