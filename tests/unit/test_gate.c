// SPDX-License-Identifier: BSD-2-Clause
/* Candidates that the gate stops before they come to a canary, and the history says why. */
#include "fixture.h"
#include "learner_kit.h"

static struct sen_training *intercept(struct lab *l)
{
	struct sen_training *t;

	assert_int_equal(sen_learner_ask(l->learner, true, NULL), 0);
	lab_pass(l, 61);
	t = l->fake.submitted;
	assert_non_null(t);
	assert_int_equal(t->kind, SEN_TRAINING_FULL);
	l->fake.submitted = NULL;
	return t;
}

static void degenerate_candidates_stop_at_the_gate(void **state)
{
	struct lab *l = *state;
	struct sen_training *t = intercept(l);

	for (size_t i = 1; i < t->n; i++)
		t->samples[i].vector = t->samples[0].vector;
	sen_training_run(t, NULL);
	sen_learner_trained(l->learner, t, l->now_ms);
	assert_int_equal(l->fake.active.version, 1);
	assert_false(l->fake.has_shadow);
	lab_expect_stage(l, 2, "Archived", "refused: collapsed");
}

/* Half of what it is to learn from are attacks that pass for benign. */
static void poisoned_candidates_stop_at_the_gate(void **state)
{
	struct lab *l = *state;
	struct sen_training *t = intercept(l);

	assert_true(t->n >= 600);
	for (size_t i = 0; i < t->n; i++) {
		if (i % 4 == 1)
			fixture_attack(&t->samples[i], i, SEN_CLASS_SCAN);
		if (i % 4 == 3) {
			fixture_attack(&t->samples[i], i, SEN_CLASS_SCAN);
			t->samples[i].label = SEN_LABEL_BENIGN;
			t->samples[i].class_id = SEN_CLASS_NONE;
		}
	}
	sen_training_run(t, NULL);
	sen_learner_trained(l->learner, t, l->now_ms);
	assert_int_equal(l->fake.active.version, 1);
	lab_expect_stage(l, 2, "Archived", "misses everything");
	assert_true(*sen_facts_get(&lab_entry(l, 2)->metrics, "recall") < 0.05);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup_canary, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(degenerate_candidates_stop_at_the_gate),
		TEST(poisoned_candidates_stop_at_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
