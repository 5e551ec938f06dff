// SPDX-License-Identifier: BSD-2-Clause
/* The sample store: its bounds, what it keeps, and what it survives. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "record.h"

#define DAY_MS 86400000ll

static void bounded_by_count(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_store_counts c;

	(void)state;
	record_add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	record_add(s, 0, 5000, SEN_LABEL_NONE, SEN_CLASS_NONE);
	for (unsigned int class_id = 2; class_id < 12; class_id++)
		record_add(s, 0, 500, SEN_LABEL_ATTACK, class_id);
	c = sen_store_counts(s);
	assert_int_equal(c.fresh, 200);
	assert_int_equal(c.unlabelled, 100);
	assert_int_equal(c.attack, 10 * 50);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	record_add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	record_add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	record_add(s, 0, 1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_counts(s).past, 400);
	sen_store_close(s);
}

static void bounded_by_age(void **state)
{
	struct sen_store *s = record_store(NULL);

	(void)state;
	record_add(s, 0, 100, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_flush(s, 30 * DAY_MS, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 100);
	assert_int_equal(sen_store_flush(s, 30 * DAY_MS + 60000, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 0);
	sen_store_close(s);
}

static void add_at(struct sen_store *s, unsigned int n, int64_t time_ms)
{
	for (unsigned int i = 0; i < n; i++) {
		struct sen_record r = record_make(i, SEN_LABEL_BENIGN, SEN_CLASS_NONE);

		r.sample.time_ns = (uint64_t)time_ms * 1000000;
		sen_store_add(s, &r);
	}
}

static void bounded_by_age_after_the_clock_was_ahead(void **state)
{
	struct sen_store *s = record_store(NULL);

	(void)state;
	assert_int_equal(sen_store_flush(s, 900 * DAY_MS, NULL), 0);
	add_at(s, 100, DAY_MS);
	assert_int_equal(sen_store_flush(s, 40 * DAY_MS, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 0);
	sen_store_close(s);
}

/* They hide none behind them. A clock that is wrong for a while costs nothing, and they go in the end. */
static void samples_from_the_future_go_too(void **state)
{
	const struct sen_store_limits roomy = { .samples = 20000, .days = 30 };
	int64_t now_ms = 40 * DAY_MS;
	struct sen_store *s = NULL;

	(void)state;
	assert_int_equal(sen_store_open(NULL, &roomy, NULL, &s, NULL), 0);
	add_at(s, 2100, 900 * DAY_MS);
	add_at(s, 100, DAY_MS);
	add_at(s, 10, now_ms);
	assert_int_equal(sen_store_flush(s, now_ms, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 2110);
	for (unsigned int minute = 1; minute < 60; minute++)
		assert_int_equal(sen_store_flush(s, now_ms + minute * 60000, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 2110);
	for (unsigned int minute = 60; minute < 63; minute++)
		assert_int_equal(sen_store_flush(s, now_ms + minute * 60000, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 10);
	sen_store_close(s);
}

static void kept_across_a_restart(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = record_store(path);

	(void)state;
	record_add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	record_add(s, 0, 30, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	sen_store_close(s);
	s = record_store(path);
	assert_int_equal(sen_store_counts(s).past, 200);
	assert_int_equal(sen_store_counts(s).attack, 30);
	assert_int_equal(sen_store_counts(s).fresh, 0);
	/* Still within its bounds. */
	record_add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_counts(s).fresh, 200);
	sen_store_close(s);
	fixture_remove(folder);
	free(path);
}

static void baseline_anew_forgets_what_was_taken_for_normal(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);

	(void)state;
	record_add(s, 0, 50, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	record_add(s, 0, 5, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	r.sample.origin = SEN_ORIGIN_OPERATOR;
	sen_store_add(s, &r);
	assert_int_equal(sen_store_flush(s, 1, NULL), 0);
	assert_int_equal(sen_store_forget_normal(s, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 1);
	assert_int_equal(sen_store_counts(s).attack, 5);
	sen_store_close(s);
}

/* Writes until it is killed; says after each flush how many are safe. */
static void write_without_end(const char *path, int pipe)
{
	struct sen_store *s = record_store(path);

	for (unsigned int i = 0;; i++) {
		struct sen_record r = record_make(i, SEN_LABEL_ATTACK, 2 + i % 8);

		sen_store_add(s, &r);
		if (i % 3)
			continue;
		if (sen_store_flush(s, i, NULL) || write(pipe, &i, sizeof(i)) != sizeof(i))
			_exit(1);
		if (i % 7 == 0 && sen_store_settle(s, NULL))
			_exit(1);
	}
}

static void check_integrity(const char *path)
{
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(q, 0), "ok");
	sqlite3_finalize(q);
	sqlite3_close(db);
}

static unsigned int kill_a_writer(const char *path, unsigned int delay_us)
{
	unsigned int last = 0, flushed;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		write_without_end(path, pipes[1]);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &last, sizeof(last)), sizeof(last));
	usleep(delay_us);
	kill(pid, SIGKILL);
	while (read(pipes[0], &flushed, sizeof(flushed)) == sizeof(flushed))
		last = flushed;
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return last;
}

/* What was flushed is there, and not one bit is bent. */
static void survives_being_killed(void **state)
{
	(void)state;
	for (unsigned int run = 0; run < 25; run++) {
		char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
		unsigned int last = kill_a_writer(path, 700 * run);
		size_t least = last + 1 < 8 * 50 ? last + 1 : 8 * 50;
		struct sen_store *s;
		char moved[320];

		check_integrity(path);
		assert_int_equal(sen_store_open(path, &record_limits, moved, &s, NULL), 0);
		assert_string_equal(moved, "");
		assert_true(sen_store_counts(s).attack >= least);
		sen_store_close(s);
		fixture_remove(folder);
		free(path);
	}
}

static void overwrite(const char *path, off_t at, const char *text)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
	close(fd);
}

static void a_damaged_file_is_moved_aside(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = record_store(path);
	char moved[320];

	(void)state;
	record_add(s, 0, 100, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	sen_store_close(s);
	overwrite(path, 0, "this is not a database at all");
	assert_int_equal(sen_store_open(path, &record_limits, moved, &s, NULL), 0);
	assert_non_null(strstr(moved, "samples.db.damaged-"));
	assert_int_equal(access(moved, F_OK), 0);
	assert_int_equal(sen_store_counts(s).fresh, 0);
	record_add(s, 0, 10, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	sen_store_close(s);
	fixture_remove(folder);
	free(path);
}

static void another_version_is_moved_aside(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = record_store(path);
	char moved[320];
	sqlite3 *db = NULL;

	(void)state;
	sen_store_close(s);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(sen_store_open(path, &record_limits, moved, &s, NULL), 0);
	assert_non_null(strstr(moved, "samples.db.old-"));
	sen_store_close(s);
	fixture_remove(folder);
	free(path);
}

/* Where nothing more can be written, nothing is lost of what was, and later it goes on. */
static void survives_a_full_disk(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = record_store(path);
	struct rlimit before, none = { .rlim_cur = 0 };
	struct sen_why why = { 0 };
	int err;

	(void)state;
	record_add(s, 0, 20, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	for (unsigned int i = 20; i < 60; i++) {
		struct sen_record r = record_make(i, SEN_LABEL_BENIGN, SEN_CLASS_NONE);

		sen_store_add(s, &r);
	}
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	none.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_FSIZE, &none);
	err = sen_store_flush(s, 100, &why);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_true(err == -EIO || err == -ENOSPC);
	assert_true(why.text[0]);
	assert_int_equal(sen_store_counts(s).fresh, 20);
	record_add(s, 60, 5, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_counts(s).fresh, 25);
	sen_store_close(s);
	check_integrity(path);
	fixture_remove(folder);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounded_by_count),
		cmocka_unit_test(bounded_by_age),
		cmocka_unit_test(bounded_by_age_after_the_clock_was_ahead),
		cmocka_unit_test(samples_from_the_future_go_too),
		cmocka_unit_test(kept_across_a_restart),
		cmocka_unit_test(baseline_anew_forgets_what_was_taken_for_normal),
		cmocka_unit_test(survives_being_killed),
		cmocka_unit_test(a_damaged_file_is_moved_aside),
		cmocka_unit_test(another_version_is_moved_aside),
		cmocka_unit_test(survives_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
