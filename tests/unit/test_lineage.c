// SPDX-License-Identifier: BSD-2-Clause
/* What a registry knows of a version beside its file, and what it lets go. */
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry_kit.h"

static unsigned int add(struct shelf *s, const char *kind, unsigned int parent)
{
	struct sen_registry_origin origin = { .kind = kind };
	struct sen_model *m = fixture_model();
	unsigned int version;

	sen_facts_set(&origin.params, "centroids", 16);
	m->parent = parent;
	assert_int_equal(sen_registry_add(s->r, m, &origin, NULL), 0);
	version = m->version;
	sen_model_free(m);
	return version;
}

static void stage(struct shelf *s, unsigned int version, const char *stage)
{
	assert_int_equal(sen_registry_stage(s->r, version, stage, "because", NULL), 0);
}

static bool has_file(struct shelf *s, unsigned int version, mode_t *mode)
{
	char name[32], *path;
	struct stat st;
	bool there;

	snprintf(name, sizeof(name), "%06u.json", version);
	path = fixture_path(s->folder, name);
	there = !stat(path, &st);
	if (there && mode)
		*mode = st.st_mode & 0777;
	free(path);
	return there;
}

static const struct sen_registry_entry *entry(struct shelf *s, unsigned int version)
{
	const struct sen_registry_entry *e;
	size_t n = sen_registry_entries(s->r, &e);

	for (size_t i = 0; i < n; i++)
		if (e[i].version == version)
			return &e[i];
	fail_msg("no version %u", version);
	return NULL;
}

static void versions_carry_their_facts(void **state)
{
	struct shelf *s = *state;
	struct sen_facts metrics = { 0 };
	mode_t mode;

	add(s, "baseline", 0);
	sen_facts_set(&metrics, "recall", 0.5);
	sen_facts_set(&metrics, "f1_scan", NAN); /* not measured */
	assert_int_equal(sen_registry_measure(s->r, 1, &metrics, NULL), 0);
	sen_facts_set(&metrics, "recall", 0.75);
	sen_facts_set(&metrics, "agreement", 1);
	assert_int_equal(sen_registry_measure(s->r, 1, &metrics, NULL), 0);
	assert_int_equal(sen_registry_measure(s->r, 2, &metrics, NULL), -ENOENT);
	shelf_reopen(s);
	assert_string_equal(entry(s, 1)->kind, "baseline");
	assert_true(*sen_facts_get(&entry(s, 1)->params, "centroids") == 16);
	assert_int_equal(entry(s, 1)->metrics.n, 2);
	assert_true(*sen_facts_get(&entry(s, 1)->metrics, "recall") == 0.75);
	assert_null(sen_facts_get(&entry(s, 1)->metrics, "f1_scan"));
	assert_true(has_file(s, 1, &mode));
	assert_int_equal(mode & 0222, 0);
}

static void references_are_found(void **state)
{
	struct shelf *s = *state;

	add(s, "baseline", 0); /* 1 */
	add(s, "update", 1);
	add(s, "update", 2); /* 3 */
	add(s, "full", 3);
	add(s, "update", 4); /* 5 */
	add(s, "update", 99);
	assert_int_equal(sen_registry_reference(s->r, 1), 1);
	assert_int_equal(sen_registry_reference(s->r, 3), 1);
	assert_int_equal(sen_registry_reference(s->r, 5), 4);
	assert_int_equal(sen_registry_reference(s->r, 6), 0);
	assert_int_equal(sen_registry_reference(s->r, 77), 0);
	/* What an operator approves bounds what comes of it. */
	assert_int_equal(sen_registry_approve(s->r, 2, "looks well", NULL), 0);
	shelf_reopen(s);
	assert_int_equal(sen_registry_production(s->r), 2);
	assert_int_equal(sen_registry_reference(s->r, 3), 2);
}

static void pruning_keeps_what_is_needed(void **state)
{
	struct shelf *s = *state;
	unsigned int pruned;
	struct sen_model *m;

	add(s, "baseline", 0);
	for (unsigned int v = 2; v <= 10; v++)
		add(s, "update", v - 1);
	for (unsigned int v = 1; v <= 8; v++)
		stage(s, v, "Production");
	stage(s, 9, "Archived");
	stage(s, 10, "Staging");
	assert_int_equal(sen_registry_prune(s->r, 2, &pruned, NULL), 0);
	/* 8 in Production, 7 before it, 10 staged, 1 bounds them all; 9 and 6 are the latest others. */
	assert_int_equal(pruned, 4);
	shelf_reopen(s);
	for (unsigned int v = 1; v <= 10; v++)
		assert_int_equal(has_file(s, v, NULL), v == 1 || v >= 6);
	assert_true(entry(s, 3)->pruned);
	assert_string_equal(entry(s, 3)->kind, "update");
	assert_int_equal(sen_registry_load(s->r, 3, &m, NULL), -ENOENT);
	assert_int_equal(sen_registry_load(s->r, 1, &m, NULL), 0);
	sen_model_free(m);
	assert_int_equal(sen_registry_prune(s->r, 2, &pruned, NULL), 0);
	assert_int_equal(pruned, 0);
	assert_int_equal(sen_registry_production(s->r), 8);
	assert_int_equal(sen_registry_staged(s->r), 10);
}

struct tale {
	char text[1024];
};

static void tell(void *ctx, const struct sen_registry_event *ev)
{
	struct tale *t = ctx;
	size_t at = strlen(t->text);

	snprintf(t->text + at, sizeof(t->text) - at, "%u %s;", ev->version, ev->what);
}

static void the_history_can_be_told(void **state)
{
	struct shelf *s = *state;
	struct sen_facts metrics = { 0 };
	struct tale one = { 0 }, all = { 0 };

	assert_int_equal(sen_registry_events(s->r, 0, tell, &all, NULL), 0);
	assert_string_equal(all.text, "");
	add(s, "baseline", 0);
	sen_facts_set(&metrics, "x", 1);
	assert_int_equal(sen_registry_measure(s->r, 1, &metrics, NULL), 0);
	add(s, "update", 1);
	stage(s, 1, "Staging");
	stage(s, 1, "Production");
	stage(s, 2, "Archived");
	assert_int_equal(sen_registry_prune(s->r, 0, NULL, NULL), 0);
	assert_int_equal(sen_registry_events(s->r, 2, tell, &one, NULL), 0);
	assert_string_equal(one.text, "2 created;2 archived;2 pruned;");
	assert_int_equal(sen_registry_events(s->r, 0, tell, &all, NULL), 0);
	assert_string_equal(all.text, "1 created;1 measured;2 created;1 staged;1 promoted;2 "
				      "archived;2 pruned;");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, shelf_setup, shelf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(versions_carry_their_facts),
		TEST(references_are_found),
		TEST(pruning_keeps_what_is_needed),
		TEST(the_history_can_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
