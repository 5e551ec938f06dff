// SPDX-License-Identifier: BSD-2-Clause
/* The states of learning: the baseline, what teaches, and what sets a training off. */
#include <errno.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "fixture.h"
#include "learner_kit.h"

static void baseline_waits_for_time_and_samples(void **state)
{
	struct lab *l = *state;

	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	assert_true(sen_learner_withholds_novelties(l->learner));
	lab_feed(l, 30, 0);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 0); /* time is up, but of what should it learn? */
	lab_feed(l, 1000, 0);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 1);
	lab_finish_training(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_false(sen_learner_withholds_novelties(l->learner));
	assert_int_equal(l->fake.pushes, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_true(lab_has_said(l, "model 1 promoted"));
}

static void enough_samples_end_the_baseline_early(void **state)
{
	struct lab *l = *state;

	lab_feed(l, 4999, 0);
	lab_pass(l, 2);
	assert_int_equal(l->fake.submissions, 0);
	lab_feed(l, 1, 0);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 1);
}

static void attacks_are_no_part_of_the_baseline(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	for (int i = 0; i < 2000; i++)
		sen_learner_sample(l->learner, &ev, SEN_CLASS_SCAN, NULL, false);
	lab_pass(l, 30);
	assert_int_equal(l->fake.submissions, 0);
	assert_int_equal(sen_learner_status(l->learner)->attack, 2000);
	assert_int_equal(sen_learner_status(l->learner)->benign, 0);
}

static void new_samples_trigger_an_update(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	lab_feed(l, 300, 0);
	lab_pass(l, 11);
	assert_int_equal(l->fake.submissions, 1);
	lab_feed(l, 300, 0);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_UPDATE);
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(l->fake.active.parent, 1);
	assert_int_equal(sen_registry_production(l->registry), 2);
	assert_int_equal(sen_learner_status(l->learner)->fresh, 0);
	/* Not again at once, however many there are. */
	lab_feed(l, 2000, 0);
	lab_pass(l, 9);
	assert_int_equal(l->fake.submissions, 2);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 3);
}

static void time_triggers_without_new_samples(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	lab_pass(l, 599);
	assert_int_equal(l->fake.submissions, 1);
	lab_pass(l, 2);
	assert_int_equal(l->fake.submissions, 2);
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
}

static void samples_amid_an_attack_teach_nothing(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 20, 4000, 1, 80);
	struct lab *l = *state;

	for (int i = 0; i < 2000; i++)
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, true);
	lab_pass(l, 30);
	assert_int_equal(l->fake.submissions, 0);
	assert_int_equal(sen_learner_status(l->learner)->skipped, 2000);
}

static void flagged_and_doubtful_samples_teach_nothing(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 2, 4000, 1, 80);
	struct lab *l = *state;
	uint64_t before;

	lab_reach_active(l);
	before = sen_learner_status(l->learner)->benign;
	ev.model_version = l->fake.active.version;
	for (int i = 0; i < 1000; i++) {
		ev.score = SEN_ONE * 2;
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, false);
		ev.score = (uint32_t)(SEN_ONE * 0.96);
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, false);
	}
	/* Nor does what another model has scored. */
	ev.score = 0;
	ev.model_version++;
	sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, false);
	assert_int_equal(sen_learner_status(l->learner)->benign, before);
	ev.model_version--;
	sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, false);
	assert_int_equal(sen_learner_status(l->learner)->benign, before + 1);
}

/* What lies between the marks teaches by default, and does not where it is not to. */
static void uncertain_samples_teach_if_they_may(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 2, 4000, 1, 80);
	struct lab *l = *state;
	uint64_t before;

	lab_reach_active(l);
	before = sen_learner_status(l->learner)->benign;
	ev.model_version = l->fake.active.version;
	ev.score = SEN_ONE / 2;
	sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, false);
	assert_int_equal(sen_learner_status(l->learner)->benign, before + 1);
	l->config.learn_uncertain = 0;
	sen_learner_configure(l->learner, &l->config);
	sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, false);
	assert_int_equal(sen_learner_status(l->learner)->benign, before + 1);
	/* What is surely benign still does. */
	ev.score = SEN_ONE / 8;
	sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, NULL, false);
	assert_int_equal(sen_learner_status(l->learner)->benign, before + 2);
}

