// SPDX-License-Identifier: BSD-2-Clause
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fsutil.h"
#include "registry_kit.h"

static unsigned int add(struct sen_registry *r)
{
	struct sen_model *m = fixture_model();
	unsigned int version;

	assert_int_equal(sen_registry_add(r, m, NULL, NULL), 0);
	version = m->version;
	sen_model_free(m);
	return version;
}

static void promote(struct sen_registry *r, unsigned int version)
{
	assert_int_equal(sen_registry_stage(r, version, "Production", "because", NULL), 0);
}

static const struct sen_registry_entry *entry(const struct sen_registry *r, unsigned int version)
{
	const struct sen_registry_entry *e;
	size_t n = sen_registry_entries(r, &e);

	for (size_t i = 0; i < n; i++)
		if (e[i].version == version)
			return &e[i];
	return NULL;
}

static char *history_text(const char *folder)
{
	char *path = fixture_path(folder, "history.jsonl"), *text;
	size_t len;

	assert_int_equal(sen_read_file(path, 1 << 20, &text, &len, NULL), 0);
	free(path);
	return text;
}

static void write_file(const char *folder, const char *name, const char *text, size_t len)
{
	char *path = fixture_path(folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
	free(path);
}

static void versions_are_kept(void **state)
{
	char *folder = fixture_folder(), *inside = fixture_path(folder, "a/b");
	struct sen_registry *r = registry_open(inside);
	const struct sen_registry_entry *e;
	struct sen_model *m;
	char digest[65];

	(void)state;
	assert_int_equal(sen_registry_entries(r, &e), 0);
	assert_int_equal(sen_registry_production(r), 0);
	assert_int_equal(sen_registry_previous(r), 0);
	assert_int_equal(add(r), 1);
	assert_int_equal(add(r), 2);
	assert_int_equal(sen_registry_entries(r, &e), 2);
	assert_string_equal(e[1].stage, "Development");
	assert_int_equal(e[1].parent, 3);
	assert_int_equal(e[1].created_s, 1700000000);
	strcpy(digest, e[1].digest);
	assert_int_equal(strlen(digest), 64);
	sen_registry_close(r);

	r = registry_open(inside);
	assert_int_equal(sen_registry_entries(r, &e), 2);
	assert_string_equal(e[1].digest, digest);
	assert_int_equal(sen_registry_load(r, 2, &m, NULL), 0);
	assert_int_equal(m->version, 2);
	assert_string_equal(m->digest, digest);
	sen_model_free(m);
	assert_int_equal(sen_registry_load(r, 3, &m, NULL), -ENOENT);
	assert_int_equal(add(r), 3);
	sen_registry_close(r);
	sen_registry_close(NULL);
	fixture_remove(inside);
	inside = fixture_path(folder, "a");
	fixture_remove(inside);
	fixture_remove(folder);
}

static void stages_follow_one_another(void **state)
{
	char *folder = fixture_folder(), *text;
	struct sen_registry *r = registry_open(folder);

	(void)state;
	for (int i = 0; i < 4; i++)
		add(r);
	assert_int_equal(sen_registry_stage(r, 1, "Great", "x", NULL), -EINVAL);
	assert_int_equal(sen_registry_stage(r, 9, "Staging", "x", NULL), -ENOENT);
	assert_int_equal(sen_registry_stage(r, 1, "Staging", NULL, NULL), 0);
	promote(r, 1);
	promote(r, 2);
	promote(r, 3);
	assert_int_equal(sen_registry_production(r), 3);
	assert_int_equal(sen_registry_previous(r), 2);
	assert_string_equal(entry(r, 1)->stage, "Archived");
	assert_string_equal(entry(r, 2)->stage, "Archived");
	assert_string_equal(entry(r, 3)->reason, "because");
	/* A rollback goes back, and the next one further, not to the bad version again. */
	promote(r, 2);
	assert_int_equal(sen_registry_production(r), 2);
	assert_int_equal(sen_registry_previous(r), 1);
	assert_string_equal(entry(r, 3)->stage, "Archived");
	promote(r, 4);
	assert_int_equal(sen_registry_previous(r), 2);
	/* Out of service with none in its place. */
	assert_int_equal(sen_registry_stage(r, 4, "Archived", "broken", NULL), 0);
	assert_int_equal(sen_registry_production(r), 0);
	assert_int_equal(sen_registry_previous(r), 2);
	sen_registry_close(r);

	r = registry_open(folder);
	assert_int_equal(sen_registry_production(r), 0);
	assert_int_equal(sen_registry_previous(r), 2);
	assert_string_equal(entry(r, 4)->reason, "broken");
	promote(r, 2);
	assert_int_equal(sen_registry_previous(r), 1);
	text = history_text(folder);
	assert_non_null(strstr(text, "\"event\":\"created\""));
	assert_non_null(strstr(text, "\"event\":\"promoted\",\"version\":3"));
	free(text);
	sen_registry_close(r);
	fixture_remove(folder);
}

static void half_a_line_is_forgotten(void **state)
{
	char *folder = fixture_folder(), *text;
	struct sen_registry *r = registry_open(folder);
	size_t len, whole;

	(void)state;
	add(r);
	promote(r, 1);
	text = history_text(folder);
	whole = strlen(text);
	free(text);
	add(r);
	promote(r, 2);
	sen_registry_close(r);

	text = history_text(folder);
	len = strlen(text);
	/* A crash at any byte of what came after the first two lines. */
	for (size_t cut = whole; cut < len; cut++) {
		write_file(folder, "history.jsonl", text, cut);
		r = registry_open(folder);
		assert_int_equal(sen_registry_production(r), 1);
		/* Version 2 is on disk whole, with its line or without. */
		assert_non_null(entry(r, 2));
		assert_int_equal(add(r), 3);
		sen_registry_close(r);
		r = registry_open(folder);
		assert_non_null(entry(r, 3));
		sen_registry_close(r);
		{
			char *three = fixture_path(folder, "000003.json");

			unlink(three);
			free(three);
		}
	}
	free(text);
	fixture_remove(folder);
}

static void damage_in_the_middle_is_reported(void **state)
{
	char *folder = fixture_folder(), *text;
	struct sen_registry *r = registry_open(folder);
	struct sen_why why;

	(void)state;
	add(r);
	add(r);
	sen_registry_close(r);
	text = history_text(folder);
	text[3] = '\\';
	write_file(folder, "history.jsonl", text, strlen(text));
	r = NULL;
	assert_int_equal(sen_registry_open(folder, &r, &why), -EBADMSG);
	assert_null(r);
	assert_non_null(strstr(why.text, "line 1"));
	free(text);
	fixture_remove(folder);
}

/* What a reader finds half done is not for it to mend. */
static void reading_changes_nothing(void **state)
{
	char *folder = fixture_folder(), *text, *after, *none = fixture_path(folder, "none");
	char *leftover = fixture_path(folder, "000003.json.tmp.1.0");
	struct sen_registry *r = registry_open(folder);

	(void)state;
	add(r);
	add(r);
	sen_registry_close(r);
	text = history_text(folder);
	write_file(folder, "history.jsonl", text, strlen(text) - 5);
	write_file(folder, "000003.json.tmp.1.0", "half", 4);
	assert_int_equal(sen_registry_visit(folder, &r, NULL), 0);
	assert_non_null(entry(r, 1));
	assert_null(sen_registry_find(r, 2));
	sen_registry_close(r);
	after = history_text(folder);
	assert_int_equal(strlen(after), strlen(text) - 5);
	assert_int_equal(access(leftover, F_OK), 0);
	assert_int_equal(sen_registry_visit(none, &r, NULL), -ENOENT);
	assert_int_equal(access(none, F_OK), -1);
	free(text);
	free(after);
	free(none);
	free(leftover);
	fixture_remove(folder);
}

static void orphans_are_adopted(void **state)
{
	char *folder = fixture_folder(), *path;
	struct sen_registry *r = registry_open(folder);
	struct sen_model *m = fixture_model();
	struct stat st;

	(void)state;
	add(r);
	sen_registry_close(r);
	m->version = 2;
	path = fixture_path(folder, "000002.json");
	assert_int_equal(sen_model_save(m, path, NULL), 0);
	free(path);
	write_file(folder, "000003.json", "half", 4);
	write_file(folder, "000004.json.tmp.1.0", "half", 4);

	r = registry_open(folder);
	assert_non_null(entry(r, 2));
	assert_string_equal(entry(r, 2)->digest, m->digest);
	assert_null(entry(r, 3));
	path = fixture_path(folder, "000004.json.tmp.1.0");
	assert_int_equal(stat(path, &st), -1);
	free(path);
	/* 3 is not a model, but taken. */
	assert_int_equal(add(r), 4);
	sen_registry_close(r);
	r = registry_open(folder);
	assert_int_equal(add(r), 5);
	sen_registry_close(r);
	sen_model_free(m);
	fixture_remove(folder);
}

static void changed_models_are_not_loaded(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "000001.json");
	struct sen_registry *r = registry_open(folder);
	struct sen_model *m = fixture_model(), *back;

	(void)state;
	add(r);
	m->version = 1;
	m->threshold = 3; /* a valid model with a digest of its own */
	assert_int_equal(sen_model_save(m, path, NULL), 0);
	assert_int_equal(sen_registry_load(r, 1, &back, NULL), -EUCLEAN);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(sen_registry_load(r, 1, &back, NULL), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sen_registry_load(r, 1, &back, NULL), -ENOENT);
	sen_model_free(m);
	sen_registry_close(r);
	free(path);
	fixture_remove(folder);
}

