// SPDX-License-Identifier: BSD-2-Clause
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "sentroid/score.h"

#define VECTORS 100000

static void top_bit_is_the_top_bit(void **state)
{
	(void)state;
	for (int b = 0; b < 32; b++) {
		assert_int_equal(sen_top_bit(1u << b), b);
		assert_int_equal(sen_top_bit((1u << b) | ((1u << b) - 1)), b);
	}
}

static void lg_by_hand(void **state)
{
	(void)state;
	assert_int_equal(sen_lg(0), 0);
	assert_int_equal(sen_lg(1), 16);
	assert_int_equal(sen_lg(2), 24); /* 3 = 1.5 * 2 */
	assert_int_equal(sen_lg(3), 32);
	assert_int_equal(sen_lg(4), 36); /* 5 = 1.25 * 4 */
	assert_int_equal(sen_lg(1023), 160);
	assert_int_equal(sen_lg(1535), 168);
	assert_int_equal(sen_lg(0xffffffff), 511);
	assert_int_equal(sen_lg(0xffffffff), sen_lg(0xfffffffe));
}

/* The mantissa is linear between powers of two, at most 1.38 steps under the logarithm, and cut. */
static void lg_follows_the_logarithm(void **state)
{
	__u32 last = 0;

	(void)state;
	for (__u64 x = 0; x <= 0xffffffffull; x += 1 + x / 4096) {
		double exact = 16 * log2(1.0 + x);
		__u32 v = sen_lg(x);

		assert_true(v >= last);
		assert_true(v <= exact + 1e-6 && v > exact - 2.4);
		last = v;
	}
	for (int b = 0; b < 32; b++)
		assert_int_equal(sen_lg((1u << b) - 1), 16 * b);
}

static void popcount_counts(void **state)
{
	struct sen_rng rng;

	(void)state;
	sen_rng_seed(&rng, 1);
	assert_int_equal(sen_popcount(0), 0);
	assert_int_equal(sen_popcount(~0ull), 64);
	for (int i = 0; i < 1000; i++) {
		__u64 x = sen_rng_next(&rng);

		assert_int_equal(sen_popcount(x), __builtin_popcountll(x));
	}
}

static void distinct_counts_are_linear_counting(void **state)
{
	(void)state;
	for (int set = 0; set <= 64; set++) {
		__u64 map = set == 64 ? ~0ull : (1ull << set) - 1;
		double zeros = set == 64 ? 0.5 : 64 - set;
		double n = 64 * log(64 / zeros);

		assert_true(fabs(sen_lg_distinct(map) - 16 * log2(1 + n)) <= 2.4);
		assert_true(!set || sen_lg_distinct(map) > sen_lg_distinct(map >> 1));
	}
}

static void quantize_by_hand(void **state)
{
	struct sen_quantizer q[SEN_DIMS];
	struct sen_vector x = { 0 };
	struct sen_lanes out;

	(void)state;
	for (int d = 0; d < SEN_DIMS; d++)
		q[d] = (struct sen_quantizer){ .scale = SEN_ONE / 2, .bias = 10 * SEN_ONE };
	x.v[0] = 0;     /* 10 */
	x.v[1] = 101;   /* 60.5 is 60 */
	x.v[2] = 233;   /* 126.5 is 126 */
	x.v[3] = 65535; /* saturates */
	q[4].bias = -100 * (int)SEN_ONE;
	x.v[4] = 100; /* -50 saturates */
	q[5].bias = 0;
	x.v[5] = 3; /* 1.5 is 1 */
	sen_quantize(q, &x, &out);
	assert_int_equal(out.w[0], 127ull << 48 | 126ull << 32 | 60ull << 16 | 10);
	assert_int_equal(out.w[1], 10ull << 48 | 10ull << 32 | 1ull << 16 | 0);
}

static void quantize_is_monotone_and_saturates(void **state)
{
	struct sen_quantizer q[SEN_DIMS];
	struct sen_lanes out;
	__u64 last[SEN_DIMS] = { 0 };

	(void)state;
	for (int d = 0; d < SEN_DIMS; d++)
		q[d] = (struct sen_quantizer){ .scale = 1000 + 9000 * d,
					       .bias = (d - 10) * 900000 };
	for (unsigned int raw = 0; raw <= 65535; raw++) {
		struct sen_vector x;

		for (int d = 0; d < SEN_DIMS; d++)
			x.v[d] = raw;
		sen_quantize(q, &x, &out);
		for (int d = 0; d < SEN_DIMS; d++) {
			__u64 v = out.w[d / SEN_LANES] >> 16 * (d % SEN_LANES) & 0xffff;

			assert_true(v >= last[d] && v <= SEN_QMAX);
			last[d] = v;
		}
	}
	for (int d = 0; d < SEN_DIMS; d++)
		assert_int_equal(last[d], SEN_QMAX);
}

