/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hosts around a flow have been doing: per source, destination and pair, in fixed memory.
 * Touched at decision points only, and then credited with all packets since the last one; between
 * them a packet costs its flow entry and nothing more.
 *
 * Each host has a function of its own that finds it, updates it and writes its features: walls for the
 * verifier, which checks each once.
 *
 * Counters halve at every boundary of their window (all counters of a window at the same instants of
 * the clock), lazily, when next touched: c >>= boundaries passed.
 */
#ifndef SENTROID_CONTEXT_BPF_H
#define SENTROID_CONTEXT_BPF_H

#include "feature.bpf.h"
#include "flow.bpf.h"
#include "score.bpf.h"

#define SEN_HOST_LIFE (128 * SEN_TICKS_PER_SEC)
#define SEN_PAIR_NEW  (600 * SEN_TICKS_PER_SEC) /* a pair that was silent for longer is new again */

/* Two CPUs may reach a host in another order than that in which they read the clock. A small step back
 * is none: it must not look like the clock's whole way round. */
static __always_inline __u32 tick_after(__u32 last, __u32 now)
{
	__u32 back = last - now;

	return now + (back & (__u32)sen_if_negative((__s64)back - SEN_TICKS_PER_SEC));
}

/* Window boundaries between two ticks, at most 31: a shift count. Modular, as the clock is. */
static __always_inline __u32 boundaries(__u32 last, __u32 now, __u32 window)
{
	__s64 over = 31 - (__s64)(((now >> window) - (last >> window)) & (~0u >> window));

	return 31 - (over & ~sen_if_negative(over));
}

static __always_inline __u32 add_saturating(__u32 counter, __u32 amount)
{
	__u64 sum = (__u64)counter + amount;

	return sum | sen_if_negative(0xffffffffll - (__s64)sum);
}

/* `amount` where the change happened, else 0. */
static __always_inline __u64 if_changed(__u32 change, enum sen_flow_change bit, __u64 amount)
{
	return amount & -(__u64) !!(change & bit);
}

/* Two bitmaps take turns: the present window and the one before. */
static __always_inline void bitmap_turn(__u64 map[2], __u32 passed)
{
	if (!passed)
		return;
	map[1] = passed == 1 ? map[0] : 0;
	map[0] = 0;
}

/* The bit of 64 that an item falls on, or none: multiplicative hashing, keyed so that a sender cannot
 * choose. */
static __always_inline __u64 bitmap_bit(__u64 item, __u32 opened)
{
	item = (item ^ sen_seed[2]) * 0x9e3779b97f4a7c15ull;
	item ^= item >> 32;
	return (__u64) !!opened << ((item * 0xd6e8feb86659fd93ull) >> 58);
}

/* Keyed here already: of two words under a sum that is known, a sender could choose many that are one item. */
static __always_inline __u64 address_item(const __u8 *addr)
{
	const __u64 *d = (const __u64 *)addr;

	return hash_word(d[0], sen_seed[3]) + hash_word(d[1], sen_seed[4]);
}

static __always_inline void source_decay(struct sen_source *s, __u32 now)
{
	__u32 mid, slow;

	now = tick_after(s->last, now);
	mid = boundaries(s->last, now, SEN_WINDOW_MID);
	slow = boundaries(s->last, now, SEN_WINDOW_SLOW);
	s->refused_fast >>= boundaries(s->last, now, SEN_WINDOW_FAST);
	s->flows_mid >>= mid;
	s->packets_mid >>= mid;
	s->empty_mid >>= mid;
	s->icmp_mid >>= mid;
	s->errors_mid >>= mid;
	s->unsolicited_mid >>= mid;
	s->flows_slow >>= slow;
	s->unanswered_slow >>= slow;
	s->new_pairs_slow >>= slow;
	s->unsolicited_slow >>= slow;
	bitmap_turn(s->ports_mid, mid);
	bitmap_turn(s->hosts_slow, slow);
	s->last = now;
}

