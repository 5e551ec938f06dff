// SPDX-License-Identifier: BSD-2-Clause
/* Drift: the statistics by hand, no alarm on traffic that stays what it is, alarms on what changes. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "divergence.h"
#include "drift.h"
#include "kmeans.h"

#define SECOND    1000
#define WINDOW    60
#define HOSTS     40
#define REFERENCE 5  /* windows */
#define WATCHED   60 /* windows */
#define SEEDS     100

static const struct sen_drift_settings settings = {
	.window_ms = WINDOW * SECOND,
	.windows = 3,
	.significance = 0.05,
	.psi = 0.25,
	.shift = 0.25,
};

/* ---- the statistics ---- */

static void statistics_by_hand(void **state)
{
	const double a[] = { 50, 30, 20, 0 }, b[] = { 20, 30, 50, 0 };
	const double fa[] = { 0.5, 0.8, 1, 1 }, fb[] = { 0.2, 0.5, 1, 1 };

	(void)state;
	/* (0.498 - 0.202) ln(50.5 / 20.5), twice; the bin that nobody uses does not count. */
	assert_true(fabs(sen_psi(a, b, 4) - 2 * (30 / 101.5) * log(50.5 / 20.5)) < 1e-9);
	assert_true(sen_psi(a, a, 4) == 0);
	assert_true(fabs(sen_ks(fa, fb, 4) - 0.3) < 1e-12);
	assert_true(fabs(sen_wasserstein(fa, fb, 4, 0.5) - 0.3) < 1e-12);
	/* Table of the Kolmogorov distribution: 1.36 at 5 %, 1.63 at 1 %. */
	assert_true(fabs(sen_ks_p(1.36 / sqrt(5e5), 1e6, 1e6) - 0.05) < 0.001);
	assert_true(fabs(sen_ks_p(1.63 / sqrt(5e5), 1e6, 1e6) - 0.01) < 0.001);
	assert_true(sen_ks_p(0, 100, 100) == 1);
	assert_true(sen_ks_p(1, 1, 1) > 0.2);
}

/* The example of Benjamini and Hochberg's paper: four of fifteen at 5 %. */
static void false_discoveries_by_hand(void **state)
{
	const double p[] = { 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
			     0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000, NAN };
	bool rejected[16];

	(void)state;
	sen_false_discovery(p, 16, 0.05, rejected);
	for (int i = 0; i < 16; i++)
		assert_int_equal(rejected[i], i < 4);
}

/* ---- traffic ---- */

/* Hosts of habits of their own come and go in bursts; while one is there, it is seen many times. */
struct host {
	struct sen_vector habit;
	unsigned int rate;    /* evaluations a slice */
	unsigned int stay;    /* mean slices of a burst */
	unsigned int absence; /* mean slices between two */
	bool present;
};

struct traffic {
	struct sen_rng rng;
	struct host host[HOSTS];
	struct sen_drift_counts counts;
	int64_t now_ms;
	/* what is different now */
	int shift;
	unsigned int feature; /* SEN_DIMS: all */
	double share;         /* of evaluations that it concerns */
	uint32_t score;
};

static void make_host(struct traffic *t, struct host *h)
{
	/* Some features tell hosts apart, some are much the same for all. */
	for (int d = 0; d < SEN_DIMS; d++)
		h->habit.v[d] = 80 + sen_rng_below(&t->rng, d % 2 ? 120 : 24);
	h->rate = 10 + sen_rng_below(&t->rng, 40);
	h->stay = 1 + sen_rng_below(&t->rng, 12);
	h->absence = 1 + sen_rng_below(&t->rng, 20);
	h->present = sen_rng_below(&t->rng, 2);
}

static struct traffic *traffic_new(uint64_t seed)
{
	struct traffic *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	sen_rng_seed(&t->rng, seed);
	for (int h = 0; h < HOSTS; h++)
		make_host(t, &t->host[h]);
	t->score = SEN_ONE / 8;
	return t;
}

static void evaluate(struct traffic *t, const struct host *h)
{
	bool concerned = sen_rng_unit(&t->rng) < t->share;
	struct sen_vector x;

	for (unsigned int d = 0; d < SEN_DIMS; d++) {
		x.v[d] = h->habit.v[d] + sen_rng_below(&t->rng, 25);
		if (concerned && (t->feature == SEN_DIMS || t->feature == d))
			x.v[d] += t->shift;
	}
	sen_drift_count(&t->counts, &x, t->score + sen_rng_below(&t->rng, t->score));
}

static void slice(struct traffic *t)
{
	t->now_ms += WINDOW / 6 * SECOND;
	for (int i = 0; i < HOSTS; i++) {
		struct host *h = &t->host[i];

		if (!sen_rng_below(&t->rng, h->present ? h->stay : h->absence))
			h->present = !h->present;
		for (unsigned int n = 0; h->present && n < h->rate; n++)
			evaluate(t, h);
	}
}

/* Windows watched until drift is told; 0: it is not. */
static unsigned int watch(struct sen_drift *d, struct traffic *t, unsigned int windows,
			  struct sen_drift_report *report)
{
	for (unsigned int i = 1; i <= 6 * windows; i++) {
		slice(t);
		if (sen_drift_feed(d, &settings, &t->counts, false, t->now_ms, report))
			return (i + 5) / 6;
	}
	return 0;
}

static struct sen_drift *learn(struct traffic *t)
{
	struct sen_drift_report report;
	struct sen_drift *d;

	assert_int_equal(sen_drift_new(0.5, &d), 0);
	sen_drift_mark(d, &t->counts, t->now_ms);
	assert_int_equal(watch(d, t, REFERENCE, &report), 0);
	sen_drift_adopt(d, &t->counts, t->now_ms);
	return d;
}

