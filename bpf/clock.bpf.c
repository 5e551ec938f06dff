// SPDX-License-Identifier: GPL-2.0-only
/* Two clocks read side by side, once before a packet path is loaded: see user/jiffies.h. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

__u64 clock_jiffies;
__u64 clock_coarse_ns;
__u64 clock_jiffies_after;

SEC("xdp")
int clock_read(struct xdp_md *ctx __attribute__((unused)))
{
	clock_jiffies = bpf_jiffies64();
	clock_coarse_ns = bpf_ktime_get_coarse_ns();
	clock_jiffies_after = bpf_jiffies64();
	return XDP_PASS;
}
