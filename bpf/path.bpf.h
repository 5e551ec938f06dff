/* SPDX-License-Identifier: GPL-2.0-only */
/* One packet from the first byte to the verdict. */
#ifndef SENTROID_PATH_BPF_H
#define SENTROID_PATH_BPF_H

#include "evaluate.bpf.h"

/* Read and written only while a capture is replayed; absent from a live program's code. */
struct sen_replay_state replay;

/* Steps with the timer interrupt, some milliseconds: all windows and deadlines are far longer. The tick
 * counter is a load; the coarse clock a call, and a tenth of the fine one's. */
static __always_inline __u64 clock_now(void)
{
	if (sen_replay)
		return replay.now_ns;
	if (sen_jiffy_ns)
		return bpf_jiffies64() * sen_jiffy_ns + sen_jiffy_zero_ns;
	return bpf_ktime_get_coarse_ns();
}

/* What parsing does not set in every packet. */
static __always_inline void packet_begin(struct sen_packet *p, __u32 wire_len)
{
	p->key.vlan = 0;
	p->key.proto = 0;
	p->key.pad = 0;
	p->payload = 0;
	p->side = 0;
	p->tcp_flags = 0;
	p->fragment = 0;
	p->arp = SEN_ARP_NONE;
	p->icmp_error = 0;
	p->unjoined = 0;
	p->wire_len = wire_len;
	p->now_ns = clock_now();
	p->now = p->now_ns >> SEN_TICK_SHIFT;
}

/* One counter a packet is touched, not each with 0 or 1. */
static __always_inline void count_outcome(struct sen_stats *st, const struct sen_packet *p,
					  enum sen_outcome outcome)
{
	if (outcome == SEN_PARSED)
		st->parsed++;
	else if (outcome == SEN_NOT_IP)
		st->not_ip++;
	else if (outcome == SEN_NOT_TRANSPORT)
		st->not_transport++;
	else
		st->truncated++;
	if (p->unjoined)
		st->fragments_unjoined++;
}

static __always_inline __u32 cached_verdict(const struct sen_flow *f,
					    const struct sen_policy *knobs)
{
	if (!(f->flags & SEN_FLOW_FLAGGED) || knobs->mode == SEN_MODE_OBSERVE)
		return SEN_VERDICT_PASS;
	if (f->flags & SEN_FLOW_DROP && enforced(knobs, model_learned()))
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
static __always_inline struct sen_flow *packet_flow(struct sen_scratch *s, struct place *place,
						    const struct sen_policy *knobs,
						    struct sen_stats *st, int *verdict)
{
	struct sen_flow *f = flow_find(&s->packet, place);

	*verdict = SEN_VERDICT_PASS;
	/* Nor does an error begin a flow: one that quotes a flow long over stands for itself. */
	if (s->packet.icmp_error && (!f || flow_is_over(f, &s->packet))) {
		quote_drop(s);
		f = flow_find(&s->packet, place);
	}
	if (f)
		return f;
	if (!flow_crowded(place, s->packet.now) || !standing_verdict(model_generation()))
		return flow_make(&s->packet, place, st);
	*verdict = verdict_of(knobs, s->result.class_id, model_learned());
	st->flows_inherited++;
	return NULL;
}

/* Flow, decision point, verdict for the packet in the scratch. */
static __always_inline int packet_verdict(struct sen_scratch *s, struct sen_stats *st)
{
	const struct sen_policy *knobs;
	struct place place;
	__u32 change = 0, zero = 0;
	struct sen_flow *f;
	int verdict;

	knobs = bpf_map_lookup_elem(&policy, &zero);
	if (!knobs)
		return SEN_VERDICT_PASS;
	f = packet_flow(s, &place, knobs, st, &verdict);
	if (f)
		change = flow_update(f, &s->packet, &place, st);
	replay_tell(f, &place, &s->packet, change);
	if (!f)
		return verdict;
	if (!flow_decision_point(f, &s->packet, change, place.tag, knobs->eval_shift & 31,
				 model_generation()))
		return cached_verdict(f, knobs);
	verdict = evaluate(f, change);
	if (verdict >= 0)
		return verdict;
	st->errors++;
	return SEN_VERDICT_PASS;
}

static __always_inline void count_verdict(struct sen_stats *st, __u32 verdict)
{
	if (verdict == SEN_VERDICT_PASS)
		st->pass++;
	else if (verdict == SEN_VERDICT_ALERT)
		st->alert++;
	else
		st->drop++;
}

/* One packet, however it came here. */
static __always_inline __u32 packet_path(struct cursor *c, __u32 wire_len, __u16 vlan,
					 bool may_drop)
{
	struct sen_scratch *s = scratch_of_cpu();
	struct sen_stats *st;
	enum sen_outcome outcome;
	__u32 zero = 0, verdict = SEN_VERDICT_PASS;

	st = bpf_map_lookup_elem(&stats, &zero);
	if (!st || !s)
		return SEN_VERDICT_PASS;
	st->packets++;
	st->bytes += wire_len;
	packet_begin(&s->packet, wire_len);
	s->packet.key.vlan = vlan;
	outcome = parse(c, s);
	count_outcome(st, &s->packet, outcome);
	if (sen_replay) {
		replay.outcome = outcome;
		replay.flow = ~0u;
	}
	if (outcome == SEN_PARSED && sen_stages > SEN_STAGE_FLOW)
		verdict = packet_verdict(s, st);
	if (verdict == SEN_VERDICT_DROP && !may_drop)
		verdict = SEN_VERDICT_ALERT;
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
	struct cursor c = cursor_of(ctx);

	c.xdp = ctx;
	return packet_path(&c, frame_length(ctx), 0, true) == SEN_VERDICT_DROP ? XDP_DROP :
										 XDP_PASS;
}

#define SEN_TC_UNSPEC  (-1) /* go on with what else is configured */
#define SEN_PULL_BYTES 128  /* headers that must lie in the linear part */

/*
 * The VLAN of a frame on its way out whose outer tag is beside it, for the hardware to insert. Where the
 * hardware takes tags off as well, what comes in is without, and what goes out must be: both are one flow.
 */
static __always_inline __u16 vlan_beside(const struct __sk_buff *skb)
{
	return !sen_tags_stripped && skb->vlan_present ? skb->vlan_tci & 0xfff : 0;
}

/* A frame on its way out. */
static __always_inline int packet_from_skb(struct __sk_buff *skb)
{
	__u32 len = skb->len;
	struct cursor c;

	if (skb->data_end - skb->data < (len < SEN_PULL_BYTES ? len : SEN_PULL_BYTES))
		bpf_skb_pull_data(skb, len < SEN_PULL_BYTES ? len : SEN_PULL_BYTES);
	c = cursor_of(skb);
	c.skb = skb;
	c.is_skb = true;
	packet_path(&c, len, vlan_beside(skb), false);
	return SEN_TC_UNSPEC;
}

#endif
