// SPDX-License-Identifier: BSD-2-Clause
/* What learning puts in force: candidates refused, models taken back, taken over, and held. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "event.h"
#include "fixture.h"
#include "learner_kit.h"

/* What the gate says is final: recorded, and nothing more. */
static void refused_candidates_change_nothing(void **state)
{
	const struct sen_registry_entry *entries;
	struct lab *l = *state;
	struct sen_training *t;

	lab_reach_active(l);
	lab_pass(l, 601);
	t = l->fake.submitted;
	assert_non_null(t);
	l->fake.submitted = NULL;
	sen_training_run(t, NULL);
	assert_int_equal(t->err, 0);
	t->err = -EKEYREJECTED;
	snprintf(t->validation.reason, sizeof(t->validation.reason), "flags everything");
	sen_learner_trained(l->learner, t, l->now_ms);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(l->fake.pushes, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_int_equal(sen_registry_entries(l->registry, &entries), 2);
	assert_string_equal(entries[1].stage, "Archived");
	assert_non_null(strstr(entries[1].reason, "flags everything"));
	assert_int_equal(sen_learner_status(l->learner)->refused, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void failed_push_keeps_the_model_in_force(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	lab_pass(l, 601);
	l->fake.push_error = -ENOSPC;
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_int_equal(sen_learner_status(l->learner)->version, 1);
	assert_int_equal(sen_learner_status(l->learner)->failed, 1);
	l->fake.push_error = 0;
	lab_pass(l, 601);
	lab_finish_training(l);
	assert_int_equal(sen_registry_production(l->registry), l->fake.active.version);
	assert_true(l->fake.active.version > 1);
}

static void update(struct lab *l)
{
	lab_pass(l, 601);
	lab_finish_training(l);
}

static void excursion_rolls_back_once(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	l->fake.stats.evaluations = 10000;
	lab_pass(l, 31);
	update(l);
	assert_int_equal(l->fake.active.version, 2);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 40;
	lab_pass(l, 1);
	assert_int_equal(l->fake.active.version, 2); /* 4 %: within the limit */
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 300;
	lab_pass(l, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	assert_true(lab_has_said(l, "rolled back to model 1"));
	assert_int_equal(sen_learner_status(l->learner)->rolled_back, 1);
	/* No learning while it rests, nor a second roll-back. */
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 1000;
	lab_feed(l, 2000, 0);
	lab_pass(l, 3000);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.active.version, 1);
	lab_pass(l, 700);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void attack_after_promotion_is_no_excursion(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	lab_reach_active(l);
	lab_pass(l, 31);
	update(l);
	ev.score = 9 * SEN_ONE;
	for (int i = 0; i < 100; i++)
		sen_learner_sample(l->learner, &ev, SEN_CLASS_SYN_FLOOD, NULL, false);
	l->fake.stats.evaluations += 100000;
	l->fake.stats.flagged += 99000;
	lab_pass(l, 31);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void bad_first_model_begins_the_baseline_again(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 500;
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	assert_true(sen_learner_withholds_novelties(l->learner));
	lab_feed(l, 1000, 0);
	lab_pass(l, 21);
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void next_agent_goes_on(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(l->fake.pushes, 1);
	assert_int_equal(sen_learner_status(l->learner)->version, 1);
	assert_true(lab_has_said(l, "takes over"));
	lab_feed(l, 600, 0);
	lab_pass(l, 11);
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
}

static void next_agent_restores_production(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	/* Attached anew: the shipped model, which happens to have the same number. */
	l->fake.active.digest[0] ^= 1;
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(l->fake.pushes, 2);
	assert_int_equal(l->fake.active.version, 1);
	assert_true(lab_has_said(l, "pushed again"));
}

static void someone_elses_model_holds_learning(void **state)
{
	struct sen_model_flat own;
	struct lab *l = *state;

	lab_reach_active(l);
	own = l->fake.active;
	l->fake.active.version = 77;
	l->fake.active.digest[0] ^= 1;
	lab_pass(l, 6);
	assert_int_equal(lab_state(l), SEN_LEARNER_HELD);
	lab_feed(l, 2000, 0);
	lab_pass(l, 2000);
	assert_int_equal(l->fake.submissions, 1);
	assert_int_equal(l->fake.active.version, 77);
	/* Nor does it go on for having been switched off and on. */
	l->config.learn_enabled = 0;
	sen_learner_configure(l->learner, &l->config);
	lab_pass(l, 6);
	l->config.learn_enabled = 1;
	sen_learner_configure(l->learner, &l->config);
	lab_pass(l, 2000);
	assert_int_equal(lab_state(l), SEN_LEARNER_HELD);
	assert_int_equal(l->fake.active.version, 77);
	l->fake.active = own;
	lab_pass(l, 6);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

static void without_history_it_learns_on(void **state)
{
	struct sen_learner *learner;
	struct lab *l = *state;

	assert_int_equal(sen_learner_new(&l->config, &lab_ops, &l->fake, NULL, &learner), 0);
	sen_learner_free(l->learner);
	l->learner = learner;
	assert_int_equal(sen_learner_start(learner, l->now_ms, NULL), 0);
	lab_reach_active(l);
	assert_int_equal(l->fake.active.version, 1);
	assert_false(sen_learner_status(learner)->history);
	update(l);
	assert_int_equal(l->fake.active.version, 2);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 500;
	lab_pass(l, 1);
	assert_int_equal(l->fake.active.version, 1); /* the one before is still in memory */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refused_candidates_change_nothing),
		TEST(failed_push_keeps_the_model_in_force),
		TEST(excursion_rolls_back_once),
		TEST(attack_after_promotion_is_no_excursion),
		TEST(bad_first_model_begins_the_baseline_again),
		TEST(next_agent_goes_on),
		TEST(next_agent_restores_production),
		TEST(someone_elses_model_holds_learning),
		TEST(without_history_it_learns_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
