// SPDX-License-Identifier: BSD-2-Clause
/* The first moments of a model in force: what takes it back, and what does not. */
#include <string.h>

#include "fixture.h"
#include "learner_kit.h"
#include "watch.h"

#define QUIET 24 /* a bin of scores below the threshold */

static struct sen_watch begin(double limit)
{
	const struct sen_watch_settings settings = { .limit = limit,
						     .max_shift = 4,
						     .until_ms = 30000 };
	const __u64 expected[SEN_SCORE_BINS] = { [QUIET] = 1000 };
	const __u64 none[SEN_SCORE_BINS] = { 0 };
	const struct sen_stats stats = { 0 };
	struct sen_watch w;

	sen_watch_begin(&w, &settings, &stats, none, expected);
	return w;
}

/* A thousand evaluations, so many flagged, all others so many bins above what was expected. */
static enum sen_watch_state check(struct sen_watch *w, unsigned int flagged, unsigned int higher)
{
	const struct sen_stats stats = { .evaluations = 1000, .flagged = flagged };
	__u64 scores[SEN_SCORE_BINS] = { 0 };

	scores[QUIET + higher] = 1000;
	return sen_watch_check(w, &stats, scores, 1000);
}

static void samples(struct sen_watch *w, unsigned int n, bool flagged, bool explained)
{
	while (n--)
		sen_watch_sample(w, flagged, explained);
}

static void flagging_beyond_the_limit_is_an_excursion(void **state)
{
	struct sen_watch w = begin(0.05);

	(void)state;
	assert_int_equal(check(&w, 50, 0), SEN_WATCH_ON);
	assert_int_equal(check(&w, 51, 0), SEN_WATCH_EXCURSION);
	assert_int_equal(check(&w, 51, 0), SEN_WATCH_OFF);
	/* An attack that most of it is of is none. */
	w = begin(0.05);
	samples(&w, 49, true, false);
	samples(&w, 51, true, true);
	assert_int_equal(check(&w, 500, 0), SEN_WATCH_ON);
	samples(&w, 2, true, false);
	assert_int_equal(check(&w, 500, 0), SEN_WATCH_EXCURSION);
}

static void scores_that_rise_are_an_excursion(void **state)
{
	struct sen_watch w = begin(0.05);

	(void)state;
	assert_int_equal(check(&w, 0, 8), SEN_WATCH_ON);
	assert_int_equal(check(&w, 0, 9), SEN_WATCH_EXCURSION);
	assert_non_null(strstr(w.reason, "octaves higher"));
	/* Under an attack that more than a tenth of the samples belong to, scores tell nothing of the model. */
	w = begin(0.05);
	samples(&w, 89, false, false);
	samples(&w, 11, false, true);
	assert_int_equal(check(&w, 0, 9), SEN_WATCH_ON);
	samples(&w, 30, false, false);
	assert_int_equal(check(&w, 0, 9), SEN_WATCH_EXCURSION);
}

/* A first model holds at 29 %, and is taken back at 31 %. */
static void expect_limit_of_30_percent(struct lab *l)
{
	sen_learner_configure(l->learner, &l->config);
	lab_reach_active(l);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 290;
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
	l->fake.stats.flagged += 20;
	lab_pass(l, 1);
	assert_int_equal(lab_state(l), SEN_LEARNER_BASELINE);
}

/* The limit is a share of all, or a multiple of the target where that is more. */
static void the_limit_is_the_larger_of_two(void **state)
{
	struct lab *l = *state;

	l->config.watch_share = 0.3;
	l->config.watch_factor = 1;
	expect_limit_of_30_percent(l);
	l->config.watch_share = 0.01;
	l->config.watch_factor = 0.3 / l->config.train_target_fpr;
	expect_limit_of_30_percent(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flagging_beyond_the_limit_is_an_excursion),
		cmocka_unit_test(scores_that_rise_are_an_excursion),
		cmocka_unit_test_setup_teardown(the_limit_is_the_larger_of_two, lab_setup,
						lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
