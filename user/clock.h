/* SPDX-License-Identifier: BSD-2-Clause */
/* The two clocks of the agent: a monotonic one for every decision, wall time for what people read. */
#ifndef SENTROID_CLOCK_H
#define SENTROID_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t sen_clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t sen_now_ms(void)
{
	return sen_clock_ms(CLOCK_MONOTONIC);
}

/* Wall time in milliseconds of a moment of the monotonic clock. */
static inline int64_t sen_wall_ms(int64_t mono_ms)
{
	return sen_clock_ms(CLOCK_REALTIME) - (sen_now_ms() - mono_ms);
}

#endif
