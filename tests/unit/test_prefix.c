// SPDX-License-Identifier: BSD-2-Clause
/* Prefixes are read as people write them, and what is none is refused whole. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "prefix.h"

static void prefixes_are_read_and_written(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "192.0.2.7/32", "192.0.2.7" },
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "128.0.0.0/1", "128.0.0.0/1" },
		{ "2001:DB8::/32", "2001:db8::/32" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "fe80::/10", "fe80::/10" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
		{ "::1/128", "::1" },
	};
	char text[SEN_PREFIX_TEXT];
	struct sen_prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(sen_prefix_parse(cases[i].in, &p, NULL), 0);
		sen_prefix_text(&p, text);
		assert_string_equal(text, cases[i].out);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"10",
		"10.0.0",
		"10.0.0.256",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"10.0.0.0/ 8",
		"10.0.0.1/8",
		"0.0.0.0/0",
		"::/0",
		"::/129",
		"2001:db8::1/32",
		"::ffff:0.0.0.0/96",
		"host.example",
		"10.0.0.0/8/8",
		"/8",
		"10.0.0.0/99999999999999999999",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
	};
	struct sen_prefix p;

	(void)state;
	memset(&p, 0x55, sizeof(p));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct sen_why why = { 0 };

		if (sen_prefix_parse(bad[i], &p, &why) != -EINVAL)
			fail_msg("%s is taken", bad[i]);
		assert_non_null(strstr(why.text, bad[i]));
	}
	assert_int_equal(p.bits, 0x55);
}

static void the_network_is_named(void **state)
{
	struct sen_why why = { 0 };
	struct sen_prefix p;

	(void)state;
	assert_int_equal(sen_prefix_parse("10.1.2.3/8", &p, &why), -EINVAL);
	assert_string_equal(why.text, "prefix: 10.1.2.3/8: the network is 10.0.0.0/8");
}

static void a_line_adds_all_or_nothing(void **state)
{
	static struct sen_prefixes list;

	(void)state;
	assert_int_equal(sen_prefixes_parse("10.0.0.1, 10.0.0.2 ,2001:db8::/32", &list, NULL), 0);
	assert_int_equal(list.count, 3);
	assert_int_equal(sen_prefixes_parse("10.0.0.2,10.0.0.1/32", &list, NULL), 0);
	assert_int_equal(list.count, 3);
	assert_int_equal(sen_prefixes_parse("10.0.0.9,nonsense", &list, NULL), -EINVAL);
	assert_int_equal(sen_prefixes_parse("10.0.0.9,", &list, NULL), -EINVAL);
	assert_int_equal(sen_prefixes_parse("10.0.0.9 10.0.0.8", &list, NULL), -EINVAL);
	assert_int_equal(list.count, 3);
}

static void a_full_list_takes_no_more(void **state)
{
	static struct sen_prefixes list;
	char text[32];

	(void)state;
	for (unsigned int n = 0; n < SEN_ALLOW_MAX; n++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", n / 256, n % 256);
		assert_int_equal(sen_prefixes_parse(text, &list, NULL), 0);
	}
	assert_int_equal(sen_prefixes_parse("10.0.0.7", &list, NULL), 0);
	assert_int_equal(sen_prefixes_parse("192.0.2.1", &list, NULL), -ENOSPC);
	assert_int_equal(list.count, SEN_ALLOW_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_read_and_written),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(the_network_is_named),
		cmocka_unit_test(a_line_adds_all_or_nothing),
		cmocka_unit_test(a_full_list_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
