/* SPDX-License-Identifier: BSD-2-Clause */
/* Consumer of the events ring of one interface. */
#ifndef SENTROID_RING_H
#define SENTROID_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"

typedef void (*sen_ring_fn)(void *ctx, const struct sen_event *ev);

struct sen_ring_counts {
	uint64_t consumed;
	uint64_t unknown;   /* of another version or size: skipped */
	int64_t drained_ms; /* last time that nothing was left, or the budget was used up */
};

struct sen_ring;

/* Map of dp, which must outlive the ring. */
int sen_ring_open(struct sen_dataplane *dp, sen_ring_fn fn, void *ctx, struct sen_ring **out,
		  struct sen_why *why);
void sen_ring_close(struct sen_ring *r);
/* Readable when the kernel side has asked for attention; for a loop. */
int sen_ring_fd(const struct sen_ring *r);
/* Hand out what is there, up to a budget, so that a flood of events does not starve the rest of the
 * loop. True if more is waiting. */
bool sen_ring_drain(struct sen_ring *r, int64_t now_ms);
const struct sen_ring_counts *sen_ring_counts(const struct sen_ring *r);

#endif
