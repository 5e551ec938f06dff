// SPDX-License-Identifier: BSD-2-Clause
/* Candidates on their way into force: stopped where they should be, and the history says why. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fixture.h"
#include "learner_kit.h"

/* An update whose model is changed behind the gate's back: what only live traffic can show. */
static void update(struct lab *l, double threshold)
{
	struct sen_training *t;

	lab_pass(l, 601);
	t = l->fake.submitted;
	assert_non_null(t);
	l->fake.submitted = NULL;
	sen_training_run(t, NULL);
	assert_int_equal(t->err, 0);
	t->model->threshold *= threshold;
	sen_learner_trained(l->learner, t, l->now_ms);
}

/* Traffic and time enough for a decision. */
static void live(struct lab *l)
{
	for (int i = 0; i < 25; i++) {
		lab_feed(l, 100, 0);
		lab_pass(l, 1);
	}
}

static void good_candidates_go_through(void **state)
{
	struct lab *l = *state;

	update(l, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_true(l->fake.has_shadow);
	assert_int_equal(l->fake.shadow.version, 2);
	lab_expect_stage(l, 2, "Staging", "update: time is up");
	assert_int_equal(sen_learner_status(l->learner)->candidate, 2);
	live(l);
	assert_int_equal(l->fake.active.version, 2);
	assert_false(l->fake.has_shadow);
	lab_expect_stage(l, 2, "Production", "update");
	lab_expect_stage(l, 1, "Archived", "");
	assert_string_equal(lab_entry(l, 2)->kind, "update");
	assert_true(*sen_facts_get(&lab_entry(l, 2)->metrics, "canary_evaluations") >= 2000);
	assert_true(*sen_facts_get(&lab_entry(l, 2)->metrics, "canary_agreement") > 0.95);
	assert_true(*sen_facts_get(&lab_entry(l, 2)->metrics, "false_positives") < 0.02);
	assert_true(*sen_facts_get(&lab_entry(l, 2)->params, "centroids") == 8);
	assert_true(*sen_facts_get(&lab_entry(l, 2)->params, "reference") == 1);
	assert_int_equal(sen_learner_status(l->learner)->promoted, 2);
	assert_int_equal(sen_learner_status(l->learner)->reference, 1);
}

static void without_traffic_it_waits(void **state)
{
	struct lab *l = *state;

	update(l, 1);
	lab_pass(l, 5000);
	assert_int_equal(l->fake.shadow.version, 2);
	lab_expect_stage(l, 2, "Staging", "");
	/* Nor is another one trained meanwhile. */
	assert_int_equal(l->fake.submissions, 2);
	live(l);
	assert_int_equal(l->fake.active.version, 2);
}

static void one_that_flags_live_traffic_is_refused(void **state)
{
	struct lab *l = *state;

	update(l, 0.05);
	live(l);
	assert_int_equal(l->fake.active.version, 1);
	assert_false(l->fake.has_shadow);
	lab_expect_stage(l, 2, "Archived", "refused: live: flags");
	assert_true(*sen_facts_get(&lab_entry(l, 2)->metrics, "canary_extra") > 0.02);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_int_equal(sen_learner_status(l->learner)->refused, 1);
	/* Learning goes on. */
	update(l, 1);
	live(l);
	assert_int_equal(l->fake.active.version, 3);
}

static void one_that_misses_live_attacks_is_refused(void **state)
{
	struct lab *l = *state;

	update(l, 300);
	lab_attack(l, 50, SEN_CLASS_SCAN, true);
	live(l);
	assert_int_equal(l->fake.active.version, 1);
	lab_expect_stage(l, 2, "Archived", "refused: live: misses 50 of 50 attacks");
}

static void one_whose_scores_collapse_is_refused(void **state)
{
	struct lab *l = *state;

	update(l, 300);
	live(l);
	assert_int_equal(l->fake.active.version, 1);
	lab_expect_stage(l, 2, "Archived", "octaves below");
}

/* What both flag is an attack; what the candidate alone flags amid one that rules name is its merit. */
static void attacks_meanwhile_are_no_fault(void **state)
{
	struct lab *l = *state;

	update(l, 1);
	lab_attack(l, 1000, SEN_CLASS_SYN_FLOOD, true);
	live(l);
	assert_int_equal(l->fake.active.version, 2);
}

/* A slot that an operator uses is left alone. */
static void waits_for_the_slot(void **state)
{
	struct lab *l = *state;

	l->fake.shadow = l->fake.active;
	l->fake.shadow.version = 99;
	l->fake.has_shadow = true;
	update(l, 1);
	live(l);
	assert_int_equal(l->fake.shadow.version, 99);
	assert_int_equal(l->fake.active.version, 1);
	/* It says so, once, as no other is trained meanwhile. */
	assert_true(lab_has_said(l, "candidate 2 waits, and learning with it: the shadow slot"));
	assert_non_null(strstr(sen_learner_status(l->learner)->candidate_waits,
			       "sentroid model clear-shadow"));
	l->fake.lines = 0;
	memset(l->fake.said, 0, sizeof(l->fake.said));
	lab_pass(l, 100);
	assert_false(lab_has_said(l, "waits"));
	lab_expect_stage(l, 2, "Staging", "");
	l->fake.has_shadow = false;
	l->fake.push_error = -ENOSPC;
	lab_pass(l, 1);
	assert_non_null(strstr(sen_learner_status(l->learner)->candidate_waits, "push"));
	l->fake.push_error = 0;
	lab_pass(l, 1);
	assert_int_equal(l->fake.shadow.version, 2);
	assert_string_equal(sen_learner_status(l->learner)->candidate_waits, "");
	live(l);
	assert_int_equal(l->fake.active.version, 2);
}

static void operators_decide_first(void **state)
{
	struct lab *l = *state;

	update(l, 1);
	l->fake.active = l->fake.shadow;
	l->fake.has_shadow = false;
	assert_int_equal(sen_registry_approve(l->registry, 2, "by hand", NULL), 0);
	lab_pass(l, 6);
	assert_int_equal(sen_learner_status(l->learner)->version, 2);
	assert_int_equal(sen_learner_status(l->learner)->candidate, 0);
	lab_expect_stage(l, 2, "Production", "by hand");
	/* It answers for the model from now on: also as the bound of what comes of it. */
	assert_int_equal(sen_learner_status(l->learner)->reference, 2);
	update(l, 1);
	assert_int_equal(l->fake.shadow.version, 3);
	/* A roll-back by hand ends a canary beside the model that is no longer in force. */
	l->fake.active.version = 1;
	memset(l->fake.active.digest, 0, sizeof(l->fake.active.digest));
	lab_pass(l, 6);
	assert_false(l->fake.has_shadow);
	lab_expect_stage(l, 3, "Archived", "put in force");
}

/* As `sentroid model promote` does it: through a registry of its own. */
static void approve_elsewhere(const struct lab *l, unsigned int version)
{
	char *models = fixture_path(l->folder, "models");
	struct sen_registry *other;

	assert_int_equal(sen_registry_open(models, &other, NULL), 0);
	assert_int_equal(sen_registry_approve(other, version, "by hand", NULL), 0);
	sen_registry_close(other);
	free(models);
}

static void approval_by_another_process_bounds(void **state)
{
	struct lab *l = *state;

	update(l, 1);
	approve_elsewhere(l, 2);
	l->fake.active = l->fake.shadow;
	l->fake.has_shadow = false;
	lab_pass(l, 6);
	assert_int_equal(sen_learner_status(l->learner)->version, 2);
	assert_int_equal(sen_learner_status(l->learner)->reference, 2);
	/* Also that of a model that is in force already. */
	update(l, 1);
	live(l);
	assert_int_equal(l->fake.active.version, 3);
	assert_int_equal(sen_learner_status(l->learner)->reference, 2);
	approve_elsewhere(l, 3);
	lab_pass(l, 6);
	assert_int_equal(sen_learner_status(l->learner)->reference, 3);
}

/* The agent has ended between the record and the gate's word. */
static void unfinished_versions_are_archived(void **state)
{
	struct sen_registry_origin origin = { .kind = "update" };
	struct sen_model *m = fixture_model();
	struct lab *l = *state;

	assert_int_equal(sen_registry_add(l->registry, m, &origin, NULL), 0);
	lab_expect_stage(l, 2, "Development", "");
	lab_start(l);
	lab_expect_stage(l, 2, "Archived", "left behind");
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	sen_model_free(m);
}

static void next_agent_resumes_or_abandons(void **state)
{
	struct lab *l = *state;

	update(l, 1);
	lab_start(l);
	assert_int_equal(sen_learner_status(l->learner)->candidate, 2);
	lab_pass(l, 1);
	live(l);
	assert_int_equal(l->fake.active.version, 2);
	lab_expect_stage(l, 2, "Production", "update: time is up");

	lab_pass(l, 31);
	update(l, 1);
	assert_int_equal(l->fake.shadow.version, 3);
	assert_int_equal(sen_registry_stage(l->registry, 1, "Production", "by hand", NULL), 0);
	lab_start(l);
	assert_int_equal(sen_learner_status(l->learner)->candidate, 0);
	assert_false(l->fake.has_shadow);
	lab_expect_stage(l, 3, "Archived", "another model is in force");
	assert_int_equal(l->fake.active.version, 1);
}

/* No byte more fits into the history, until the limit returned is set again. */
static struct rlimit fill_history(const struct lab *l)
{
	char *path = fixture_path(l->folder, "models/history.jsonl");
	struct rlimit old, small;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = st.st_size;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	free(path);
	return old;
}

/* The swap has happened but cannot be written down: it is undone. */
static void unrecorded_swaps_are_undone(void **state)
{
	struct lab *l = *state;
	struct rlimit old;

	update(l, 1);
	for (int i = 0; i < 19; i++) {
		lab_feed(l, 110, 0);
		lab_pass(l, 1);
	}
	old = fill_history(l);
	lab_pass(l, 5);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(l->fake.pushes, 3); /* there and back */
	assert_int_equal(l->fake.active.version, 1);
	assert_false(l->fake.has_shadow);
	assert_int_equal(sen_learner_status(l->learner)->version, 1);
	assert_int_equal(sen_learner_status(l->learner)->failed, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	/* What could not be archived then is, by the next agent. */
	lab_start(l);
	lab_pass(l, 1);
	assert_int_equal(l->fake.active.version, 1);
}

/* It passed the canary, but with it in force scores rise to just below the threshold. */
static void scores_that_soar_after_promotion_roll_back(void **state)
{
	struct lab *l = *state;

	l->config.watch_shift = 1;
	sen_learner_configure(l->learner, &l->config);
	update(l, 1);
	live(l);
	assert_int_equal(l->fake.active.version, 2);
	l->fake.stats.evaluations += 5000;
	l->fake.scores.bin[SEN_SLOT_ACTIVE][31] += 5000;
	lab_pass(l, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_expect_stage(l, 1, "Production", "octaves higher than in its canary");
	lab_expect_stage(l, 2, "Archived", "octaves higher than in its canary");
	/* An operator looks into it, while a training that is no longer wanted still runs. */
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), -EAGAIN);
}

/* The good model is in force even where that cannot be written down; it is, once it can. */
static void roll_backs_are_recorded_in_the_end(void **state)
{
	struct lab *l = *state;
	struct rlimit old;

	update(l, 1);
	live(l);
	old = fill_history(l);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 300;
	lab_pass(l, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	lab_pass(l, 6);
	assert_int_equal(sen_registry_production(l->registry), 1);
	lab_expect_stage(l, 2, "Archived", "flagged");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup_canary, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_candidates_go_through),
		TEST(without_traffic_it_waits),
		TEST(one_that_flags_live_traffic_is_refused),
		TEST(one_that_misses_live_attacks_is_refused),
		TEST(one_whose_scores_collapse_is_refused),
		TEST(attacks_meanwhile_are_no_fault),
		TEST(waits_for_the_slot),
		TEST(operators_decide_first),
		TEST(approval_by_another_process_bounds),
		TEST(unfinished_versions_are_archived),
		TEST(next_agent_resumes_or_abandons),
		TEST(unrecorded_swaps_are_undone),
		TEST(scores_that_soar_after_promotion_roll_back),
		TEST(roll_backs_are_recorded_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
