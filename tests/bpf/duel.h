/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF program against the same code built natively, frame by frame: outcome, verdict, counters, the
 * flow's entry, everything in the scratch (what was parsed, features, scores), every sample; and all maps
 * at the end.
 */
#ifndef SENTROID_TEST_DUEL_H
#define SENTROID_TEST_DUEL_H

#include "harness.h"
#include "native.h"

#define TABLE_SIZE 8192 /* of each; captures overfill it */
#define EVENTS_MAX 8    /* of one frame */

struct duel {
	struct rig *rig;
	const struct native_map *stats, *scratch; /* looked at after every frame */
	int stats_fd, scratch_fd, egress_fd;
	char *values; /* of all CPUs */
	int cpu;
	struct sen_event events[EVENTS_MAX]; /* native ones of this frame */
	size_t event_count;
	char where[600];
	unsigned long long frames;
};

/* As setup and teardown of a group of tests; its state is a struct duel. */
int duel_open(void **state);
int duel_close(void **state);
/* The native side, with the keys of the other. */
void duel_open_native(struct duel *d);

void duel_model(const struct duel *d, enum sen_slot slot, const struct sen_model_flat *model);
void duel_mode(const struct duel *d, enum sen_mode mode);

/* Run a frame through both; or one on its way out, which is whole. */
void fight(struct duel *d, const void *head, size_t len, uint32_t wire, uint64_t now_ns);
void fight_out(struct duel *d, const void *frame, size_t len, uint64_t now_ns);

/* Fails the test, with what d->where says. */
void duel_expect_same(const struct duel *d, const char *what, const void *bpf, const void *native,
		      size_t size);
void duel_expect_same_maps(const struct duel *d);

#endif
