/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of a replay. Live, the packet path has a clock that never goes back and never leaps; stamps of
 * captures do both. What is off by little is put in order, what is off by much begins anew where the
 * clock stood.
 */
#ifndef SENTROID_REPLAY_CLOCK_H
#define SENTROID_REPLAY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SEN_CLOCK_KINDS(X)                                             \
	X(FINE, "")                                                    \
	X(MISSING, "no time stamp: the clock stands still")            \
	X(BACK, "time goes back: the clock goes on from where it was") \
	X(GAP, "a gap of more than an hour: taken for one hour")

#define SEN_ENUM_CLOCK(id, text) SEN_CLOCK_##id,
enum sen_clock_kind {
	SEN_CLOCK_KINDS(SEN_ENUM_CLOCK) SEN_CLOCK_KIND_COUNT
};

struct sen_replay_clock {
	bool running;
	uint64_t now_ns;
	uint64_t offset; /* added to stamps, modulo 2^64 */
};

/* Time of the next frame by its stamp; what was wrong with that. */
enum sen_clock_kind sen_replay_clock_set(struct sen_replay_clock *c, uint64_t stamp_ns);
const char *sen_clock_text(enum sen_clock_kind kind);

#endif
