// SPDX-License-Identifier: BSD-2-Clause
/* Deadlines of 16 bits: what is over stays over, for as long as the agent runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "deadlines.h"

#define UNITS_A_S (SEN_TICKS_PER_SEC / (1u << SEN_DEADLINE_SHIFT))
#define ROUND     (SEN_DEADLINES_ROUND_S * UNITS_A_S)
#define LIFE      (64 * UNITS_A_S)

static void what_is_over_stays_over(void **state)
{
	struct sen_set set = { .tag = { 1 }, .deadline = { LIFE } };
	uint64_t refreshed = 0;

	(void)state;
	assert_int_equal(sen_deadlines_alive(&set, 1, 0), 1);
	for (uint32_t now = LIFE; now < 8 * 65536; now++) {
		if (now % ROUND == 0)
			refreshed += sen_deadlines_refresh(&set, 1, now);
		assert_int_equal(sen_deadlines_alive(&set, 1, now), 0);
	}
	assert_true(refreshed > 8);
}

/* What the packet path would see without an agent, and what its comparison makes of that. */
static void without_it_they_come_round(void **state)
{
	struct sen_set set = { .tag = { 1 }, .deadline = { LIFE } };
	uint32_t wrong = 0;

	(void)state;
	for (uint32_t now = LIFE; now < LIFE + 65536; now++)
		wrong += sen_deadlines_alive(&set, 1, now);
	assert_in_range(wrong, 1, (SEN_LIFE_MAX >> SEN_DEADLINE_SHIFT) + 1);
}

static void the_living_and_the_free_are_left_alone(void **state)
{
	struct sen_set set = { .tag = { 1, 1, 1, 0 },
			       .deadline = { 1, SEN_LIFE_MAX >> SEN_DEADLINE_SHIFT, 65535,
					     30000 } };
	const struct sen_set before = set;

	(void)state;
	assert_int_equal(sen_deadlines_refresh(&set, 1, 0), 0);
	assert_memory_equal(&set, &before, sizeof(set));
	assert_int_equal(sen_deadlines_alive(&set, 1, 0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_over_stays_over),
		cmocka_unit_test(without_it_they_come_round),
		cmocka_unit_test(the_living_and_the_free_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