static __always_inline void source_update(struct sen_source *s, const struct contribution *c)
{
	source_decay(s, c->now);
	s->refused_fast = add_saturating(s->refused_fast, c->refused);
	s->flows_mid = add_saturating(s->flows_mid, c->opened);
	s->packets_mid = add_saturating(s->packets_mid, c->packets);
	s->icmp_mid = add_saturating(s->icmp_mid, c->icmp);
	s->flows_slow = add_saturating(s->flows_slow, c->opened);
	s->new_pairs_slow = add_saturating(s->new_pairs_slow, c->new_pair);
	s->unanswered_slow = sub_floor(add_saturating(s->unanswered_slow, c->opened), c->answered);
	s->empty_mid = sub_floor(add_saturating(s->empty_mid, c->opened), c->filled);
	s->errors_mid = add_saturating(s->errors_mid, c->errors);
	s->unsolicited_mid = add_saturating(s->unsolicited_mid, c->unsolicited);
	s->unsolicited_slow = add_saturating(s->unsolicited_slow, c->unsolicited);
	s->ports_mid[0] |= bitmap_bit(c->key.service, c->opened);
	s->hosts_slow[0] |= bitmap_bit(address_item(c->key.responder), c->opened);
}

static __always_inline void target_decay(struct sen_target *t, __u32 now)
{
	__u32 fast, mid, slow;

	now = tick_after(t->last, now);
	fast = boundaries(t->last, now, SEN_WINDOW_FAST);
	mid = boundaries(t->last, now, SEN_WINDOW_MID);
	slow = boundaries(t->last, now, SEN_WINDOW_SLOW);
	t->flows_fast >>= fast;
	t->new_pairs_fast >>= fast;
	t->flows_mid >>= mid;
	t->empty_mid >>= mid;
	t->answers_mid >>= mid;
	t->packets_slow >>= slow;
	t->half_open_slow >>= slow;
	t->completed_slow >>= slow;
	bitmap_turn(t->sources_mid, mid);
	t->last = now;
}

static __always_inline void target_update(struct sen_target *t, const struct contribution *c)
{
	target_decay(t, c->now);
	t->packets_slow = add_saturating(t->packets_slow, c->packets);
	t->answers_mid = add_saturating(t->answers_mid, c->answers);
	t->half_open_slow = sub_floor(add_saturating(t->half_open_slow, c->half_open),
				      c->completed);
	t->completed_slow = add_saturating(t->completed_slow, c->completed);
	t->flows_fast = add_saturating(t->flows_fast, c->opened);
	t->new_pairs_fast = add_saturating(t->new_pairs_fast, c->new_pair);
	t->flows_mid = add_saturating(t->flows_mid, c->opened);
	t->empty_mid = sub_floor(add_saturating(t->empty_mid, c->opened), c->filled);
	t->sources_mid[0] |= bitmap_bit(address_item(c->key.initiator), c->opened);
}

static __always_inline void pair_update(struct sen_pair *q, const struct contribution *c)
{
	__u32 now = tick_after(q->last, c->now);
	__u32 mid = boundaries(q->last, now, SEN_WINDOW_MID);
	__u32 slow = boundaries(q->last, now, SEN_WINDOW_SLOW);

	q->flows_mid >>= mid;
	q->packets_mid >>= mid;
	q->empty_mid >>= mid;
	q->flows_slow >>= slow;
	q->empty_slow >>= slow;
	q->last = now ? now : 1;
	q->packets_mid = add_saturating(q->packets_mid, c->packets);
	q->empty_mid = sub_floor(add_saturating(q->empty_mid, c->opened), c->filled);
	q->flows_mid = add_saturating(q->flows_mid, c->opened);
	q->flows_slow = add_saturating(q->flows_slow, c->opened);
	q->empty_slow = sub_floor(add_saturating(q->empty_slow, c->opened), c->filled);
}

/*
 * A host as the tables know it: its address and its VLAN, since two VLANs may have the same addresses. IPv4
 * addresses and MACs leave bytes 6 to 9 empty: the VLAN stands in the last two of these, as it is, and a
 * keyed hash of it in the first. In an IPv6 address both are mixed in; but for the hash a sender could
 * choose one that passes for a host of another VLAN.
 */
