// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "reservoir.h"

#define MEMORY 8 /* capacities that the stream counts as, at most */

struct sen_reservoir {
	size_t capacity;
	size_t size;
	uint64_t seen;
	uint64_t random;
	struct sen_sample samples[];
};

int sen_reservoir_new(size_t capacity, uint64_t seed, struct sen_reservoir **out)
{
	struct sen_reservoir *r = calloc(1, sizeof(*r) + capacity * sizeof(r->samples[0]));

	if (!r)
		return -ENOMEM;
	r->capacity = capacity;
	r->random = seed | 1;
	*out = r;
	return 0;
}

void sen_reservoir_free(struct sen_reservoir *r)
{
	free(r);
}

/* xorshift64* (Vigna 2016): below n. */
static uint64_t draw_below(struct sen_reservoir *r, uint64_t n)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return (r->random * 0x2545f4914f6cdd1dull >> 32) * n >> 32;
}

void sen_reservoir_add(struct sen_reservoir *r, const struct sen_sample *sample)
{
	uint64_t at;

	if (r->seen < MEMORY * r->capacity)
		r->seen++;
	if (r->size < r->capacity) {
		r->samples[r->size++] = *sample;
		return;
	}
	at = draw_below(r, r->seen);
	if (at < r->capacity)
		r->samples[at] = *sample;
}

size_t sen_reservoir_samples(const struct sen_reservoir *r, const struct sen_sample **out)
{
	*out = r->samples;
	return r->size;
}

size_t sen_reservoir_size(const struct sen_reservoir *r)
{
	return r->size;
}

size_t sen_reservoir_draw(struct sen_reservoir *r, struct sen_sample *out, size_t max)
{
	size_t n = max < r->size ? max : r->size;

	/* The first steps of a shuffle: order means nothing here. */
	for (size_t i = 0; i < n; i++) {
		size_t j = i + draw_below(r, r->size - i);
		struct sen_sample s = r->samples[j];

		r->samples[j] = r->samples[i];
		r->samples[i] = out[i] = s;
	}
	return n;
}

void sen_reservoir_clear(struct sen_reservoir *r)
{
	r->size = 0;
	r->seen = 0;
}
