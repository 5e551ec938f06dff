/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a feature vector to a score, in integers: quantize, nearest centroid of each member, mean of
 * squared distances over squared radii. The BPF programs and the agent compile this same file; the
 * differential test in tests/bpf holds the two together bit for bit.
 */
#ifndef SENTROID_SCORE_H
#define SENTROID_SCORE_H

#include "sentroid/feature.h"
#include "sentroid/model.h"

#define SEN_SCORE_MAX    0xffffffffu
#define SEN_RADIUS_SHIFT 24 /* inverse_radius is in units of 2^-24 */

struct sen_score {
	__u32 score; /* Q16, SEN_ONE is the threshold */
	__u8 class_id; /* of the nearest labelled centroid; UNKNOWN where none is near; NONE unflagged */
	__u8 pad[3];
};

/* v held to [0, SEN_QMAX] by the sign bits of v and of what is left above: no branch. */
SEN_INLINE __u64 sen_clamp_q(__s64 v)
{
	v &= ~sen_if_negative(v);
	return v - ((v - SEN_QMAX) & ~sen_if_negative(v - SEN_QMAX));
}

/* Quantize a vector into packed lanes. */
SEN_INLINE void sen_quantize(const struct sen_quantizer *q, const struct sen_vector *x,
			     struct sen_lanes *out)
{
#pragma GCC unroll 5
	for (int w = 0; w < SEN_WORDS; w++) {
		__u64 word = 0;
#pragma GCC unroll 4
		for (int l = SEN_LANES - 1; l >= 0; l--) {
			int d = w * SEN_LANES + l;
			__s64 v = (__s64)x->v[d] * q[d].scale + q[d].bias;

			word = word << 16 | sen_clamp_q(v >> 16);
		}
		out->w[w] = word;
	}
}

/*
 * Dot product of two packed vectors, one with its lanes reversed. Bits 48..63 of each 64-bit product
 * are the sum of the four lane products: 4 * 127 * 127 = 64516 fits them, and no lower sum carries in.
 */
SEN_INLINE __u64 sen_dot(const struct sen_lanes *x, const struct sen_lanes *reversed)
{
	__u64 sum = 0;

#pragma GCC unroll 5
	for (int w = 0; w < SEN_WORDS; w++)
		sum += x->w[w] * reversed->w[w] >> 48;
	return sum;
}

/* The lanes of a word in the opposite order. */
SEN_INLINE __u64 sen_reverse_lanes(__u64 w)
{
	w = w << 32 | w >> 32;
	return (w & 0x0000ffff0000ffffull) << 16 | (w >> 16 & 0x0000ffff0000ffffull);
}

/* x restricted to a member's features; returns its squared norm. */
SEN_INLINE __u64 sen_mask(const struct sen_lanes *x, const struct sen_lanes *mask,
			  struct sen_lanes *out)
{
	__u64 norm = 0;

#pragma GCC unroll 5
	for (int w = 0; w < SEN_WORDS; w++) {
		out->w[w] = x->w[w] & mask->w[w];
		norm += out->w[w] * sen_reverse_lanes(out->w[w]) >> 48;
	}
	return norm;
}

/*
 * Nearest centroid of a member: (|c|^2 - 2 x.c) << 8 | index, the least of all. Distance and index
 * travel in one word so that the running minimum needs no branch.
 */
SEN_INLINE __s64 sen_nearest(const struct sen_member *m, const struct sen_lanes *x)
{
	__s64 best = (1ll << 62) - 1;

	for (__u32 k = 0; k < SEN_CENTROIDS_MAX; k++) {
		__s64 d;

		if (k >= m->count)
			break;
		d = m->centroid[k].base - (__s64)(sen_dot(x, &m->centroid[k].lanes) << 9) - best;
		best += d & sen_if_negative(d);
	}
	return best;
}

/* d^2 / r^2 to the nearest centroid of a member, Q16; its index into *nearest. */
SEN_INLINE __u64 sen_member_ratio(const struct sen_member *m, const struct sen_lanes *x,
				  __u32 *nearest)
{
	struct sen_lanes masked;
	__u64 norm = sen_mask(x, &m->mask, &masked);
	__s64 best = sen_nearest(m, &masked);
	__u64 d2 = norm + (best >> 8);

	*nearest = best & (SEN_CENTROIDS_MAX - 1);
	return d2 * m->inverse_radius[*nearest] >> (SEN_RADIUS_SHIFT - 16);
}

/* Weighted mean of ratios (Q16 x Q16 weights) against the threshold: the score, Q16, saturating. */
SEN_INLINE __u32 sen_threshold(__u64 weighted, __u32 threshold_inverse)
{
	__u64 mean = weighted >> 16;

	mean = mean > 0xffffffffull ? 0xffffffffull : mean;
	mean = mean * threshold_inverse >> 16;
	return mean > SEN_SCORE_MAX ? SEN_SCORE_MAX : mean;
}

#ifndef __bpf__
/* Score a quantized vector with a whole model. The BPF side walks the members the same way, in
 * functions of its own that the verifier checks one at a time (bpf/score.bpf.h). */
SEN_INLINE struct sen_score sen_score(const struct sen_model_flat *m, const struct sen_lanes *x)
{
	struct sen_score out = { 0 };
	__u64 weighted = 0, best = SEN_NAME_RATIO + 1;
	__u32 nearest;

	for (__u32 e = 0; e < m->scoring && e < SEN_MEMBERS_MAX; e++)
		weighted += sen_member_ratio(&m->member[e], x, &nearest) * m->member[e].weight;
	out.score = sen_threshold(weighted, m->threshold_inverse);
	if (out.score < SEN_ONE)
		return out;

	out.class_id = SEN_CLASS_UNKNOWN;
	for (__u32 e = m->scoring; e < m->members && e < SEN_MEMBERS_MAX; e++) {
		__u64 ratio = sen_member_ratio(&m->member[e], x, &nearest);

		if (ratio < best) {
			best = ratio;
			out.class_id = m->member[e].class_of[nearest];
		}
	}
	return out;
}
#endif

#endif
