// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <time.h>

#include "clock.skel.h"
#include "jiffies.h"

#define TRIES 8 /* to read both clocks within one tick */

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

/* Both clocks at one instant, or as near to it as interruptions allow. 0 or a negative errno. */
static int read_clocks(struct clock *skel)
{
	char frame[ETH_HLEN] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));

	for (int i = 0; i < TRIES; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.clock_read), &opts))
			return -errno;
		if (skel->bss->clock_jiffies == skel->bss->clock_jiffies_after)
			break;
	}
	return 0;
}

struct sen_jiffies sen_jiffies_measure(void)
{
	struct sen_jiffies j = { .ns = tick_ns() };
	struct clock *skel = j.ns ? clock__open_and_load() : NULL;

	if (skel && !read_clocks(skel))
		j.zero_ns = skel->bss->clock_coarse_ns - skel->bss->clock_jiffies * j.ns;
	else
		j.ns = 0;
	clock__destroy(skel);
	return j;
}
