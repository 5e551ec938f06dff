// SPDX-License-Identifier: BSD-2-Clause
#include "replay_clock.h"

#define SECOND_NS 1000000000ull
/* Queues and merges shuffle frames by less than this: they are taken as simultaneous. */
#define SLACK_NS SECOND_NS
/* Longer than anything that the packet path remembers, and far shorter than its ticks take to wrap. */
#define GAP_NS (3600 * SECOND_NS)

const char *sen_clock_text(enum sen_clock_kind kind)
{
#define TEXT(id, text) text,
	static const char *const texts[] = { SEN_CLOCK_KINDS(TEXT) };
#undef TEXT
	return kind < SEN_CLOCK_KIND_COUNT ? texts[kind] : "";
}

enum sen_clock_kind sen_replay_clock_set(struct sen_replay_clock *c, uint64_t stamp_ns)
{
	uint64_t now = stamp_ns + c->offset;

	if (!c->running) {
		c->running = true;
		c->now_ns = now;
		return SEN_CLOCK_FINE;
	}
	/* There are captures that begin at zero. */
	if (!stamp_ns && c->now_ns > SLACK_NS)
		return SEN_CLOCK_MISSING;
	/* Far ahead and far back look alike modulo 2^64; half of that is 292 years. */
	if ((int64_t)(now - c->now_ns) < 0) {
		if (c->now_ns - now <= SLACK_NS)
			return SEN_CLOCK_FINE;
		c->offset = c->now_ns - stamp_ns;
		return SEN_CLOCK_BACK;
	}
	if (now - c->now_ns > GAP_NS) {
		c->now_ns += GAP_NS;
		c->offset = c->now_ns - stamp_ns;
		return SEN_CLOCK_GAP;
	}
	c->now_ns = now;
	return SEN_CLOCK_FINE;
}
