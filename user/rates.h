/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes on now, from two reads of the counters and of the flow table: rates, and the flows that matter most. */
#ifndef SENTROID_RATES_H
#define SENTROID_RATES_H

#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

struct sen_rates_row {
	struct sen_flow flow;
	uint64_t packets; /* since the read before */
};

struct sen_rates {
	double seconds;          /* between the two reads */
	struct sen_stats change; /* of the counters in that time */
	struct sen_rates_row
		*rows; /* flows with packets in that time: flagged ones first, by their scores, the
				     * others by packets */
	size_t n;
	/* of the read before */
	size_t room;
	struct sen_stats stats;
	int64_t read_ms;
	struct sen_rates_entry *entries;
	uint32_t n_entries;
};

/* For a flow table of so many entries; `room` rows are kept. NULL: out of memory. */
struct sen_rates *sen_rates_new(uint32_t entries, size_t room);
void sen_rates_free(struct sen_rates *r);
/* A read begins: counters as they are at a time of the monotonic clock. The first one has nothing to compare with:
 * what it makes of flows says nothing. */
void sen_rates_begin(struct sen_rates *r, const struct sen_stats *stats, int64_t now_ms);
/* One flow of the table, by the number of its entry; sen_flow_fn (dataplane.h). */
void sen_rates_flow(void *rates, uint32_t entry, const struct sen_flow *flow);

#endif
