// SPDX-License-Identifier: BSD-2-Clause
/* The parts that training is put together from. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>

#include "kmeans.h"
#include "train_internal.h"

static void kmeans_assigns_to_the_nearest(void **state)
{
	static float rows[500 * SEN_DIMS];
	struct sen_kmeans c = { 0 };
	uint8_t nearest[500];
	float d2[500];
	struct sen_rng rng;

	(void)state;
	sen_rng_seed(&rng, 5);
	for (size_t i = 0; i < 500 * SEN_DIMS; i++)
		rows[i] = sen_rng_below(&rng, 128);
	for (c.count = 1; c.count <= SEN_CENTROIDS_MAX; c.count += 7) {
		for (unsigned int k = 0; k < c.count; k++)
			for (int d = 0; d < SEN_DIMS; d++)
				c.at[k][d] = sen_rng_below(&rng, 128);
		sen_kmeans_assign(&c, rows, 500, nearest, d2);
		for (size_t i = 0; i < 500; i++) {
			unsigned int best = 0;
			float least = INFINITY;

			for (unsigned int k = 0; k < c.count; k++) {
				float sum = 0;

				for (int d = 0; d < SEN_DIMS; d++)
					sum += powf(rows[i * SEN_DIMS + d] - c.at[k][d], 2);
				if (sum < least) {
					least = sum;
					best = k;
				}
			}
			assert_int_equal(nearest[i], best);
			assert_true(d2[i] == least);
		}
	}
}

/* Three clusters of a hundred rows: each centroid ends up in the exact middle of its own. */
static void kmeans_ends_in_the_middle(void **state)
{
	static float rows[300 * SEN_DIMS];
	const struct sen_kmeans_params p = { .centroids = 3, .batch = 32, .epochs = 2, .seed = 1 };
	double sum[3][SEN_DIMS] = { 0 };
	struct sen_kmeans c;
	uint8_t nearest[300];
	float d2[300];
	struct sen_rng rng;

	(void)state;
	sen_rng_seed(&rng, 6);
	for (int i = 0; i < 300; i++)
		for (int d = 0; d < SEN_DIMS; d++) {
			rows[i * SEN_DIMS + d] = 40 * (i % 3) + sen_rng_below(&rng, 9);
			sum[i % 3][d] += rows[i * SEN_DIMS + d];
		}
	assert_int_equal(sen_kmeans_fit(rows, 300, &p, &c), 0);
	assert_int_equal(c.count, 3);
	sen_kmeans_assign(&c, rows, 300, nearest, d2);
	for (int i = 0; i < 300; i++)
		for (int d = 0; d < SEN_DIMS; d++)
			assert_true(fabs(c.at[nearest[i]][d] - sum[i % 3][d] / 100) < 1e-4);
	for (int k = 0; k < 3; k++)
		assert_true(c.mass[k] == 100);
}

static void random_numbers_are_the_published_ones(void **state)
{
	struct sen_rng rng = { .s = { 1, 2, 3, 4 } };

	(void)state;
	/* xoshiro256** from this state, as its authors' code prints it. */
	assert_int_equal(sen_rng_next(&rng), 11520);
	assert_int_equal(sen_rng_next(&rng), 0);
	assert_int_equal(sen_rng_next(&rng), 1509978240);
	assert_int_equal(sen_rng_next(&rng), 1215971899390074240);
	sen_rng_seed(&rng, 0);
	assert_int_equal(rng.s[0], 0xe220a8397b1dcdafull);
	for (int i = 0; i < 1000; i++) {
		assert_true(sen_rng_below(&rng, 7) < 7);
		assert_true(sen_rng_unit(&rng) < 1);
	}
}

static void radii_are_held_near_their_median(void **state)
{
	float radius[] = { 0, 1, 8, 10, 100 };

	(void)state;
	sen_bound_radii(radius, 5, 1);
	assert_true(radius[0] == 4 && radius[1] == 4 && radius[2] == 8);
	assert_true(radius[3] == 10 && radius[4] == 10);
	radius[0] = radius[1] = radius[2] = 0.1f;
	sen_bound_radii(radius, 3, 6);
	assert_true(radius[0] == 6 && radius[2] == 6);
}

static void radii_are_percentiles(void **state)
{
	static float rows[1000 * SEN_DIMS];
	struct sen_kmeans c = { .count = 2, .at = { { 0 }, { 1e5f } } };
	float radius[SEN_CENTROIDS_MAX];
	double inertia;

	(void)state;
	for (int i = 0; i < 1000; i++)
		rows[i * SEN_DIMS + 3] = (i * 7) % 1000 / 10.0f;
	assert_int_equal(sen_measure_radii(&c, rows, 1000, 1, radius, &inertia), 0);
	assert_true(fabs(radius[0] - 94.9) < 0.01);
	assert_true(radius[1] == 0);
	assert_int_equal(sen_measure_radii(&c, rows, 1000, 1001, radius, &inertia), 0);
	assert_true(radius[0] == 0);
}

static void quotas_hold_down_loud_sources(void **state)
{
	struct sen_sample *s = fixture_benign(10000, 1, 0);
	struct sen_indices set;
	size_t loud = 0;

	(void)state;
	for (size_t i = 0; i < 10000; i++)
		s[i].source = i % 10 ? 99 : i / 10 % 5;
	assert_int_equal(sen_select(s, 10000, SEN_LABEL_BENIGN, 0, &set), 0);
	assert_int_equal(sen_apply_quota(s, &set, 0.5, 100), 0);
	for (size_t i = 0; i < set.n; i++) {
		loud += s[set.at[i]].source == 99;
		assert_true(!i || set.at[i] > set.at[i - 1]);
	}
	assert_in_range(loud, 900, 1000);
	assert_int_equal(set.n - loud, 1000); /* nobody else loses any */
	free(set.at);

	/* It gives way rather than leave too few. */
	assert_int_equal(sen_select(s, 10000, SEN_LABEL_BENIGN, 0, &set), 0);
	assert_int_equal(sen_apply_quota(s, &set, 0.5, 5000), 0);
	assert_int_equal(set.n, 5000);
	free(set.at);

	for (size_t i = 0; i < 10000; i++)
		s[i].source = 5;
	assert_int_equal(sen_select(s, 10000, SEN_LABEL_BENIGN, 0, &set), 0);
	assert_int_equal(sen_apply_quota(s, &set, 0.1, 100), 0);
	assert_int_equal(set.n, 10000);
	free(set.at);
	free(s);
}

static void holds_back_a_share_in_blocks(void **state)
{
	struct sen_sample *s = fixture_benign(1000, 1, 0);
	struct sen_indices set, held;
	unsigned int borders = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		assert_int_equal(sen_select(s, 1000, SEN_LABEL_BENIGN, 0, &set), 0);
		assert_int_equal(sen_hold_back(&set, 0.2, seed, &held), 0);
		assert_in_range(held.n, 180, 220);
		assert_int_equal(set.n + held.n, 1000);
		borders = 0;
		for (size_t i = 1; i < held.n; i++)
			borders += held.at[i] != held.at[i - 1] + 1;
		assert_in_range(borders, 5, 15);
		free(set.at);
		free(held.at);
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kmeans_assigns_to_the_nearest),
		cmocka_unit_test(kmeans_ends_in_the_middle),
		cmocka_unit_test(random_numbers_are_the_published_ones),
		cmocka_unit_test(radii_are_held_near_their_median),
		cmocka_unit_test(radii_are_percentiles),
		cmocka_unit_test(quotas_hold_down_loud_sources),
		cmocka_unit_test(holds_back_a_share_in_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
