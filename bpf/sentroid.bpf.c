// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs on the interface. The packet path, in the order in which a packet takes it:
 *
 *   path.bpf.h      ties the stages together and gives the verdict
 *   parse.bpf.h     frame -> flow key
 *   flow.bpf.h      flow key -> flow entry (table.bpf.h), counted
 *   evaluate.bpf.h  at decision points: context.bpf.h -> feature.bpf.h -> score.bpf.h -> sample.bpf.h
 */
#include "path.bpf.h"
#include "replay.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("xdp")
int sentroid(struct xdp_md *ctx)
{
	return packet_from_xdp(ctx);
}

/* The way out, where an end host answers: the same path and tables, but nothing is held back here. */
SEC("tc")
int sentroid_egress(struct __sk_buff *skb)
{
	return packet_from_skb(skb);
}

/* A batch of captured frames in a test run. Never loaded to be attached. */
SEC("?xdp")
int sentroid_replay(struct xdp_md *ctx)
{
	return replay_batch(ctx);
}
