// SPDX-License-Identifier: BSD-2-Clause
/* The figures of an evaluation against cases worked out by hand. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "ranking.h"

#define CLOSE 1e-12
#define POSITIVE(s)     \
	{               \
		s, true \
	}
#define NEGATIVE(s)      \
	{                \
		s, false \
	}
#define RANKING(...) ranking_of((const struct scored[]){ __VA_ARGS__, { NAN, false } })

struct scored {
	double score;
	bool positive;
};

/* Items up to one that is not a number. */
static struct sen_ranking *ranking_of(const struct scored *items)
{
	struct sen_ranking *r = sen_ranking_new();

	assert_non_null(r);
	for (; !isnan(items->score); items++)
		assert_int_equal(sen_ranking_add(r, items->score, items->positive), 0);
	return r;
}

static void check(double got, double wanted)
{
	if (isnan(wanted) ? !isnan(got) : !(fabs(got - wanted) < CLOSE))
		fail_msg("%.15g, not %.15g", got, wanted);
}

static void check_areas(struct sen_ranking *r, double auc, double average_precision)
{
	check(sen_ranking_auc(r), auc);
	check(sen_ranking_average_precision(r), average_precision);
	sen_ranking_free(r);
}

static void areas_of_small_cases(void **state)
{
	(void)state;
	/* Of four pairs three in order; precision 1 and 2/3 at the two gains in recall. */
	check_areas(RANKING(POSITIVE(0.9), NEGATIVE(0.8), POSITIVE(0.7), NEGATIVE(0.6)), 0.75,
		    5 / 6.0);
	check_areas(RANKING(NEGATIVE(1), NEGATIVE(2), POSITIVE(3), POSITIVE(4)), 1, 1);
	/* The positives come third and fourth. */
	check_areas(RANKING(NEGATIVE(4), NEGATIVE(3), POSITIVE(2), POSITIVE(1)), 0,
		    (1 / 3.0 + 2 / 4.0) / 2);
}

static void ties_count_half(void **state)
{
	(void)state;
	check_areas(RANKING(POSITIVE(0.9), POSITIVE(0.5), NEGATIVE(0.5), NEGATIVE(0.1)), 3.5 / 4,
		    (1 + 2 / 3.0) / 2);
	/* A detector that always says the same knows nothing; precision is the share of positives. */
	check_areas(RANKING(POSITIVE(7), NEGATIVE(7), NEGATIVE(7), NEGATIVE(7)), 0.5, 0.25);
	/* Whichever of equal items was added first. */
	check_areas(RANKING(NEGATIVE(7), POSITIVE(7)), 0.5, 0.5);
}

static void undefined_figures_are_not_numbers(void **state)
{
	struct sen_curve_point points[4];
	struct sen_confusion c;
	struct sen_ranking *r;

	(void)state;
	check_areas(sen_ranking_new(), NAN, NAN);
	check_areas(RANKING(NEGATIVE(1), NEGATIVE(2)), NAN, NAN);
	/* Without negatives every positive found is found rightly. */
	check_areas(RANKING(POSITIVE(1), POSITIVE(2)), NAN, 1);
	r = RANKING(POSITIVE(1));
	check(sen_ranking_recall_at(r, 0.01), NAN);
	sen_ranking_confusion(r, 2, &c);
	check(c.fpr, NAN);
	check(c.tpr, 0);
	check(c.precision, NAN);
	check(c.balanced_accuracy, NAN);
	assert_int_equal(sen_ranking_curve(r, points, 4), 0);
	sen_ranking_free(r);
}

