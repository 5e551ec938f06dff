// SPDX-License-Identifier: BSD-2-Clause
/* alerts.jsonl is read while it grows, through its being put away, and afterwards. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "alert_log.h"

struct seen {
	char text[256];
};

static int see(void *ctx, const char *line)
{
	struct seen *seen = ctx;
	size_t at = strlen(seen->text);

	snprintf(seen->text + at, sizeof(seen->text) - at, "%s,", line);
	return 0;
}

static void append(const char *path, const char *text)
{
	FILE *f = fopen(path, "ae");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect(struct sen_alert_log *log, const char *wanted)
{
	struct seen seen = { "" };

	assert_int_equal(sen_alert_log_read(log, see, &seen), 0);
	assert_string_equal(seen.text, wanted);
}

static void whole_lines_as_they_come(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "alerts.jsonl");
	struct sen_alert_log *log = sen_alert_log_new(folder);

	(void)state;
	expect(log, "");
	append(path, "a\nb");
	expect(log, "a,");
	expect(log, "");
	append(path, "c\nd\n");
	expect(log, "bc,d,");
	sen_alert_log_free(log);
	free(path);
	fixture_remove(folder);
}

static void a_file_that_is_put_away_is_read_to_its_end(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "alerts.jsonl");
	char *old = fixture_path(folder, "alerts.jsonl.1");
	struct sen_alert_log *log = sen_alert_log_new(folder);

	(void)state;
	append(path, "a\n");
	expect(log, "a,");
	assert_int_equal(rename(path, old), 0);
	append(old, "b\n"); /* the agent has not been told yet */
	expect(log, "b,");
	append(old, "c\n");
	append(path, "d\n");
	expect(log, "c,d,");
	assert_int_equal(truncate(path, 0), 0);
	expect(log, "");
	append(path, "e\n");
	expect(log, "e,");
	sen_alert_log_free(log);
	free(old);
	free(path);
	fixture_remove(folder);
}

static void pack(const char *path, const char *text)
{
	gzFile f = gzopen(path, "we");

	assert_non_null(f);
	assert_true(gzputs(f, text) > 0);
	assert_int_equal(gzclose(f), Z_OK);
}

static void set_time(const char *path, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void older_files_are_found_by_their_time(void **state)
{
	static const char *const names[] = { "alerts.jsonl", "alerts.jsonl-20261101.gz",
					     "alerts.jsonl.1", "alerts.jsonl.2.gz",
					     "alerts.jsonlx" };
	char *folder = fixture_folder(), *path[5];
	struct seen seen = { "" };
	struct sen_why why = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		path[i] = fixture_path(folder, names[i]);
	append(path[0], "new\n");
	pack(path[1], "a\n");
	append(path[2], "b\nend");
	pack(path[3], "long ago\n");
	append(path[4], "another\n");
	set_time(path[3], 1000);
	assert_int_equal(sen_alert_log_read_older(folder, 1001, see, &seen, &why), 0);
	assert_string_equal(seen.text, "a,b,end,");

	/* What is damaged does not hide the others. */
	assert_int_equal(truncate(path[1], 12), 0);
	seen.text[0] = '\0';
	assert_int_equal(sen_alert_log_read_older(folder, 1001, see, &seen, &why), -EIO);
	assert_non_null(strstr(why.text, names[1]));
	assert_non_null(strstr(seen.text, "b,end,"));
	for (int i = 0; i < 5; i++)
		free(path[i]);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lines_as_they_come),
		cmocka_unit_test(a_file_that_is_put_away_is_read_to_its_end),
		cmocka_unit_test(older_files_are_found_by_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
