// SPDX-License-Identifier: BSD-2-Clause
/* Bytes that are not UTF-8 become U+FFFD, all others stay. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "utf8.h"

#define BAD "\xef\xbf\xbd"

static void check(const char *text, const char *wanted)
{
	char *mended = sen_utf8_mended(text);

	assert_string_equal(mended, wanted);
	free(mended);
}

static void utf8_stays(void **state)
{
	static const char *const texts[] = { "", "scan \t\n", "\xc2\x80 \xc3\xa9 \xdf\xbf",
					     "\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
					     "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf" };

	(void)state;
	assert_null(sen_utf8_mended(NULL));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(texts[i], texts[i]);
}

static void what_is_none_is_replaced(void **state)
{
	(void)state;
	check("Web Attack \x96 XSS", "Web Attack " BAD " XSS");
	check("\xff", BAD);
	/* Cut off, at the end and before another. */
	check("a\xe2\x82", "a" BAD BAD);
	check("\xc3(", BAD "(");
	check("\xf0\x90\x80z", BAD BAD BAD "z");
	/* In more bytes than it takes; surrogates; past the last character. */
	check("\xc0\xaf", BAD BAD);
	check("\xe0\x9f\xbf", BAD BAD BAD);
	check("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD);
	check("\xed\xa0\x80", BAD BAD BAD);
	check("\xf4\x90\x80\x80", BAD BAD BAD BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_stays),
		cmocka_unit_test(what_is_none_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