static __always_inline void host_key(__u64 *out, const __u8 *address, __u16 vlan)
{
	const __u64 *words = (const __u64 *)address;

	out[0] = words[0] ^ bpf_cpu_to_be64((vlan * (sen_seed[5] | 1)) >> 48);
	out[1] = words[1] ^ bpf_cpu_to_be64((__u64)vlan << 48);
}

static __always_inline void pair_key(struct sen_pair_key *key, const struct sen_flow *f)
{
	__u32 initiator = !!(f->flags & SEN_FLOW_INITIATOR_1);
	union {
		struct {
			__u16 service;
			__u8 proto, pad[5];
		};
		__u64 word;
	} tail = { { f->key.port[!initiator], f->key.proto, { 0 } } };
	__u64 *words = (__u64 *)key;

	host_key(words, f->key.addr[initiator], f->key.vlan);
	host_key(words + 2, f->key.addr[!initiator], f->key.vlan);
	words[4] = tail.word;
}

#define TARGET_TABLE                                                                       \
	((struct table){ &targets_sets, &targets, &targets_handed_out, SEN_ADDR_BYTES / 8, \
			 sizeof(struct sen_target), 0 })

static __always_inline void host_count_untracked(enum claim claim)
{
	struct sen_stats *st;
	__u32 zero = 0;

	st = bpf_map_lookup_elem(&stats, &zero);
	if (!st)
		return;
	st->hosts_untracked++;
	st->set_contended += claim == SEN_CLAIM_CONTENDED;
}

/* The entry of a host that is known, NULL of another; place->set is NULL where the map is missing. */
static __always_inline void *host_find(const struct table *t, __u32 sets, const __u64 *key,
				       struct place *place)
{
	__u64 words[SEN_KEY_WORDS] = { 0 };

	key_copy(words, key, t->key_words);
	table_place(place, words, sets);
	return table_set(t, place) ? table_find(t, place, key) : NULL;
}

/*
 * The entry of a host; where it finds no room, the stand-in, as if it were seen for the first time. A new
 * host takes no entry whose time is not over, or a flood of new ones would wash all of them out, each
 * after one flow; of those that come by again some soon find room, and that is looked for without a lock.
 */
static __always_inline void *host_entry(const struct table *t, __u32 sets, const __u64 *key,
					struct place *place, __u32 now, void *spare)
{
	void *entry = host_find(t, sets, key, place);
	enum claim claim = SEN_CLAIM_FULL;
	__s64 left;

	if (!entry && place->set && table_victim(t, place, now, &left))
		entry = table_make(t, place, key, now, &claim);
	if (entry)
		return entry;
	place->set = NULL;
	entry_clear(spare, t->entry_size);
	host_count_untracked(claim);
	return spare;
}

/*
 * A host is kept for as long as it has earned: what a newcomer gets, for each event in its slow window. To
 * keep others out of a table of n entries then takes n events in every such time, however they are spread;
 * were two flows enough for the longest life, a few hundred spoofed packets a second would do.
 */
static __always_inline void host_keep(struct place *place, __u32 now, __u32 events)
{
	__s64 ticks = (__s64)(events / SEN_EVENT_UNIT) * SEN_WEAK_TICKS - SEN_WEAK_TICKS;
	__s64 over;

	ticks = (ticks & ~sen_if_negative(ticks)) + SEN_WEAK_TICKS;
	over = ticks - SEN_HOST_LIFE;
	if (place->set)
		place_keep(place, now, ticks - (over & ~sen_if_negative(over)));
}

/* A pair is of little use to who would fill the table, and is to be known again after a while. */
static __always_inline void pair_keep(struct place *place, __u32 now, __u32 flows)
{
	if (place->set)
		place_keep(place, now, flows > SEN_EVENT_UNIT ? SEN_HOST_LIFE : SEN_WEAK_TICKS);
}

