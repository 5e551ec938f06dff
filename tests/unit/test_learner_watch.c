// SPDX-License-Identifier: BSD-2-Clause
/* Models that go bad after their promotion, and what becomes of that when agent or program begin anew. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "learner_kit.h"

static unsigned int times_said(const struct lab *l, const char *words)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->fake.lines && i < 64; i++)
		n += strstr(l->fake.said[i], words) != NULL;
	return n;
}

/* The program is attached anew by somebody else: no model of ours, and every counter at 0. */
static void attach_anew(struct lab *l)
{
	memset(&l->fake.stats, 0, sizeof(l->fake.stats));
	memset(&l->fake.hist, 0, sizeof(l->fake.hist));
	memset(&l->fake.scores, 0, sizeof(l->fake.scores));
	l->fake.active.version = 77;
	l->fake.active.digest[0] ^= 1;
	l->fake.has_shadow = false;
	assert_int_equal(sen_learner_start(l->learner, l->now_ms, NULL), 0);
}

static void quiet_links_are_watched_until_it_can_be_told(void **state)
{
	struct lab *l = *state;

	lab_count(l, 150, 0);
	lab_pass(l, 7200);
	assert_false(lab_has_said(l, "model 2 has settled"));
	lab_count(l, 100, 60);
	assert_int_equal(l->fake.active.version, 1);
	lab_expect_stage(l, 2, "Archived", "flagged 24.0% of evaluations");
}

static void what_has_settled_is_on_record(void **state)
{
	struct lab *l = *state;
	const double *n;

	lab_count(l, 1000, 5);
	lab_pass(l, 31);
	assert_true(lab_has_said(l, "model 2 has settled: 0.50%"));
	n = sen_facts_get(&sen_registry_find(l->registry, 2)->metrics, "watch_evaluations");
	assert_non_null(n);
	assert_true(*n == 1000);
	/* Nor does the next agent watch it again. */
	lab_start(l);
	lab_count(l, 1000, 900);
	assert_int_equal(l->fake.active.version, 2);
}

static void the_watch_outlasts_the_agent(void **state)
{
	struct lab *l = *state;

	lab_start(l);
	lab_count(l, 199, 199);
	assert_int_equal(l->fake.active.version, 2);
	lab_count(l, 1, 1);
	assert_int_equal(l->fake.active.version, 1);
	lab_expect_stage(l, 2, "Archived", "flagged 100.0%");
}

static void a_bad_first_model_is_not_used_again(void **state)
{
	struct lab *l = *state;

	lab_count(l, 1000, 500);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	assert_int_equal(sen_registry_production(l->registry), 0);
	assert_int_equal(sen_registry_previous(l->registry), 0);
	lab_expect_stage(l, 1, "Archived", "flagged 50.0%");
	/* A restart amid the second baseline goes on with that. */
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	assert_int_equal(sen_learner_status(l->learner)->version, 0);
	lab_feed(l, 1000, 0);
	lab_pass(l, 21);
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
	/* The next one goes bad as well: there is still nothing to go back to. */
	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	lab_expect_stage(l, 2, "Archived", "flagged 50.0%");
}

static void a_bad_first_model_gives_way_to_the_shipped_one(void **state)
{
	struct sen_model *shipped = fixture_model();
	struct lab *l = *state;
	struct sen_model_flat flat;

	assert_int_equal(sen_model_flatten(shipped, &flat, NULL), 0);
	assert_int_equal(sen_learner_hold_out(l->learner, shipped), 0);
	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, flat.version);
	assert_memory_equal(l->fake.active.digest, flat.digest, sizeof(flat.digest));
	assert_int_equal(l->fake.active.learned, 0);
	assert_int_equal(sen_learner_status(l->learner)->rolled_back, 1);
	assert_true(lab_has_said(l, "the shipped model is in force, the baseline begins again"));
	assert_true(sen_learner_withholds_novelties(l->learner));
	/* It is not taken for one that somebody else has put there. */
	lab_pass(l, 6);
	assert_false(lab_has_said(l, "somebody else"));
	lab_feed(l, 1000, 0);
	lab_pass(l, 21);
	lab_finish_training(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(sen_learner_status(l->learner)->version, l->fake.active.version);
	sen_model_free(shipped);
}

/* It stays, for want of another, and is counted all the same. */
static void without_the_shipped_model_a_bad_first_one_stays(void **state)
{
	struct lab *l = *state;

	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_learner_status(l->learner)->rolled_back, 1);
	assert_true(lab_has_said(
		l,
		"it stays in force, for the shipped model cannot be: there is no shipped model"));
}

static void switched_off_stays_off(void **state)
{
	struct lab *l = *state;

	l->config.learn_enabled = 0;
	sen_learner_configure(l->learner, &l->config);
	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_OFF);
	lab_feed(l, 3000, 0);
	lab_pass(l, 4000);
	assert_int_equal(lab_state(l), SEN_LEARNER_OFF);
	assert_int_equal(l->fake.submissions, 2);
}

static void switched_off_no_baseline_begins(void **state)
{
	struct lab *l = *state;

	l->config.learn_enabled = 0;
	sen_learner_configure(l->learner, &l->config);
	lab_count(l, 1000, 500);
	assert_int_equal(lab_state(l), SEN_LEARNER_OFF);
	lab_expect_stage(l, 1, "Archived", "flagged");
	lab_feed(l, 6000, 0);
	lab_pass(l, 4000);
	assert_int_equal(lab_state(l), SEN_LEARNER_OFF);
	assert_int_equal(l->fake.submissions, 1);
}

