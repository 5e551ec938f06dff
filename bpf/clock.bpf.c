// SPDX-License-Identifier: GPL-2.0-only
/* The tick counter beside the clock, read before a packet path is loaded: see user/jiffies.h. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

const volatile __u64 clock_tick_ns;

__u64 clock_ticks;
__u64 clock_zero_ns;      /* the earliest that tick 0 may have been, modulo 2^64 */
unsigned int clock_steps; /* of one tick between two readings: seen when they came */

/* Read late in a tick, tick 0 looks later than it was: the earliest of many readings is the right one. The
 * counter is read first, so that it is never ahead of the clock. */
SEC("xdp")
int clock_read(struct xdp_md *ctx __attribute__((unused)))
{
	const __u64 ticks = bpf_jiffies64();
	const __u64 zero_ns = bpf_ktime_get_ns() - ticks * clock_tick_ns;

	if (!clock_ticks || (__s64)(zero_ns - clock_zero_ns) < 0)
		clock_zero_ns = zero_ns;
	clock_steps += ticks == clock_ticks + 1;
	clock_ticks = ticks;
	return XDP_PASS;
}
