// SPDX-License-Identifier: BSD-2-Clause
/* Spans of time as people write them. */
#include "fixture.h"

#include <errno.h>

#include "duration.h"

static void numbers_with_a_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} known[] = {
		{ "0", 0 },     { "90", 90 },    { "90s", 90 },     { "10m", 600 },
		{ "2h", 7200 }, { "1d", 86400 }, { "2w", 1209600 }, { "36500d", 3153600000 },
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		assert_int_equal(sen_duration_parse(known[i].text, &seconds), 0);
		assert_int_equal(seconds, known[i].seconds);
	}
}

static void all_else_is_refused(void **state)
{
	static const char *const none[] = { "",    "m",  "-1m",  "+1m",   " 1m", "1 m",
					    "1mm", "1M", "1.5h", "1h30m", "ten" };
	static const char *const long_ones[] = { "36501d", "99999999999999999999",
						 "18446744073709551615w" };
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(sen_duration_parse(none[i], &seconds), -EINVAL);
	for (size_t i = 0; i < sizeof(long_ones) / sizeof(*long_ones); i++)
		assert_int_equal(sen_duration_parse(long_ones[i], &seconds), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_with_a_unit),
		cmocka_unit_test(all_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
