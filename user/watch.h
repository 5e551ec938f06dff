/* SPDX-License-Identifier: BSD-2-Clause */
/* The first moments of a model in force: does it suddenly flag what nobody can explain, or score far
 * higher than it did beside the model before? */
#ifndef SENTROID_WATCH_H
#define SENTROID_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "sentroid/abi.h"

enum sen_watch_state {
	SEN_WATCH_OFF,
	SEN_WATCH_ON,
	SEN_WATCH_PASSED,
	SEN_WATCH_EXCURSION
};

struct sen_watch_settings {
	double limit;     /* share of evaluations that may be flagged */
	double max_shift; /* octaves by which scores may lie above those expected */
	int64_t until_ms;
};

struct sen_watch {
	enum sen_watch_state state;
	struct sen_watch_settings settings;
	uint64_t watched; /* evaluations, measured last */
	double share;     /* flagged of them */
	double shift;     /* of the scores, octaves */
	char reason[96];
	bool expects; /* there are scores to compare with */
	__u64 expected[SEN_SCORE_BINS];
	__u64 scores[SEN_SCORE_BINS]; /* counted when it began */
	uint64_t evaluations;
	uint64_t flagged;
	/* Samples seen by the agent, flagged and in all, and how many of each an attack explains. */
	uint64_t samples, explained;
	uint64_t all, all_explained;
};

/* `scores`: those of the active slot so far; `expected`: those that the model gave in the canary, NULL:
 * there was none. */
void sen_watch_begin(struct sen_watch *w, const struct sen_watch_settings *settings,
		     const struct sen_stats *stats, const __u64 *scores, const __u64 *expected);
void sen_watch_sample(struct sen_watch *w, bool flagged, bool explained);
/* PASSED and EXCURSION are reported once; then it is off. */
enum sen_watch_state sen_watch_check(struct sen_watch *w, const struct sen_stats *stats,
				     const __u64 *scores, int64_t now_ms);

#endif
