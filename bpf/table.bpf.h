/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set-associative table of fixed memory in two array maps: sets of eight ways, one cache line each,
 * and entries. Two sets beside each other share a lock and stand in for one another: a key that finds its
 * own set in use goes to the other. A hit reads the set's line and one entry and takes no lock. A miss
 * locks the two, looks again, and replaces the entry whose deadline is over longest, or is about to be: entries that have
 * shown themselves alive are never replaced by a newcomer, so that a flood of one-packet flows only ever
 * replaces itself.
 *
 * Deadlines have 16 bits: an entry that nobody has touched for 2.4 hours seems alive for the SEN_LIFE_MAX
 * before they come round. The agent keeps that from happening (user/deadlines.h). Without an agent it takes
 * a set of eight such entries, left over from a flood, for a newcomer to find no room, and then for four
 * minutes at most.
 *
 * What can go wrong without the lock: a hit on an entry that another CPU is just replacing. It reads
 * either the old key, and counts a packet on an entry that is being thrown away, or another one, and
 * becomes a miss, which then takes the lock.
 */
#ifndef SENTROID_TABLE_BPF_H
#define SENTROID_TABLE_BPF_H

#include "platform.bpf.h"

#define SEN_LOCK_TRIES 64
#define SEN_WAY_BITS   3 /* of a number of ways */

/* What a newcomer gets. */
#define SEN_WEAK_TICKS (15u << SEN_DEADLINE_SHIFT) /* 2 s, in whole units of deadlines */

#define SEN_KEY_WORDS   5  /* of the longest key */
#define SEN_ENTRY_WORDS 16 /* of the largest entry */

/* Eight 16-bit tags are two words, four lanes each. */
#define LANES_ONE 0x0001000100010001ull
#define LANES_TOP 0x8000800080008000ull

enum claim {
	SEN_CLAIM_FOUND,     /* was there */
	SEN_CLAIM_NEW,       /* took a free entry */
	SEN_CLAIM_REPLACED,  /* took the entry of something else */
	SEN_CLAIM_FULL,      /* all entries of the set are alive */
	SEN_CLAIM_CONTENDED, /* the set stayed locked */
};

/* A table and the shape of its keys; constants wherever this is used. */
struct table {
	void *sets;
	void *entries;
	__u32 *handed_out; /* entries that have been given to a way */
	__u32 key_words;
	__u32 entry_size;
	__u32 displace; /* a newcomer may take an entry that has so many ticks left, or fewer */
};

/* Where a key belongs, and then where it is. */
struct place {
	__u32 index; /* of its own set */
	__u32 other; /* of the one beside it; the same one in a table of one set */
	__u32 way;
	__u16 tag;
	struct sen_set *set; /* its own, or that in which it is */
};

/* One factor pair of NH: both halves of a word, each with a key of its own, in one full product. With
 * whole words only the low half of a product would be kept, and under some keys the low octets of IPv4
 * addresses, which are the top bits of their words, would drop out. */
static __always_inline __u64 hash_word(__u64 w, __u64 key)
{
	return (__u64)((__u32)w + (__u32)key) * (__u32)((__u32)(w >> 32) + (__u32)(key >> 32));
}

/* Keyed multiply hash of five words: NH of Black et al. (UMAC, 1999), then a finalizer, since the low
 * bits of NH alone are weak. */