static void a_full_disk_changes_nothing(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "000002.json");
	struct sen_registry *r = registry_open(folder);
	struct sen_model *m = fixture_model();
	struct rlimit old, small;
	struct stat st;
	struct sen_why why;

	(void)state;
	add(r);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 500;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(sen_registry_add(r, m, NULL, &why), -EFBIG);
	assert_int_equal(m->version, 7);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

	/* Room for the model, none for its line. */
	for (int i = 0; i < 200; i++)
		assert_int_equal(sen_registry_stage(r, 1, "Staging", "again", NULL), 0);
	small.rlim_cur = 8000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(sen_registry_add(r, m, NULL, &why), -EFBIG);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_null(entry(r, 2));
	assert_int_equal(add(r), 2);
	sen_registry_close(r);
	sen_model_free(m);
	free(path);
	fixture_remove(folder);
}

static void two_processes_share_a_folder(void **state)
{
	char *folder = fixture_folder();
	struct sen_registry *r = registry_open(folder);
	const struct sen_registry_entry *e;
	int status;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		struct sen_registry *other = NULL;

		if (sen_registry_open(folder, &other, NULL))
			_exit(1);
		for (int i = 0; i < 20; i++) {
			struct sen_model *m = fixture_model();

			if (sen_registry_add(other, m, NULL, NULL))
				_exit(2);
			sen_model_free(m);
		}
		sen_registry_close(other);
		_exit(0);
	}
	for (int i = 0; i < 20; i++)
		add(r);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	promote(r, 1);
	assert_int_equal(sen_registry_entries(r, &e), 40);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(e[i].version, i + 1);
	sen_registry_close(r);
	fixture_remove(folder);
}

static void says_why_it_does_not_open(void **state)
{
	struct sen_registry *r = NULL;
	struct sen_why why;

	(void)state;
	assert_true(sen_registry_open("/proc/sentroid", &r, &why) < 0);
	assert_non_null(strstr(why.text, "/proc/sentroid"));
	assert_int_equal(sen_registry_open("/dev/null", &r, &why), -ENOTDIR);
	assert_null(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_kept),
		cmocka_unit_test(stages_follow_one_another),
		cmocka_unit_test(half_a_line_is_forgotten),
		cmocka_unit_test(damage_in_the_middle_is_reported),
		cmocka_unit_test(reading_changes_nothing),
		cmocka_unit_test(orphans_are_adopted),
		cmocka_unit_test(changed_models_are_not_loaded),
		cmocka_unit_test(a_full_disk_changes_nothing),
		cmocka_unit_test(two_processes_share_a_folder),
		cmocka_unit_test(says_why_it_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
