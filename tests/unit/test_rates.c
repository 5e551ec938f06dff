// SPDX-License-Identifier: BSD-2-Clause
/* Two reads of counters and flows become rates, and the flows that matter most come first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rates.h"

#define ENTRIES 8

static void read_flow(struct sen_rates *r, uint32_t entry, uint64_t began, uint32_t packets,
		      uint32_t score)
{
	struct sen_flow flow = { .first_ns = began,
				 .packets = { packets - packets / 3, packets / 3 },
				 .score = score,
				 .flags = score >= SEN_ONE ? SEN_FLOW_FLAGGED : 0 };

	sen_rates_flow(r, entry, &flow);
}

static void begin(struct sen_rates *r, uint64_t packets, uint64_t drops, int64_t now_ms)
{
	struct sen_stats stats = { .packets = packets, .drop = drops };

	sen_rates_begin(r, &stats, now_ms);
}

static void expect(const struct sen_rates *r, size_t row, uint64_t began, uint64_t packets)
{
	assert_true(row < r->n);
	assert_int_equal(r->rows[row].flow.first_ns, began);
	assert_int_equal(r->rows[row].packets, packets);
}

static void counters_by_their_change(void **state)
{
	struct sen_rates *r = sen_rates_new(ENTRIES, 4);

	(void)state;
	begin(r, 1000, 5, 10000);
	begin(r, 1500, 5, 12500);
	assert_true(r->seconds == 2.5);
	assert_int_equal(r->change.packets, 500);
	assert_int_equal(r->change.drop, 0);
	sen_rates_free(r);
}

static void flows_by_what_came_in_between(void **state)
{
	struct sen_rates *r = sen_rates_new(ENTRIES, 4);

	(void)state;
	begin(r, 0, 0, 0);
	read_flow(r, 0, 1, 100, 0);
	read_flow(r, 1, 2, 100, 0);
	read_flow(r, 2, 3, 100, 0);
	read_flow(r, 3, 4, 0xfffffff0u, 0);
	begin(r, 0, 0, 1000);
	read_flow(r, 0, 1, 100, 0); /* at rest */
	read_flow(r, 1, 2, 130, 0);
	read_flow(r, 2, 9, 7, 0);    /* another flow in its entry */
	read_flow(r, 3, 4, 0x10, 0); /* its counter has come round */
	assert_int_equal(r->n, 3);
	expect(r, 0, 4, 32);
	expect(r, 1, 2, 30);
	expect(r, 2, 9, 7);
	sen_rates_free(r);
}

static void flagged_ones_first(void **state)
{
	struct sen_rates *r = sen_rates_new(ENTRIES, 3);

	(void)state;
	begin(r, 0, 0, 0);
	begin(r, 0, 0, 1000);
	read_flow(r, 0, 1, 5000, SEN_ONE / 2);
	read_flow(r, 1, 2, 6000, 0);
	read_flow(r, 2, 3, 1, 2 * SEN_ONE);
	read_flow(r, 3, 4, 1, 3 * SEN_ONE);
	read_flow(r, 4, 5, 7, 2 * SEN_ONE);
	read_flow(r, 5, 6, 9000, 0);
	assert_int_equal(r->n, 3);
	expect(r, 0, 4, 1);
	expect(r, 1, 5, 7);
	expect(r, 2, 3, 1);
	begin(r, 0, 0, 2000);
	read_flow(r, 2, 3, 1, 2 * SEN_ONE); /* flagged, but silent */
	read_flow(r, 1, 2, 6001, 0);
	assert_int_equal(r->n, 1);
	expect(r, 0, 2, 1);
	sen_rates_free(r);
}

static void numbers_beyond_the_table_are_passed_over(void **state)
{
	struct sen_rates *r = sen_rates_new(ENTRIES, 3);

	(void)state;
	begin(r, 0, 0, 0);
	read_flow(r, ENTRIES, 1, 5, 0);
	assert_int_equal(r->n, 0);
	sen_rates_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_by_their_change),
		cmocka_unit_test(flows_by_what_came_in_between),
		cmocka_unit_test(flagged_ones_first),
		cmocka_unit_test(numbers_beyond_the_table_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
