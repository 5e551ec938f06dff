// SPDX-License-Identifier: BSD-2-Clause
/* One training as a whole: what it is fitted to, what bounds it, and what its candidate is judged by. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "kmeans.h"
#include "training.h"

#define SAMPLES 4000
#define BLOCK   (SAMPLES / 50)
#define SHIPPED 40

/* A point of the way from the first cluster to an attack. */
static void put_on_the_way(struct sen_sample *s, double way)
{
	struct sen_sample attack = { 0 };

	fixture_attack(&attack, 1, SEN_CLASS_SCAN);
	for (unsigned int d = 0; d < SEN_DIMS; d++)
		s->vector.v[d] =
			(__u16)lround((1 - way) * fixture_centre(0, d) + way * attack.vector.v[d]);
}

static struct sen_training *training(enum sen_training_kind kind, size_t n, int shift)
{
	struct sen_training *t = sen_training_new(kind, n);
	struct sen_sample *s = fixture_benign(n, 7, shift);

	assert_non_null(t);
	memcpy(t->samples, s, n * sizeof(*s));
	free(s);
	t->n = n;
	for (size_t i = 0; i < n; i++)
		t->samples[i].time_ns = i;
	t->params.centroids = 12;
	t->params.weights = NULL; /* made-up vectors: a dimension is as good as another */
	return t;
}

/* Attacks between two points of the way. */
static void ship(struct sen_training *t, double from, double to)
{
	t->shipped = calloc(SHIPPED, sizeof(*t->shipped));
	t->shipped_n = SHIPPED;
	t->shipped_known = 1;
	for (int i = 0; i < SHIPPED; i++) {
		put_on_the_way(&t->shipped[i], from + (to - from) * i / (SHIPPED - 1));
		t->shipped[i].label = SEN_LABEL_ATTACK;
		t->shipped[i].class_id = SEN_CLASS_SCAN;
	}
}

/* Samples of the stretches that are held out; samples come in their order. */
static bool is_held_out(size_t i)
{
	return i / BLOCK % 5 == 4;
}

static void expect(struct sen_training *t, int err, const char *reason)
{
	sen_training_run(t, NULL);
	if (t->err != err || !strstr(t->validation.reason, reason))
		fail_msg("%d, \"%s\", not %d, \"%s\"", t->err, t->validation.reason, err, reason);
}

/* Where on the way a model begins to flag. */
static double edge(const struct sen_model *m)
{
	double low = 0, high = 1;

	for (int i = 0; i < 20; i++) {
		struct sen_sample s = { 0 };

		put_on_the_way(&s, (low + high) / 2);
		if (fixture_score(m, &s).score < SEN_ONE)
			low = (low + high) / 2;
		else
			high = (low + high) / 2;
	}
	return high;
}

static struct sen_model *plain_model(void)
{
	struct sen_training *t = training(SEN_TRAINING_BASELINE, SAMPLES, 0);
	struct sen_model *m;

	expect(t, 0, "");
	m = t->model;
	t->model = NULL;
	sen_training_free(t);
	return m;
}

/* ---- what it learns from ---- */

static void no_source_fills_more_than_its_quota(void **state)
{
	struct sen_training *t = training(SEN_TRAINING_BASELINE, SAMPLES, 0);

	(void)state;
	for (size_t i = 0; i < t->n; i++)
		if (i % 5)
			t->samples[i].source = 99;
	expect(t, 0, "");
	/* Of 3,200 to fit 2,560 are of one source: it keeps as many as the others have, 640. */
	assert_in_range(t->model->training.samples, 1270, 1290);
	sen_training_free(t);
}

/* The model that a training is given as a reference is the one that bounds it. */
static void updates_stay_near_the_reference(void **state)
{
	struct sen_model *reference = plain_model(), *m = sen_model_copy(reference);
	double furthest = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct sen_training *t = training(SEN_TRAINING_UPDATE, SAMPLES, 60);

		t->in_force = m;
		t->reference = sen_model_copy(reference);
		t->params.max_drift = 0.5;
		sen_training_run(t, NULL);
		assert_non_null(t->model);
		m = t->model;
		t->model = NULL;
		sen_training_free(t);
	}
	for (unsigned int k = 0; k < m->member[0].count; k++) {
		const struct sen_model_member *r = &reference->member[0];
		double best = INFINITY;

		for (unsigned int j = 0; j < r->count; j++) {
			double d2 = 0;

			for (int d = 0; d < SEN_DIMS; d++)
				d2 += pow(m->member[0].centroid[k][d] - r->centroid[j][d], 2);
			best = fmin(best, sqrt(d2) / r->radius[j]);
		}
		furthest = fmax(furthest, best);
	}
	assert_true(furthest > 0.3); /* the bound was needed */
	assert_true(furthest <= 0.51);
	sen_model_free(m);
	sen_model_free(reference);
}