static void random_values(struct sen_rng *rng, unsigned int *v)
{
	/* Every other vector from the corners, where the lanes are fullest. */
	bool corner = sen_rng_next(rng) & 1;

	for (int d = 0; d < SEN_DIMS; d++)
		v[d] = corner ? SEN_QMAX * (sen_rng_next(rng) >> 62 != 0) :
				sen_rng_below(rng, SEN_QMAX + 1);
}

static void pack(const unsigned int *v, struct sen_lanes *out)
{
	memset(out, 0, sizeof(*out));
	for (int d = 0; d < SEN_DIMS; d++)
		out->w[d / SEN_LANES] |= (__u64)v[d] << 16 * (d % SEN_LANES);
}

static void reverse(const struct sen_lanes *x, struct sen_lanes *out)
{
	for (int w = 0; w < SEN_WORDS; w++)
		out->w[w] = sen_reverse_lanes(x->w[w]);
}

static void packed_dot_is_the_dot_product(void **state)
{
	unsigned int a[SEN_DIMS], b[SEN_DIMS];
	struct sen_lanes x, y, reversed, mask, masked;
	struct sen_rng rng;

	(void)state;
	sen_rng_seed(&rng, 2);
	for (int i = 0; i < VECTORS; i++) {
		__u64 dot = 0, norm = 0;

		random_values(&rng, a);
		random_values(&rng, b);
		memset(&mask, 0, sizeof(mask));
		for (int d = 0; d < SEN_DIMS; d++) {
			dot += a[d] * b[d];
			if (b[d] & 1) {
				mask.w[d / SEN_LANES] |= 0xffffull << 16 * (d % SEN_LANES);
				norm += a[d] * a[d];
			}
		}
		pack(a, &x);
		pack(b, &y);
		reverse(&y, &reversed);
		assert_int_equal(sen_dot(&x, &reversed), dot);
		assert_int_equal(sen_mask(&x, &mask, &masked), norm);
	}
	assert_int_equal(sen_reverse_lanes(0x0001000200030004ull), 0x0004000300020001ull);
}

/* One member, centroids at (10, 0, ...) and (50, 0, ...) with radii 2 and 10. */
static struct sen_model *two_centroids(void)
{
	struct sen_model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->members = 1;
	m->threshold = 4;
	m->member[0].count = 2;
	m->member[0].weight = 1;
	memset(m->member[0].mask, true, SEN_DIMS);
	m->member[0].centroid[0][0] = 10;
	m->member[0].centroid[1][0] = 50;
	m->member[0].radius[0] = 2;
	m->member[0].radius[1] = 10;
	m->member[0].mass[0] = m->member[0].mass[1] = 1;
	for (int d = 0; d < SEN_DIMS; d++)
		m->quantizer[d].scale = SEN_ONE;
	return m;
}

static struct sen_score score_at(const struct sen_model *m, unsigned int v0, unsigned int v1)
{
	static struct sen_model_flat flat;
	struct sen_vector x = { .v = { v0, v1 } };
	struct sen_lanes q;

	assert_int_equal(sen_model_flatten(m, &flat, NULL), 0);
	sen_quantize(flat.quantizer, &x, &q);
	return sen_score(&flat, &q);
}

static void score_by_hand(void **state)
{
	struct sen_model *m = two_centroids();

	(void)state;
	assert_int_equal(score_at(m, 10, 0).score, 0);
	/* d = 2, r = 2: ratio 1, over a threshold of 4. */
	assert_int_equal(score_at(m, 12, 0).score, SEN_ONE / 4);
	assert_int_equal(score_at(m, 10, 3).score, SEN_ONE / 4 * 9 / 4);
	assert_int_equal(score_at(m, 14, 0).score, SEN_ONE);
	assert_int_equal(score_at(m, 14, 0).class_id, SEN_CLASS_UNKNOWN);
	assert_int_equal(score_at(m, 13, 0).class_id, SEN_CLASS_NONE);
	/* By distance the first is nearer to 28, though 22 is little in radii of the second. */
	assert_int_equal(score_at(m, 28, 0).score, SEN_ONE / 4 * (18 * 18 / 4));
	/* 100 / 100 of the second, but 2^24 / 100 is cut: a shade under a quarter. */
	assert_in_range(score_at(m, 60, 0).score, SEN_ONE / 4 - 2, SEN_ONE / 4);
	sen_model_free(m);
}

