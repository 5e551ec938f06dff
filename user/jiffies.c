// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/ethernet.h>
#include <time.h>

#include "clock.skel.h"
#include "jiffies.h"

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

struct sen_jiffies sen_jiffies_measure(void)
{
	char frame[ETH_HLEN] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	struct sen_jiffies j = { .ns = tick_ns() };
	struct clock *skel = j.ns ? clock__open_and_load() : NULL;

	if (skel && !bpf_prog_test_run_opts(bpf_program__fd(skel->progs.clock_read), &opts))
		j.zero_ns = skel->bss->clock_coarse_ns - skel->bss->clock_jiffies * j.ns;
	else
		j.ns = 0;
	clock__destroy(skel);
	return j;
}
