// SPDX-License-Identifier: BSD-2-Clause
/* What a canary makes of its counts: the decision by itself. */
#include <string.h>

#include "canary.h"
#include "fixture.h"

/* A canary of a thousand evaluations: so many that only one of the two flags, all scores in two bins. */
static enum sen_canary_state decide(struct sen_canary *c, uint64_t only_active,
				    uint64_t only_shadow, uint64_t both)
{
	const struct sen_canary_settings settings = {
		.evaluations = 1000, .max_extra = 0.02, .min_agreement = 0.97, .max_shift = 4
	};
	const struct sen_stats stats = { .shadow_evaluations = 1000,
					 .shadow_only_active = only_active,
					 .shadow_only_shadow = only_shadow };
	struct sen_score_hist scores = { 0 };

	scores.bin[SEN_SLOT_ACTIVE][40] = only_active + both;
	scores.bin[SEN_SLOT_ACTIVE][28] = 1000 - only_active - both;
	scores.bin[SEN_SLOT_SHADOW][40] = only_shadow + both;
	scores.bin[SEN_SLOT_SHADOW][28] = 1000 - only_shadow - both;
	return sen_canary_check(c, &settings, &stats, &scores, 1);
}

static struct sen_canary canary(void)
{
	const struct sen_score_hist none = { 0 };
	struct sen_canary c;

	sen_canary_begin(&c, &(struct sen_stats){ 0 }, &none, 0);
	return c;
}

/* It flags no more than it may, but seldom the same. */
static void too_little_agreement_is_refused(void **state)
{
	struct sen_canary c = canary();

	(void)state;
	assert_int_equal(decide(&c, 15, 14, 1), SEN_CANARY_PASSED);
	assert_int_equal(decide(&c, 16, 15, 1), SEN_CANARY_FAILED);
	assert_non_null(strstr(c.reason, "agrees on 96.90%"));
	/* Where the one in force flags too much, that is what it is to differ in. */
	assert_int_equal(decide(&c, 80, 15, 1), SEN_CANARY_PASSED);
}

/* One sample of an attack is no excuse for whatever else it flags. */
static void one_explained_sample_excuses_nothing(void **state)
{
	struct sen_canary c = canary();

	(void)state;
	for (int i = 0; i < 19; i++)
		sen_canary_sample(&c, false, true, true, true);
	assert_int_equal(decide(&c, 0, 50, 0), SEN_CANARY_FAILED);
	sen_canary_sample(&c, false, true, true, true);
	assert_int_equal(decide(&c, 0, 50, 0), SEN_CANARY_PASSED);
	for (int i = 0; i < 20; i++)
		sen_canary_sample(&c, false, true, false, false);
	assert_int_equal(decide(&c, 0, 50, 0), SEN_CANARY_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_little_agreement_is_refused),
		cmocka_unit_test(one_explained_sample_excuses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
