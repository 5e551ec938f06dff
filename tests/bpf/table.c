// SPDX-License-Identifier: BSD-2-Clause
#include "table.h"

#include <string.h>

#define LOCKED 0x80000000u

/* NH over five words, as bpf/table.bpf.h has it. */
static __u64 hash_of(const void *key, size_t size, const __u64 seed[6])
{
	__u64 w[5] = { 0 }, h;

	memcpy(w, key, size);
	h = (w[0] + seed[0]) * (w[1] + seed[1]) + (w[2] + seed[2]) * (w[3] + seed[3]) +
	    (w[4] + seed[4]) * (seed[5] | 1);
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static const char *entry_of(const struct rig_table *t, size_t index)
{
	return (const char *)t->entries + index * t->entry_size;
}

static const char *entry_fault(const struct rig_table *t, size_t index, size_t key_size,
			       const __u64 seed[6])
{
	const struct sen_set *set = &t->sets[index / SEN_WAYS];
	__u64 h = hash_of(entry_of(t, index), key_size, seed);

	if (index / SEN_WAYS != (h & (t->capacity / SEN_WAYS - 1)))
		return "an entry in the wrong set";
	if (set->tag[index % SEN_WAYS] != ((__u32)(h >> 33) | 1))
		return "an entry under the wrong tag";
	for (size_t other = index - index % SEN_WAYS; other < index; other++)
		if (set->tag[other % SEN_WAYS] &&
		    !memcmp(entry_of(t, other), entry_of(t, index), key_size))
			return "a key twice in a set";
	return NULL;
}

const char *table_fault(const struct rig_table *t, size_t key_size, const __u64 seed[6])
{
	const char *fault = NULL;

	for (size_t i = 0; !fault && i < t->capacity; i++) {
		__u32 tag = t->sets[i / SEN_WAYS].tag[i % SEN_WAYS];

		if (tag & LOCKED)
			return "a locked set";
		if (tag)
			fault = entry_fault(t, i, key_size, seed);
	}
	return fault;
}

void table_assert(const struct rig_table *t, size_t key_size, const __u64 seed[6])
{
	const char *fault = table_fault(t, key_size, seed);

	if (fault)
		fail_msg("%s", fault);
}