static void scores_are_means_over_members(void **state)
{
	struct sen_model *m = two_centroids();

	(void)state;
	m->members = 2;
	m->member[1] = m->member[0];
	m->member[1].radius[0] = 4;
	m->member[0].weight = 0.75;
	m->member[1].weight = 0.25;
	m->threshold = 1;
	/* 0.75 * 4 + 0.25 * 1 */
	assert_int_equal(score_at(m, 14, 0).score, SEN_ONE * 13 / 4);
	/* A member that does not look at feature 0 does not see the distance in it. */
	m->member[1].mask[0] = false;
	m->member[1].count = 1;
	assert_int_equal(score_at(m, 14, 0).score, SEN_ONE * 3);
	sen_model_free(m);
}

static void labelled_centroids_name_but_do_not_score(void **state)
{
	struct sen_model *m = two_centroids();

	(void)state;
	m->members = 2;
	m->member[1] = m->member[0];
	m->member[1].weight = 0;
	m->member[1].centroid[0][0] = 30;
	m->member[1].centroid[1][0] = 100;
	m->member[1].radius[0] = 3;
	m->member[1].class_of[0] = SEN_CLASS_SCAN;
	m->member[1].class_of[1] = SEN_CLASS_BEACON;
	assert_int_equal(score_at(m, 12, 0).score, SEN_ONE / 4);
	assert_int_equal(score_at(m, 12, 0).class_id, SEN_CLASS_NONE);
	assert_int_equal(score_at(m, 28, 0).class_id, SEN_CLASS_SCAN);
	/* Up to three radii away. */
	assert_int_equal(score_at(m, 21, 0).class_id, SEN_CLASS_SCAN);
	assert_int_equal(score_at(m, 20, 0).class_id, SEN_CLASS_UNKNOWN);
	assert_int_equal(score_at(m, 95, 0).class_id, SEN_CLASS_BEACON);
	/* Near a label, but normal: not flagged, so not named. */
	m->member[1].centroid[0][0] = 10;
	assert_int_equal(score_at(m, 11, 0).class_id, SEN_CLASS_NONE);
	sen_model_free(m);
}

static void scores_saturate(void **state)
{
	(void)state;
	assert_int_equal(sen_threshold(~0ull, SEN_ONE), SEN_SCORE_MAX);
	assert_int_equal(sen_threshold(~0ull, 1), SEN_SCORE_MAX >> 16);
	assert_int_equal(sen_threshold(~0ull, 0xffffffff), SEN_SCORE_MAX);
	assert_int_equal(sen_threshold((__u64)SEN_ONE << 16, SEN_ONE), SEN_ONE);
	assert_int_equal(sen_threshold(0, 0xffffffff), 0);
}

/* Whatever the centroids: the packed search finds the distance that a plain one does. */
static void nearest_agrees_with_a_plain_search(void **state)
{
	static struct sen_model_flat flat;
	struct sen_model *m = two_centroids();
	unsigned int v[SEN_DIMS];
	struct sen_lanes x;
	struct sen_rng rng;

	(void)state;
	sen_rng_seed(&rng, 3);
	m->member[0].count = SEN_CENTROIDS_MAX;
	for (int k = 0; k < SEN_CENTROIDS_MAX; k++) {
		m->member[0].radius[k] = 1;
		for (int d = 0; d < SEN_DIMS; d++)
			m->member[0].centroid[k][d] = sen_rng_below(&rng, SEN_QMAX + 1);
	}
	assert_int_equal(sen_model_flatten(m, &flat, NULL), 0);
	for (int i = 0; i < VECTORS / 20; i++) {
		__u64 least = ~0ull;
		__u32 nearest;

		random_values(&rng, v);
		pack(v, &x);
		for (int k = 0; k < SEN_CENTROIDS_MAX; k++) {
			__u64 d2 = 0;

			for (int d = 0; d < SEN_DIMS; d++) {
				int delta = (int)v[d] - (int)m->member[0].centroid[k][d];

				d2 += delta * delta;
			}
			least = d2 < least ? d2 : least;
		}
		/* Radius 1: the ratio is the squared distance. */
		assert_int_equal(sen_member_ratio(&flat.member[0], &x, &nearest), least * SEN_ONE);
	}
	sen_model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(top_bit_is_the_top_bit),
		cmocka_unit_test(lg_by_hand),
		cmocka_unit_test(lg_follows_the_logarithm),
		cmocka_unit_test(popcount_counts),
		cmocka_unit_test(distinct_counts_are_linear_counting),
		cmocka_unit_test(quantize_by_hand),
		cmocka_unit_test(quantize_is_monotone_and_saturates),
		cmocka_unit_test(packed_dot_is_the_dot_product),
		cmocka_unit_test(score_by_hand),
		cmocka_unit_test(scores_are_means_over_members),
		cmocka_unit_test(labelled_centroids_name_but_do_not_score),
		cmocka_unit_test(scores_saturate),
		cmocka_unit_test(nearest_agrees_with_a_plain_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
