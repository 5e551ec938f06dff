/* SPDX-License-Identifier: GPL-2.0-only */
/* One packet from the first byte to the verdict. */
#ifndef SENTROID_PATH_BPF_H
#define SENTROID_PATH_BPF_H

#include "evaluate.bpf.h"

/* Read and written only while a capture is replayed; absent from a live program's code. */
struct sen_replay_state replay;

static __always_inline void packet_clock(struct sen_packet *p)
{
	/* The coarse clock steps with the timer interrupt, some milliseconds, and costs a tenth of the
	 * fine one. All windows and deadlines are far longer. */
	p->now_ns = sen_replay ? replay.now_ns : bpf_ktime_get_coarse_ns();
	p->now = p->now_ns >> SEN_TICK_SHIFT;
}

static __always_inline void count_outcome(struct sen_stats *st, enum sen_outcome outcome)
{
	st->parsed += outcome == SEN_PARSED;
	st->not_ip += outcome == SEN_NOT_IP;
	st->not_transport += outcome == SEN_NOT_TRANSPORT;
	st->truncated += outcome == SEN_TRUNCATED;
}

static __always_inline __u32 cached_verdict(const struct sen_flow *f,
					    const struct sen_policy *knobs)
{
	if (!(f->flags & SEN_FLOW_FLAGGED) || knobs->mode == SEN_MODE_OBSERVE)
		return SEN_VERDICT_PASS;
	if (f->flags & SEN_FLOW_DROP && knobs->mode == SEN_MODE_ENFORCE)
		return SEN_VERDICT_DROP;
	return SEN_VERDICT_ALERT;
}

static __always_inline void replay_tell(const struct sen_flow *f, const struct place *place,
					const struct sen_packet *p, __u32 change)
{
	if (!sen_replay)
		return;
	replay.flow = f ? place_index(place) : ~0u;
	replay.opened = change & SEN_FLOW_OPENED;
	replay.side = p->side;
}

/* The flow of a packet, found or made; or NULL, and *verdict what becomes of it without one. */
static __always_inline struct sen_flow *packet_flow(const struct sen_packet *p, struct place *place,
						    const struct sen_policy *knobs,
						    struct sen_stats *st, __u32 *verdict)
{
	struct sen_flow *f = flow_find(p, place);
	struct sen_scratch *s;

	*verdict = SEN_VERDICT_PASS;
	if (f)
		return f;
	if (!flow_crowded(place, p->now) || !standing_verdict(p, model_generation()))
		return flow_make(p, place, st);
	s = scratch_of_cpu();
	if (s)
		*verdict = verdict_of(knobs, s->result.class_id);
	st->flows_inherited++;
	return NULL;
}

/* Flow, decision point, verdict. */
static __always_inline __u32 packet_verdict(const struct sen_packet *p, struct sen_stats *st,
					    const struct sen_policy *knobs)
{
	struct place place;
	__u32 change = 0, without;
	struct sen_flow *f = packet_flow(p, &place, knobs, st, &without);
	int verdict;

	if (f)
		change = flow_update(f, p, &place, st);
	replay_tell(f, &place, p, change);
	if (!f)
		return without;
	if (!flow_decision_point(f, p, change, place.tag, knobs->eval_shift & 31,
				 model_generation()))
		return cached_verdict(f, knobs);
	verdict = evaluate(f, p, change);
	if (verdict < 0) {
		st->errors++;
		return SEN_VERDICT_PASS;
	}
	return verdict;
}

static __always_inline void count_verdict(struct sen_stats *st, __u32 verdict)
{
	st->pass += verdict == SEN_VERDICT_PASS;
	st->alert += verdict == SEN_VERDICT_ALERT;
	st->drop += verdict == SEN_VERDICT_DROP;
}

/* One packet, however it came here. */
static __always_inline __u32 packet_path(struct cursor *c, __u32 wire_len)
{
	const struct sen_policy *knobs;
	struct sen_packet p = { .wire_len = wire_len };
	struct sen_stats *st;
	enum sen_outcome outcome;
	__u32 zero = 0, verdict = SEN_VERDICT_PASS;

	st = bpf_map_lookup_elem(&stats, &zero);
	knobs = bpf_map_lookup_elem(&policy, &zero);
	if (!st || !knobs)
		return SEN_VERDICT_PASS;
	st->packets++;
	st->bytes += wire_len;
	outcome = parse(c, &p);
	count_outcome(st, outcome);
	if (sen_replay) {
		replay.outcome = outcome;
		replay.flow = ~0u;
	}
	if (outcome == SEN_PARSED && sen_stages > SEN_STAGE_FLOW) {
		packet_clock(&p);
		verdict = packet_verdict(&p, st, knobs);
	}
	count_verdict(st, verdict);
	return verdict;
}

static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	if (sen_replay)
		return replay.wire_len;
	if (sen_frags)
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

static __always_inline int packet_from_xdp(struct xdp_md *ctx)
{
	struct cursor c = {
		.start = (void *)(long)ctx->data,
		.pos = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};

	return packet_path(&c, frame_length(ctx)) == SEN_VERDICT_DROP ? XDP_DROP : XDP_PASS;
}

#endif
