/* SPDX-License-Identifier: BSD-2-Clause */
/* What `sentroid top` shows: cmd_top.c reads it, top_print.c puts it into words. */
#ifndef SENTROID_TOP_H
#define SENTROID_TOP_H

#include <stdio.h>

#include "dataplane.h"
#include "rates.h"

struct top {
	const char *ifname;
	struct sen_meta meta;
	struct sen_policy policy;
	struct sen_flow_usage usage;
	bool has_model;
	struct sen_model_flat model; /* in force */
	struct sen_rates *rates;
};

/* At most so many rows of flows, as a table; its head has TOP_HEAD lines. */
#define TOP_HEAD 4
void top_print(const struct top *t, size_t rows, FILE *out);
/* One object. 0 or -ENOMEM. */
int top_print_json(const struct top *t, size_t rows);

#endif
