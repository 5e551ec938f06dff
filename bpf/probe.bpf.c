// SPDX-License-Identifier: GPL-2.0-only
/*
 * For the tests: the stages of the packet path one at a time, many inputs a run, without a packet
 * around each. The very functions that the packet path calls.
 */
#include "probe.h"
#include "path.bpf.h"

char _license[] SEC("license") = "GPL";

struct probe_score probe_scores[PROBE_VECTORS];
__u32 probe_count;

SEC("xdp")
int probe_score(struct xdp_md *ctx __attribute__((unused)))
{
	struct sen_scratch *s = scratch_of_cpu();
	__u32 n = probe_count;

	if (!s)
		return XDP_ABORTED;
	for (__u32 i = 0; i < PROBE_VECTORS; i++) {
		struct probe_score *io = &probe_scores[forget(&s->forget, i) & (PROBE_VECTORS - 1)];

		if (i >= n)
			break;
		s->vector = io->vector;
		io->known = score_active();
		io->version = s->version;
		io->active = s->result;
		io->shadowed = score_shadow();
		io->shadow = s->result;
	}
	return XDP_PASS;
}

struct probe_racer probe_racers[PROBE_CPUS];
__u32 probe_keys = 1; /* that the racers draw from, a power of two */
__u32 probe_now;

/* The entry of flow number n; one in 64 is kept for longer. Returns an enum claim. */
__noinline int probe_claim(__u32 n)
{
	const struct table table = { &flows_sets,
				     &flows,
				     &flows_handed_out,
				     sizeof(struct sen_flow_key) / 8,
				     sizeof(struct sen_flow),
				     SEN_WEAK_TICKS };
	struct sen_flow_key key = { .port = { n, ~n }, .proto = IPPROTO_UDP };
	__u64 words[sizeof(key) / 8];
	enum claim claim;
	struct place place;
	struct sen_flow *f;

	__builtin_memcpy(words, &key, sizeof(key));
	table_place(&place, words, sen_flow_sets);
	f = table_claim(&table, &place, words, probe_now, &claim);
	if (!f)
		return claim;
	f->packets[n & 1]++;
	place_keep(&place, probe_now, n & 63 ? SEN_WEAK_TICKS : 8 * SEN_WEAK_TICKS);
	return claim;
}

SEC("xdp")
int probe_race(struct xdp_md *ctx __attribute__((unused)))
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct probe_racer *racer = &probe_racers[cpu & (PROBE_CPUS - 1)];

	for (__u32 i = 0; i < PROBE_CLAIMS; i++) {
		racer->random = racer->random * 6364136223846793005ull + 1442695040888963407ull;
		racer->claims[probe_claim(racer->random >> 40 & (probe_keys - 1)) & 7]++;
	}
	return XDP_PASS;
}

/* The VLAN of a frame on its way out, with a tag put beside it that a test run cannot have. */
SEC("tc")
int probe_vlan_beside(struct __sk_buff *skb)
{
	if (bpf_skb_vlan_push(skb, bpf_htons(SEN_ETH_P_8021Q), PROBE_TAG))
		return PROBE_NO_TAG;
	return vlan_beside(skb);
}
