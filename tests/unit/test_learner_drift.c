// SPDX-License-Identifier: BSD-2-Clause
/* Drift as learning meets it: traffic that has moved, and labels that the model in force contradicts. */
#include <netinet/in.h>
#include <string.h>

#include "event.h"
#include "fixture.h"
#include "learner_kit.h"

#define USUAL 3 /* the bin of all features in the traffic that a model is made of */
#define MOVED 9

static void count_window(struct lab *l, unsigned int bin)
{
	for (int d = 0; d < SEN_DIMS; d++)
		l->fake.hist.bin[d][bin] += 5000;
}

static void windows_of(struct lab *l, unsigned int n, unsigned int bin)
{
	while (n--) {
		count_window(l, bin);
		lab_pass(l, 61);
	}
}

/* The first model, of the usual traffic. */
static void reach_active(struct lab *l)
{
	count_window(l, USUAL);
	lab_reach_active(l);
}

static void drift_trains_from_scratch(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	/* Three windows like before, then two unlike. */
	windows_of(l, 3, USUAL);
	assert_int_equal(l->fake.submissions, 1);
	for (int w = 0; w < 2; w++) {
		for (int d = 0; d < SEN_DIMS; d++) {
			bool moved = d == SEN_FEATURE_PAIR_PACKETS_8;

			l->fake.hist.bin[d][moved ? MOVED : USUAL] += 5000;
		}
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

static void attacks_are_no_drift(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	reach_active(l);
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

/* For so many windows traffic is another while learning rests. */
static void move_during_a_pause(struct lab *l, unsigned int windows)
{
	reach_active(l);
	windows_of(l, 4, USUAL);
	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	windows_of(l, windows, MOVED);
	assert_int_equal(l->fake.submissions, 1);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
}

/* Traffic changes while learning rests: that is no part of what it was trained for. */
static void drift_during_a_pause_is_answered_after_it(void **state)
{
	struct lab *l = *state;

	move_during_a_pause(l, 5);
	lab_pass(l, 12);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	assert_non_null(strstr(l->fake.submitted->trigger, "drift"));
}

/* The reference is that of the model, not of the moment when learning went on. */
static void a_pause_makes_no_reference(void **state)
{
	struct lab *l = *state;

	move_during_a_pause(l, 1);
	windows_of(l, 2, MOVED);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drift_trains_from_scratch),
		TEST(attacks_are_no_drift),
		TEST(attacks_missed_are_drift),
		TEST(decay_over_updates_is_drift),
		TEST(operators_labels_are_judged_too),
		TEST(drift_during_a_pause_is_answered_after_it),
		TEST(a_pause_makes_no_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