__noinline int context_source(const struct contribution *c)
{
	const struct table table = { &sources_sets,
				     &sources,
				     &sources_handed_out,
				     SEN_ADDR_BYTES / 8,
				     sizeof(struct sen_source),
				     0 };
	struct sen_scratch *scratch = scratch_of_cpu();
	struct sen_source *s;
	struct place place;

	if (!scratch || !c)
		return -1;
	s = host_entry(&table, sen_source_sets, (const __u64 *)c->key.initiator, &place, c->now,
		       &scratch->source);
	source_update(s, c);
	features_of_source(&scratch->vector, s);
	host_keep(&place, c->now, s->flows_slow);
	return 0;
}

#define SEN_ARP_ANSWER_TICKS (2 * SEN_TICKS_PER_SEC)  /* an answer comes within so long */
#define SEN_ARP_OWNER_TICKS  (60 * SEN_TICKS_PER_SEC) /* an address silent for longer may move */

static __always_inline bool arp_is_owner(const struct sen_target *t, const struct contribution *c)
{
	return mac_value(t->mac) == mac_value(c->mac);
}

/* t->last is now, target_decay() has been here. Does the address belong to another MAC than the sender's? One that
 * has no owner, or whose owner has been silent for long, is free. */
static __always_inline bool arp_contested(const struct sen_target *t, const struct contribution *c)
{
	return mac_value(t->mac) && !arp_is_owner(t, c) &&
	       t->last - t->claimed < SEN_ARP_OWNER_TICKS;
}

/*
 * The other half of an ARP question: whoever hears it learns its sender's address and MAC. In events, what counts
 * against the sender: as much as a claim where the address is somebody else's. The owner's own is a sign of life. It
 * makes no owner, and no entry: nobody has the address of a probe (RFC 5227), and the others get theirs by claims.
 */
__noinline int arp_asker(const struct contribution *c)
{
	const struct table table = TARGET_TABLE;
	struct sen_scratch *scratch = scratch_of_cpu();
	__u64 key[SEN_ADDR_BYTES / 8];
	struct sen_target *t;
	struct place place;

	if (!scratch || !c || !scratch->endpoints.from.w[3])
		return 0;
	host_key(key, scratch->endpoints.from.b, scratch->packet.key.vlan);
	t = host_find(&table, sen_target_sets, key, &place);
	if (!t)
		return 0;
	target_decay(t, c->now);
	if (arp_is_owner(t, c))
		t->claimed = t->last;
	return arp_contested(t, c) ? 2 * SEN_EVENT_UNIT : 0;
}

/*
 * What an ARP packet counts against its sender for the address that it is about, in events: two where it claims
 * somebody else's, one where nobody asked but himself. A question is answered once; our own questions leave by the
 * other way, so an answer to them only counts where it contradicts what was said before. A free address becomes his
 * who answers for it: were it his who cries first, the rightful owner would be the one who contradicts.
 */
static __always_inline __u32 arp_update(struct sen_target *t, const struct contribution *c)
{
	bool asked = t->asked && t->last - t->asked < SEN_ARP_ANSWER_TICKS &&
		     mac_value(t->asker) != mac_value(c->mac);
	bool answer = asked || c->arp == SEN_ARP_CLAIM_TO_US;

	if (c->arp == SEN_ARP_QUESTION) {
		t->asked = t->last ? t->last : 1;
		__builtin_memcpy(t->asker, c->mac, sizeof(t->asker));
		return arp_asker(c);
	}
	t->asked = 0;
	if (arp_contested(t, c))
		return 2 * SEN_EVENT_UNIT;
	if (answer || arp_is_owner(t, c)) {
		t->claimed = t->last;
		__builtin_memcpy(t->mac, c->mac, sizeof(t->mac));
	}
	return answer ? 0 : SEN_EVENT_UNIT;
}

/* Comes before context_source(): it finds out what an ARP packet counts against its sender. Behind context_pair(). */
__noinline int context_target(struct contribution *c)
{
	const struct table table = TARGET_TABLE;
	struct sen_scratch *scratch = scratch_of_cpu();
	struct sen_target *t;
	struct place place;

	if (!scratch || !c)
		return -1;
	t = host_entry(&table, sen_target_sets, (const __u64 *)c->key.responder, &place, c->now,
		       &scratch->target);
	target_update(t, c);
	if (c->arp != SEN_ARP_NONE)
		c->unsolicited = arp_update(t, c);
	features_of_target(&scratch->vector, t);
	host_keep(&place, c->now, t->packets_slow);
	scratch->target_flows = t->flows_mid;
	scratch->target_entry = place_index(&place);
	return 0;
}

