// SPDX-License-Identifier: BSD-2-Clause
/* A registry that has been in use for years: what it costs does not grow with what it has seen. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry_internal.h"
#include "registry_kit.h"

#define VERSIONS 12000u
#define UNPRUNED 60u /* the latest */
#define KEEP     50
#define FULL     3000u

static void write_event(FILE *f, const struct sen_history_event *event)
{
	char *line = sen_history_print(event);

	assert_non_null(line);
	fprintf(f, "%s\n", line);
	free(line);
}

/* An update as the agent records one; every third is refused, few are from scratch. */
static void write_version(FILE *f, unsigned int version)
{
	struct sen_history_event e = { .kind = SEN_HISTORY_CREATED,
				       .time_s = 1700000000 + version,
				       .version = version,
				       .parent = version - 1,
				       .created_s = 1700000000 + version,
				       .stage = "Development" };
	char name[SEN_FACT_NAME];

	memset(e.digest, 'a', 64);
	strcpy(e.origin, version % FULL == 1 ? "full" : "update");
	for (int i = 0; i < 15; i++) {
		snprintf(name, sizeof(name), "parameter_%d", i);
		sen_facts_set(&e.facts, name, 0.123456789 * i);
	}
	write_event(f, &e);
	e.kind = SEN_HISTORY_MEASURED;
	write_event(f, &e);
	e.kind = SEN_HISTORY_STAGE;
	strcpy(e.stage, version % 3 ? "Production" : "Archived");
	strcpy(e.reason, "update: enough new samples");
	write_event(f, &e);
	if (version <= UNPRUNED || version % FULL == 1 + UNPRUNED)
		return;
	e.kind = SEN_HISTORY_PRUNED;
	e.version -= UNPRUNED;
	write_event(f, &e);
}

static int set_up(void **state)
{
	struct shelf *s;
	char *path;
	FILE *f;

	shelf_setup(state);
	s = *state;
	path = fixture_path(s->folder, SEN_HISTORY_NAME);
	f = fopen(path, "w");
	for (unsigned int v = 1; v <= VERSIONS; v++)
		write_version(f, v);
	fclose(f);
	free(path);
	shelf_reopen(s);
	return 0;
}

static off_t history_size(const struct shelf *s)
{
	char *path = fixture_path(s->folder, SEN_HISTORY_NAME);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	free(path);
	return st.st_size;
}

/* Bytes that this process has read so far. */
static long long bytes_read(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	long long n = 0;

	if (!f)
		skip();
	assert_int_equal(fscanf(f, "rchar: %lld", &n), 1);
	fclose(f);
	return n;
}

static void add(struct shelf *s)
{
	struct sen_registry_origin origin = { .kind = "update" };
	struct sen_model *m = fixture_model();

	m->parent = sen_registry_production(s->r);
	assert_int_equal(sen_registry_add(s->r, m, &origin, NULL), 0);
	sen_model_free(m);
}

static void a_step_reads_only_what_is_new(void **state)
{
	struct sen_facts facts = { 0 };
	struct shelf *s = *state;
	struct sen_registry *other = NULL;
	long long before;

	assert_true(history_size(s) > 10 << 20);
	assert_int_equal(sen_registry_open(s->folder, &other, NULL), 0);
	before = bytes_read();
	sen_facts_set(&facts, "x", 1);
	for (int i = 0; i < 20; i++) {
		add(s);
		assert_int_equal(sen_registry_measure(s->r, VERSIONS + 1, &facts, NULL), 0);
	}
	assert_true(bytes_read() - before < 64 << 10);
	/* Another process reads the lines that were added, no more. */
	assert_int_equal(sen_registry_update(other, NULL), 0);
	assert_non_null(sen_registry_find(other, VERSIONS + 20));
	assert_true(bytes_read() - before < 128 << 10);
	sen_registry_close(other);
}

static void expect_state(const struct shelf *s)
{
	const struct sen_registry_entry *e;

	assert_int_equal(sen_registry_production(s->r), VERSIONS - 1);
	assert_int_equal(sen_registry_previous(s->r), VERSIONS - 2);
	/* What bounds it is known, and kept, though versions between are forgotten. */
	assert_null(sen_registry_find(s->r, VERSIONS - FULL + 2));
	assert_int_equal(sen_registry_reference(s->r, VERSIONS - 1), VERSIONS - FULL + 1);
	assert_false(sen_registry_find(s->r, VERSIONS - FULL + 1)->pruned);
	assert_null(sen_registry_find(s->r, 2));
	assert_true(sen_registry_entries(s->r, &e) <=
		    SEN_HISTORY_RECORDS + SEN_HISTORY_SLACK + KEEP + 8);
	/* Of what is kept nothing is lost. */
	e = sen_registry_find(s->r, VERSIONS - 500);
	assert_non_null(e);
	assert_true(e->pruned);
	assert_string_equal(e->stage, "Archived");
	assert_int_equal(e->params.n, 15);
	assert_int_equal(e->created_s, 1700000000 + VERSIONS - 500);
}

static void what_is_old_is_forgotten(void **state)
{
	struct shelf *s = *state;
	unsigned int pruned;
	struct sen_model *m;

	assert_int_equal(sen_registry_prune(s->r, KEEP, &pruned, NULL), 0);
	assert_true(pruned > 0 && pruned < 2 * UNPRUNED);
	assert_true(history_size(s) < 4 << 20);
	expect_state(s);
	shelf_reopen(s);
	expect_state(s);
	assert_int_equal(sen_registry_load(s->r, 2, &m, NULL), -ENOENT);
	assert_int_equal(sen_registry_stage(s->r, 2, "Production", "", NULL), -ENOENT);
	/* Numbers go on, and another process follows. */
	add(s);
	assert_non_null(sen_registry_find(s->r, VERSIONS + 1));
}

/* It was the production version's own promotion that archived the one before: both lines may be gone. */
static void a_condemned_version_stays_condemned(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(sen_registry_stage(s->r, VERSIONS - 1, "Archived", "bad", NULL), 0);
	assert_int_equal(sen_registry_production(s->r), 0);
	assert_int_equal(sen_registry_prune(s->r, 0, NULL, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sen_registry_production(s->r), 0);
		assert_int_equal(sen_registry_previous(s->r), VERSIONS - 2);
		assert_string_equal(sen_registry_find(s->r, VERSIONS - 2)->stage, "Archived");
		shelf_reopen(s);
	}
}

/* One process has written the file anew, another still knows the old one. */
static void others_follow_a_file_written_anew(void **state)
{
	struct sen_registry *other = NULL;
	struct shelf *s = *state;

	assert_int_equal(sen_registry_open(s->folder, &other, NULL), 0);
	assert_int_equal(sen_registry_prune(s->r, KEEP, NULL, NULL), 0);
	assert_int_equal(sen_registry_stage(other, VERSIONS - 2, "Production", "back", NULL), 0);
	assert_int_equal(sen_registry_update(s->r, NULL), 0);
	assert_int_equal(sen_registry_production(s->r), VERSIONS - 2);
	assert_null(sen_registry_find(other, 5));
	sen_registry_close(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, shelf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_step_reads_only_what_is_new),
		TEST(what_is_old_is_forgotten),
		TEST(a_condemned_version_stays_condemned),
		TEST(others_follow_a_file_written_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
