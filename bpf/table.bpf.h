/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set-associative table of fixed memory in two array maps: sets hold tags and deadlines, one cache
 * line each; entries lie beside each other, eight to a set. A hit reads the set's line and one entry
 * and takes no lock. A miss locks its set, looks again, and replaces the entry whose deadline is over
 * longest, or is about to be: entries that have shown themselves alive are never replaced by a
 * newcomer, so that a flood of one-packet flows only ever replaces itself.
 *
 * What can go wrong without the lock: a hit on an entry that another CPU is just replacing. It reads
 * either the old key, and counts a packet on an entry that is being thrown away, or another one, and
 * becomes a miss.
 */
#ifndef SENTROID_TABLE_BPF_H
#define SENTROID_TABLE_BPF_H

#include "platform.bpf.h"

#define SEN_SET_LOCKED 0x80000000u
#define SEN_LOCK_TRIES 64

/* Deadline within so many ticks: a newcomer may take the entry. Also what a newcomer gets. */
#define SEN_WEAK_TICKS (2 * SEN_TICKS_PER_SEC)
/* No deadline is set further ahead; one that seems to be is over for so long that the clock wrapped. */
#define SEN_LIFE_MAX (512 * SEN_TICKS_PER_SEC)

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
	__u32 key_words;
	__u32 entry_size;
};

/* Where a key belongs, and then where it is. */
struct place {
	__u32 index; /* of the set */
	__u32 tag;
	__u32 way;
	struct sen_set *set;
};

/* Keyed multiply hash of five words: NH of Black et al. (UMAC, 1999), then a finalizer, since the low
 * bits of NH alone are weak. */
static __always_inline struct place table_place(const __u64 *w, __u32 sets)
{
	__u64 h = (w[0] + sen_seed[0]) * (w[1] + sen_seed[1]) +
		  (w[2] + sen_seed[2]) * (w[3] + sen_seed[3]) +
		  (w[4] + sen_seed[4]) * (sen_seed[5] | 1);

	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ull;
	h ^= h >> 29;
	/* The set comes from the low bits, the tag from the high ones; never 0, never the lock bit. */
	return (struct place){ .index = h & (sets - 1), .tag = (h >> 33) | 1 };
}

static __always_inline bool key_equal(const __u64 *a, const __u64 *b, int words)
{
	__u64 differ = 0;

#pragma unroll
	for (int i = 0; i < words; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

static __always_inline __u32 tag_of(const struct sen_set *set, __u32 way)
{
	return *(volatile const __u32 *)&set->tag[way] & ~SEN_SET_LOCKED;
}

static __always_inline bool set_lock(struct sen_set *set)
{
	for (int i = 0; i < SEN_LOCK_TRIES; i++) {
		__u32 free = tag_of(set, 0);

		if (__sync_val_compare_and_swap(&set->tag[0], free, free | SEN_SET_LOCKED) == free)
			return true;
	}
	return false;
}

static __always_inline void set_unlock(struct sen_set *set)
{
	__sync_fetch_and_and(&set->tag[0], ~SEN_SET_LOCKED);
}

/* Publish or withdraw the tag of a way of a locked set; the exchange is a full barrier. */
static __always_inline void set_tag(struct sen_set *set, __u32 way, __u32 tag)
{
	__u32 lock = way ? 0 : SEN_SET_LOCKED;

	__sync_lock_test_and_set(&set->tag[way & (SEN_WAYS - 1)], tag | lock);
}

/* Ticks that an entry is still worth keeping; far below 0 for a free one. */
static __always_inline __s64 life_left(const struct sen_set *set, __u32 way, __u32 now)
{
	__s64 left = (__s32)(set->deadline[way] - now);
	__s64 over = sen_if_negative((__s64)tag_of(set, way) - 1) |
		     sen_if_negative(SEN_LIFE_MAX - left);

	return (left & ~over) | (-SEN_LIFE_MAX & over);
}

/* The way that a newcomer takes: a free one, else that with the least time left. SEN_WAYS where all
 * have shown themselves alive. */
static __always_inline __u32 set_victim(const struct sen_set *set, __u32 now)
{
	__s64 best = (SEN_WEAK_TICKS + 1) * SEN_WAYS;

#pragma unroll
	for (__u32 way = 0; way < SEN_WAYS; way++) {
		__s64 d = life_left(set, way, now) * SEN_WAYS + way - best;

		best += d & sen_if_negative(d);
	}
	return best < (SEN_WEAK_TICKS + 1) * SEN_WAYS ? best & (SEN_WAYS - 1) : SEN_WAYS;
}

static __always_inline void *table_entry(const struct table *t, const struct place *p, __u32 way)
{
	__u32 index = p->index * SEN_WAYS + way;

	return bpf_map_lookup_elem(t->entries, &index);
}

/* The entry of a key, its way in p->way; NULL where it has none. p->set must be there. */
static __always_inline void *table_find(const struct table *t, struct place *p, const void *key)
{
	for (__u32 way = 0; way < SEN_WAYS; way++) {
		void *entry;

		if (tag_of(p->set, way) != p->tag)
			continue;
		entry = table_entry(t, p, way);
		if (entry && key_equal(entry, key, t->key_words)) {
			p->way = way;
			return entry;
		}
	}
	return NULL;
}

/* Replace an entry of a locked set. Its tag is withdrawn first and published last, so that no other
 * CPU takes half an entry for a hit. */
static __always_inline void entry_replace(const struct table *t, struct place *p, void *entry,
					  const void *key, __u32 now)
{
	set_tag(p->set, p->way, 0);
	__builtin_memset(entry, 0, t->entry_size);
	__builtin_memcpy(entry, key, t->key_words * 8);
	p->set->deadline[p->way & (SEN_WAYS - 1)] = now + SEN_WEAK_TICKS;
	set_tag(p->set, p->way, p->tag);
}

static __always_inline void *table_claim_locked(const struct table *t, struct place *p,
						const void *key, __u32 now, enum claim *claim)
{
	void *entry = table_find(t, p, key);

	*claim = SEN_CLAIM_FOUND;
	if (entry)
		return entry;
	*claim = SEN_CLAIM_FULL;
	p->way = set_victim(p->set, now);
	if (p->way >= SEN_WAYS)
		return NULL;
	entry = table_entry(t, p, p->way);
	if (!entry)
		return NULL;
	*claim = tag_of(p->set, p->way) ? SEN_CLAIM_REPLACED : SEN_CLAIM_NEW;
	entry_replace(t, p, entry, key, now);
	return entry;
}

/* The entry of a key, made if need be; NULL where there is no room for it. */
static __always_inline void *table_claim(const struct table *t, struct place *p, const void *key,
					 __u32 now, enum claim *claim)
{
	void *entry;

	*claim = SEN_CLAIM_FULL;
	p->set = bpf_map_lookup_elem(t->sets, &p->index);
	if (!p->set)
		return NULL;
	*claim = SEN_CLAIM_FOUND;
	entry = table_find(t, p, key);
	if (entry)
		return entry;
	*claim = SEN_CLAIM_CONTENDED;
	if (!set_lock(p->set))
		return NULL;
	entry = table_claim_locked(t, p, key, now, claim);
	set_unlock(p->set);
	return entry;
}

/* Keep the entry for so many ticks from now. */
static __always_inline void place_keep(struct place *p, __u32 now, __u32 ticks)
{
	p->set->deadline[p->way & (SEN_WAYS - 1)] = now + ticks;
}

#endif
