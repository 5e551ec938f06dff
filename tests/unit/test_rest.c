// SPDX-License-Identifier: BSD-2-Clause
/* Learning that rests, after a roll-back or as an operator asked: for how long, and what ends it, over agents that
 * come and go. */
#include <string.h>

#include "fixture.h"
#include "learner_kit.h"

static void pause_for(struct lab *l, unsigned int seconds)
{
	assert_int_equal(sen_learner_pause(l->learner, seconds, l->now_ms, NULL), 0);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
}

static void the_rest_outlasts_the_agent(void **state)
{
	struct lab *l = *state;

	lab_count(l, 1000, 500);
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	assert_true(lab_has_said(l, "version 2 was rolled back"));
	lab_pass(l, 3590);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 20);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	/* It is over for the next agent as well. */
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void an_operators_pause_is_not_cut_short(void **state)
{
	struct lab *l = *state;

	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, 1);
	lab_pass(l, 10000);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
}

static void a_pause_outlasts_the_agent(void **state)
{
	struct lab *l = *state;

	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 100000);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_pass(l, 2);
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	/* One for a time goes on for what is left of it. */
	assert_int_equal(sen_learner_pause(l->learner, 3600, l->now_ms, NULL), 0);
	lab_start(l);
	lab_pass(l, 3500);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 101);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

/* One that is over is over for good, whichever version was in force when it began. */
static void no_pause_of_before_comes_back(void **state)
{
	struct lab *l = *state;

	pause_for(l, 0);
	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_pass(l, 2);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	pause_for(l, 60);
	lab_pass(l, 61);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void a_new_baseline_ends_it(void **state)
{
	struct lab *l = *state;

	pause_for(l, 0);
	lab_count(l, 1000, 500);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	lab_reach_active(l);
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void resuming_counts_at_once(void **state)
{
	struct lab *l = *state;

	pause_for(l, 0);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void switching_learning_off_and_on_does_not(void **state)
{
	struct lab *l = *state;

	pause_for(l, 0);
	l->config.learn_enabled = 0;
	sen_learner_configure(l->learner, &l->config);
	lab_pass(l, 2);
	assert_int_equal(lab_state(l), SEN_LEARNER_OFF);
	l->config.learn_enabled = 1;
	sen_learner_configure(l->learner, &l->config);
	lab_pass(l, 2);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
}

/* A shorter pause does not shorten the rest after a roll-back. */
static void a_rest_is_not_cut_short_by_a_pause(void **state)
{
	struct lab *l = *state;

	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, 1);
	pause_for(l, 10);
	lab_pass(l, 60);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 3600);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

/* Somebody else's model comes and goes: a pause is over when an operator says so. */
static void other_models_do_not_end_it(void **state)
{
	struct lab *l = *state;
	struct sen_model_flat own = l->fake.active;

	pause_for(l, 0);
	l->fake.active.version = 77;
	l->fake.active.digest[0] ^= 1;
	lab_pass(l, 10);
	assert_int_equal(lab_state(l), SEN_LEARNER_HELD);
	l->fake.active = own;
	lab_pass(l, 10);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 10000);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, lab_setup_second, lab_teardown)
#define FIRST(name) cmocka_unit_test_setup_teardown(name, lab_setup_first, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_rest_outlasts_the_agent),
		TEST(an_operators_pause_is_not_cut_short),
		TEST(a_pause_outlasts_the_agent),
		TEST(no_pause_of_before_comes_back),
		FIRST(a_new_baseline_ends_it),
		TEST(resuming_counts_at_once),
		TEST(switching_learning_off_and_on_does_not),
		TEST(a_rest_is_not_cut_short_by_a_pause),
		TEST(other_models_do_not_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
