/* SPDX-License-Identifier: GPL-2.0-only */
/* The flow of a packet: find or open its entry, count the packet, tell what changed. */
#ifndef SENTROID_FLOW_BPF_H
#define SENTROID_FLOW_BPF_H

#include "maps.bpf.h"
#include "parse.bpf.h"
#include "table.bpf.h"

#define SEN_FLOW_IDLE (60 * SEN_TICKS_PER_SEC) /* a longer silence ends a flow */
#define SEN_FLOW_LIFE \
	(64 * SEN_TICKS_PER_SEC) /* a live flow is kept so long past its last packet */

/* Who opened the flow that begins with this packet, as the side of the key: its sender, but for TCP
 * joined in the middle, where the lower port is taken for the server. */
static __always_inline __u8 flow_initiator(const struct sen_packet *p)
{
	if (p->key.proto != IPPROTO_TCP ||
	    (p->tcp_flags & (SEN_TCP_SYN | SEN_TCP_ACK)) == SEN_TCP_SYN)
		return p->side;
	if (p->key.port[0] == p->key.port[1])
		return p->side;
	return p->key.port[0] < p->key.port[1];
}

static __always_inline bool is_opening_syn(const struct sen_packet *p)
{
	return (p->tcp_flags & (SEN_TCP_SYN | SEN_TCP_ACK)) == SEN_TCP_SYN;
}

static __always_inline void flow_open(struct sen_flow *f, const struct sen_packet *p)
{
	f->packets[0] = 0;
	f->packets[1] = 0;
	f->bytes = 0;
	f->min_len = 0xffff;
	f->flags = flow_initiator(p) ? SEN_FLOW_INITIATOR_1 : 0;
	if (is_opening_syn(p))
		f->flags |= SEN_FLOW_SYN;
	f->generation = 0;
	f->first_ns = p->now_ns;
	f->evaluations = 0;
	f->score = 0;
	f->score_max = 0;
	f->credited = 0;
	f->fragments = 0;
	f->first_payload = 0;
	f->class_id = SEN_CLASS_NONE;
	f->reason = SEN_REASON_NONE;
}

/* The entry was there: does this packet nevertheless begin another flow? */
static __always_inline bool flow_is_over(const struct sen_flow *f, const struct sen_packet *p)
{
	if ((__s32)(p->now - f->last) > SEN_FLOW_IDLE)
		return true;
	return f->flags & SEN_FLOW_CLOSED && is_opening_syn(p);
}

/* Flags that this packet brings, as changes; the entry is written only when there are any. */
static __always_inline __u32 flow_changes(struct sen_flow *f, const struct sen_packet *p)
{
	__u32 initiator = !!(f->flags & SEN_FLOW_INITIATOR_1), flags = f->flags;
	__u32 change = 0;

	if (!(flags & SEN_FLOW_ANSWERED) && p->side != initiator && p->arp == SEN_ARP_NONE) {
		flags |= SEN_FLOW_ANSWERED;
		change |= SEN_FLOW_FIRST_ANSWER;
	}
	if (!(flags & SEN_FLOW_PAYLOAD) && p->payload) {
		flags |= SEN_FLOW_PAYLOAD;
		f->first_payload = p->payload;
		change |= SEN_FLOW_FIRST_PAYLOAD;
	}
	if (!(flags & SEN_FLOW_CLOSED) && p->tcp_flags & (SEN_TCP_FIN | SEN_TCP_RST)) {
		flags |= SEN_FLOW_CLOSED;
		change |= SEN_FLOW_CLOSING;
	}
	if (change)
		f->flags = flags;
	return change;
}

/* One-packet and closed flows are the first to go; one that lives is kept past its idle time. */
static __always_inline __u32 flow_life(const struct sen_flow *f)
{
	if (f->flags & SEN_FLOW_CLOSED)
		return SEN_WEAK_TICKS;
	if (f->flags & SEN_FLOW_ANSWERED || f->packets[0] + f->packets[1] >= 4)
		return SEN_FLOW_LIFE;
	return SEN_WEAK_TICKS;
}

static __always_inline void flow_count_claim(struct sen_stats *st, enum claim claim)
{
	st->flows_new += claim == SEN_CLAIM_NEW || claim == SEN_CLAIM_REPLACED;
	st->flows_replaced += claim == SEN_CLAIM_REPLACED;
	st->flows_untracked += claim == SEN_CLAIM_FULL || claim == SEN_CLAIM_CONTENDED;
	st->set_contended += claim == SEN_CLAIM_CONTENDED;
}

/* Count a packet on its flow; *change tells what it changed. NULL: no room for the flow. */
static __always_inline struct sen_flow *flow_update(const struct sen_packet *p,
						    struct sen_stats *st, __u32 *index,
						    __u32 *change)
{
	const struct table table = { &flows_sets, &flows, sizeof(p->key) / 8,
				     sizeof(struct sen_flow) };
	struct place place = table_place((const __u64 *)&p->key, sen_flow_sets);
	enum claim claim;
	struct sen_flow *f;

	*change = 0;
	f = table_claim(&table, &place, &p->key, p->now, &claim);
	if (claim != SEN_CLAIM_FOUND)
		flow_count_claim(st, claim);
	if (!f)
		return NULL;
	if (claim != SEN_CLAIM_FOUND || flow_is_over(f, p)) {
		st->flows_new += claim == SEN_CLAIM_FOUND;
		flow_open(f, p);
		*change = SEN_FLOW_OPENED;
	}
	*change |= flow_changes(f, p);
	f->packets[p->side & 1]++;
	f->bytes += p->wire_len;
	f->fragments += p->fragment;
	if (p->l3_len < f->min_len)
		f->min_len = p->l3_len;
	place_keep(&place, p->now, flow_life(f));
	*index = place.index * SEN_WAYS + place.way;
	return f;
}

/*
 * Is this packet worth a new score? At packet 1, 2, 4, 8, ..., when something changed, for ARP always
 * (rare, and each question and answer matters), once in every
 * 2^shift ticks (at a phase of the flow's own, so that flows do not all fall due together), and when
 * the model changed. The byte of the generation may come round only after 256 pushes within one such
 * interval.
 */
static __always_inline bool flow_decision_point(struct sen_flow *f, const struct sen_packet *p,
						__u32 change, __u32 phase, __u32 shift,
						__u8 generation)
{
	__u32 n = f->packets[0] + f->packets[1], last = f->last;

	f->last = p->now;
	return change || p->arp != SEN_ARP_NONE || !(n & (n - 1)) || f->generation != generation ||
	       (p->now + phase) >> shift != (last + phase) >> shift;
}

#endif