static void traffic_that_stays_triggers_nothing(void **state)
{
	unsigned int alarms = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sen_drift_report report = { 0 };
		struct traffic *t = traffic_new(seed);
		struct sen_drift *d = learn(t);

		alarms += watch(d, t, WATCHED, &report) > 0;
		sen_drift_free(d);
		free(t);
	}
	print_message("# %u of %u seeds gave a false alarm in %u windows\n", alarms, SEEDS,
		      WATCHED);
	assert_true(alarms <= 1);
}

struct change {
	const char *what;
	unsigned int feature;
	int shift;
	double share;
	uint32_t score;
};

static void changes_are_told(void **state)
{
	static const struct change changes[] = {
		{ "twice the packets", SEN_FEATURE_PAIR_PACKETS_8, SEN_LG_OCTAVE, 1, SEN_ONE / 8 },
		{ "many more half-open flows", SEN_FEATURE_DST_HALF_OPEN_64, 4 * SEN_LG_OCTAVE, 1,
		  SEN_ONE / 8 },
		{ "a new service on a third", SEN_DIMS, 7 * SEN_LG_OCTAVE, 0.33, SEN_ONE / 8 },
		{ "a periodic job", SEN_FEATURE_DST_FLOWS_1, 10 * SEN_LG_OCTAVE, 0.25,
		  SEN_ONE / 8 },
		{ "scores alone", SEN_DIMS, 0, 0, SEN_ONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i];

		for (uint64_t seed = 1; seed <= 10; seed++) {
			struct sen_drift_report report = { 0 };
			struct traffic *t = traffic_new(1000 + seed);
			struct sen_drift *d = learn(t);
			unsigned int after;

			assert_int_equal(watch(d, t, 3, &report), 0);
			t->shift = c->shift;
			t->feature = c->feature;
			t->share = c->share;
			t->score = c->score;
			after = watch(d, t, 10, &report);
			if (!after || after > 6)
				fail_msg("%s, seed %u: %u windows", c->what, (unsigned int)seed,
					 after);
			if (c->feature < SEN_DIMS)
				assert_int_equal(report.most, c->feature);
			if (!c->shift)
				assert_int_equal(report.most, SEN_DRIFT_SCORE);
			sen_drift_free(d);
			free(t);
		}
	}
}

static void the_new_normal_is_adopted(void **state)
{
	struct sen_drift_report report = { 0 };
	struct traffic *t = traffic_new(7);
	struct sen_drift *d = learn(t);

	(void)state;
	t->shift = 2 * SEN_LG_OCTAVE;
	t->feature = SEN_DIMS;
	t->share = 1;
	assert_true(watch(d, t, 10, &report) > 0);
	sen_drift_adopt(d, &t->counts, t->now_ms);
	assert_int_equal(watch(d, t, 20, &report), 0);
	/* And back again is drift, too. */
	t->share = 0;
	assert_true(watch(d, t, 10, &report) > 0);
	sen_drift_free(d);
	free(t);
}

static void explained_slices_say_nothing(void **state)
{
	struct sen_drift_report report = { 0 };
	struct traffic *t = traffic_new(8);
	struct sen_drift *d = learn(t);

	(void)state;
	t->shift = 4 * SEN_LG_OCTAVE;
	t->feature = SEN_DIMS;
	t->share = 1;
	for (int i = 0; i < 60; i++) {
		slice(t);
		assert_false(sen_drift_feed(d, &settings, &t->counts, true, t->now_ms, &report));
	}
	t->share = 0;
	assert_int_equal(watch(d, t, 10, &report), 0);
	sen_drift_free(d);
	free(t);
}

/* Too little traffic for a reference: the first window that has enough becomes it. */
static void quiet_links_wait(void **state)
{
	struct sen_drift_report report = { 0 };
	struct traffic *t = traffic_new(9);
	struct sen_drift *d;

	(void)state;
	assert_int_equal(sen_drift_new(0.5, &d), 0);
	sen_drift_mark(d, &t->counts, t->now_ms);
	sen_drift_adopt(d, &t->counts, t->now_ms);
	for (int i = 0; i < 100; i++) {
		t->now_ms += 10 * SECOND;
		assert_false(sen_drift_feed(d, &settings, &t->counts, false, t->now_ms, &report));
	}
	assert_int_equal(watch(d, t, 3, &report), 0);
	t->shift = 3 * SEN_LG_OCTAVE;
	t->feature = SEN_FEATURE_PAIR_PACKETS_8;
	t->share = 1;
	assert_true(watch(d, t, 10, &report) > 0);
	assert_int_equal(report.most, SEN_FEATURE_PAIR_PACKETS_8);
	sen_drift_free(d);
	free(t);
}

static void another_model_is_no_drift(void **state)
{
	struct sen_drift_report report = { 0 };
	struct traffic *t = traffic_new(10);
	struct sen_drift *d = learn(t);

	(void)state;
	assert_int_equal(watch(d, t, 3, &report), 0);
	sen_drift_rescore(d, &t->counts);
	t->score = SEN_ONE / 2;
	assert_int_equal(watch(d, t, 20, &report), 0);
	sen_drift_free(d);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statistics_by_hand),
		cmocka_unit_test(false_discoveries_by_hand),
		cmocka_unit_test(traffic_that_stays_triggers_nothing),
		cmocka_unit_test(changes_are_told),
		cmocka_unit_test(the_new_normal_is_adopted),
		cmocka_unit_test(explained_slices_say_nothing),
		cmocka_unit_test(quiet_links_wait),
		cmocka_unit_test(another_model_is_no_drift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
