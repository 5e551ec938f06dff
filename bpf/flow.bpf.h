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
 * joined in the middle, where the lower port is taken for the server. There is no middle without ACK or
 * RST (RFC 9293): what has neither opens, or is a scan that would have its target pass for the opener. */
static __always_inline __u8 flow_initiator(const struct sen_packet *p)
{
	if (p->key.proto != IPPROTO_TCP || !(p->tcp_flags & (SEN_TCP_ACK | SEN_TCP_RST)))
		return p->side;
	if (p->key.port[0] == p->key.port[1])
		return p->side;
	return p->key.port[0] < p->key.port[1];
}

static __always_inline bool is_opening_syn(const struct sen_packet *p)
{
	return (p->tcp_flags & (SEN_TCP_SYN | SEN_TCP_ACK)) == SEN_TCP_SYN;
}

/* The responder resets the flow: it refuses it, or has had enough of it. */
static __always_inline bool is_answering_reset(const struct sen_flow *f, const struct sen_packet *p)
{
	return p->tcp_flags & SEN_TCP_RST && p->side != !!(f->flags & SEN_FLOW_INITIATOR_1);
}

static __always_inline bool is_icmp(__u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
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
	f->credited_back = 0;
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

	/* An error about the flow is no word of its responder. */
	if (p->icmp_error) {
		change = flags & SEN_FLOW_ERROR ? 0 : SEN_FLOW_FIRST_ERROR;
		f->flags = flags | SEN_FLOW_ERROR;
		return change;
	}
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

#define FLOW_TABLE                                                                                \
	((struct table){ &flows_sets, &flows, &flows_handed_out, sizeof(struct sen_flow_key) / 8, \
			 sizeof(struct sen_flow), SEN_WEAK_TICKS })

/* The entry of the flow of a packet, NULL where it has none; *place is where it belongs. */
static __always_inline struct sen_flow *flow_find(const struct sen_packet *p, struct place *place)
{
	const struct table table = FLOW_TABLE;

	table_place(place, (const __u64 *)&p->key, sen_flow_sets);
	return table_set(&table, place) ? table_find(&table, place, (const __u64 *)&p->key) : NULL;
}

/* Would a new flow push out one that is still within the time given to newcomers, or find no room? */
static __always_inline bool flow_crowded(struct place *place, __u32 now)
{
	const struct table table = FLOW_TABLE;
	__s64 left;

	return !place->set || !table_victim(&table, place, now, &left) || left > 0;
}

/* An entry for a flow that has none. NULL: no room. */
static __always_inline struct sen_flow *flow_make(const struct sen_packet *p, struct place *place,
						  struct sen_stats *st)
{
	const struct table table = FLOW_TABLE;
	enum claim claim = SEN_CLAIM_FULL;
	struct sen_flow *f = NULL;

	if (place->set)
		f = table_make(&table, place, (const __u64 *)&p->key, p->now, &claim);
	flow_count_claim(st, claim);
	return f;
}

/* Count a packet on its flow. Returns what it changed, enum sen_flow_change. */
static __always_inline __u32 flow_update(struct sen_flow *f, const struct sen_packet *p,
					 struct place *place, struct sen_stats *st)
{
	bool known = f->packets[0] | f->packets[1];
	__u32 change = 0;

	if (!known || flow_is_over(f, p)) {
		st->flows_new += known;
		flow_open(f, p);
		change = SEN_FLOW_OPENED;
	}
	change |= flow_changes(f, p);
	f->packets[p->side & 1]++;
	f->bytes += p->wire_len;
	if (p->fragment)
		f->fragments++;
	if (p->l3_len < f->min_len && !p->icmp_error)
		f->min_len = p->l3_len;
	place_keep(place, p->now, flow_life(f));
	return change;
}

/* The opaque step keeps the compiler from counting the bits of n instead. */
static __always_inline bool is_power_of_two(__u32 n)
{
	return !(n & sen_opaque(n - 1));
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
	return change || p->arp != SEN_ARP_NONE || is_power_of_two(n) ||
	       f->generation != generation || (p->now + phase) >> shift != (last + phase) >> shift;
}

#endif
