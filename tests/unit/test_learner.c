// SPDX-License-Identifier: BSD-2-Clause
/* The states of learning: the baseline, what teaches, and what sets a training off. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void drift_trains_from_scratch(void **state)
{
	struct lab *l = *state;

	for (int d = 0; d < SEN_DIMS; d++)
		l->fake.hist.bin[d][3] += 5000;
	lab_reach_active(l);
	/* Three windows like before, then two unlike. */
	for (int w = 0; w < 3; w++) {
		for (int d = 0; d < SEN_DIMS; d++)
			l->fake.hist.bin[d][3] += 5000;
		lab_pass(l, 61);
	}
	assert_int_equal(l->fake.submissions, 1);
	for (int w = 0; w < 2; w++) {
		for (int d = 0; d < SEN_DIMS; d++)
			l->fake.hist.bin[d][d == SEN_FEATURE_PAIR_PACKETS_8 ? 9 : 3] += 5000;
		lab_pass(l, 61);
	}
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	assert_true(lab_has_said(l, "pair_packets_8s has moved"));
	assert_non_null(strstr(l->fake.submitted->trigger, "pair_packets_8s"));
	assert_true(sen_learner_status(l->learner)->drift.dim[SEN_FEATURE_PAIR_PACKETS_8].moved);
	assert_true(sen_learner_status(l->learner)->drift.dim[SEN_FEATURE_PAIR_PACKETS_8].shift >
		    5);
	assert_false(sen_learner_status(l->learner)->drift.dim[SEN_FEATURE_FLOW_IS_TCP].moved);
}

/* Rules name as many attacks as ever, but the model in force no longer sees them. */
static void attacks_missed_are_drift(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	lab_reach_active(l);
	lab_pass(l, 31);
	ev.model_version = 1;
	for (int i = 0; i < 1000; i++) {
		ev.score = i < 500 ? 9 * SEN_ONE : SEN_ONE / 2;
		sen_learner_sample(l->learner, &ev, SEN_CLASS_SYN_FLOOD, NULL, false);
	}
	lab_pass(l, 31);
	assert_true(lab_has_said(l, "drift in performance: 100% of labelled attack samples"));
	assert_true(sen_learner_status(l->learner)->labelled_error[SEN_PERFORMANCE_ATTACK] == 1);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
}

static void judge_by_rule(struct lab *l, unsigned int n, uint32_t score)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);

	ev.model_version = l->fake.active.version;
	ev.score = score;
	for (unsigned int i = 0; i < n; i++)
		sen_learner_sample(l->learner, &ev, SEN_CLASS_SYN_FLOOD, NULL, false);
}

/* Each update is no worse than the one before, yet all of them together are. */
static void decay_over_updates_is_drift(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	judge_by_rule(l, 300, 9 * SEN_ONE);
	lab_feed(l, 400, 0);
	lab_pass(l, 31);
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 0);
	judge_by_rule(l, 100, SEN_ONE / 2);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 1);
	lab_pass(l, 31);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	/* What comes of that is another matter. */
	lab_finish_training(l);
	judge_by_rule(l, 500, SEN_ONE / 2);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 1);
}

struct picked {
	struct sen_relabel changes[512];
	size_t n;
	bool flagged;
};

static int pick(void *ctx, const struct sen_record *r)
{
	struct picked *p = ctx;

	if (r->sample.model_version && r->sample.origin != SEN_ORIGIN_OPERATOR &&
	    (r->sample.score >= SEN_ONE) == p->flagged && p->n < 512)
		p->changes[p->n++] = (struct sen_relabel){ .id = r->id, .label = SEN_LABEL_BENIGN };
	return 0;
}

