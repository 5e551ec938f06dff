/* SPDX-License-Identifier: BSD-2-Clause */
/* The flows of a replay, in the order of their first packets, as the CSV of `sentroid replay`. */
#ifndef SENTROID_FLOWLOG_H
#define SENTROID_FLOWLOG_H

#include <stdio.h>

#include "model.h"
#include "offline.h"

#define SEN_NO_FLOW (~(size_t)0)

struct sen_flowlog;

/* A flow as far as the replay has come. */
struct sen_flow_record {
	struct sen_flow_key key;
	uint64_t first_ns, last_ns, packets, bytes;
	uint32_t score; /* highest, Q16 */
	uint32_t evaluations;
	uint8_t class_id, reason, from; /* at the highest score; side of the first packet */
};

/* `capacity` entries of the flow table. NULL when out of memory. */
struct sen_flowlog *sen_flowlog_new(unsigned int capacity);
void sen_flowlog_free(struct sen_flowlog *log);

/* Note what the program said of a frame. -ENOMEM. */
int sen_flowlog_add(struct sen_flowlog *log, const struct sen_frame *frame,
		    const struct sen_offline_result *result);
size_t sen_flowlog_count(const struct sen_flowlog *log);
size_t sen_flowlog_flagged(const struct sen_flowlog *log);
/* Flow i of the count; valid until the next add. */
const struct sen_flow_record *sen_flowlog_get(const struct sen_flowlog *log, size_t i);
/* Number of the flow that a frame, once added, belongs to; SEN_NO_FLOW where it has none. */
size_t sen_flowlog_find(const struct sen_flowlog *log, const struct sen_offline_result *result);
/* Header and a line a flow; `model` names the classes. */
void sen_flowlog_write(const struct sen_flowlog *log, const struct sen_model *model, FILE *out);

#endif
