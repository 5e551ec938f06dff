// SPDX-License-Identifier: BSD-2-Clause
/* Incremental training: follows the traffic, but in bounded steps. */
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SAMPLES 6000

static double largest_shift(const struct sen_model_member *a, const struct sen_model_member *b,
			    double *in_radii)
{
	double most = 0;

	*in_radii = 0;
	for (unsigned int k = 0; k < a->count; k++) {
		double d2 = 0;

		for (int d = 0; d < SEN_DIMS; d++)
			d2 += pow(a->centroid[k][d] - b->centroid[k][d], 2);
		most = fmax(most, sqrt(d2));
		*in_radii = fmax(*in_radii, sqrt(d2) / a->radius[k]);
	}
	return most;
}

static void update_follows_a_shift_within_bounds(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0),
			  *moved = fixture_benign(SAMPLES, 3, 12);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(s, SAMPLES, &p), *next;
	double before = 0, after = 0, in_radii;

	(void)state;
	m->version = 41;
	for (unsigned int c = 0; c < FIXTURE_CLUSTERS; c++)
		before += fixture_miss(m, 0, c, 12);
	assert_int_equal(sen_train_incremental(m, moved, SAMPLES, &p, &next, NULL), 0);
	assert_int_equal(next->parent, 41);
	assert_int_equal(next->version, 0);
	assert_memory_equal(next->quantizer, m->quantizer, sizeof(m->quantizer));
	for (unsigned int e = 0; e < p.members; e++) {
		assert_int_equal(next->member[e].count, m->member[e].count);
		assert_true(largest_shift(&m->member[e], &next->member[e], &in_radii) > 0.1);
		assert_true(in_radii <= p.max_shift + 0.01);
		for (unsigned int k = 0; k < m->member[e].count; k++) {
			double change = next->member[e].radius[k] / m->member[e].radius[k];

			assert_true(change >= 0.749 && change <= 1.251);
		}
	}
	assert_true(next->threshold <= m->threshold * 1.26 &&
		    next->threshold >= m->threshold * 0.74);
	sen_model_free(m);
	/* Update after update it gets there. */
	for (int i = 0; i < 20; i++) {
		m = next;
		assert_int_equal(sen_train_incremental(m, moved, SAMPLES, &p, &next, NULL), 0);
		sen_model_free(m);
	}
	for (unsigned int c = 0; c < FIXTURE_CLUSTERS; c++)
		after += fixture_miss(next, 0, c, 12);
	assert_true(after < before / 2);
	assert_true(fixture_flagged(next, moved, SAMPLES) < 0.01);
	sen_model_free(next);
	free(moved);
	free(s);
}

static void update_never_freezes_nor_changes_its_parent(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0),
			  *moved = fixture_benign(SAMPLES, 3, 8);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(s, SAMPLES, &p), *copy, *next;
	double in_radii;

	(void)state;
	for (unsigned int k = 0; k < m->member[0].count; k++)
		m->member[0].mass[k] = 1e9;
	copy = sen_model_copy(m);
	assert_int_equal(sen_train_incremental(m, moved, SAMPLES, &p, &next, NULL), 0);
	assert_memory_equal(m, copy, sizeof(*m));
	assert_true(largest_shift(&m->member[0], &next->member[0], &in_radii) > 0.1);
	sen_model_free(next);
	sen_model_free(copy);
	sen_model_free(m);
	free(moved);
	free(s);
}

/* They come from hosts that the model knows, and say nothing of how high the next new one will score. */
static void updates_do_not_lower_the_threshold(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(s, SAMPLES, &p), *next;

	(void)state;
	m->threshold *= 2;
	assert_int_equal(sen_train_incremental(m, s, SAMPLES, &p, &next, NULL), 0);
	assert_true(next->threshold >= m->threshold && next->threshold <= 1.26 * m->threshold);
	sen_model_free(next);
	sen_model_free(m);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(update_follows_a_shift_within_bounds),
		cmocka_unit_test(update_never_freezes_nor_changes_its_parent),
		cmocka_unit_test(updates_do_not_lower_the_threshold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
