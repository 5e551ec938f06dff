// SPDX-License-Identifier: BSD-2-Clause
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

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

static void a_link_is_written_through(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "file"), *text;
	char *link = fixture_path(folder, "link"), target[8];
	size_t len;

	(void)state;
	assert_int_equal(sen_write_atomic(path, "old", 3, NULL), 0);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(sen_check_writable(link, NULL), 0);
	assert_int_equal(sen_write_atomic(link, "new", 3, NULL), 0);
	assert_int_equal(readlink(link, target, sizeof(target)), 4);
	assert_int_equal(sen_read_file(path, 100, &text, &len, NULL), 0);
	assert_string_equal(text, "new");
	free(text);
	free(link);
	free(path);
	fixture_remove(folder);
}

static void what_cannot_be_written_is_found_before(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "none/file");

	(void)state;
	assert_int_equal(sen_check_writable(path, NULL), -ENOENT);
	assert_int_equal(sen_check_writable(folder, NULL), -EISDIR);
	assert_int_equal(sen_check_writable("/dev/null", NULL), -EINVAL);
	free(path);
	path = fixture_path(folder, "file");
	assert_int_equal(sen_check_writable(path, NULL), 0);
	/* And nothing is left of the attempt. */
	assert_int_equal(rmdir(folder), 0);
	free(path);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_append_whole_lines),
		cmocka_unit_test(digests_can_be_cancelled),
		cmocka_unit_test(a_link_is_written_through),
		cmocka_unit_test(what_cannot_be_written_is_found_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
