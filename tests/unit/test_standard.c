// SPDX-License-Identifier: BSD-2-Clause
/* The best on record that a candidate is held to, and what is no measure for it. */
#include <math.h>

#include "fixture.h"
#include "learner_internal.h"
#include "learner_kit.h"

static void note(struct lab *l, unsigned int version, const char *fact, double value)
{
	struct sen_facts facts = { 0 };

	sen_facts_set(&facts, fact, value);
	assert_int_equal(sen_registry_measure(l->registry, version, &facts, NULL), 0);
}

static void the_best_of_the_line_counts(void **state)
{
	struct lab *l = *state;

	note(l, 1, "balanced_accuracy", 0.97);
	note(l, 2, "balanced_accuracy", 0.91);
	assert_true(sen_learner_standard(l->learner).balanced_accuracy == 0.97);
	assert_int_equal(sen_learner_standard(l->learner).accurate, 1);
}

static void other_weights_are_no_measure(void **state)
{
	struct lab *l = *state;

	note(l, 1, "balanced_accuracy", 0.97);
	l->config.weights[SEN_CLASS_BRUTE_FORCE] = 1000;
	sen_learner_configure(l->learner, &l->config);
	assert_true(isnan(sen_learner_standard(l->learner).balanced_accuracy));
	note(l, 2, "balanced_accuracy", 0.80);
	note(l, 2, "class_weights", sen_learner_weights_mark(l->learner));
	assert_true(sen_learner_standard(l->learner).balanced_accuracy == 0.80);
	l->config.weights[SEN_CLASS_BRUTE_FORCE] = 1;
	sen_learner_configure(l->learner, &l->config);
	assert_true(sen_learner_standard(l->learner).balanced_accuracy == 0.97);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup_second, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_best_of_the_line_counts),
		TEST(other_weights_are_no_measure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
