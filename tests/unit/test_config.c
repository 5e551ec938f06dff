// SPDX-License-Identifier: BSD-2-Clause
/* Every bad line is reported with its number, and a bad file changes nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "fixture.h"
#include "log.h"

struct errors {
	unsigned int count;
	unsigned int lines[16];
	char last[256];
};

static void on_error(void *ctx, const char *file, unsigned int line, const char *what)
{
	struct errors *e = ctx;

	assert_string_equal(file, "test.conf");
	assert_true(e->count < 16);
	e->lines[e->count++] = line;
	snprintf(e->last, sizeof(e->last), "%s", what);
}

static int read_text(struct sen_config *config, const char *text, struct errors *errors)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	int err;

	memset(errors, 0, sizeof(*errors));
	assert_non_null(in);
	err = sen_config_read(config, in, "test.conf", on_error, errors);
	fclose(in);
	return err;
}

static void options_are_set(void **state)
{
	struct sen_config c = sen_config_defaults;
	struct errors errors;

	(void)state;
	assert_int_equal(read_text(&c,
				   "# comment\n\n[agent]\nlisten = [::1]:1 ; why not\n"
				   "log_level=debug\n[learn]\nmargin = 0.5\nsamples: 200\n"
				   "[attach]\npolicy = enforce\negress = yes\nflows = 5000",
				   &errors),
			 0);
	assert_string_equal(c.listen, "[::1]:1");
	assert_int_equal(c.log_level, SEN_LOG_DEBUG);
	assert_true(c.learn_margin == 0.5);
	assert_int_equal(c.learn_samples, 200);
	assert_int_equal(c.policy, 2);
	assert_int_equal(c.attach_egress, 1);
	assert_int_equal(c.attach_flows, 5000);
	assert_int_equal(c.baseline_seconds, sen_config_defaults.baseline_seconds);
}

/* The line has room for some; more go on lines of their own. */
static void allow_lines_add_up(void **state)
{
	static struct sen_config c;
	struct errors errors;

	(void)state;
	c = sen_config_defaults;
	assert_int_equal(
		read_text(&c, "[attach]\nallow = 10.0.0.1, 2001:db8::/32\nallow = 192.0.2.0/24\n",
			  &errors),
		0);
	assert_int_equal(c.allow.count, 3);
	assert_int_equal(read_text(&c, "[attach]\nallow = 10.0.0.9\nallow = 10.0.0.1/8\n", &errors),
			 -EINVAL);
	assert_int_equal(errors.lines[0], 3);
	assert_int_equal(c.allow.count, 3);
}

static void every_bad_line_is_told(void **state)
{
	static const unsigned int expected[] = { 1, 3, 4, 5, 6, 8, 9, 10, 12 };
	struct sen_config c = sen_config_defaults;
	struct errors errors;

	(void)state;
	assert_int_equal(read_text(&c,
				   "stray = 1\n"
				   "[learn]\n"
				   "samples = 99\n"   /* below its range */
				   "interval = 1.5\n" /* no whole number */
				   "margin = nan\n"   /* no number to compare */
				   "not an option\n"
				   "full_interval = 60\n"
				   "full_interval = 61\n" /* twice */
				   "nonsense = 1\n"
				   "[attach\n"
				   "[attach]\n"
				   "mode = quick\n",
				   &errors),
			 -EINVAL);
	assert_int_equal(errors.count, sizeof(expected) / sizeof(expected[0]));
	assert_memory_equal(errors.lines, expected, sizeof(expected));
	assert_non_null(strstr(errors.last, "auto or native or skb"));
	assert_memory_equal(&c, &sen_config_defaults, sizeof(c));
}

static void long_lines_are_refused(void **state)
{
	struct sen_config c = sen_config_defaults;
	struct errors errors;
	char text[1200];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "[agent]\nlisten = ", 17);
	strcpy(text + 1000, "\nlog_level = loud\n");
	assert_int_equal(read_text(&c, text, &errors), -EINVAL);
	assert_int_equal(errors.lines[0], 2);
	assert_int_equal(errors.lines[errors.count - 1], 3);
	assert_memory_equal(&c, &sen_config_defaults, sizeof(c));
}

static void missing_file(void **state)
{
	struct sen_config c = sen_config_defaults;

	(void)state;
	assert_int_equal(sen_config_load(&c, "/nonexistent/sentroid.conf", NULL, NULL), -ENOENT);
}

static char *print_defaults(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	sen_config_print(out, &sen_config_defaults);
	fclose(out);
	return text;
}

/* With the comment signs taken off, the example sets every option to its default. */
static void example_is_true(void **state)
{
	struct sen_config c;
	struct errors errors;
	char *text = print_defaults(), *from, *to;

	(void)state;
	memset(&c, 0xff, sizeof(c));
	memset(c.listen, 0, sizeof(c.listen));
	memset(c.state_dir, 0, sizeof(c.state_dir));
	memset(&c.allow, 0, sizeof(c.allow)); /* lines only add to it */
	for (from = to = text; *from; from++)
		if (*from != '#' || from[1] == ' ')
			*to++ = *from;
	*to = 0;
	assert_int_equal(read_text(&c, text, &errors), 0);
	assert_string_equal(c.listen, sen_config_defaults.listen);
	assert_string_equal(c.state_dir, sen_config_defaults.state_dir);
	assert_memory_equal(&c.log_level, &sen_config_defaults.log_level,
			    (char *)(&c.label_low_mark) - (char *)&c.log_level - 4);
	assert_true(c.drift_psi == sen_config_defaults.drift_psi);
	assert_int_equal(c.alerts_novelty_window, sen_config_defaults.alerts_novelty_window);
	assert_true(c.alerts_novelty_score == sen_config_defaults.alerts_novelty_score);
	free(text);
}

/* The packaged example is that very text. Tests run from the top of the tree. */
static void packaged_example_is_current(void **state)
{
	FILE *in = fopen("packaging/sentroid.conf", "r");
	char *expected = print_defaults(), *text = calloc(1, strlen(expected) + 2);

	(void)state;
	if (!in) {
		free(text);
		free(expected);
		skip();
	}
	assert_int_equal(fread(text, 1, strlen(expected) + 1, in), strlen(expected));
	assert_string_equal(text, expected);
	fclose(in);
	free(text);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_set),
		cmocka_unit_test(allow_lines_add_up),
		cmocka_unit_test(every_bad_line_is_told),
		cmocka_unit_test(long_lines_are_refused),
		cmocka_unit_test(missing_file),
		cmocka_unit_test(example_is_true),
		cmocka_unit_test(packaged_example_is_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
