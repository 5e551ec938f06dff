// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <time.h>

#include "clock.h"
#include "clock.skel.h"
#include "jiffies.h"

#define STEPS    3    /* of the counter to see, one at a time */
#define LIMIT_MS 1000 /* for that */

/* Ticks are made up from the time passed only where timers have the resolution of the clock itself. */
static uint64_t tick_ns(void)
{
	struct timespec fine, coarse;

	if (clock_getres(CLOCK_MONOTONIC, &fine) || fine.tv_sec || fine.tv_nsec != 1)
		return 0;
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &coarse) || coarse.tv_sec)
		return 0;
	return coarse.tv_nsec;
}

/* Both clocks, over and over until the counter was seen to step. 0 or a negative errno. */
static int read_clocks(const struct clock *skel)
{
	char frame[ETH_HLEN] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	const int64_t start_ms = sen_now_ms();

	while (skel->bss->clock_steps < STEPS) {
		if (sen_now_ms() - start_ms > LIMIT_MS)
			return -ETIMEDOUT;
		if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.clock_read), &opts))
			return -errno;
	}
	return 0;
}

struct sen_jiffies sen_jiffies_measure(void)
{
	struct sen_jiffies j = { .ns = tick_ns() };
	struct clock *skel = j.ns ? clock__open() : NULL;

	if (skel)
		skel->rodata->clock_tick_ns = j.ns;
	if (skel && !clock__load(skel) && !read_clocks(skel))
		j.zero_ns = skel->bss->clock_zero_ns;
	else
		j.ns = 0;
	clock__destroy(skel);
	return j;
}