/* ---- shipped attacks ---- */

/* One host of many has habits of its own: what the next one will do, nobody knows. */
static struct sen_training *one_odd_host(void)
{
	struct sen_training *t = training(SEN_TRAINING_BASELINE, SAMPLES, 0);

	for (size_t i = 0; i < t->n; i += 33) {
		put_on_the_way(&t->samples[i], 0.4);
		t->samples[i].vector.v[i % SEN_DIMS] += (__u16)(i % 9);
		t->samples[i].source = 77;
	}
	return t;
}

static double threshold_of(struct sen_training *t)
{
	double threshold;

	sen_training_run(t, NULL);
	assert_non_null(t->model);
	threshold = t->model->threshold;
	sen_training_free(t);
	return threshold;
}

static void thresholds_heed_shipped_attacks(void **state)
{
	struct sen_training *t = one_odd_host(), *heeding = one_odd_host();

	(void)state;
	expect(t, 0, "");
	assert_true(t->model->training.holdout_fpr <= 0.001);
	ship(heeding, 0.1, 0.1 + edge(t->model));
	expect(heeding, 0, "");
	assert_true(heeding->model->threshold < t->model->threshold / 2);
	assert_true(heeding->validation.shipped_recall >= 0.45);
	/* What that costs, when the next odd host comes, is on record. */
	assert_true(fabs(heeding->model->training.holdout_fpr - 1.0 / 33) < 0.003);
	sen_training_free(heeding);
	sen_training_free(t);
}

/* The gate would judge what it has helped to make. */
static void what_is_held_out_moves_no_threshold(void **state)
{
	struct sen_training *t = one_odd_host(), *odd = one_odd_host();

	(void)state;
	ship(t, 0.05, 0.2);
	ship(odd, 0.05, 0.2);
	for (size_t i = 0; i < odd->n; i++)
		if (is_held_out(i) && i % 4 == 0)
			put_on_the_way(&odd->samples[i], 0.3);
	assert_true(threshold_of(t) == threshold_of(odd));
}

/* A threshold so wide that what is shipped lies below. */
static struct sen_training *blind(enum sen_training_kind kind, double from, double to)
{
	struct sen_training *t = training(kind, SAMPLES, 0);

	t->params.threshold_margin = 100;
	ship(t, from, to);
	return t;
}

static void candidates_that_miss_shipped_attacks_are_refused(void **state)
{
	struct sen_model *m = plain_model();
	struct sen_training *t = blind(SEN_TRAINING_FULL, edge(m), 2 * edge(m));

	(void)state;
	t->in_force = sen_model_copy(m);
	expect(t, -EKEYREJECTED, "misses everything: flags 0.0 % of 40 shipped attacks");
	sen_training_free(t);
	/* As blind as the one in force it may follow. */
	t = blind(SEN_TRAINING_FULL, edge(m), 2 * edge(m));
	t->in_force = sen_model_copy(m);
	t->in_force->threshold *= 50;
	expect(t, 0, "");
	sen_training_free(t);
	sen_model_free(m);
}

/* Hardly worse than the one in force, which is much worse than the reference by now. */
static struct sen_training *slid(const struct sen_model *m)
{
	struct sen_training *t = training(SEN_TRAINING_FULL, SAMPLES, 0);

	t->params.threshold_margin = 20;
	t->in_force = sen_model_copy(m);
	t->in_force->threshold *= 9;
	return t;
}

static void what_has_slid_from_the_reference_is_refused(void **state)
{
	struct sen_model *m = plain_model();
	struct sen_training *t = slid(m);

	(void)state;
	ship(t, edge(m), 8 * edge(m));
	expect(t, 0, "");
	assert_true(t->validation.shipped_recall < 0.75);
	sen_training_free(t);
	t = slid(m);
	ship(t, edge(m), 8 * edge(m));
	t->reference = sen_model_copy(m);
	expect(t, -EKEYREJECTED, "shipped attacks, the reference");
	sen_training_free(t);
	/* The same on local attacks. */
	t = slid(m);
	t->reference = sen_model_copy(m);
	for (size_t i = 0; i < t->n; i += 10) {
		put_on_the_way(&t->samples[i], edge(m) * (1 + 7.0 * (double)i / SAMPLES));
		t->samples[i].label = SEN_LABEL_ATTACK;
		t->samples[i].class_id = SEN_CLASS_SCAN;
	}
	expect(t, -EKEYREJECTED, "balanced accuracy");
	assert_non_null(strstr(t->validation.reason, "the reference"));
	sen_training_free(t);
	sen_model_free(m);
}