/* An agent that is started anew every day trains from scratch as often as any. */
static void the_schedule_outlasts_the_agent(void **state)
{
	struct lab *l = *state;
	char *path = fixture_path(l->folder, "models/history.jsonl");
	char command[256];

	lab_reach_active(l);
	lab_start(l);
	lab_feed(l, 300, 0);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 1);
	/* Made two days ago. */
	snprintf(command, sizeof(command),
		 "sed -i \"s/\\\"created\\\":\\\"[^\\\"]*/\\\"created\\\":\\\"$(date -ud '-2 days' "
		 "+%%FT%%TZ)/\" %s",
		 path);
	assert_int_equal(system(command), 0);
	lab_start(l);
	lab_feed(l, 300, 0);
	lab_pass(l, 11);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	assert_string_equal(l->fake.submitted->trigger, "schedule");
	free(path);
}

/* What is forgotten is not known any more, and what comes then is not its double. */
static void a_second_baseline_counts_anew(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	lab_feed(l, 5000, 0);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 5000;
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	lab_feed(l, 600, 0);
	lab_pass(l, 21);
	lab_finish_training(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	lab_feed(l, 700, 0);
	lab_pass(l, 11);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	assert_string_equal(l->fake.submitted->trigger,
			    "twice the samples of the last training from scratch");
}

/* While one training runs, all that is asked for comes down to one, from scratch if any was. */
static void trainings_asked_for_come_down_to_one(void **state)
{
	struct lab *l = *state;

	assert_int_equal(sen_learner_ask(l->learner, false, NULL), -EAGAIN); /* amid the baseline */
	lab_reach_active(l);
	assert_int_equal(sen_learner_ask(l->learner, false, NULL), 0);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 2); /* the least interval is not waited for */
	for (int i = 0; i < 5; i++)
		assert_int_equal(sen_learner_ask(l->learner, i == 2, NULL), 0);
	lab_pass(l, 5);
	assert_int_equal(l->fake.submissions, 2);
	assert_true(sen_learner_status(l->learner)->asked);
	lab_finish_training(l);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 3);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	lab_finish_training(l);
	lab_pass(l, 5);
	assert_int_equal(l->fake.submissions, 3);
}

static void uploads_trigger_once(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	sen_learner_uploads(l->learner, 9);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 1);
	sen_learner_uploads(l->learner, 10);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	sen_learner_uploads(l->learner, 0); /* archived */
	lab_finish_training(l);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 2);
}

static void a_pause_lasts_until_it_is_over(void **state)
{
	struct lab *l = *state;
	uint64_t before;

	lab_reach_active(l);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), -EAGAIN);
	assert_int_equal(sen_learner_ask(l->learner, true, NULL), 0);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	before = sen_learner_status(l->learner)->benign;
	lab_feed(l, 500, 0);
	assert_int_equal(sen_learner_status(l->learner)->benign, before);
	/* What ran comes to nothing. */
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_learner_ask(l->learner, true, NULL), -EAGAIN);
	lab_pass(l, 100000);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(sen_learner_pause(l->learner, 60, l->now_ms, NULL), 0);
	lab_pass(l, 59);
	assert_int_equal(lab_state(l), SEN_LEARNER_PAUSED);
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

/* A new agent goes on with the samples of the last one, and trains on none of them twice. */
static void samples_outlast_the_agent(void **state)
{
	struct lab *l = *state;
	char *path = fixture_path(l->folder, SEN_STORE_FILE);

	assert_int_equal(sen_learner_keep(l->learner, path, NULL), 0);
	lab_reach_active(l);
	lab_feed(l, 300, 0);
	lab_pass(l, 1);
	assert_int_equal(sen_learner_status(l->learner)->fresh, 300);
	lab_start(l);
	assert_int_equal(sen_learner_keep(l->learner, path, NULL), 0);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(sen_learner_status(l->learner)->fresh, 300);
	assert_int_equal(sen_learner_status(l->learner)->reservoir, 1000);
	lab_feed(l, 100, 0); /* 400 in all */
	lab_pass(l, 11);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(sen_learner_status(l->learner)->fresh, 0);
	lab_start(l);
	assert_int_equal(sen_learner_keep(l->learner, path, NULL), 0);
	assert_int_equal(sen_learner_status(l->learner)->fresh, 0);
	free(path);
}

