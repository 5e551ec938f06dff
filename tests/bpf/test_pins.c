// SPDX-License-Identifier: BSD-2-Clause
/* The folder of pins is one caller's. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane.h"
#include "pins.h"

static int set_root(void **state)
{
	char root[64];

	(void)state;
	snprintf(root, sizeof(root), "/sys/fs/bpf/sentroid-pins-%d", getpid());
	return setenv("SENTROID_BPFFS", root, 1);
}

static int remove_pins(void **state)
{
	(void)state;
	sen_pins_remove("eth0");
	return 0;
}

/* Of two that attach at once the later one must not take the pins of the first for its own. */
static void only_one_makes_it(void **state)
{
	struct sen_why why = { 0 };

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(sen_pins_make("eth0", &why), 0);
	assert_int_equal(sen_pins_make("eth0", &why), -EEXIST);
	assert_non_null(strstr(why.text, "eth0: Sentroid is attached"));
	assert_true(sen_pins_exist("eth0"));
	sen_pins_remove("eth0");
	assert_int_equal(access(sen_pin_root(), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_one_makes_it, set_root, remove_pins),
	};

	return cmocka_run_group_tests_name("pins", tests, NULL, NULL);
}
