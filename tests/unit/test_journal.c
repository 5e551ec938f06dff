// SPDX-License-Identifier: BSD-2-Clause
/* Alerts are written down a whole line each, also after a disk was full. */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fsutil.h"
#include "journal.h"

static int entry(int fd, const char *word)
{
	cJSON *o = cJSON_CreateObject();
	int err;

	cJSON_AddStringToObject(o, "event", word);
	err = sen_journal_write(fd, o);
	cJSON_Delete(o);
	return err;
}

static void expect(const char *path, const char *wanted)
{
	size_t len;
	char *text;

	assert_int_equal(sen_read_file(path, 1000, &text, &len, NULL), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void no_line_stays_half(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "alerts.jsonl");
	struct rlimit old, small;
	int fd = sen_journal_open(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(entry(fd, "open"), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 20;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(entry(fd, "close"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(entry(fd, "close"), 0);
	expect(path, "{\"event\":\"open\"}\n{\"event\":\"close\"}\n");
	close(fd);
	free(path);
	fixture_remove(folder);
}

static void what_a_crash_left_is_ended(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "alerts.jsonl");
	int fd;

	(void)state;
	assert_int_equal(sen_write_atomic(path, "{\"ev", 4, NULL), 0);
	for (int i = 0; i < 2; i++) {
		fd = sen_journal_open(path);
		assert_true(fd >= 0);
		assert_int_equal(entry(fd, "open"), 0);
		close(fd);
	}
	expect(path, "{\"ev\n{\"event\":\"open\"}\n{\"event\":\"open\"}\n");
	free(path);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_line_stays_half),
		cmocka_unit_test(what_a_crash_left_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