/* Whatever the model in force flags, or passes, an operator calls it normal. */
static size_t call_normal(struct lab *l, bool flagged)
{
	struct sen_store_filter all = { .label = -1, .class_id = -1, .origin = -1, .most = 5000 };
	struct sen_store *s = sen_learner_store(l->learner);
	struct picked p = { .flagged = flagged };

	assert_int_equal(sen_store_list(s, &all, pick, &p, NULL), 0);
	assert_int_equal(sen_store_relabel(s, p.changes, p.n, false, NULL), p.n);
	return p.n;
}

static void operators_labels_are_judged_too(void **state)
{
	struct lab *l = *state;

	lab_reach_active(l);
	lab_feed(l, 400, 0);
	lab_pass(l, 1);
	assert_true(call_normal(l, false) >= 300);
	lab_pass(l, 31);
	lab_finish_training(l);
	assert_true(sen_learner_status(l->learner)->labelled_error[SEN_PERFORMANCE_BENIGN] < 0.01);
	lab_feed(l, 300, 0);
	lab_pass(l, 31); /* the watch is over */
	lab_attack(l, 200, SEN_CLASS_SCAN, false);
	lab_pass(l, 1);
	assert_true(call_normal(l, true) >= 200);
	assert_int_equal(sen_learner_ask(l->learner, false, NULL), 0);
	lab_pass(l, 1);
	assert_true(lab_has_said(l, "of labelled benign samples are judged wrong"));
	assert_int_equal(sen_learner_status(l->learner)->drifts, 1);
}

static void windows_of(struct lab *l, unsigned int n, unsigned int bin)
{
	for (unsigned int w = 0; w < n; w++) {
		for (int d = 0; d < SEN_DIMS; d++)
			l->fake.hist.bin[d][bin] += 5000;
		lab_pass(l, 61);
	}
}

/* Traffic changes while learning rests: that is no part of what it was trained for. */
static void drift_during_a_pause_is_answered_after_it(void **state)
{
	struct lab *l = *state;

	for (int d = 0; d < SEN_DIMS; d++)
		l->fake.hist.bin[d][3] += 5000;
	lab_reach_active(l);
	windows_of(l, 4, 3);
	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	windows_of(l, 5, 9);
	assert_int_equal(l->fake.submissions, 1);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_pass(l, 12);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	assert_non_null(strstr(l->fake.submitted->trigger, "drift"));
}

/* The reference is that of the model, not of the moment when learning went on. */
static void a_pause_makes_no_reference(void **state)
{
	struct lab *l = *state;

	for (int d = 0; d < SEN_DIMS; d++)
		l->fake.hist.bin[d][3] += 5000;
	lab_reach_active(l);
	windows_of(l, 4, 3);
	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	windows_of(l, 1, 9);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	windows_of(l, 2, 9);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 1);
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

static void attacks_are_no_drift(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	for (int d = 0; d < SEN_DIMS; d++)
		l->fake.hist.bin[d][3] += 5000;
	lab_reach_active(l);
	for (int w = 0; w < 5; w++) {
		for (int d = 0; d < SEN_DIMS; d++)
			l->fake.hist.bin[d][12] += 50000;
		for (int i = 0; i < 1000; i++)
			sen_learner_sample(l->learner, &ev, SEN_CLASS_SYN_FLOOD, NULL, false);
		lab_pass(l, 61);
	}
	assert_int_equal(l->fake.submissions, 1);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 0);
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
		TEST(drift_trains_from_scratch),
		TEST(attacks_are_no_drift),
		TEST(attacks_missed_are_drift),
		TEST(decay_over_updates_is_drift),
		TEST(operators_labels_are_judged_too),
		TEST(drift_during_a_pause_is_answered_after_it),
		TEST(a_pause_makes_no_reference),
		TEST(the_schedule_outlasts_the_agent),
		TEST(a_second_baseline_counts_anew),
		TEST(trainings_asked_for_come_down_to_one),
		TEST(uploads_trigger_once),
		TEST(a_pause_lasts_until_it_is_over),
		TEST(samples_outlast_the_agent),
		TEST(a_store_that_cannot_be_opened),
		TEST(switched_off_it_only_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