static void a_roll_back_that_fails_is_tried_again(void **state)
{
	struct lab *l = *state;

	l->fake.push_error = -EIO;
	lab_count(l, 1000, 500);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 5);
	assert_int_equal(times_said(l, "could not be rolled back"), 1);
	/* Nothing is trained from a model that is to go. */
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_feed(l, 3000, 0);
	lab_pass(l, 700);
	assert_int_equal(l->fake.submissions, 2);
	l->fake.push_error = 0;
	lab_pass(l, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	lab_expect_stage(l, 2, "Archived", "flagged");
	assert_int_equal(sen_learner_status(l->learner)->rolled_back, 1);
}

/* ---- attached anew ---- */

static void counters_that_begin_anew_are_no_excursion(void **state)
{
	struct lab *l = *state;

	lab_count(l, 100000, 20);
	lab_pass(l, 601);
	lab_finish_training(l);
	attach_anew(l);
	assert_int_equal(l->fake.active.version, 3);
	lab_count(l, 50, 0);
	lab_count(l, 1000, 5);
	lab_pass(l, 31);
	assert_int_equal(l->fake.active.version, 3);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_true(lab_has_said(l, "model 3 has settled"));
}

/* Before the counters are higher than they were: no difference of the two is a number of anything. */
static void counters_that_begin_anew_make_no_marks(void **state)
{
	struct lab *l = *state;
	struct sen_marks before;

	l->fake.scores.bin[SEN_SLOT_ACTIVE][20] += 100000;
	lab_pass(l, 61);
	before = *sen_learner_marks(l->learner);
	attach_anew(l);
	l->fake.scores.bin[SEN_SLOT_ACTIVE][24] += 100;
	lab_pass(l, 61);
	assert_memory_equal(sen_learner_marks(l->learner), &before, sizeof(before));
}

/* Most of it in one bin. */
static void windows_of(struct lab *l, unsigned int n, unsigned int bin)
{
	for (unsigned int w = 0; w < n; w++) {
		for (int d = 0; d < SEN_DIMS; d++) {
			l->fake.hist.bin[d][bin] += 5000;
			l->fake.hist.bin[d][12] += 200;
		}
		lab_pass(l, 61);
	}
}

static void counters_that_begin_anew_are_no_drift(void **state)
{
	struct lab *l = *state;

	windows_of(l, 4, 3);
	attach_anew(l);
	windows_of(l, 6, 3);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 0);
	/* The reference is still there: what is other traffic is told. */
	windows_of(l, 3, 9);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 1);
}

static void a_pause_outlasts_the_program(void **state)
{
	struct lab *l = *state;

	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	attach_anew(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 10000);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
}

static void a_candidate_goes_on_as_the_history_says(void **state)
{
	struct lab *l = *state;

	l->config.canary_evaluations = 500;
	l->config.canary_seconds = 5;
	sen_learner_configure(l->learner, &l->config);
	lab_pass(l, 601);
	lab_finish_training(l);
	assert_int_equal(l->fake.shadow.version, 3);
	lab_feed(l, 300, 0);
	attach_anew(l);
	assert_int_equal(sen_learner_status(l->learner)->candidate, 3);
	assert_string_equal(sen_registry_find(l->registry, 3)->stage, "Staging");
	for (int i = 0; i < 7; i++) {
		lab_pass(l, 1);
		lab_feed(l, 100, 0);
	}
	assert_int_equal(l->fake.active.version, 3);
	assert_string_equal(sen_registry_find(l->registry, 3)->stage, "Production");
}

/* Policy enforce-learned goes by whether the model in force is one that is answered for. */
static void models_learned_here_are_marked(void **state)
{
	struct lab *l = *state;

	assert_int_equal(l->fake.active.learned, 1);
	/* Put there by hand, but the same: taken over, and answered for. */
	l->fake.active.learned = 0;
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(l->fake.active.learned, 1);
	/* It goes bad and stays in force, with none before it. */
	lab_count(l, 1000, 500);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(l->fake.active.learned, 0);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, lab_setup_second, lab_teardown)
#define FIRST(name) cmocka_unit_test_setup_teardown(name, lab_setup_first, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(quiet_links_are_watched_until_it_can_be_told),
		TEST(what_has_settled_is_on_record),
		TEST(the_watch_outlasts_the_agent),
		FIRST(a_bad_first_model_is_not_used_again),
		FIRST(a_bad_first_model_gives_way_to_the_shipped_one),
		FIRST(without_the_shipped_model_a_bad_first_one_stays),
		FIRST(models_learned_here_are_marked),
		TEST(switched_off_stays_off),
		FIRST(switched_off_no_baseline_begins),
		TEST(a_roll_back_that_fails_is_tried_again),
		TEST(counters_that_begin_anew_are_no_excursion),
		TEST(counters_that_begin_anew_make_no_marks),
		TEST(counters_that_begin_anew_are_no_drift),
		TEST(a_pause_outlasts_the_program),
		TEST(a_candidate_goes_on_as_the_history_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
