/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The standing verdict. A flood of one-packet flows to one target gives the same vector again and again,
 * and every one of its flows would push another out of the table. So: once new flows to a busy target
 * are flagged, those that follow within a moment and find the table crowded take over that verdict, count
 * on their target, and take up no room of their own, neither as flows nor as sources. One of them is
 * evaluated in full every SEN_STANDING_TICKS, which renews the verdict or lets it lapse.
 */
#ifndef SENTROID_STANDING_BPF_H
#define SENTROID_STANDING_BPF_H

#include "allow.bpf.h"
#include "context.bpf.h"

#define SEN_STANDING_TICKS 128                     /* 0.13 s */
#define SEN_STANDING_FLOWS (1024 * SEN_EVENT_UNIT) /* new flows of a target in its 8 s window */

/* By protocol: a TCP and a UDP flood of one target would each end the other's verdict, again and again. */
static __always_inline struct sen_standing *standing_of(struct sen_target *t, __u8 proto)
{
	if (proto == IPPROTO_TCP)
		return &t->standing[0];
	return proto == IPPROTO_UDP ? &t->standing[1] : &t->standing[2];
}

/* Remember the verdict on a new flow with its target. */
static __always_inline void standing_set(const struct sen_scratch *s, const struct sen_packet *p)
{
	struct sen_standing *standing;
	struct sen_target *t;

	if (s->target_flows < SEN_STANDING_FLOWS)
		return;
	t = bpf_map_lookup_elem(&targets, &s->target_entry);
	if (!t)
		return;
	standing = standing_of(t, p->key.proto);
	standing->score = s->result.score;
	standing->class_id = s->result.class_id;
	standing->generation = s->version;
	standing->proto = p->key.proto;
	standing->until = p->now + SEN_STANDING_TICKS;
}

static __always_inline struct sen_target *standing_target(const struct sen_packet *p)
{
	const struct table table = TARGET_TABLE;
	__u64 words[SEN_KEY_WORDS] = { 0 };
	struct place place;

	host_key(words, p->side ? p->key.addr[0] : p->key.addr[1], p->key.vlan);
	table_place(&place, words, sen_target_sets);
	return table_set(&table, &place) ? table_find(&table, &place, words) : NULL;
}

static __always_inline void standing_credit(struct sen_target *t, const struct sen_packet *p)
{
	union sen_addr initiator;

	host_key(initiator.d, p->side ? p->key.addr[1] : p->key.addr[0], p->key.vlan);
	target_decay(t, p->now);
	t->packets_slow = add_saturating(t->packets_slow, SEN_EVENT_UNIT);
	t->flows_fast = add_saturating(t->flows_fast, SEN_EVENT_UNIT);
	t->new_pairs_fast = add_saturating(t->new_pairs_fast, SEN_EVENT_UNIT);
	t->flows_mid = add_saturating(t->flows_mid, SEN_EVENT_UNIT);
	if (p->key.proto == IPPROTO_TCP)
		t->half_open_slow = add_saturating(t->half_open_slow, SEN_EVENT_UNIT);
	if (!p->payload)
		t->empty_mid = add_saturating(t->empty_mid, SEN_EVENT_UNIT);
	t->sources_mid[0] |= bitmap_bit(address_item(initiator.b), SEN_EVENT_UNIT);
}

/* 1 and the verdict's score and class in the scratch result, where one stands for a packet that would
 * open a flow; else 0. */
__noinline int standing_verdict(__u8 generation)
{
	struct sen_scratch *s = scratch_of_cpu();
	const struct sen_standing *standing;
	const struct sen_packet *p;
	struct sen_target *t;

	if (!s)
		return 0;
	p = &s->packet;
	if (p->key.proto == IPPROTO_TCP && !is_opening_syn(p))
		return 0;
	t = standing_target(p);
	if (!t)
		return 0;
	standing = standing_of(t, p->key.proto);
	/* Unsigned: one long over would come round and stand again. */
	if (standing->until - p->now - 1 >= SEN_STANDING_TICKS ||
	    standing->generation != generation || standing->proto != p->key.proto ||
	    allowed(p->key.addr[p->side & 1], p->key.proto))
		return 0;
	standing_credit(t, p);
	s->result.score = standing->score;
	s->result.class_id = standing->class_id;
	return 1;
}

#endif
