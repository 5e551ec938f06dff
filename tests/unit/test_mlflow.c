// SPDX-License-Identifier: BSD-2-Clause
/* The export, by the layout that MLflow's file store reads. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsutil.h"
#include "mlflow.h"

struct scene {
	char *folder, *out;
	struct sen_registry *r;
};

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct sen_registry_origin origin = { .kind = "baseline" };
	struct sen_facts metrics = { 0 };
	char *models;

	s->folder = fixture_folder();
	models = fixture_path(s->folder, "models");
	s->out = fixture_path(s->folder, "out/runs");
	assert_int_equal(sen_registry_open(models, &s->r, NULL), 0);
	sen_facts_set(&origin.params, "centroids", 16);
	sen_facts_set(&metrics, "recall", 0.75);
	sen_facts_set(&metrics, "seconds", 2);
	for (int i = 0; i < 3; i++) {
		struct sen_model *m = fixture_model();

		assert_int_equal(sen_registry_add(s->r, m, &origin, NULL), 0);
		assert_int_equal(sen_registry_measure(s->r, m->version, &metrics, NULL), 0);
		sen_model_free(m);
	}
	assert_int_equal(sen_registry_stage(s->r, 1, "Archived", "it's old: no use\nat all", NULL),
			 0);
	assert_int_equal(sen_registry_stage(s->r, 2, "Production", "good", NULL), 0);
	assert_int_equal(sen_registry_prune(s->r, 0, NULL, NULL), 0);
	free(models);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	char command[256];

	sen_registry_close(s->r);
	snprintf(command, sizeof(command), "rm -rf %s", s->folder);
	assert_int_equal(system(command), 0);
	free(s->folder);
	free(s->out);
	free(s);
	return 0;
}

/* First match of a shell pattern below the export, read; NULL: there is none. */
static char *read_match(const struct scene *s, const char *pattern)
{
	char command[512], path[512] = "", *text = NULL;
	size_t len;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls -d %s/%s 2>/dev/null", s->out, pattern);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	if (fgets(path, sizeof(path), pipe)) {
		path[strcspn(path, "\n")] = '\0';
		assert_int_equal(sen_read_file(path, 1 << 20, &text, &len, NULL), 0);
	}
	pclose(pipe);
	return text;
}

static void expect(const struct scene *s, const char *pattern, const char *words)
{
	char *text = read_match(s, pattern);

	if (!text)
		fail_msg("no file %s", pattern);
	if (!strstr(text, words))
		fail_msg("%s does not say \"%s\":\n%s", pattern, words, text);
	free(text);
}

static void runs_and_versions_are_there(void **state)
{
	struct scene *s = *state;
	const struct sen_registry_entry *e = sen_registry_find(s->r, 2);
	char name[256], words[512];
	unsigned int runs = 0;

	assert_int_equal(sen_mlflow_export(s->r, "eth0.7", s->out, &runs, NULL), 0);
	assert_int_equal(runs, 3);
	expect(s, "[0-9]*/meta.yaml", "name: sentroid/eth0.7\n");
	expect(s, "[0-9]*/meta.yaml", "lifecycle_stage: active\n");
	snprintf(name, sizeof(name), "[0-9]*/%.32s/meta.yaml", e->digest);
	snprintf(words, sizeof(words), "run_id: %.32s\n", e->digest);
	expect(s, name, words);
	expect(s, name, "status: 3\n");
	expect(s, name, "start_time: 1699999998000\n");
	expect(s, name, "end_time: 1700000000000\n");
	snprintf(name, sizeof(name), "[0-9]*/%.32s/params/centroids", e->digest);
	expect(s, name, "16");
	snprintf(name, sizeof(name), "[0-9]*/%.32s/metrics/recall", e->digest);
	expect(s, name, "1700000000000 0.75 0\n");
	snprintf(name, sizeof(name), "[0-9]*/%.32s/tags/stage", e->digest);
	expect(s, name, "Production");
	snprintf(name, sizeof(name), "[0-9]*/%.32s/artifacts/model.json", e->digest);
	expect(s, name, e->digest);
	expect(s, "models/sentroid-eth0.7/meta.yaml", "name: sentroid-eth0.7\n");
	expect(s, "models/sentroid-eth0.7/version-2/meta.yaml", "current_stage: Production\n");
	expect(s, "models/sentroid-eth0.7/version-3/meta.yaml", "current_stage: None\n");
	expect(s, "models/sentroid-eth0.7/version-1/meta.yaml",
	       "description: 'it''s old: no use at all'\n");
}

/* Its record is exported, its file is gone. */
static void pruned_versions_have_no_artifact(void **state)
{
	struct scene *s = *state;
	char name[256];

	assert_int_equal(sen_mlflow_export(s->r, "eth0", s->out, NULL, NULL), 0);
	assert_true(sen_registry_find(s->r, 1)->pruned);
	snprintf(name, sizeof(name), "[0-9]*/%.32s/artifacts/model.json",
		 sen_registry_find(s->r, 1)->digest);
	assert_null(read_match(s, name));
	snprintf(name, sizeof(name), "[0-9]*/%.32s/tags/kind", sen_registry_find(s->r, 1)->digest);
	expect(s, name, "baseline");
}

/* Two interfaces side by side; the same one again replaces what it has written. */
static void exports_share_a_folder(void **state)
{
	struct scene *s = *state;

	assert_int_equal(sen_mlflow_export(s->r, "eth0", s->out, NULL, NULL), 0);
	assert_int_equal(sen_registry_stage(s->r, 3, "Production", "better", NULL), 0);
	assert_int_equal(sen_mlflow_export(s->r, "eth1", s->out, NULL, NULL), 0);
	assert_int_equal(sen_mlflow_export(s->r, "eth0", s->out, NULL, NULL), 0);
	expect(s, "models/sentroid-eth0/version-3/meta.yaml", "current_stage: Production\n");
	expect(s, "models/sentroid-eth1/version-3/meta.yaml", "current_stage: Production\n");
}

static void says_why_it_cannot(void **state)
{
	struct sen_why why = { 0 };
	struct scene *s = *state;

	assert_true(sen_mlflow_export(s->r, "eth0", "/proc/none", NULL, &why) < 0);
	assert_non_null(strstr(why.text, "/proc/none"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(runs_and_versions_are_there),
		TEST(pruned_versions_have_no_artifact),
		TEST(exports_share_a_folder),
		TEST(says_why_it_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
