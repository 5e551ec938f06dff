// SPDX-License-Identifier: BSD-2-Clause
/* The sample store: its bounds, its fairness, and what it survives. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "record.h"

#define DAY_MS 86400000ll

static const struct sen_store_limits small = { .samples = 800, .days = 30 };

static struct sen_store *open_store(const char *path)
{
	struct sen_store *s = NULL;
	struct sen_why why = { 0 };

	if (sen_store_open(path, &small, NULL, &s, &why))
		fail_msg("%s", why.text);
	return s;
}

static void add(struct sen_store *s, unsigned int from, unsigned int n, enum sen_label label,
		unsigned int class_id)
{
	for (unsigned int i = from; i < from + n; i++) {
		struct sen_record r = record_make(i, label, class_id);

		sen_store_add(s, &r);
		if (i % 1000 == 999)
			assert_int_equal(sen_store_flush(s, i, NULL), 0);
	}
	assert_int_equal(sen_store_flush(s, from + n, NULL), 0);
}

static size_t draw(struct sen_store *s, struct sen_store_wish wish, struct sen_sample *out)
{
	long n = sen_store_draw(s, &wish, out, NULL);

	assert_true(n >= 0);
	return (size_t)n;
}

static int by_time(const void *a, const void *b)
{
	const struct sen_sample *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static void what_goes_in_comes_out(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_sample out[20];
	struct sen_record want;

	(void)state;
	add(s, 0, 5, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	add(s, 5, 5, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 10, .past = 10, .attacks = 10 },
			      out),
			 10);
	qsort(out, 10, sizeof(out[0]), by_time);
	for (unsigned int i = 0; i < 10; i++) {
		want = record_make(i, i < 5 ? SEN_LABEL_BENIGN : SEN_LABEL_ATTACK,
				   i < 5 ? SEN_CLASS_NONE : SEN_CLASS_SCAN);
		assert_memory_equal(&out[i].vector, &want.sample.vector, sizeof(out[i].vector));
		assert_int_equal(out[i].time_ns / 1000000, i);
		assert_int_equal(out[i].score, want.sample.score);
		assert_int_equal(out[i].label, want.sample.label);
		assert_int_equal(out[i].class_id, want.sample.class_id);
		assert_int_equal(out[i].origin, want.sample.origin);
		assert_int_equal(out[i].source, out[0].source);
		assert_true(out[i].source != 0);
	}
	sen_store_close(s);
}

static void bounded_by_count(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_store_counts c;

	(void)state;
	add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	add(s, 0, 5000, SEN_LABEL_NONE, SEN_CLASS_NONE);
	for (unsigned int class_id = 2; class_id < 12; class_id++)
		add(s, 0, 500, SEN_LABEL_ATTACK, class_id);
	c = sen_store_counts(s);
	assert_int_equal(c.fresh, 200);
	assert_int_equal(c.unlabelled, 100);
	assert_int_equal(c.attack, 10 * 50);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	add(s, 0, 1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_counts(s).past, 400);
	sen_store_close(s);
}

static void bounded_by_age(void **state)
{
	struct sen_store *s = open_store(NULL);

	(void)state;
	add(s, 0, 100, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_flush(s, 30 * DAY_MS, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 100);
	assert_int_equal(sen_store_flush(s, 30 * DAY_MS + 60000, NULL), 0);
	assert_int_equal(sen_store_counts(s).fresh, 0);
	sen_store_close(s);
}

static size_t of_class(const struct sen_sample *samples, size_t n, unsigned int class_id)
{
	size_t count = 0;

	while (n-- > 0)
		count += samples[n].class_id == class_id;
	return count;
}

/* A flood of one class leaves the rare one whole. */
static void rare_classes_stay(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_sample out[400];
	size_t n;

	(void)state;
	add(s, 0, 12, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	add(s, 0, 20000, SEN_LABEL_ATTACK, SEN_CLASS_SYN_FLOOD);
	assert_int_equal(sen_store_counts(s).attack, 12 + 50);
	n = draw(s, (struct sen_store_wish){ .attacks = 24 }, out);
	assert_int_equal(n, 24);
	assert_int_equal(of_class(out, n, SEN_CLASS_SCAN), 12);
	sen_store_close(s);
}

/* What attacks teach, and what candidates are judged by, is shared out by the weights of the classes. */
static void classes_are_drawn_by_weight(void **state)
{
	double weights[SEN_CLASS_BUILTIN_COUNT] = {
		[SEN_CLASS_SCAN] = 1, [SEN_CLASS_SYN_FLOOD] = 3
	};
	struct sen_store_wish wish = { .attacks = 40, .weights = weights };
	struct sen_store *s = open_store(NULL);
	struct sen_sample out[400];
	size_t n;

	(void)state;
	add(s, 0, 50, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	add(s, 0, 50, SEN_LABEL_ATTACK, SEN_CLASS_SYN_FLOOD);
	add(s, 0, 50, SEN_LABEL_ATTACK, SEN_CLASS_ARP_SPOOF);
	n = draw(s, wish, out);
	assert_int_equal(n, 40);
	assert_int_equal(of_class(out, n, SEN_CLASS_SCAN), 10);
	assert_int_equal(of_class(out, n, SEN_CLASS_SYN_FLOOD), 30);
	wish.weights = NULL;
	n = draw(s, wish, out);
	assert_int_equal(of_class(out, n, SEN_CLASS_ARP_SPOOF), 14);
	weights[SEN_CLASS_SCAN] = weights[SEN_CLASS_SYN_FLOOD] = 0;
	wish.weights = weights;
	assert_int_equal(draw(s, wish, out), 0);
	sen_store_close(s);
}

/* Every part of the stream has its share, the latest a somewhat larger one. */
static void the_reservoir_is_fair(void **state)
{
	size_t part[4] = { 0 };
	struct sen_sample out[400];

	(void)state;
	for (int run = 0; run < 8; run++) {
		struct sen_store *s = open_store(NULL);
		size_t n;

		add(s, 0, 50 * run, SEN_LABEL_NONE, SEN_CLASS_NONE); /* other dice each time */
		for (unsigned int i = 0; i < 1600; i += 200) {
			add(s, i, 200, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
			assert_int_equal(sen_store_settle(s, NULL), 0);
		}
		add(s, 1600, 1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
		n = draw(s, (struct sen_store_wish){ .past = 400 }, out);
		assert_int_equal(n, 400);
		for (size_t i = 0; i < n; i++)
			part[out[i].time_ns / 1000000 / 400]++;
		sen_store_close(s);
	}
	/* 3,200 over four parts: 800 each but for the fading, e^(-1/8) a part. */
	for (int i = 0; i < 4; i++)
		assert_in_range(part[i], 500, 1150);
	assert_true(part[3] > part[0]);
}

static void nothing_is_fresh_twice(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_sample out[400];

	(void)state;
	add(s, 0, 100, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 200 }, out), 100);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 200 }, out), 0);
	assert_int_equal(draw(s, (struct sen_store_wish){ .past = 200 }, out), 100);
	add(s, 100, 7, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 200 }, out), 7);
	sen_store_close(s);
}

