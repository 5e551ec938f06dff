// SPDX-License-Identifier: BSD-2-Clause
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "fsutil.h"

static void files_append_whole_lines(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "log"), *text, hex[65];
	struct rlimit old, small;
	size_t len;

	(void)state;
	assert_int_equal(sen_append_line(path, "first", NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 9;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(sen_append_line(path, "second", NULL), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(sen_append_line(path, "third", NULL), 0);
	assert_int_equal(sen_read_file(path, 100, &text, &len, NULL), 0);
	assert_string_equal(text, "first\nthird\n");
	assert_int_equal(sen_read_file(path, 11, &text, &len, NULL), -EFBIG);
	free(text);
	assert_int_equal(sen_sha256_hex("abc", 3, hex), 0);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sen_make_dirs(path, NULL), -ENOTDIR);
	assert_int_equal(sen_make_dirs(folder, NULL), 0);
	free(path);
	fixture_remove(folder);
}

static void digests_can_be_cancelled(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "abc"), hex[65];
	atomic_bool cancel = false;

	(void)state;
	assert_int_equal(sen_write_atomic(path, "abc", 3, NULL), 0);
	assert_int_equal(sen_sha256_file(path, &cancel, hex, NULL), 0);
	assert_memory_equal(hex, "ba7816bf", 8);
	cancel = true;
	assert_int_equal(sen_sha256_file(path, &cancel, hex, NULL), -ECANCELED);
	free(path);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_append_whole_lines),
		cmocka_unit_test(digests_can_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
