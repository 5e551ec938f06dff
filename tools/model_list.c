// SPDX-License-Identifier: BSD-2-Clause
/* sentroid model list: every version that the registries keep. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "model_command.h"
#include "paths.h"
#include "table.h"

struct list {
	const char *state_dir;
	bool json;
	size_t versions;
	struct table table;
	cJSON *array;
};

static int on_option(int key, const char *value, void *input)
{
	struct list *l = input;

	switch (key) {
	case KEY_STATE_DIR:
		l->state_dir = value;
		return 0;
	case KEY_MODEL_JSON:
		l->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Digest of the model in force, empty where nothing is attached or may be read. */
static void digest_in_force(const char *ifname, char digest[DIGEST_HEX])
{
	static struct sen_model_flat model;
	struct sen_dataplane *dp;

	*digest = '\0';
	if (sen_dataplane_open(ifname, &dp, NULL))
		return;
	if (!sen_dataplane_model(dp, SEN_SLOT_ACTIVE, &model))
		digest_text(model.digest, digest);
	sen_dataplane_close(dp);
}

static void add_json(cJSON *array, const char *ifname, const struct sen_registry_entry *e,
		     bool in_force)
{
	cJSON *object = cJSON_CreateObject();
	char created[TIME_TEXT];

	time_text(e->created_s, created);
	cJSON_AddStringToObject(object, "interface", ifname);
	cJSON_AddNumberToObject(object, "version", e->version);
	cJSON_AddNumberToObject(object, "parent", e->parent);
	cJSON_AddStringToObject(object, "stage", e->stage);
	cJSON_AddBoolToObject(object, "in_force", in_force);
	cJSON_AddStringToObject(object, "created", created);
	cJSON_AddStringToObject(object, "digest", e->digest);
	cJSON_AddBoolToObject(object, "pruned", e->pruned);
	cJSON_AddStringToObject(object, "reason", e->reason);
	cJSON_AddItemToArray(array, object);
}

static void add_row(struct table *t, const char *ifname, const struct sen_registry_entry *e,
		    bool in_force)
{
	char created[TIME_TEXT], parent[16] = "-";

	time_text(e->created_s, created);
	if (e->parent)
		snprintf(parent, sizeof(parent), "%u", e->parent);
	if (!t->rows)
		table_row(t,
			  "INTERFACE\tVERSION\tPARENT\tSTAGE\tIN FORCE\tCREATED\tDIGEST\tREASON");
	table_row(t, "%s\t%u\t%s\t%s%s\t%s\t%s\t%.*s\t%s", ifname, e->version, parent, e->stage,
		  e->pruned ? ", pruned" : "", in_force ? "yes" : "-", created, DIGEST_SHORT,
		  e->digest, e->reason);
}

static int list_one(struct list *l, const char *ifname, struct sen_why *why)
{
	const struct sen_registry_entry *entries;
	char digest[DIGEST_HEX];
	struct sen_registry *r;
	size_t n;
	int err = registry_of(l->state_dir, ifname, REGISTRY_READ, &r, why);

	if (err || !r)
		return err;
	digest_in_force(ifname, digest);
	n = sen_registry_entries(r, &entries);
	l->versions += n;
	for (size_t i = 0; i < n; i++) {
		bool in_force = !strcmp(entries[i].digest, digest);

		if (l->json)
			add_json(l->array, ifname, &entries[i], in_force);
		else
			add_row(&l->table, ifname, &entries[i], in_force);
	}
	sen_registry_close(r);
	return 0;
}

static int is_interface(const struct dirent *entry)
{
	return !sen_check_ifname(entry->d_name, NULL);
}

static int list_all(struct list *l, struct sen_why *why)
{
	struct dirent **names;
	int err = 0, n = scandir(l->state_dir, &names, is_interface, alphasort);

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0)
		return path_error(why, -errno, "listing models", l->state_dir);
	for (int i = 0; i < n; i++) {
		if (!err)
			err = list_one(l, names[i]->d_name, why);
		free(names[i]);
	}
	free(names);
	return err;
}

static int print_json(const struct list *l)
{
	struct sen_why why = { 0 };
	char *text = cJSON_PrintUnformatted(l->array);

	if (!text) {
		sen_why(&why, -ENOMEM, NULL, "listing models: printing: out of memory");
		return fail(&why);
	}
	puts(text);
	cJSON_free(text);
	return EXIT_DONE;
}

static int print(struct list *l)
{
	if (l->json)
		return print_json(l);
	if (!l->versions)
		printf("No models are kept under %s.\n", l->state_dir);
	table_print(&l->table);
	return EXIT_DONE;
}

int model_list(int argc, char **argv)
{
	static const struct argp_option options[] = {
		JSON_OPTION,
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "model list",
		.args = "[IFACE]",
		.doc = "List the model versions that the agent keeps on disk, with their stage and how "
		       "they came about.",
		.most = 1,
		.options = options,
		.option = on_option,
	};
	struct list l = { .state_dir = sen_config_defaults.state_dir,
			  .table = { .align = "<>><<<<<", .indent = "" } };
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };
	int err, code;

	if (parse_line(&syntax, argc, argv, &l, arg))
		return EXIT_USAGE;
	l.array = cJSON_CreateArray();
	err = arg[0] ? list_one(&l, arg[0], &why) : list_all(&l, &why);
	if (!err && arg[0] && !l.versions)
		err = no_versions(arg[0], &why);
	code = err ? fail(&why) : print(&l);
	cJSON_Delete(l.array);
	return code;
}
