// SPDX-License-Identifier: BSD-2-Clause
#include "maps.h"

#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_helpers.h>

#define MAPS_MAX 40

static struct native_map maps[MAPS_MAX];
static unsigned int map_count;

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
}

void native_ring_set(void (*on_record)(void *ctx, const void *data, size_t size), void *ctx)
{
	ring.on_record = on_record;
	ring.ctx = ctx;
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	void *value = native_map_value(map, *(const __u32 *)key);

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
