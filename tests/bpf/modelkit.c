// SPDX-License-Identifier: BSD-2-Clause
#include "modelkit.h"

#include <string.h>

#include "random.h"
#include "sentroid/score.h"

static void model_begin(struct sen_model_flat *m, __u32 version)
{
	memset(m, 0, sizeof(*m));
	m->magic = SEN_ABI_MAGIC;
	m->features = SEN_FEATURES_VERSION;
	m->version = version;
}

/* Looks at nothing, and has its one centroid at this squared distance from everywhere. */
static void member_constant(struct sen_member *m, __u32 distance, __u32 weight, __u8 class_id)
{
	m->count = 1;
	m->weight = weight;
	m->inverse_radius[0] = 1 << SEN_RADIUS_SHIFT;
	m->class_of[0] = class_id;
	m->centroid[0].base = (__s64)distance << 8;
}

void model_constant(struct sen_model_flat *m, __u32 version, __u32 score, __u8 class_id)
{
	model_begin(m, version);
	for (int d = 0; d < SEN_DIMS; d++)
		m->quantizer[d].scale = 1 << 14;
	m->scoring = 1;
	m->members = class_id == SEN_CLASS_UNKNOWN ? 1 : 2;
	m->threshold_inverse = score;
	member_constant(&m->member[0], 1, SEN_ONE, SEN_CLASS_NONE);
	member_constant(&m->member[1], 0, 0, class_id);
}

/* A number of random size, so that small and huge ones are equally likely. */
static __u64 any_size(uint64_t *random, int bits)
{
	__u64 x = random_next(random);

	return x >> (64 - 1 - random_next(random) % bits);
}

static __u32 below(uint64_t *random, __u32 n)
{
	return random_next(random) % n;
}

/* Mostly sensible, sometimes at an end: 64 +- 24 over some octaves, or a step, or all on one side. */
static void quantizer_random(struct sen_quantizer *q, uint64_t *random)
{
	q->scale = below(random, 8) ? 1 + below(random, 1 << 17) : 1 + any_size(random, 30);
	q->bias = below(random, 8) ? (__s32)below(random, 1 << 24) - (1 << 23) :
				     (__s32)random_next(random);
}

static void centroid_random(struct sen_centroid *c, const struct sen_lanes *mask, __u32 index,
			    uint64_t *random)
{
	struct sen_lanes plain;
	__u64 norm = 0;

	for (int w = 0; w < SEN_WORDS; w++) {
		plain.w[w] = random_next(random) & 0x007f007f007f007full & mask->w[w];
		if (!below(random, 32))
			plain.w[w] = 0x007f007f007f007full & mask->w[w];
		c->lanes.w[w] = sen_reverse_lanes(plain.w[w]);
		norm += plain.w[w] * c->lanes.w[w] >> 48;
	}
	c->base = (__s64)(norm << 8 | index);
}

static void member_random(struct sen_member *m, uint64_t *random)
{
	for (int d = 0; d < SEN_DIMS; d++)
		if (below(random, 4))
			m->mask.w[d / SEN_LANES] |= 0xffffull << (16 * (d % SEN_LANES));
	m->count = below(random, 4) ? 1 + below(random, SEN_CENTROIDS_MAX) : SEN_CENTROIDS_MAX;
	for (__u32 k = 0; k < m->count; k++) {
		m->inverse_radius[k] = any_size(random, 32);
		m->class_of[k] = below(random, SEN_CLASS_MAX);
		centroid_random(&m->centroid[k], &m->mask, k, random);
	}
}

void model_random(struct sen_model_flat *m, __u32 version, uint64_t *random)
{
	__u32 left = SEN_ONE;

	model_begin(m, version);
	for (int d = 0; d < SEN_DIMS; d++)
		quantizer_random(&m->quantizer[d], random);
	m->members = 1 + below(random, SEN_MEMBERS_MAX);
	m->scoring = 1 + below(random, m->members);
	m->threshold_inverse = any_size(random, 32);
	for (__u32 e = 0; e < m->members; e++)
		member_random(&m->member[e], random);
	for (__u32 e = 0; e < m->scoring; e++) {
		m->member[e].weight = e + 1 < m->scoring ? below(random, left + 1) : left;
		left -= m->member[e].weight;
	}
}
