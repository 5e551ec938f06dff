/* SPDX-License-Identifier: GPL-2.0-only */
/* Score the vector in the scratch by the model of a slot. */
#ifndef SENTROID_SCORE_BPF_H
#define SENTROID_SCORE_BPF_H

#include "maps.bpf.h"

static __always_inline const struct sen_model_flat *model_of(enum sen_slot slot)
{
	__u32 key = slot, zero = 0;
	void *inner = bpf_map_lookup_elem(&models, &key);

	return inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
}

static __always_inline bool model_learned(void)
{
	const struct sen_model_flat *m = model_of(SEN_SLOT_ACTIVE);

	return m && m->learned;
}

static __always_inline __u8 model_generation(void)
{
	const struct sen_model_flat *m = model_of(SEN_SLOT_ACTIVE);

	return m ? m->version : 0;
}

/*
 * Functions with walls: the verifier checks each once, on its own, however often it is called. They
 * are handed a member, not a slot: all of a model is reached through one pointer taken once, so that
 * no score mixes two models.
 */

/* d^2 / r^2 to the nearest centroid (Q16, at most 2^39) << 6 | its index; negative on bad arguments. */
__noinline __s64 score_member(const struct sen_member *m, const struct sen_lanes *x)
{
	__u32 nearest;
	__u64 ratio;

	if (!m || !x)
		return -1;
	ratio = sen_member_ratio(m, x, &nearest);
	return ratio << 6 | nearest;
}

/* Weighted sum of the ratios of the scoring members, Q32. */
static __always_inline __u64 members_weighted(const struct sen_model_flat *m,
					      const struct sen_lanes *x)
{
	__u64 weighted = 0;

	for (__u32 e = 0; e < SEN_MEMBERS_MAX; e++) {
		if (e >= m->scoring)
			break;
		weighted += (__u64)(score_member(&m->member[e], x) >> 6) * m->member[e].weight;
	}
	return weighted;
}

/* Class of the nearest labelled centroid whose radius reaches x. */
static __always_inline __u8 members_class(const struct sen_model_flat *m, const struct sen_lanes *x)
{
	__s64 best = (__s64)(SEN_NAME_RATIO + 1) << 6;
	__u8 class_id = SEN_CLASS_UNKNOWN;

	for (__u32 e = 0; e < SEN_MEMBERS_MAX; e++) {
		__s64 ratio;

		if (e >= m->members)
			break;
		if (e < m->scoring)
			continue;
		ratio = score_member(&m->member[e], x);
		if (ratio >> 6 < best >> 6) {
			best = ratio;
			class_id = m->member[e].class_of[ratio & (SEN_CENTROIDS_MAX - 1)];
		}
	}
	return class_id;
}

static __always_inline struct sen_memo *memo_of(const struct sen_lanes *x)
{
	__u64 h = 0;
	__u32 index;

#pragma unroll
	for (int w = 0; w < SEN_WORDS; w++)
		h = (h ^ x->w[w]) * 0x9e3779b97f4a7c15ull;
	index = h >> 32 & (SEN_MEMO_ENTRIES - 1);
	return bpf_map_lookup_elem(&memo, &index);
}

/* What tells models apart to the memo: two of the same version, pushed by hand, differ by digest. */
static __always_inline __u32 model_mark(const struct sen_model_flat *m)
{
	return m->version ^ *(const __u32 *)m->digest;
}

static __always_inline bool memo_answers(const struct sen_memo *memo, const struct sen_lanes *x,
					 __u32 mark)
{
	__u64 differ = memo->mark ^ mark;

#pragma unroll
	for (int w = 0; w < SEN_WORDS; w++)
		differ |= memo->lanes.w[w] ^ x->w[w];
	return !differ;
}

static __always_inline void score_compute(const struct sen_model_flat *m, struct sen_scratch *s)
{
	s->result.score = sen_threshold(members_weighted(m, &s->lanes), m->threshold_inverse);
	s->result.class_id = SEN_CLASS_NONE;
	if (s->result.score >= SEN_ONE)
		s->result.class_id = members_class(m, &s->lanes);
}

/* Score the scratch vector by the active model into the scratch result. Returns 1 where an identical
 * vector had been scored before, 0 where not, negative without a model. */
__noinline int score_active(void)
{
	const struct sen_model_flat *m = model_of(SEN_SLOT_ACTIVE);
	struct sen_scratch *s = scratch_of_cpu();
	struct sen_memo *known;

	if (!m || !s)
		return -1;
	s->version = m->version;
	s->learned = m->learned;
	sen_quantize(m->quantizer, &s->vector, &s->lanes);
	known = memo_of(&s->lanes);
	if (known && memo_answers(known, &s->lanes, model_mark(m))) {
		s->result.score = known->score;
		s->result.class_id = known->class_id;
		return 1;
	}
	score_compute(m, s);
	if (known) {
		known->lanes = s->lanes;
		known->mark = model_mark(m);
		known->score = s->result.score;
		known->class_id = s->result.class_id;
	}
	return 0;
}

/* Score the scratch vector by the shadow model. Negative without one. */
__noinline int score_shadow(void)
{
	const struct sen_model_flat *m = model_of(SEN_SLOT_SHADOW);
	struct sen_scratch *s = scratch_of_cpu();

	if (!m || !s)
		return -1;
	sen_quantize(m->quantizer, &s->vector, &s->lanes);
	score_compute(m, s);
	return 0;
}

static __always_inline void score_count(enum sen_slot slot, __u32 score)
{
	struct sen_score_hist *hist;
	__u32 zero = 0;

	hist = bpf_map_lookup_elem(&dist_hist, &zero);
	if (hist)
		hist->bin[slot][(sen_lg(score) / (SEN_LG_OCTAVE / 2)) & (SEN_SCORE_BINS - 1)]++;
}

#endif