static void recall_keeps_within_the_rate(void **state)
{
	struct sen_ranking *r = RANKING(POSITIVE(11), POSITIVE(10), POSITIVE(9.5), POSITIVE(8.5));

	(void)state;
	for (int i = 1; i <= 10; i++)
		assert_int_equal(sen_ranking_add(r, i, false), 0);
	/* None of ten may pass: what is level with the highest of them must not either. */
	check(sen_ranking_cut(r, 0), 10);
	check(sen_ranking_recall_at(r, 0), 0.25);
	check(sen_ranking_recall_at(r, 0.099), 0.25);
	check(sen_ranking_recall_at(r, 0.1), 0.75);
	check(sen_ranking_recall_at(r, 0.199), 0.75);
	check(sen_ranking_recall_at(r, 0.2), 1);
	check(sen_ranking_recall_at(r, 1), 1);
	sen_ranking_free(r);
}

/* Neither a hundredth nor most of its multiples are what a double holds. */
static void a_rate_of_k_in_n_allows_k(void **state)
{
	struct sen_ranking *r = sen_ranking_new();

	(void)state;
	for (int i = 1; i <= 100; i++)
		assert_int_equal(sen_ranking_add(r, i, false), 0);
	for (int k = 0; k < 100; k++)
		check(sen_ranking_cut(r, k / 100.0), 100 - k);
	sen_ranking_free(r);
}

static void confusion_at_a_threshold(void **state)
{
	struct sen_ranking *r = RANKING(POSITIVE(3), POSITIVE(2), POSITIVE(1), NEGATIVE(2),
					NEGATIVE(1.5), NEGATIVE(1), NEGATIVE(0));
	struct sen_confusion c;

	(void)state;
	sen_ranking_confusion(r, 2, &c);
	assert_int_equal(c.true_positives, 2);
	assert_int_equal(c.false_positives, 1);
	assert_int_equal(c.true_negatives, 3);
	assert_int_equal(c.false_negatives, 1);
	check(c.fpr, 1 / 4.0);
	check(c.tpr, 2 / 3.0);
	check(c.precision, 2 / 3.0);
	check(c.f1, 2 / 3.0);
	check(c.balanced_accuracy, (2 / 3.0 + 3 / 4.0) / 2);
	/* Found half, and nothing else: F1 is no mean of equal things there. */
	sen_ranking_confusion(r, 2.5, &c);
	check(c.precision, 1);
	check(c.f1, 2 * (1 / 3.0) / (1 + 1 / 3.0));
	sen_ranking_free(r);
}

static void items_may_come_after_a_question(void **state)
{
	struct sen_ranking *r = RANKING(POSITIVE(2), NEGATIVE(1));

	(void)state;
	check(sen_ranking_auc(r), 1);
	assert_int_equal(sen_ranking_add(r, 3, false), 0);
	check(sen_ranking_auc(r), 0.5);
	assert_int_equal(sen_ranking_positives(r), 1);
	assert_int_equal(sen_ranking_negatives(r), 2);
	sen_ranking_free(r);
}

static void a_curve_rises_to_its_corner(void **state)
{
	struct sen_ranking *r = sen_ranking_new();
	struct sen_curve_point p[20];
	size_t n;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(sen_ranking_add(r, i * 37 % 1000, i % 3 == 0), 0);
	n = sen_ranking_curve(r, p, 20);
	assert_in_range(n, 10, 20);
	for (size_t i = 1; i < n; i++) {
		assert_true(p[i].score < p[i - 1].score);
		assert_true(p[i].fpr >= p[i - 1].fpr && p[i].tpr >= p[i - 1].tpr);
	}
	check(p[n - 1].fpr, 1);
	check(p[n - 1].tpr, 1);
	check(p[n - 1].precision, 334 / 1000.0);
	sen_ranking_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_of_small_cases),
		cmocka_unit_test(ties_count_half),
		cmocka_unit_test(undefined_figures_are_not_numbers),
		cmocka_unit_test(recall_keeps_within_the_rate),
		cmocka_unit_test(a_rate_of_k_in_n_allows_k),
		cmocka_unit_test(confusion_at_a_threshold),
		cmocka_unit_test(items_may_come_after_a_question),
		cmocka_unit_test(a_curve_rises_to_its_corner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
