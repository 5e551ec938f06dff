// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests/bpf/test_flood.c: connections and floods of millions of frames through the packet path, each
 * repetition of a test_run another frame, on a clock that goes on by a set step with each of them.
 */
#include "flood.h"
#include "path.bpf.h"

char _license[] SEC("license") = "GPL";

#define TCP_ACK_SYN (SEN_TCP_SYN | SEN_TCP_ACK)

__u32 flood_shape;   /* enum flood_shape */
__u32 flood_count;   /* frames of this shape so far */
__u32 flood_step_ns; /* between two frames */

struct flood_frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

/* A frame, to be written. */
struct segment {
	__u32 from, to;
	__u16 sport, dport;
	__u8 flags;
};

/* Scatter a counter over 32 bits; the same counter gives the same number. */
static __always_inline __u32 scatter(__u32 n)
{
	n = (n ^ n >> 16) * 0x7feb352du;
	n = (n ^ n >> 15) * 0x846ca68bu;
	return n ^ n >> 16;
}

/* What is spoofed lies in 128.0.0.0/1, where none of the others is. */
static __always_inline __u32 spoofed(__u32 n)
{
	return scatter(n) | 1u << 31;
}

/* A packet of connection n: from its client, or to it. */
static __always_inline void write_connection(struct segment *s, __u32 n, bool answer, __u8 flags)
{
	__u32 client = FLOOD_CLIENTS + n, server = FLOOD_SERVERS + n % FLOOD_SERVER_COUNT;

	s->from = answer ? server : client;
	s->to = answer ? client : server;
	s->sport = answer ? 443 : 40000;
	s->dport = answer ? 40000 : 443;
	s->flags = flags;
}

static __always_inline void write_spoofed(struct segment *s, __u32 shape, __u32 n)
{
	s->from = shape == FLOOD_ONE_SOURCE ? FLOOD_ATTACKER : spoofed(n);
	s->to = shape == FLOOD_MANY_TARGETS ? spoofed(~n) : FLOOD_SERVERS;
	s->sport = scatter(n * 3 + 1);
	s->dport = shape == FLOOD_ONE_SOURCE ? scatter(n * 3 + 2) : 443;
	s->flags = SEN_TCP_SYN;
}

static __always_inline void write_segment(struct segment *s)
{
	__u32 n = flood_count++;

	if (flood_shape == FLOOD_TALK)
		write_connection(s, n, false, SEN_TCP_ACK);
	else if (flood_shape != FLOOD_ESTABLISH)
		write_spoofed(s, flood_shape, n);
	else if (n % 3 == 1)
		write_connection(s, n / 3, true, TCP_ACK_SYN);
	else
		write_connection(s, n / 3, false, n % 3 ? SEN_TCP_ACK : SEN_TCP_SYN);
}

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	struct flood_frame *f = (void *)(long)ctx->data;
	struct segment s;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	write_segment(&s);
	f->ip.saddr = bpf_htonl(s.from);
	f->ip.daddr = bpf_htonl(s.to);
	f->tcp.source = bpf_htons(s.sport);
	f->tcp.dest = bpf_htons(s.dport);
	((__u8 *)&f->tcp)[13] = s.flags;
	replay.now_ns += flood_step_ns;
	replay.wire_len = sizeof(*f);
	return packet_from_xdp(ctx);
}
