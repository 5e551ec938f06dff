// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsutil.h"
#include "mlflow.h"

#define FINISHED   3 /* RunStatus */
#define LOCAL      4 /* SourceType */
#define RUN_ID_HEX 32
#define MODEL_NAME "model.json"

struct mlflow {
	struct sen_registry *registry;
	const char *ifname;
	char root[PATH_MAX - 512]; /* absolute: artifacts are found by URI */
	char experiment[24];
	struct sen_why *why;
};

/* A file below the root, with the folders above it. */
static int put(const struct mlflow *m, const char *name, const char *text, size_t len)
{
	char path[PATH_MAX], *slash;
	int err;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", m->root, name) >= sizeof(path))
		return sen_why(m->why, -ENAMETOOLONG, NULL, "export: %s: %s", m->root,
			       strerror(ENAMETOOLONG));
	slash = strrchr(path, '/');
	*slash = '\0';
	err = sen_make_dirs(path, m->why);
	*slash = '/';
	return err ? err : sen_write_atomic(path, text, len, m->why);
}

__attribute__((format(printf, 3, 4))) static int put_text(const struct mlflow *m, const char *name,
							  const char *fmt, ...)
{
	char text[8192];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return put(m, name, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

/* A YAML scalar in single quotes, on one line. */
static const char *quoted(const char *text, char *out, size_t size)
{
	size_t at = 0;

	out[at++] = '\'';
	for (; *text && at + 4 < size; text++) {
		out[at++] = (unsigned char)*text < ' ' ? ' ' : *text;
		if (*text == '\'')
			out[at++] = '\'';
	}
	out[at++] = '\'';
	out[at] = '\0';
	return out;
}

static void run_id(const struct sen_registry_entry *e, char id[RUN_ID_HEX + 1])
{
	snprintf(id, RUN_ID_HEX + 1, "%.*s", RUN_ID_HEX, e->digest);
}

static int64_t ms_of(const struct sen_registry_entry *e)
{
	return 1000 * e->created_s;
}

static int put_run_file(const struct mlflow *m, const struct sen_registry_entry *e,
			const char *folder, const char *name, const char *text)
{
	char id[RUN_ID_HEX + 1], path[256];

	run_id(e, id);
	snprintf(path, sizeof(path), "%s/%s/%s/%s", m->experiment, id, folder, name);
	return put(m, path, text, strlen(text));
}

static int put_facts(const struct mlflow *m, const struct sen_registry_entry *e)
{
	char text[96];
	int err = 0;

	for (size_t i = 0; !err && i < e->params.n; i++) {
		snprintf(text, sizeof(text), "%.10g", e->params.at[i].value);
		err = put_run_file(m, e, "params", e->params.at[i].name, text);
	}
	/* Time in milliseconds, value, step. */
	for (size_t i = 0; !err && i < e->metrics.n; i++) {
		snprintf(text, sizeof(text), "%lld %.10g 0\n", (long long)ms_of(e),
			 e->metrics.at[i].value);
		err = put_run_file(m, e, "metrics", e->metrics.at[i].name, text);
	}
	return err;
}

static int put_tags(const struct mlflow *m, const struct sen_registry_entry *e)
{
	char version[16], parent[16];
	const char *tags[][2] = {
		{ "mlflow.runName", version },
		{ "mlflow.user", "sentroid" },
		{ "mlflow.source.type", "LOCAL" },
		{ "mlflow.source.name", "sentroidd" },
		{ "mlflow.note.content", e->reason },
		{ "kind", e->kind },
		{ "stage", e->stage },
		{ "parent", parent },
		{ "digest", e->digest },
		{ "interface", m->ifname },
	};
	int err = 0;

	snprintf(version, sizeof(version), "version %u", e->version);
	snprintf(parent, sizeof(parent), "%u", e->parent);
	for (size_t i = 0; !err && i < sizeof(tags) / sizeof(tags[0]); i++)
		err = put_run_file(m, e, "tags", tags[i][0], tags[i][1]);
	return err;
}

/* The model, and what it was trained from; nothing of one that was pruned. */
static int put_artifacts(const struct mlflow *m, const struct sen_registry_entry *e)
{
	struct sen_model *model;
	char *text;
	int err;

	if (e->pruned)
		return 0;
	err = sen_registry_load(m->registry, e->version, &model, m->why);
	if (err)
		return err;
	text = sen_model_print(model);
	err = text ? put_run_file(m, e, "artifacts", MODEL_NAME, text) :
		     sen_why(m->why, -ENOMEM, NULL, "export: out of memory");
	if (!err && *model->training.inputs)
		err = put_run_file(m, e, "artifacts", "inputs.txt", model->training.inputs);
	free(text);
	sen_model_free(model);
	return err;
}

static int put_run(const struct mlflow *m, const struct sen_registry_entry *e)
{
	const double *seconds = sen_facts_get(&e->metrics, "seconds");
	char id[RUN_ID_HEX + 1], name[256], uri[PATH_MAX + 64];
	int err;

	run_id(e, id);
	snprintf(name, sizeof(name), "%s/%s/artifacts", m->experiment, id);
	snprintf(uri, sizeof(uri), "file://%s/%s", m->root, name);
	snprintf(name, sizeof(name), "%s/%s/meta.yaml", m->experiment, id);
	err = put_text(m, name,
		       "artifact_uri: %s\nend_time: %lld\nentry_point_name: ''\n"
		       "experiment_id: '%s'\nlifecycle_stage: active\nrun_id: %s\n"
		       "run_name: version %u\nrun_uuid: %s\nsource_name: ''\nsource_type: %d\n"
		       "source_version: ''\nstart_time: %lld\nstatus: %d\ntags: []\n"
		       "user_id: sentroid\n",
		       uri, (long long)ms_of(e), m->experiment, id, e->version, id, LOCAL,
		       (long long)(ms_of(e) - (int64_t)(seconds ? 1000 * *seconds : 0)), FINISHED);
	if (!err)
		err = put_tags(m, e);
	if (!err)
		err = put_facts(m, e);
	return err ? err : put_artifacts(m, e);
}

/* MLflow knows no Development: such a version has no stage yet. */
static const char *stage_of(const struct sen_registry_entry *e)
{
	return strcmp(e->stage, "Development") ? e->stage : "None";
}

static int put_version(const struct mlflow *m, const struct sen_registry_entry *e)
{
	char id[RUN_ID_HEX + 1], name[256], uri[PATH_MAX + 128], reason[400];

	run_id(e, id);
	snprintf(name, sizeof(name), "models/sentroid-%s/version-%u/meta.yaml", m->ifname,
		 e->version);
	snprintf(uri, sizeof(uri), "file://%s/%s/%s/artifacts", m->root, m->experiment, id);
	return put_text(m, name,
			"aliases: []\ncreation_timestamp: %lld\ncurrent_stage: %s\n"
			"description: %s\nlast_updated_timestamp: %lld\nname: sentroid-%s\n"
			"run_id: %s\nrun_link: null\nsource: %s\nstatus: READY\n"
			"status_message: null\nstorage_location: %s\nuser_id: null\nversion: %u\n",
			(long long)ms_of(e), stage_of(e), quoted(e->reason, reason, sizeof(reason)),
			(long long)ms_of(e), m->ifname, id, uri, uri, e->version);
}

static int put_experiment(const struct mlflow *m, int64_t first_ms, int64_t last_ms)
{
	char name[256];
	int err;

	snprintf(name, sizeof(name), "%s/meta.yaml", m->experiment);
	err = put_text(m, name,
		       "artifact_location: file://%s/%s\ncreation_time: %lld\nexperiment_id: '%s'\n"
		       "last_update_time: %lld\nlifecycle_stage: active\nname: sentroid/%s\n",
		       m->root, m->experiment, (long long)first_ms, m->experiment,
		       (long long)last_ms, m->ifname);
	snprintf(name, sizeof(name), "models/sentroid-%s/meta.yaml", m->ifname);
	return err ? err :
		     put_text(m, name,
			      "aliases: {}\ncreation_timestamp: %lld\n"
			      "description: Models of normal traffic on %s.\n"
			      "last_updated_timestamp: %lld\nname: sentroid-%s\n",
			      (long long)first_ms, m->ifname, (long long)last_ms, m->ifname);
}

/* Experiments have numbers: one that stays the same for an interface, and is not that of the default. */
static void name_experiment(struct mlflow *m)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (const char *c = m->ifname; *c; c++)
		h = (h ^ (unsigned char)*c) * 0x100000001b3ull;
	snprintf(m->experiment, sizeof(m->experiment), "%llu",
		 (unsigned long long)(1 + h % 999999999999999999ull));
}

static int find_root(struct mlflow *m, const char *dir)
{
	int err = sen_make_dirs(dir, m->why);
	char *absolute = err ? NULL : realpath(dir, NULL);

	if (err)
		return err;
	if (!absolute)
		return sen_why(m->why, -errno, NULL, "export: %s: %s", dir, strerror(errno));
	if ((size_t)snprintf(m->root, sizeof(m->root), "%s", absolute) >= sizeof(m->root))
		err = sen_why(m->why, -ENAMETOOLONG, NULL, "export: %s: %s", dir,
			      strerror(ENAMETOOLONG));
	free(absolute);
	return err;
}

int sen_mlflow_export(struct sen_registry *r, const char *ifname, const char *dir,
		      unsigned int *runs, struct sen_why *why)
{
	struct mlflow m = { .registry = r, .ifname = ifname, .why = why };
	const struct sen_registry_entry *e;
	size_t n = sen_registry_entries(r, &e);
	int err = find_root(&m, dir);

	name_experiment(&m);
	if (!err)
		err = put_experiment(&m, n ? ms_of(&e[0]) : 0, n ? ms_of(&e[n - 1]) : 0);
	for (size_t i = 0; !err && i < n; i++) {
		err = put_run(&m, &e[i]);
		if (!err)
			err = put_version(&m, &e[i]);
	}
	if (runs)
		*runs = err ? 0 : (unsigned int)n;
	return err;
}
