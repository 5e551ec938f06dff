// SPDX-License-Identifier: BSD-2-Clause
/* Poisoning: an attacker who knows the model walks from the edge of what is normal towards what it means to
 * do, always below the mark from which samples teach nothing. */
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"

#define ROUNDS   60
#define HONEST   1200 /* samples a round */
#define POISON   500
#define LOW_MARK 0.95
#define ATTACKER 999 /* the source of all poison */

/* A point between the first cluster's centre and the attack, `way` of the way there. */
static struct sen_vector on_the_way(const struct sen_sample *attack, double way)
{
	struct sen_vector x;

	for (unsigned int d = 0; d < SEN_DIMS; d++)
		x.v[d] = lround((1 - way) * fixture_centre(0, d) + way * attack->vector.v[d]);
	return x;
}

/* How far the attacker can go now without being left out: white box, by bisection. */
static double furthest(const struct sen_model *m, const struct sen_sample *attack)
{
	double low = 0, high = 1;

	for (int i = 0; i < 20; i++) {
		double middle = (low + high) / 2;
		struct sen_sample s = { .vector = on_the_way(attack, middle) };

		if (fixture_score(m, &s).score < LOW_MARK * SEN_ONE)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static struct sen_sample *batch_of_round(const struct sen_model *m, const struct sen_sample *attack,
					 uint64_t seed, double *reached)
{
	struct sen_sample *s = fixture_benign(HONEST + POISON, seed, 0);
	struct sen_rng rng;

	*reached = furthest(m, attack);
	sen_rng_seed(&rng, seed);
	for (int i = 0; i < POISON; i++) {
		struct sen_sample *p = &s[HONEST + i];

		p->vector = on_the_way(attack, *reached * (0.8 + 0.2 * sen_rng_unit(&rng)));
		p->source = ATTACKER;
	}
	return s;
}

/* Learn from what the attacker mixes into ordinary traffic; returns how far it got. */
static double siege(const struct sen_train_params *params, bool anchored, struct sen_model **out)
{
	struct sen_sample *first = fixture_benign(6000, 1, 0), attack = { 0 };
	struct sen_train_params p = *params;
	struct sen_model *reference = fixture_train(first, 6000, &p), *m;
	double reached = 0;

	m = sen_model_copy(reference);
	p.reference = anchored ? reference : NULL;
	fixture_attack(&attack, 1, SEN_CLASS_SCAN);
	for (int round = 0; round < ROUNDS; round++) {
		struct sen_sample *s = batch_of_round(m, &attack, 100 + round, &reached);
		struct sen_model *next = NULL;

		p.seed = round;
		assert_int_equal(sen_train_incremental(m, s, HONEST + POISON, &p, &next, NULL), 0);
		sen_model_free(m);
		m = next;
		free(s);
	}
	reached = furthest(m, &attack);
	free(first);
	sen_model_free(reference);
	*out = m;
	return reached;
}

static double flags_attack(const struct sen_model *m)
{
	struct sen_sample attack = { 0 };

	fixture_attack(&attack, 1, SEN_CLASS_SCAN);
	return fixture_score(m, &attack).score / (double)SEN_ONE;
}

static void slow_drip(void **state)
{
	struct sen_train_params naive = fixture_params(), p = fixture_params();
	struct sen_model *swallowed, *held;
	struct sen_sample *honest = fixture_benign(2000, 77, 0);
	double far, near;

	(void)state;
	naive.max_shift = 1000;
	naive.trim = 0;
	naive.source_quota = 1;
	far = siege(&naive, false, &swallowed);
	near = siege(&p, true, &held);
	print_message("# %d rounds: the naive learner is led %.0f%% of the way, this one %.0f%%; "
		      "scores of the attack %.2f and %.2f\n",
		      ROUNDS, 100 * far, 100 * near, flags_attack(swallowed), flags_attack(held));
	assert_true(flags_attack(swallowed) < 1);
	assert_true(flags_attack(held) > 3);
	assert_true(near < 0.5);
	assert_true(fixture_flagged(held, honest, 2000) < 0.01);
	free(honest);
	sen_model_free(swallowed);
	sen_model_free(held);
}

/* Whatever the samples: no centroid ends outside of the reference's reach. */
static void drift_is_bounded_in_all(void **state)
{
	struct sen_sample *first = fixture_benign(6000, 1, 0), *moved = fixture_benign(6000, 3, 60);
	struct sen_train_params p = fixture_params();
	struct sen_model *reference = fixture_train(first, 6000, &p),
			 *m = sen_model_copy(reference);
	unsigned int grown = 0;

	(void)state;
	p.reference = reference;
	p.max_drift = 0.5;
	for (int i = 0; i < 30; i++) {
		struct sen_model *next;

		assert_int_equal(sen_train_incremental(m, moved, 6000, &p, &next, NULL), 0);
		sen_model_free(m);
		m = next;
	}
	for (unsigned int e = 0; e < p.members; e++)
		for (unsigned int k = 0; k < m->member[e].count; k++) {
			const struct sen_model_member *r = &reference->member[e];
			double best = INFINITY, most = 0;

			for (unsigned int j = 0; j < r->count; j++) {
				double d2 = 0;

				for (int d = 0; d < SEN_DIMS; d++)
					d2 += pow(m->member[e].centroid[k][d] - r->centroid[j][d],
						  2);
				if (sqrt(d2) / r->radius[j] < best) {
					best = sqrt(d2) / r->radius[j];
					most = 1.25 * r->radius[j];
				}
			}
			assert_true(best <= 0.5 + 0.01);
			/* Nor does it grow without end around where it may not go. */
			assert_true(m->member[e].radius[k] <= most + 0.01);
			grown += m->member[e].radius[k] > 0.99 * most;
		}
	assert_true(grown > 0); /* it was held */
	assert_true(m->threshold <= 1.26 * reference->threshold);
	/* A reference that measures in other steps is no reference. */
	reference->quantizer[0].scale++;
	assert_int_equal(sen_train_incremental(m, moved, 6000, &p, &(struct sen_model *){ NULL },
					       NULL),
			 -EINVAL);
	sen_model_free(m);
	sen_model_free(reference);
	free(first);
	free(moved);
}

/* The farthest of a batch do not pull, nor does one host outvote the others. */
static void far_samples_and_loud_sources_are_trimmed(void **state)
{
	struct sen_sample *first = fixture_benign(6000, 1, 0), *s = fixture_benign(2000, 5, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(first, 6000, &p), *plain, *trimmed;
	double pulled = 0, kept = 0;

	(void)state;
	for (int i = 0; i < 80; i++)
		for (int d = 0; d < 10; d++)
			s[i * 25].vector.v[d] += 120;
	p.trim = 0;
	assert_int_equal(sen_train_incremental(m, s, 2000, &p, &plain, NULL), 0);
	p.trim = 0.05;
	assert_int_equal(sen_train_incremental(m, s, 2000, &p, &trimmed, NULL), 0);
	for (unsigned int k = 0; k < m->member[0].count; k++)
		for (int d = 0; d < SEN_DIMS; d++) {
			pulled += pow(plain->member[0].centroid[k][d] - m->member[0].centroid[k][d],
				      2);
			kept += pow(trimmed->member[0].centroid[k][d] - m->member[0].centroid[k][d],
				    2);
		}
	assert_true(kept < pulled / 2);
	sen_model_free(plain);
	sen_model_free(trimmed);
	sen_model_free(m);
	free(first);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_drip),
		cmocka_unit_test(drift_is_bounded_in_all),
		cmocka_unit_test(far_samples_and_loud_sources_are_trimmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
