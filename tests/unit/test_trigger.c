// SPDX-License-Identifier: BSD-2-Clause
/* When trainings are due. */
#include <string.h>

#include "fixture.h"
#include "trigger.h"

static const struct sen_trigger_settings settings = {
	.samples = 100, .uploads = 10, .min_ms = 60000, .max_ms = 900000, .full_ms = 86400000
};

static bool due_at(const struct sen_trigger *t, int64_t ms, bool full, const char *why)
{
	struct sen_due due = { 0 };

	return sen_trigger_due(t, &settings, ms, &due) && due.full == full && !strcmp(due.why, why);
}

static bool quiet_at(const struct sen_trigger *t, int64_t ms)
{
	struct sen_due due;

	return !sen_trigger_due(t, &settings, ms, &due);
}

static void time_needs_no_samples(void **state)
{
	struct sen_trigger t = { 0 };

	(void)state;
	assert_true(quiet_at(&t, 899999));
	assert_true(due_at(&t, 900000, false, "time is up"));
	assert_int_equal(sen_trigger_left(&t, &settings, 400000), 500000);
	assert_int_equal(sen_trigger_left(&t, &settings, 1000000), 0);
	sen_trigger_begin(&t, false, 900000);
	assert_true(quiet_at(&t, 1799999));
	assert_true(due_at(&t, 1800000, false, "time is up"));
}

/* A model of a short baseline is made anew soon, one of much traffic seldom. */
static void what_is_known_has_doubled(void **state)
{
	struct sen_trigger t = { .known = 1000 };

	(void)state;
	sen_trigger_begin(&t, true, 0);
	t.known = 1999;
	assert_true(quiet_at(&t, 60000));
	t.known = 2000;
	assert_true(quiet_at(&t, 59999));
	assert_true(due_at(&t, 60000, true, "twice the samples of the last training from scratch"));
	sen_trigger_begin(&t, false, 60000); /* an update is no answer to it */
	assert_true(
		due_at(&t, 120000, true, "twice the samples of the last training from scratch"));
	sen_trigger_begin(&t, true, 120000);
	t.known = 3999;
	assert_true(quiet_at(&t, 200000));
}

static void samples_wait_for_the_least_interval(void **state)
{
	struct sen_trigger t = { .samples = 99 };

	(void)state;
	assert_true(quiet_at(&t, 60000));
	t.samples = 5000;
	assert_true(quiet_at(&t, 59999));
	assert_true(due_at(&t, 60000, false, "enough new samples"));
	sen_trigger_begin(&t, false, 60000);
	assert_true(quiet_at(&t, 200000));
}

static void the_schedule_asks_for_all(void **state)
{
	struct sen_trigger t = { .last_ms = 86399000, .samples = 500 };

	(void)state;
	assert_true(quiet_at(&t, 86400000)); /* one has just begun */
	assert_true(due_at(&t, 86459000, true, "schedule"));
	sen_trigger_begin(&t, true, 86459000);
	assert_true(quiet_at(&t, 86459000 + 60000));
}

static void uploads_and_drift(void **state)
{
	struct sen_trigger t = { .uploads = 9 };

	(void)state;
	assert_true(quiet_at(&t, 60000));
	t.uploads = 10;
	assert_true(due_at(&t, 60000, true, "enough unique uploads"));
	t.drift = "drift";
	assert_true(due_at(&t, 60000, true, "drift"));
	assert_true(quiet_at(&t, 1000));
}

static void an_operator_does_not_wait(void **state)
{
	struct sen_trigger t = { 0 };

	(void)state;
	sen_trigger_ask(&t, false);
	assert_true(due_at(&t, 1, false, "an operator's word"));
	sen_trigger_begin(&t, false, 1);
	assert_true(quiet_at(&t, 2));
}

static void a_full_one_absorbs_an_update(void **state)
{
	struct sen_trigger t = { .samples = 500 };

	(void)state;
	sen_trigger_ask(&t, false);
	sen_trigger_ask(&t, true);
	sen_trigger_ask(&t, false);
	sen_trigger_ask(&t, true);
	assert_true(due_at(&t, 1, true, "an operator's word"));
	sen_trigger_begin(&t, true, 1);
	assert_true(quiet_at(&t, 100000)); /* all four, and the samples, in one */
	/* An update does not answer for a full one. */
	sen_trigger_ask(&t, true);
	sen_trigger_begin(&t, false, 100000);
	assert_true(due_at(&t, 100001, true, "an operator's word"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_needs_no_samples),
		cmocka_unit_test(what_is_known_has_doubled),
		cmocka_unit_test(samples_wait_for_the_least_interval),
		cmocka_unit_test(the_schedule_asks_for_all),
		cmocka_unit_test(uploads_and_drift),
		cmocka_unit_test(an_operator_does_not_wait),
		cmocka_unit_test(a_full_one_absorbs_an_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
