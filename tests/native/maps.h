/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF maps as plain memory, for the packet path built natively. Every value is a heap block of its own
 * of exactly its size, so that a sanitizer sees what the verifier would have refused. One CPU.
 */
#ifndef SENTROID_NATIVE_MAPS_H
#define SENTROID_NATIVE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct native_map {
	const char *name;
	const void *definition; /* what bpf/ calls the map */
	size_t value_size;
	unsigned int entries;
	bool nested;        /* values are addresses of other maps' definitions, or NULL */
	void **value;       /* NULL: never asked for; all zeros, like all that is not in use */
	bool *in_use;       /* asked for since the maps were cleared */
	unsigned int *used; /* indices of those */
	unsigned int used_count;
};

void native_map_add(const char *name, const void *definition, size_t value_size,
		    unsigned int entries, bool nested);
/* A trie of prefixes, whose values say nothing. Keys are as the kernel wants them: a length in bits, then `bytes` of an
 * address. */
void native_trie_add(const void *definition, size_t bytes);
void native_trie_put(const void *definition, const void *key);
/* NULL where there is none of this name. */
const struct native_map *native_map(const char *name);
/* A value, made at first use; NULL past the end. */
void *native_map_value(const void *definition, uint32_t index);
/* All values zero again, and no prefix in a trie. */
void native_maps_clear(void);
void native_maps_free(void);

/* Where the ring buffer's records go, at once. */
void native_ring_set(void (*on_record)(void *ctx, const void *data, size_t size), void *ctx);

#endif
