// SPDX-License-Identifier: BSD-2-Clause
/* Many trainings, each a little worse than the last: the model in force alone would let them all pass. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "learner_kit.h"

#define STEPS  10
#define GRADES 40 /* attacks that are shipped, from near to far */

/* A model that knows attacks on the whole way from normal traffic to far away. */
static struct sen_model *shipped_model(void)
{
	struct sen_sample *s = fixture_benign(4000, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model_member *named;
	struct sen_model *m;

	fixture_attack(&s[0], 1, SEN_CLASS_SCAN);
	fixture_attack(&s[1], 2, SEN_CLASS_SCAN);
	m = fixture_train(s, 4000, &p);
	named = &m->member[m->members - 1];
	for (unsigned int k = GRADES; k--;) {
		for (int d = 0; d < SEN_DIMS; d++) {
			double from = m->member[0].centroid[0][d], to = named->centroid[0][d];

			named->centroid[k][d] =
				(float)(from + (to - from) * (k + 1) / (double)GRADES);
		}
		named->radius[k] = 6;
		named->mass[k] = 1;
		named->class_of[k] = SEN_CLASS_SCAN;
	}
	named->count = GRADES;
	free(s);
	return m;
}

static int set_up(void **state)
{
	struct sen_model *m = shipped_model();
	struct lab *l;

	lab_setup(state);
	l = *state;
	assert_int_equal(sen_learner_hold_out(l->learner, m), 0);
	l->config.watch_seconds = 1;
	sen_learner_configure(l->learner, &l->config);
	lab_reach_active(l);
	sen_model_free(m);
	return 0;
}

static double recall_of(const struct lab *l, unsigned int version)
{
	const struct sen_registry_entry *e = sen_registry_find(l->registry, version);
	const double *recall = e ? sen_facts_get(&e->metrics, "shipped_recall") : NULL;

	assert_non_null(recall);
	return *recall;
}

/* A training from scratch whose threshold is so much wider. */
static bool train_wider(struct lab *l, double by)
{
	unsigned int before = l->fake.active.version;

	lab_feed(l, 200, 0);
	assert_int_equal(sen_learner_ask(l->learner, true, NULL), 0);
	lab_pass(l, 2);
	assert_non_null(l->fake.submitted);
	l->fake.submitted->params.threshold_margin = by;
	lab_finish_training(l);
	return l->fake.active.version != before;
}

/* Each step loses less than a tenth of the shipped attacks. */
static void a_slide_in_small_steps_is_stopped(void **state)
{
	struct lab *l = *state;
	double first = recall_of(l, 1), margin = 1, passed_margin = 1;
	unsigned int passed = 0;

	assert_true(first > 0.8);
	for (int i = 0; i < STEPS; i++) {
		margin = pow(sqrt(margin) + 0.5, 2);
		if (train_wider(l, margin)) {
			passed++;
			passed_margin = margin;
		}
		print_message("# margin %.1f: version %u flags %.3f of the shipped attacks\n",
			      margin, l->fake.active.version, recall_of(l, l->fake.active.version));
	}
	assert_in_range(passed, 2, STEPS - 2);
	assert_true(recall_of(l, l->fake.active.version) >= first - 0.2);
	assert_true(lab_has_said(l, "shipped attacks, version "));
	/* Until somebody answers for what there is. */
	assert_int_equal(sen_registry_approve(l->registry, l->fake.active.version, "by hand", NULL),
			 0);
	assert_true(train_wider(l, pow(sqrt(passed_margin) + 0.5, 2)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slide_in_small_steps_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
