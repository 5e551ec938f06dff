/* SPDX-License-Identifier: BSD-2-Clause */
/* The first moments of a model in force: does it suddenly flag what nobody can explain? */
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

struct sen_watch {
	enum sen_watch_state state;
	int64_t until_ms;
	double limit; /* share of evaluations that may be flagged */
	double share; /* measured last */
	uint64_t evaluations;
	uint64_t flagged;
	uint64_t samples;   /* flagged ones seen by the agent ... */
	uint64_t explained; /* ... and those that a rule has named */
};

void sen_watch_begin(struct sen_watch *w, const struct sen_stats *stats, double limit,
		     int64_t until_ms);
void sen_watch_sample(struct sen_watch *w, bool explained);
/* PASSED and EXCURSION are reported once; then it is off. */
enum sen_watch_state sen_watch_check(struct sen_watch *w, const struct sen_stats *stats,
				     int64_t now_ms);

#endif