static void first_models_that_miss_all_are_refused(void **state)
{
	struct sen_model *m = plain_model();
	struct sen_training *t = blind(SEN_TRAINING_BASELINE, edge(m), 2 * edge(m));

	(void)state;
	expect(t, -EKEYREJECTED, "misses everything");
	sen_training_free(t);
	/* One that the shipped model does no better than is told of. */
	t = blind(SEN_TRAINING_BASELINE, edge(m), 2 * edge(m));
	t->shipped_known = 0.05;
	expect(t, 0, "");
	assert_true(t->validation.shipped_recall == 0);
	sen_training_free(t);
	/* And so is one that flags some. */
	t = blind(SEN_TRAINING_BASELINE, edge(m), 12 * edge(m));
	expect(t, 0, "");
	assert_true(t->validation.shipped_recall > 0.05 && t->validation.shipped_recall < 0.6);
	sen_training_free(t);
	sen_model_free(m);
}

/* ---- local attacks ---- */

/* Every so many of the samples are an attack that looks like everything else. */
static void hide_attacks(struct sen_training *t, size_t every)
{
	for (size_t i = 0; i < t->n; i += every) {
		t->samples[i].label = SEN_LABEL_ATTACK;
		t->samples[i].class_id = SEN_CLASS_BEACON;
	}
}

static void first_models_and_handfuls_are_spared(void **state)
{
	struct sen_training *t = training(SEN_TRAINING_BASELINE, SAMPLES, 0);

	(void)state;
	hide_attacks(t, 10);
	expect(t, 0, "");
	assert_int_equal(t->validation.attack, 0);
	sen_training_free(t);
	t = training(SEN_TRAINING_FULL, SAMPLES, 0);
	hide_attacks(t, 50);
	expect(t, 0, "");
	sen_training_free(t);
	t = training(SEN_TRAINING_FULL, SAMPLES, 0);
	hide_attacks(t, 10);
	expect(t, -EKEYREJECTED, "misses everything");
	assert_int_equal(t->validation.attack, 80);
	sen_training_free(t);
}

/* An operator may name attacks that no model here can see: staying with the old one would not help. */
static void attacks_that_none_can_see_refuse_none(void **state)
{
	struct sen_training *t = training(SEN_TRAINING_FULL, SAMPLES, 0);

	(void)state;
	hide_attacks(t, 10);
	t->in_force = plain_model();
	expect(t, 0, "");
	assert_true(t->validation.recall < 0.05);
	sen_training_free(t);
}

/* ---- false positives ---- */

/* So many of the samples held out are far from everything, and yet said to be benign; the last of them has no
 * label. */
static struct sen_training *with_odd_ones(size_t n, size_t odd)
{
	struct sen_training *t = training(SEN_TRAINING_BASELINE, n, 0);
	size_t held = 0;

	t->params.centroids = 4;
	for (size_t i = 0; i < n; i++) {
		if (i * 50 / n % 5 != 4)
			continue;
		if (held < odd)
			fixture_attack(&t->samples[i], i, SEN_CLASS_NONE);
		t->samples[i].label = ++held < n / 5 ? SEN_LABEL_BENIGN : SEN_LABEL_NONE;
	}
	return t;
}

/* Two of a few prove nothing, a quarter of them does. */
/* However few there are, some are kept for the gate: a fifth, as far as stretches of one or two samples allow. */
static void handfuls_leave_something_for_the_gate(void **state)
{
	(void)state;
	for (size_t n = 30; n <= 110; n++) {
		struct sen_training *t = training(SEN_TRAINING_BASELINE, n, 0);

		t->params.centroids = 4;
		sen_training_run(t, NULL);
		assert_in_range(t->validation.benign, n / 10, n / 3);
		sen_training_free(t);
	}
}

static void few_samples_relax_the_gate_a_little(void **state)
{
	static const struct {
		size_t n, odd;
		int err;
	} cases[] = {
		{ 50, 1, 0 },       { 50, 2, -EKEYREJECTED },
		{ 300, 2, 0 },      { 300, 3, -EKEYREJECTED },
		{ SAMPLES, 15, 0 }, { SAMPLES, 20, -EKEYREJECTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sen_training *t = with_odd_ones(cases[i].n, cases[i].odd);

		print_message("# %zu of %zu\n", cases[i].odd, cases[i].n);
		expect(t, cases[i].err, cases[i].err ? "benign samples, allowed are" : "");
		sen_training_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_source_fills_more_than_its_quota),
		cmocka_unit_test(updates_stay_near_the_reference),
		cmocka_unit_test(thresholds_heed_shipped_attacks),
		cmocka_unit_test(what_is_held_out_moves_no_threshold),
		cmocka_unit_test(candidates_that_miss_shipped_attacks_are_refused),
		cmocka_unit_test(what_has_slid_from_the_reference_is_refused),
		cmocka_unit_test(first_models_that_miss_all_are_refused),
		cmocka_unit_test(first_models_and_handfuls_are_spared),
		cmocka_unit_test(attacks_that_none_can_see_refuse_none),
		cmocka_unit_test(few_samples_relax_the_gate_a_little),
		cmocka_unit_test(handfuls_leave_something_for_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
