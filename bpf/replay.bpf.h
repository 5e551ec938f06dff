/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captured frames in batches: one test run puts one after the other into its buffer, sends each the way
 * of any packet, and leaves what came of it beside the frame. (To let test_run repeat the program is no
 * way: it then waits for a grace period at the beginning and the end.)
 */
#ifndef SENTROID_REPLAY_BPF_H
#define SENTROID_REPLAY_BPF_H

#include "path.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SEN_REPLAY_BANKS *SEN_REPLAY_BATCH);
	__type(key, __u32);
	__type(value, struct sen_replay_slot);
} replay_slots SEC(".maps");

__u32 replay_first; /* slot of the first frame of the batch */
__u32 replay_count; /* frames in it */
__u32 replay_next;  /* slot of the frame that is under way */
/* Of the statistics, before the frame. */
__u64 replay_inherited;
__u64 replay_evaluated;

/*
 * Walls on both sides of the path, so that nothing of this is on its stack. What the slot keeps of an
 * earlier batch is cleared here. 0: the frame is in the buffer; else it cannot be run.
 */
__noinline int replay_load(struct xdp_md *ctx)
{
	__u32 present = bpf_xdp_get_buff_len(ctx), index = replay_next, zero = 0, size;
	struct sen_replay_slot *slot;
	const struct sen_stats *st;

	slot = bpf_map_lookup_elem(&replay_slots, &index);
	st = bpf_map_lookup_elem(&stats, &zero);
	if (!slot || !st)
		return -1;
	__builtin_memset(&slot->result, 0, sizeof(slot->result));
	replay.now_ns = slot->now_ns;
	replay.wire_len = slot->wire_len;
	replay_inherited = st->flows_inherited;
	replay_evaluated = st->evaluations + st->no_model;
	size = slot->size;
	if (bpf_xdp_adjust_tail(ctx, (int)(size - present)))
		return -1;
	/* Two comparisons, just before: as one, or before a call, older verifiers do not follow them. */
	if (size > SEN_REPLAY_BYTES)
		return -1;
	size = sen_opaque(size);
	if (size < sizeof(struct ethhdr))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, slot->data, size);
}

static __always_inline void replay_tell_flow(struct sen_replay_result *r, const struct sen_flow *f)
{
	r->key = f->key;
	r->score = f->score;
	r->opened = replay.opened;
	r->flow_flags = f->flags;
	r->class_id = f->class_id;
	r->reason = f->reason;
}

/* A flow without an entry: it has what stands of its target, or nothing. */
static __always_inline void replay_tell_packet(struct sen_replay_result *r,
					       const struct sen_scratch *s)
{
	r->key = s->packet.key;
	r->reason = SEN_REASON_UNTRACKED;
	if (!r->inherited)
		return;
	r->score = s->result.score;
	r->class_id = s->result.class_id;
	r->reason = SEN_REASON_DISTANCE;
}

__noinline int replay_tell_result(int action)
{
	__u32 index = replay_next, zero = 0;
	struct sen_scratch *s = scratch_of_cpu();
	struct sen_replay_slot *slot;
	const struct sen_stats *st;
	const struct sen_flow *f;

	slot = bpf_map_lookup_elem(&replay_slots, &index);
	st = bpf_map_lookup_elem(&stats, &zero);
	if (!slot || !st || !s)
		return -1;
	slot->result.dropped = action == XDP_DROP;
	slot->result.parsed = replay.outcome == SEN_PARSED;
	if (!slot->result.parsed)
		return 0;
	slot->result.side = s->packet.side;
	slot->result.evaluated = st->evaluations + st->no_model != replay_evaluated;
	slot->result.inherited = st->flows_inherited != replay_inherited;
	f = bpf_map_lookup_elem(&flows, &replay.flow);
	if (f)
		replay_tell_flow(&slot->result, f);
	else
		replay_tell_packet(&slot->result, s);
	return 0;
}

/* Behind a wall, so that it is verified once and not for every frame of a batch. */
__noinline int replay_frame(struct xdp_md *ctx)
{
	return replay_load(ctx) ? -1 : replay_tell_result(packet_from_xdp(ctx));
}

static __always_inline int replay_batch(struct xdp_md *ctx)
{
	for (__u32 i = 0; i < SEN_REPLAY_BATCH && i < replay_count; i++) {
		replay_next = replay_first + i;
		replay_frame(ctx);
	}
	return XDP_PASS;
}

#endif