/* A high score alone is no attack to train on, nor one that no model of ours has flagged. */
static void only_certain_attacks_are_drawn(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	struct sen_sample out[400];

	(void)state;
	sen_store_add(s, &r);
	r.sample.score = SEN_ONE / 2;
	sen_store_add(s, &r);
	r.sample.score = 2 * SEN_ONE;
	r.sample.model_version = 0;
	sen_store_add(s, &r);
	r.sample.origin = SEN_ORIGIN_SCORE;
	sen_store_add(s, &r);
	assert_int_equal(sen_store_flush(s, 1, NULL), 0);
	assert_int_equal(sen_store_counts(s).attack, 4);
	assert_int_equal(draw(s, (struct sen_store_wish){ .attacks = 200 }, out), 3);
	assert_int_equal(
		draw(s, (struct sen_store_wish){ .attacks = 200, .least_score = SEN_ONE }, out), 1);
	sen_store_close(s);
}

/* An operator says so because it was missed: a gate must hear of it, and of all that they have said. */
static void operators_attacks_are_drawn_first(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	struct sen_sample out[8];

	(void)state;
	add(s, 0, 40, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	r.sample.origin = SEN_ORIGIN_OPERATOR;
	r.sample.score = SEN_ONE / 8;
	for (int i = 0; i < 8; i++)
		sen_store_add(s, &r);
	assert_int_equal(sen_store_flush(s, 1, NULL), 0);
	assert_int_equal(
		draw(s, (struct sen_store_wish){ .attacks = 8, .least_score = SEN_ONE }, out), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(out[i].origin, SEN_ORIGIN_OPERATOR);
	sen_store_close(s);
}

/* And of what they say is normal, all takes part in every training, whatever else there is. */
static void operators_normal_samples_are_drawn_first(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	size_t operated = 0, n;
	struct sen_sample out[20];

	(void)state;
	r.sample.origin = SEN_ORIGIN_OPERATOR;
	for (int i = 0; i < 10; i++)
		sen_store_add(s, &r);
	assert_int_equal(sen_store_flush(s, 1, NULL), 0);
	for (int i = 0; i < 3; i++) {
		add(s, 0, 200, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
		assert_int_equal(sen_store_settle(s, NULL), 0);
	}
	n = draw(s, (struct sen_store_wish){ .past = 20 }, out);
	for (size_t i = 0; i < n; i++)
		operated += out[i].origin == SEN_ORIGIN_OPERATOR;
	assert_int_equal(operated, 10);
	sen_store_close(s);
}

static void kept_across_a_restart(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = open_store(path);

	(void)state;
	add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	add(s, 0, 30, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	sen_store_close(s);
	s = open_store(path);
	assert_int_equal(sen_store_counts(s).past, 200);
	assert_int_equal(sen_store_counts(s).attack, 30);
	assert_int_equal(sen_store_counts(s).fresh, 0);
	/* Still within its bounds. */
	add(s, 0, 5000, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_counts(s).fresh, 200);
	sen_store_close(s);
	fixture_remove(folder);
	free(path);
}

static void baseline_anew_forgets_what_was_taken_for_normal(void **state)
{
	struct sen_store *s = open_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);

	(void)state;
	add(s, 0, 50, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	add(s, 0, 5, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
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
	struct sen_store *s = open_store(path);

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
		assert_int_equal(sen_store_open(path, &small, moved, &s, NULL), 0);
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
	struct sen_store *s = open_store(path);
	char moved[320];

	(void)state;
	add(s, 0, 100, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	sen_store_close(s);
	overwrite(path, 0, "this is not a database at all");
	assert_int_equal(sen_store_open(path, &small, moved, &s, NULL), 0);
	assert_non_null(strstr(moved, "samples.db.damaged-"));
	assert_int_equal(access(moved, F_OK), 0);
	assert_int_equal(sen_store_counts(s).fresh, 0);
	add(s, 0, 10, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	sen_store_close(s);
	fixture_remove(folder);
	free(path);
}

static void another_version_is_moved_aside(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = open_store(path);
	char moved[320];
	sqlite3 *db = NULL;

	(void)state;
	sen_store_close(s);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(sen_store_open(path, &small, moved, &s, NULL), 0);
	assert_non_null(strstr(moved, "samples.db.old-"));
	sen_store_close(s);
	fixture_remove(folder);
	free(path);
}

/* Where nothing more can be written, nothing is lost of what was, and later it goes on. */
static void survives_a_full_disk(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = open_store(path);
	struct rlimit before, none = { .rlim_cur = 0 };
	struct sen_why why = { 0 };
	int err;

	(void)state;
	add(s, 0, 20, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
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
	add(s, 60, 5, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(sen_store_counts(s).fresh, 25);
	sen_store_close(s);
	check_integrity(path);
	fixture_remove(folder);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(bounded_by_count),
		cmocka_unit_test(bounded_by_age),
		cmocka_unit_test(rare_classes_stay),
		cmocka_unit_test(classes_are_drawn_by_weight),
		cmocka_unit_test(the_reservoir_is_fair),
		cmocka_unit_test(nothing_is_fresh_twice),
		cmocka_unit_test(only_certain_attacks_are_drawn),
		cmocka_unit_test(operators_attacks_are_drawn_first),
		cmocka_unit_test(operators_normal_samples_are_drawn_first),
		cmocka_unit_test(kept_across_a_restart),
		cmocka_unit_test(baseline_anew_forgets_what_was_taken_for_normal),
		cmocka_unit_test(survives_being_killed),
		cmocka_unit_test(a_damaged_file_is_moved_aside),
		cmocka_unit_test(another_version_is_moved_aside),
		cmocka_unit_test(survives_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
