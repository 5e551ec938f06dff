// SPDX-License-Identifier: BSD-2-Clause
/* What an operator is asked to look at. */
#include <stdlib.h>

#include "fixture.h"
#include "record.h"
#include "review.h"

#define RECORDS 600

/* Around one of the fixture's centres, its score given. */
static struct sen_record make(unsigned int i, unsigned int cluster, uint32_t score,
			      unsigned int class_id)
{
	struct sen_record r = record_make(i, SEN_LABEL_NONE, class_id);

	for (unsigned int d = 0; d < SEN_DIMS; d++)
		r.sample.vector.v[d] = (__u16)(fixture_centre(cluster, d) + i % 5);
	r.sample.score = score;
	return r;
}

static void the_most_uncertain_of_one_kind(void **state)
{
	struct sen_record r[100];
	size_t chosen[1];

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		r[i] = make(i, 0, SEN_ONE / 4 + i * SEN_ONE / 50, SEN_CLASS_NONE);
	assert_int_equal(sen_review_choose(r, 100, 1, chosen), 1);
	/* 0.25 + 0.02 i: nearest to 1 in octaves. */
	assert_in_range(chosen[0], 37, 38);
}

/* Six kinds, one of them a hundred times as frequent and nearer to the threshold: each is shown. */
static void one_of_every_kind(void **state)
{
	struct sen_record *r = calloc(RECORDS, sizeof(*r));
	bool shown[FIXTURE_CLUSTERS] = { false };
	size_t chosen[FIXTURE_CLUSTERS];
	unsigned int kind[RECORDS];

	(void)state;
	for (unsigned int i = 0; i < RECORDS; i++) {
		kind[i] = i < 20 ? i % FIXTURE_CLUSTERS : 0;
		r[i] = make(i, kind[i], kind[i] ? SEN_ONE / 2 : SEN_ONE - 1000 + i, SEN_CLASS_NONE);
	}
	assert_int_equal(sen_review_choose(r, 40, FIXTURE_CLUSTERS, chosen), FIXTURE_CLUSTERS);
	for (int i = 0; i < FIXTURE_CLUSTERS; i++)
		shown[kind[chosen[i]]] = true;
	for (int i = 0; i < FIXTURE_CLUSTERS; i++)
		assert_true(shown[i]);
	free(r);
}

/* A rare class has its place beside a frequent one. */
static void classes_share_the_places(void **state)
{
	struct sen_record *r = calloc(RECORDS, sizeof(*r));
	size_t chosen[10], scans = 0;
	long n;

	(void)state;
	for (unsigned int i = 0; i < RECORDS; i++)
		r[i] = make(i, i % FIXTURE_CLUSTERS, SEN_ONE + i,
			    i < 9 ? SEN_CLASS_SCAN : SEN_CLASS_NONE);
	n = sen_review_choose(r, RECORDS, 10, chosen);
	assert_in_range(n, 9, 10);
	for (long i = 0; i < n; i++)
		scans += chosen[i] < 9;
	assert_in_range(scans, 4, 6);
	for (long i = 1; i < n; i++)
		assert_true(r[chosen[i - 1]].sample.score <= r[chosen[i]].sample.score);
	free(r);
}

static void fewer_than_wanted(void **state)
{
	struct sen_record r = make(1, 1, SEN_ONE, SEN_CLASS_NONE);
	size_t chosen[5];

	(void)state;
	assert_int_equal(sen_review_choose(&r, 0, 5, chosen), 0);
	assert_int_equal(sen_review_choose(&r, 1, 5, chosen), 1);
	assert_int_equal(chosen[0], 0);
	assert_int_equal(sen_review_choose(&r, 1, 0, chosen), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_uncertain_of_one_kind),
		cmocka_unit_test(one_of_every_kind),
		cmocka_unit_test(classes_share_the_places),
		cmocka_unit_test(fewer_than_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
