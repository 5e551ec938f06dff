// SPDX-License-Identifier: BSD-2-Clause
#include "maps.h"

#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_helpers.h>

#define MAPS_MAX     40
#define TRIES_MAX    2
#define PREFIXES_MAX 8
#define KEY_MAX      20

static struct native_map maps[MAPS_MAX];
static unsigned int map_count;

static struct native_trie {
	const void *definition;
	size_t key_size;
	unsigned int count;
	uint8_t prefix[PREFIXES_MAX][KEY_MAX];
} tries[TRIES_MAX];
static unsigned int trie_count;

static struct {
	void (*on_record)(void *ctx, const void *data, size_t size);
	void *ctx;
	void *record; /* reserved, not yet submitted */
	size_t size;
} ring;

static void *zeroed(size_t n, size_t size)
{
	void *memory = calloc(n, size);

	if (!memory)
		abort();
	return memory;
}

void native_map_add(const char *name, const void *definition, size_t value_size,
		    unsigned int entries, bool nested)
{
	if (map_count == MAPS_MAX)
		abort();
	maps[map_count++] = (struct native_map){
		.name = name,
		.definition = definition,
		.value_size = value_size,
		.entries = entries,
		.nested = nested,
		.value = zeroed(entries, sizeof(void *)),
		.in_use = zeroed(entries, sizeof(bool)),
		.used = zeroed(entries, sizeof(unsigned int)),
	};
}

void native_trie_add(const void *definition, size_t bytes)
{
	if (trie_count == TRIES_MAX)
		abort();
	tries[trie_count++] =
		(struct native_trie){ definition, sizeof(__u32) + bytes, 0, { { 0 } } };
}

static struct native_trie *trie_of(const void *definition)
{
	for (unsigned int i = 0; i < trie_count; i++)
		if (tries[i].definition == definition)
			return &tries[i];
	return NULL;
}

void native_trie_put(const void *definition, const void *key)
{
	struct native_trie *t = trie_of(definition);

	if (!t || t->count == PREFIXES_MAX)
		abort();
	memcpy(t->prefix[t->count++], key, t->key_size);
}

static bool covers(const uint8_t *prefix, const uint8_t *key)
{
	__u32 bits;

	memcpy(&bits, prefix, sizeof(bits));
	for (__u32 bit = 0; bit < bits; bit++)
		if ((prefix[4 + bit / 8] ^ key[4 + bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static void *trie_lookup(const struct native_trie *t, const void *key)
{
	static __u8 value;

	for (unsigned int i = 0; i < t->count; i++)
		if (covers(t->prefix[i], key))
			return &value;
	return NULL;
}

const struct native_map *native_map(const char *name)
{
	for (unsigned int i = 0; i < map_count; i++)
		if (!strcmp(maps[i].name, name))
			return &maps[i];
	return NULL;
}

static struct native_map *map_of(const void *definition)
{
	for (unsigned int i = 0; i < map_count; i++)
		if (maps[i].definition == definition)
			return &maps[i];
	fprintf(stderr, "a map of bpf/ is missing in tests/native/native.c\n");
	abort();
}

void *native_map_value(const void *definition, uint32_t index)
{
	struct native_map *m = map_of(definition);

	if (index >= m->entries)
		return NULL;
	if (!m->value[index])
		m->value[index] = zeroed(1, m->value_size);
	if (!m->in_use[index]) {
		m->in_use[index] = true;
		m->used[m->used_count++] = index;
	}
	return m->value[index];
}

static void map_clear(struct native_map *m)
{
	while (m->used_count) {
		uint32_t index = m->used[--m->used_count];

		memset(m->value[index], 0, m->value_size);
		m->in_use[index] = false;
	}
}

void native_maps_clear(void)
{
	for (unsigned int i = 0; i < map_count; i++)
		map_clear(&maps[i]);
	for (unsigned int i = 0; i < trie_count; i++)
		tries[i].count = 0;
}

static void map_free(struct native_map *m)
{
	for (unsigned int i = 0; i < m->entries; i++)
		free(m->value[i]);
	free(m->value);
	free(m->in_use);
	free(m->used);
}

void native_maps_free(void)
{
	while (map_count)
		map_free(&maps[--map_count]);
	trie_count = 0;
}

void native_ring_set(void (*on_record)(void *ctx, const void *data, size_t size), void *ctx)
{
	ring.on_record = on_record;
	ring.ctx = ctx;
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	const struct native_trie *trie = trie_of(map);
	void *value;

	if (trie)
		return trie_lookup(trie, key);
	value = native_map_value(map, *(const __u32 *)key);
	return value && map_of(map)->nested ? *(void **)value : value;
}

void *bpf_ringbuf_reserve(void *definition, __u64 size, __u64 flags)
{
	(void)definition, (void)flags;
	if (ring.record)
		abort(); /* the verifier wants each submitted before the next */
	ring.record = zeroed(1, size);
	memset(ring.record, 0xa5, size); /* the kernel does not clear it either */
	ring.size = size;
	return ring.record;
}

void bpf_ringbuf_submit(void *data, __u64 flags)
{
	(void)flags;
	if (data != ring.record)
		abort();
	if (ring.on_record)
		ring.on_record(ring.ctx, data, ring.size);
	free(ring.record);
	ring.record = NULL;
}
