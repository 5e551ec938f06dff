// SPDX-License-Identifier: BSD-2-Clause
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define LOCKED 0x80000000u

/* NH over five words, as bpf/table.bpf.h has it. */
static __u64 hash_of(const void *key, size_t size, const __u64 seed[6])
{
	__u64 w[5] = { 0 }, h;

	memcpy(w, key, size);
	h = 0;
	for (int i = 0; i < 5; i++)
		h += (__u64)((__u32)w[i] + (__u32)seed[i]) *
		     (__u32)((__u32)(w[i] >> 32) + (__u32)(seed[i] >> 32));
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

__u16 table_tag(const void *key, size_t key_size, const __u64 seed[6])
{
	return hash_of(key, key_size, seed) >> 48 | 1;
}

static const char *way_fault(const struct rig_table *t, unsigned int way, size_t key_size,
			     const __u64 seed[6])
{
	const struct sen_set *set = &t->sets[way / SEN_WAYS];
	const void *entry = rig_table_entry(t, way), *other;
	__u64 home;

	if (!entry)
		return set->tag[way % SEN_WAYS] ? "a way without an entry" : NULL;
	/* Its own, or the one beside it. */
	home = hash_of(entry, key_size, seed) & (t->capacity / SEN_WAYS - 1);
	if ((way / SEN_WAYS ^ home) > 1)
		return "an entry in the wrong set";
	if (set->tag[way % SEN_WAYS] != table_tag(entry, key_size, seed))
		return "an entry under the wrong tag";
	for (unsigned int i = way - way % (2 * SEN_WAYS); i < way; i++) {
		other = rig_table_entry(t, i);
		if (other && !memcmp(other, entry, key_size))
			return "a key in two places";
	}
	return NULL;
}

/* Entries are handed out once each, and in order. */
static const char *shared_entry(const struct rig_table *t)
{
	unsigned char *owned = calloc(t->capacity, 1);
	const char *fault = NULL;
	__u32 handed_out = 0;

	for (unsigned int i = 0; owned && i < t->capacity; i++) {
		__u32 slot = t->sets[i / SEN_WAYS].entry[i % SEN_WAYS] & ~LOCKED;

		if (slot > *t->handed_out || slot > t->capacity)
			fault = "an entry that was never handed out";
		else if (slot && owned[slot - 1]++)
			fault = "an entry that two ways share";
		handed_out += !!slot;
	}
	free(owned);
	return fault || handed_out == *t->handed_out ? fault : "an entry that got lost";
}

const char *table_fault(const struct rig_table *t, size_t key_size, const __u64 seed[6])
{
	const char *fault = shared_entry(t);

	for (unsigned int i = 0; !fault && i < t->capacity; i++) {
		if (t->sets[i / SEN_WAYS].entry[0] & LOCKED)
			return "a locked set";
		fault = way_fault(t, i, key_size, seed);
	}
	return fault;
}

void table_assert(const struct rig_table *t, size_t key_size, const __u64 seed[6])
{
	const char *fault = table_fault(t, key_size, seed);

	if (fault)
		fail_msg("%s", fault);
}