/* Does this flow begin a pair that was not known? Then it counts as such on its hosts. */
static __always_inline __u32 pair_is_new(const struct sen_pair *q, const struct contribution *c)
{
	return !q->last || (__s32)(c->now - q->last) > SEN_PAIR_NEW ? c->opened : 0;
}

/* Comes before the others: it finds out whether the pair is new. */
__noinline int context_pair(struct contribution *c)
{
	const struct table table = { &pairs_sets,
				     &pairs,
				     &pairs_handed_out,
				     sizeof(c->key) / 8,
				     sizeof(struct sen_pair),
				     0 };
	struct sen_scratch *scratch = scratch_of_cpu();
	struct sen_pair *q;
	struct place place;

	if (!scratch || !c)
		return -1;
	q = host_entry(&table, sen_pair_sets, (const __u64 *)&c->key, &place, c->now,
		       &scratch->pair);
	c->new_pair = pair_is_new(q, c);
	pair_update(q, c);
	features_of_pair(&scratch->vector, q);
	pair_keep(&place, c->now, q->flows_slow);
	return 0;
}

static __always_inline __u32 in_events(__u32 packets)
{
	return packets > 0xffffff ? 0xffffffff : packets * SEN_EVENT_UNIT;
}

/*
 * What a counter of the flow is ahead of its credit, which catches up. Another CPU may be at the same flow:
 * of two that find the same difference one takes it, and the other nothing; and where both counted at a
 * time, an increment may be lost and the counter be behind its credit for a moment.
 */
static __always_inline __u32 take_credit(__u32 *credit, __u32 counter)
{
	__u32 before = *(volatile __u32 *)credit;
	__s64 more =
		(__s32)(counter - before); /* modular: a flow may have more than 2^32 packets */
	__u32 ahead = more & ~sen_if_negative(more);

	if (!ahead || __sync_val_compare_and_swap(credit, before, counter) != before)
		return 0;
	return in_events(ahead);
}

static __always_inline void contribution_of(struct contribution *c, struct sen_flow *f,
					    const struct sen_packet *p, __u32 change)
{
	__u32 n = f->packets[0] + f->packets[1];
	__u32 back = f->packets[!(f->flags & SEN_FLOW_INITIATOR_1)];

	pair_key(&c->key, f);
	c->now = p->now;
	c->packets = take_credit(&f->credited, n);
	c->answers = take_credit(&f->credited_back, back);
	c->opened = if_changed(change, SEN_FLOW_OPENED, SEN_EVENT_UNIT);
	c->answered = if_changed(change, SEN_FLOW_FIRST_ANSWER, SEN_EVENT_UNIT);
	c->filled = if_changed(change, SEN_FLOW_FIRST_PAYLOAD, SEN_EVENT_UNIT);
	c->errors = if_changed(change, SEN_FLOW_FIRST_ERROR, SEN_EVENT_UNIT);
	c->refused = if_changed(change, SEN_FLOW_CLOSING,
				is_answering_reset(f, p) ? SEN_EVENT_UNIT : 0);
	c->icmp = is_icmp(c->key.proto) ? c->opened : 0;
	c->half_open = c->key.proto == IPPROTO_TCP ? c->opened : 0;
	c->completed = c->key.proto == IPPROTO_TCP ? c->answered : 0;
	c->new_pair = 0;
	c->arp = p->arp;
	c->unsolicited = 0;
	__builtin_memcpy(c->mac, p->mac, sizeof(c->mac));
}

/* Credit the hosts of a flow with what it did since its last decision point, and write their features
 * into the scratch vector. Negative where a map is missing. */
static __always_inline int context_update(struct sen_scratch *s, const struct sen_packet *p,
					  struct sen_flow *f, __u32 change)
{
	struct contribution *c = &s->contribution;

	contribution_of(c, f, p, change);
	return context_pair(c) | context_target(c) | context_source(c);
}

#endif
