// SPDX-License-Identifier: BSD-2-Clause
/* Traffic that changes and changes back: what was normal is still known. */
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "learner_kit.h"

#define SAMPLE 1000

/* Traffic that moves away by 21 raw units, 1.75 times the noise, and stays twice as long. */
struct way {
	double margin; /* of the threshold */
	int step, steps;
	double most;    /* share of what was normal before that may be flagged in the end */
	double naively; /* least share that is without the past */
};

/* Share of the traffic of long ago that the model in force flags. */
static double flagged_at(const struct sen_model *m, int shift)
{
	struct sen_sample *s = fixture_benign(3000, 99, shift);
	double share = fixture_flagged(m, s, 3000);

	free(s);
	return share;
}

static struct sen_model *in_force(struct lab *l)
{
	struct sen_model *m = NULL;

	assert_int_equal(
		sen_registry_load(l->registry, sen_registry_production(l->registry), &m, NULL), 0);
	return m;
}

static void learn_at(struct lab *l, int shift)
{
	lab_feed(l, SAMPLE, shift);
	lab_pass(l, 12);
	if (l->fake.submitted)
		lab_finish_training(l);
}

/* Trained on the newest samples alone, from the same start. */
static struct sen_model *forgetful(const struct sen_model *start, const struct way *w)
{
	struct sen_train_params p = fixture_params();
	struct sen_model *m = sen_model_copy(start), *next;

	for (int i = 1; i <= 3 * w->steps; i++) {
		int shift = w->step * (i < w->steps ? i : w->steps);
		struct sen_sample *s = fixture_benign(SAMPLE, 500 + i, shift);

		assert_int_equal(sen_train_incremental(m, s, SAMPLE, &p, &next, NULL), 0);
		sen_model_free(m);
		m = next;
		free(s);
	}
	return m;
}

static void move_away_and_back(struct lab *l, const struct way *w)
{
	struct sen_model *start, *late, *naive;
	double now, before, forgotten;

	l->config.learn_samples = SAMPLE / 2;
	l->config.learn_min_interval = 10;
	l->config.watch_seconds = 1;
	l->config.train_threshold_margin = w->margin;
	sen_learner_configure(l->learner, &l->config);
	lab_reach_active(l);
	start = in_force(l);
	for (int i = 1; i <= 3 * w->steps; i++)
		learn_at(l, w->step * (i < w->steps ? i : w->steps));
	late = in_force(l);
	assert_true((int)late->version > (int)start->version + w->steps);
	now = flagged_at(late, w->step * w->steps);
	before = flagged_at(late, 0);
	naive = forgetful(start, w);
	forgotten = flagged_at(naive, 0);
	print_message("flagged: %.3f of today's, %.3f of what was; without the past %.3f\n", now,
		      before, forgotten);
	assert_true(now < 0.02);
	assert_true(before < w->most);
	assert_true(forgotten > w->naively);
	/* And it changes back. */
	for (int i = 0; i < 3; i++)
		learn_at(l, 0);
	sen_model_free(late);
	late = in_force(l);
	now = flagged_at(late, 0);
	before = flagged_at(late, w->step * w->steps);
	print_message("and back: %.3f of today's, %.3f of what was\n", now, before);
	assert_true(now < w->most);
	assert_true(before < 0.02);
	sen_model_free(naive);
	sen_model_free(late);
	sen_model_free(start);
}

/* Steps of a quarter of the noise need room: what moves before it was ever seen is flagged, rightly. */
static void what_was_normal_is_still_known(void **state)
{
	move_away_and_back(
		*state,
		&(struct way){ .margin = 2, .step = 3, .steps = 7, .most = 0.02, .naively = 0.05 });
}

/* Without that room three times as long a way, on which the first samples become a sixtieth of all. */
static void and_mostly_so_without_room_to_move(void **state)
{
	move_away_and_back(
		*state,
		&(struct way){ .margin = 1, .step = 1, .steps = 21, .most = 0.25, .naively = 0.6 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_normal_is_still_known, lab_setup,
						lab_teardown),
		cmocka_unit_test_setup_teardown(and_mostly_so_without_room_to_move, lab_setup,
						lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