/* It says so once, learns on, and says when it is over. */
static void a_store_that_cannot_be_opened(void **state)
{
	struct sen_why why = { 0 };
	struct lab *l = *state;

	assert_true(sen_learner_keep(l->learner, "/proc/no/such/place", &why) < 0);
	assert_true(why.text[0]);
	lab_reach_active(l);
	assert_int_equal(sen_learner_status(l->learner)->reservoir, 1000);
}

static unsigned int times_said(const struct lab *l, const char *words)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->fake.lines && i < 64; i++)
		n += strstr(l->fake.said[i], words) != NULL;
	return n;
}

/* Events are taken as ever, what is due waits, and nothing that there is room for is lost. */
static void another_process_holds_the_store(void **state)
{
	struct lab *l = *state;
	char *path = fixture_path(l->folder, SEN_STORE_FILE);
	sqlite3 *db = NULL;
	int64_t began_ms;

	assert_int_equal(sen_learner_keep(l->learner, path, NULL), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	lab_feed(l, 1000, 0);
	lab_pass(l, 19);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	began_ms = sen_now_ms();
	lab_feed(l, 4120, 0); /* waiting for it at each one that finds no room took 50 s */
	assert_true(sen_now_ms() - began_ms < 2000);
	lab_pass(l, 3);
	assert_int_equal(times_said(l, "not kept"), 0);
	lab_pass(l, 10);
	assert_int_equal(times_said(l, "new samples are not kept: sample store"), 1);
	assert_int_equal(l->fake.submissions, 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	lab_pass(l, 1);
	assert_int_equal(times_said(l, "new samples are kept again"), 1);
	assert_int_equal(l->fake.submissions, 1);
	assert_int_equal(l->fake.submitted->n, 1000 + 4096);
	assert_int_equal(sen_learner_status(l->learner)->failed, 0);
	free(path);
}

/* What a bad model has taken for normal goes even if another process holds the store just then. */
static void what_is_to_be_forgotten_is(void **state)
{
	struct lab *l = *state;
	char *path = fixture_path(l->folder, SEN_STORE_FILE);
	sqlite3 *db = NULL;

	assert_int_equal(sen_learner_keep(l->learner, path, NULL), 0);
	lab_reach_active(l);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	lab_count(l, 1000, 5000);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
	assert_int_equal(sen_learner_status(l->learner)->reservoir, 1000);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	lab_pass(l, 1);
	assert_int_equal(sen_learner_status(l->learner)->reservoir, 0);
	free(path);
}

static void switched_off_it_only_watches(void **state)
{
	struct lab *l = *state;

	l->config.learn_enabled = 0;
	lab_start(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_OFF);
	lab_feed(l, 6000, 0);
	lab_pass(l, 700);
	assert_int_equal(l->fake.submissions, 0);
	assert_false(sen_learner_withholds_novelties(l->learner));
	l->config.learn_enabled = 1;
	sen_learner_configure(l->learner, &l->config);
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(baseline_waits_for_time_and_samples),
		TEST(enough_samples_end_the_baseline_early),
		TEST(attacks_are_no_part_of_the_baseline),
		TEST(new_samples_trigger_an_update),
		TEST(time_triggers_without_new_samples),
		TEST(samples_amid_an_attack_teach_nothing),
		TEST(flagged_and_doubtful_samples_teach_nothing),
		TEST(uncertain_samples_teach_if_they_may),
		TEST(the_schedule_outlasts_the_agent),
		TEST(a_second_baseline_counts_anew),
		TEST(trainings_asked_for_come_down_to_one),
		TEST(uploads_trigger_once),
		TEST(a_pause_lasts_until_it_is_over),
		TEST(samples_outlast_the_agent),
		TEST(a_store_that_cannot_be_opened),
		TEST(another_process_holds_the_store),
		TEST(what_is_to_be_forgotten_is),
		TEST(switched_off_it_only_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
