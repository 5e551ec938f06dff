/* SPDX-License-Identifier: BSD-2-Clause */
/* The flows of a replay, in the order of their first packets, as the CSV of `sentroid replay`. */
#ifndef SENTROID_FLOWLOG_H
#define SENTROID_FLOWLOG_H

#include <stdio.h>

#include "model.h"
#include "offline.h"

struct sen_flowlog;

/* `capacity` entries of the flow table. NULL when out of memory. */
struct sen_flowlog *sen_flowlog_new(unsigned int capacity);
void sen_flowlog_free(struct sen_flowlog *log);

/* Note what the program said of a frame. -ENOMEM. */
int sen_flowlog_add(struct sen_flowlog *log, const struct sen_frame *frame,
		    const struct sen_offline_result *result);
size_t sen_flowlog_count(const struct sen_flowlog *log);
size_t sen_flowlog_flagged(const struct sen_flowlog *log);
/* Header and a line a flow; `model` names the classes. */
void sen_flowlog_write(const struct sen_flowlog *log, const struct sen_model *model, FILE *out);

#endif
