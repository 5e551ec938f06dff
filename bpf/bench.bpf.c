// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packet path between two yardsticks, for `sentroid bench`. All three programs first write a flow
 * of their scenario into the frame, so that test_run's repetitions are packets that differ; the price
 * of that is in the floor too and falls out of every difference.
 */
#include "path.bpf.h"

char _license[] SEC("license") = "GPL";

const volatile __u32 bench_mask;   /* flows in turn minus one; all ones: every packet a new flow */
const volatile bool bench_scatter; /* and to a new target */

__u32 bench_count; /* runs are on one CPU at a time */

/* Plain flow accounting, as in the kernel's own samples and most tools: 2^17 flows in an LRU hash. */
struct account {
	__u64 packets, bytes, first_ns, last_ns, flags;
};

struct account_key {
	__be32 saddr, daddr;
	__be16 sport, dport;
	__u32 proto;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 17);
	__type(key, struct account_key);
	__type(value, struct account);
} accounts SEC(".maps");

struct bench_frame {
	struct ethhdr *eth;
	struct iphdr *ip;
	struct tcphdr *tcp;
};

/* Scatter a counter over 32 bits; the same counter gives the same flow. */
static __always_inline __u32 scatter(__u32 n)
{
	n = (n ^ n >> 16) * 0x7feb352du;
	return n ^ n >> 15;
}

/* Headers as whole words: what is written byte by byte cannot be read as a word at once. */
static __always_inline bool frame_of(struct xdp_md *ctx, struct bench_frame *f)
{
	f->eth = (void *)(long)ctx->data;
	f->ip = (void *)(f->eth + 1);
	f->tcp = (void *)(f->ip + 1);
	return (void *)(f->tcp + 1) <= (void *)(long)ctx->data_end;
}

/* 64 flows a source, 16 targets; a flood comes from everywhere and goes to one. */
static __always_inline bool write_flow(struct xdp_md *ctx)
{
	struct bench_frame f;
	__u32 n;

	if (!frame_of(ctx, &f))
		return false;
	n = bench_count++;
	if (bench_mask == ~0u) {
		f.ip->saddr = scatter(n);
		f.tcp->source = scatter(n) >> 16;
		if (bench_scatter)
			f.ip->daddr = scatter(n ^ 0x5bd1e995);
		return true;
	}
	n &= bench_mask;
	f.ip->saddr = bpf_htonl(0x0a000000 + n / 64);
	f.ip->daddr = bpf_htonl(0x0a400000 + n % 16);
	f.tcp->source = bpf_htons(1024 + n);
	return true;
}

SEC("xdp")
int bench_floor(struct xdp_md *ctx)
{
	return write_flow(ctx) ? XDP_PASS : XDP_ABORTED;
}

static __always_inline void account_update(struct account *a, __u64 now, __u32 len, __u32 flags)
{
	a->packets++;
	a->bytes += len;
	a->last_ns = now;
	a->flags |= flags;
}

SEC("xdp")
int bench_accounting(struct xdp_md *ctx)
{
	struct account_key key = { 0 };
	struct account fresh = { 0 }, *a;
	struct bench_frame f;
	__u64 now;

	if (!write_flow(ctx) || !frame_of(ctx, &f))
		return XDP_ABORTED;
	if (f.eth->h_proto != bpf_htons(0x0800) || f.ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	key.saddr = f.ip->saddr;
	key.daddr = f.ip->daddr;
	key.sport = f.tcp->source;
	key.dport = f.tcp->dest;
	key.proto = f.ip->protocol;
	now = bpf_ktime_get_ns();
	a = bpf_map_lookup_elem(&accounts, &key);
	if (a) {
		account_update(a, now, ctx->data_end - ctx->data, ((__u8 *)f.tcp)[13]);
		return XDP_PASS;
	}
	fresh.first_ns = now;
	account_update(&fresh, now, ctx->data_end - ctx->data, ((__u8 *)f.tcp)[13]);
	bpf_map_update_elem(&accounts, &key, &fresh, BPF_ANY);
	return XDP_PASS;
}

SEC("xdp")
int bench_path(struct xdp_md *ctx)
{
	return write_flow(ctx) ? packet_from_xdp(ctx) : XDP_ABORTED;
}

/* On an interface, under live frames: dropped, since that costs the receiver least and so shows most of
 * what comes before. */
SEC("xdp")
int bench_live_floor(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_DROP;
}

SEC("xdp")
int bench_live_path(struct xdp_md *ctx)
{
	packet_from_xdp(ctx);
	return XDP_DROP;
}

/* Scoring alone, of vectors that are never twice the same: no memo, no packet. */
SEC("xdp")
int bench_score(struct xdp_md *ctx __attribute__((unused)))
{
	struct sen_scratch *s = scratch_of_cpu();
	__u32 n = bench_count++;

	if (!s)
		return XDP_ABORTED;
	for (int d = 0; d < SEN_DIMS; d++)
		s->vector.v[d] = scatter(n * SEN_DIMS + d) & 255;
	return score_active() < 0 ? XDP_ABORTED : XDP_PASS;
}

/* The vectors alone. */
SEC("xdp")
int bench_score_floor(struct xdp_md *ctx __attribute__((unused)))
{
	struct sen_scratch *s = scratch_of_cpu();
	__u32 n = bench_count++;

	if (!s)
		return XDP_ABORTED;
	for (int d = 0; d < SEN_DIMS; d++)
		s->vector.v[d] = scatter(n * SEN_DIMS + d) & 255;
	return XDP_PASS;
}