static __always_inline __u64 table_hash(const __u64 *w)
{
	__u64 h = hash_word(w[0], sen_seed[0]) + hash_word(w[1], sen_seed[1]) +
		  hash_word(w[2], sen_seed[2]) + hash_word(w[3], sen_seed[3]) +
		  hash_word(w[4], sen_seed[4]);

	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* The set comes from the low bits, the tag from the high ones; it is never 0. */
static __always_inline void table_place(struct place *p, const __u64 *w, __u32 sets)
{
	__u64 h = table_hash(w);

	p->index = h & (sets - 1);
	p->other = (h ^ 1) & (sets - 1);
	p->tag = (h >> 48) | 1;
	p->way = SEN_WAYS;
	p->set = NULL;
}

/* Keys and entries are handled in whole words: told less about where they lie, the compiler would take
 * them byte by byte. */
static __always_inline bool key_equal(const __u64 *a, const __u64 *b, int words)
{
	__u64 differ = 0;

#pragma unroll
	for (int i = 0; i < SEN_KEY_WORDS; i++)
		differ |= i < words ? a[i] ^ b[i] : 0;
	return !differ;
}

static __always_inline void key_copy(__u64 *out, const __u64 *key, int words)
{
#pragma unroll
	for (int i = 0; i < SEN_KEY_WORDS; i++)
		if (i < words)
			out[i] = key[i];
}

static __always_inline void entry_clear(__u64 *entry, __u32 size)
{
#pragma unroll
	for (__u32 i = 0; i < SEN_ENTRY_WORDS; i++)
		if (i < size / 8)
			entry[i] = 0;
}

static __always_inline bool set_lock(struct sen_set *set)
{
	for (int i = 0; i < SEN_LOCK_TRIES; i++) {
		__u32 free = *(volatile __u32 *)&set->entry[0] & ~SEN_SET_LOCKED;

		if (__sync_val_compare_and_swap(&set->entry[0], free, free | SEN_SET_LOCKED) ==
		    free)
			return true;
	}
	return false;
}

static __always_inline void set_unlock(struct sen_set *set)
{
	__sync_fetch_and_and(&set->entry[0], ~SEN_SET_LOCKED);
}

/* Top bit of each lane that is 0; lanes above the first such may be wrong, which the first never is. */
static __always_inline __u64 zero_lanes(__u64 w)
{
	return (w - LANES_ONE) & ~w & LANES_TOP;
}

/* First of eight ways, from bit 15 of its lane in either word; which must not both be 0. */
static __always_inline __u32 first_way(__u64 low, __u64 high)
{
	__u64 none_low = ~sen_if_negative(low | -low);
	__u64 lanes = low | (high & none_low);
	__u32 way;

	/* Isolated and shifted down, the bit is 2^(16 n); the product's top lane is then n. */
	lanes = ((lanes & -lanes) >> 15) * 0x0000000100020003ull >> 48;
	way = (lanes & 3) + (4 & none_low);
	return sen_opaque(way);
}

/* Ways with a tag, all eight in two words at once: looking at them one after another would end in a
 * mispredicted branch nearly every time. SEN_WAYS where none has it. */
static __always_inline __u32 set_match(const struct sen_set *set, __u16 tag)
{
	const volatile __u64 *tags = (const volatile __u64 *)set->tag;
	__u64 wanted = tag * LANES_ONE;
	__u64 low = zero_lanes(tags[0] ^ wanted), high = zero_lanes(tags[1] ^ wanted);

	return low | high ? first_way(low, high) : SEN_WAYS;
}

/* Ticks that a way is still worth keeping; far below 0 for a free one. */
static __always_inline __s64 life_left(const struct sen_set *set, __u32 way, __u32 now)
{
	__s64 left = (__s64)(__s16)(set->deadline[way] - (now >> SEN_DEADLINE_SHIFT)) *
		     (1 << SEN_DEADLINE_SHIFT);
	__s64 over = sen_if_negative((__s64)set->tag[way] - 1) |
		     sen_if_negative(SEN_LIFE_MAX - left);

	return (left & ~over) | (-SEN_LIFE_MAX & over);
}

/* The way that a newcomer takes: a free one, else that with the least time left, which goes to *left.
 * SEN_WAYS where all have too much of it. */
static __always_inline __u32 set_victim(const struct table *t, const struct sen_set *set, __u32 now,
					__s64 *left)
{
	__s64 limit = (t->displace + 1ll) * SEN_WAYS, best = limit;

#pragma unroll
	for (__u32 way = 0; way < SEN_WAYS; way++) {
		__s64 d = life_left(set, way, now) * SEN_WAYS + way - best;

		best += d & sen_if_negative(d);
	}
	*left = best >> SEN_WAY_BITS;
	return best < limit ? best & (SEN_WAYS - 1) : SEN_WAYS;
}

static __always_inline void *way_entry(const struct table *t, const struct place *p, __u32 way)
{
	__u32 index = (p->set->entry[way & (SEN_WAYS - 1)] & ~SEN_SET_LOCKED) - 1;

	return bpf_map_lookup_elem(t->entries, &index);
}

/* The ways behind the first whose tag was right and whose key was not: one look-up in 4,000. */
static __always_inline void *find_behind(const struct table *t, struct place *p, const __u64 *key)
{
	for (__u32 way = 0; way < SEN_WAYS; way++) {
		void *entry;

		if (way <= p->way || p->set->tag[way] != p->tag)
			continue;
		entry = way_entry(t, p, way);
		if (entry && key_equal(entry, key, t->key_words)) {
			p->way = way;
			return entry;
		}
	}
	return NULL;
}

/* The entry of a key that is in p->set, its way in p->way; NULL where it is not. */
static __always_inline void *set_find(const struct table *t, struct place *p, const __u64 *key)
{
	void *entry;

	p->way = set_match(p->set, p->tag);
	if (p->way >= SEN_WAYS)
		return NULL;
	entry = way_entry(t, p, p->way);
	if (entry && key_equal(entry, key, t->key_words))
		return entry;
	return find_behind(t, p, key);
}

/* The entry of a key, p->set and p->way where it is; NULL where it has none. p->set must be there. */
static __always_inline void *table_find(const struct table *t, struct place *p, const __u64 *key)
{
	struct sen_set *own = p->set;
	void *entry = set_find(t, p, key);

	if (entry)
		return entry;
	p->set = bpf_map_lookup_elem(t->sets, &p->other);
	entry = p->set ? set_find(t, p, key) : NULL;
	p->set = entry ? p->set : own;
	return entry;
}

/* The way that a newcomer takes, p->set and p->way, and the time it has left: of the set beside its own
 * only where all of its own are in use. False where there is none. */
static __always_inline bool table_victim(const struct table *t, struct place *p, __u32 now,
					 __s64 *left)
{
	struct sen_set *beside;
	__s64 left_beside;
	__u32 way;

	p->way = set_victim(t, p->set, now, left);
	if (*left <= 0)
		return true;
	beside = bpf_map_lookup_elem(t->sets, &p->other);
	if (!beside)
		return p->way < SEN_WAYS;
	way = set_victim(t, beside, now, &left_beside);
	if (left_beside < *left) {
		p->set = beside;
		p->way = way;
		*left = left_beside;
	}
	return p->way < SEN_WAYS;
}

/* The entry of a way of a locked set, handed out at first use. */
static __always_inline void *way_entry_make(const struct table *t, struct place *p)
{
	__u32 *slot = &p->set->entry[p->way & (SEN_WAYS - 1)];

	if (!(*slot & ~SEN_SET_LOCKED))
		*slot |= __sync_fetch_and_add(t->handed_out, 1) + 1;
	return way_entry(t, p, p->way);
}

/* Replace an entry of a locked set. Its tag goes first and comes last; should another CPU see that in
 * another order, it compares a key that does not fit and takes the lock. */
static __always_inline void entry_replace(const struct table *t, struct place *p, void *entry,
					  const __u64 *key, __u32 now)
{
	volatile __u16 *tag = &p->set->tag[p->way & (SEN_WAYS - 1)];

	*tag = 0;
	entry_clear(entry, t->entry_size);
	key_copy(entry, key, t->key_words);
	p->set->deadline[p->way & (SEN_WAYS - 1)] = (now + SEN_WEAK_TICKS) >> SEN_DEADLINE_SHIFT;
	*tag = p->tag;
}

static __always_inline void *table_claim_locked(const struct table *t, struct place *p,
						const __u64 *key, __u32 now, enum claim *claim)
{
	void *entry = table_find(t, p, key);
	__s64 left;

	*claim = SEN_CLAIM_FOUND;
	if (entry)
		return entry;
	*claim = SEN_CLAIM_FULL;
	if (!table_victim(t, p, now, &left))
		return NULL;
	entry = way_entry_make(t, p);
	if (!entry)
		return NULL;
	*claim = p->set->tag[p->way & (SEN_WAYS - 1)] ? SEN_CLAIM_REPLACED : SEN_CLAIM_NEW;
	entry_replace(t, p, entry, key, now);
	return entry;
}

/* The set of a place; false where the map is missing. */
static __always_inline bool table_set(const struct table *t, struct place *p)
{
	p->set = bpf_map_lookup_elem(t->sets, &p->index);
	return p->set;
}

/* An entry for a key that has none; NULL where there is no room for it. */
static __always_inline void *table_make(const struct table *t, struct place *p, const __u64 *key,
					__u32 now, enum claim *claim)
{
	__u32 lower = p->index < p->other ? p->index : p->other;
	struct sen_set *locked = bpf_map_lookup_elem(t->sets, &lower);
	void *entry;

	*claim = SEN_CLAIM_CONTENDED;
	if (!locked || !set_lock(locked))
		return NULL;
	if (!table_set(t, p)) {
		set_unlock(locked);
		return NULL;
	}
	entry = table_claim_locked(t, p, key, now, claim);
	set_unlock(locked);
	return entry;
}

/* The entry of a key, made if need be; NULL where there is no room for it. */
static __always_inline void *table_claim(const struct table *t, struct place *p, const __u64 *key,
					 __u32 now, enum claim *claim)
{
	void *entry;

	*claim = SEN_CLAIM_FULL;
	if (!table_set(t, p))
		return NULL;
	*claim = SEN_CLAIM_FOUND;
	entry = table_find(t, p, key);
	return entry ? entry : table_make(t, p, key, now, claim);
}

/* Index of the entry found or made, ~0 where there is none. */
static __always_inline __u32 place_index(const struct place *p)
{
	if (!p->set)
		return ~0u;
	return (p->set->entry[p->way & (SEN_WAYS - 1)] & ~SEN_SET_LOCKED) - 1;
}

/* Keep the entry for so many ticks from now. Mostly it says so already, and a line that is not written
 * need not move between CPUs. */
static __always_inline void place_keep(struct place *p, __u32 now, __u32 ticks)
{
	__u16 *deadline = &p->set->deadline[p->way & (SEN_WAYS - 1)];
	__u16 until = (now + ticks) >> SEN_DEADLINE_SHIFT;

	if (*deadline != until)
		*deadline = until;
}

#endif
