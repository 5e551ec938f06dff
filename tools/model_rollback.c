// SPDX-License-Identifier: BSD-2-Clause
/* sentroid model rollback: the version in force before, from the registry. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model_command.h"

struct rollback {
	const char *ifname;
	struct sen_dataplane *dp;
	struct sen_registry *registry;
	struct sen_model_flat before;
	bool had_model;
	struct sen_model_flat model; /* the one gone back to */
};

static int read_before(struct rollback *r, struct sen_why *why)
{
	int err = sen_dataplane_model(r->dp, SEN_SLOT_ACTIVE, &r->before);

	r->had_model = !err;
	if (!err || err == -ENOENT)
		return 0;
	return sen_why(why, err, NULL, "reading model in force: %s: %s", r->ifname, strerror(-err));
}

/* If what is in force is not the version in Production, somebody has pushed it over that one, which is
 * then what was in force before. */
static unsigned int choose(const struct rollback *r)
{
	unsigned int production = sen_registry_production(r->registry);
	const struct sen_registry_entry *now = r->had_model ?
						       registry_find(r->registry, &r->before) :
						       NULL;

	if (production && (!now || now->version != production))
		return production;
	return sen_registry_previous(r->registry);
}

static int load_version(struct rollback *r, unsigned int version, struct sen_why *why)
{
	struct sen_model *model = NULL;
	int err = sen_registry_load(r->registry, version, &model, why);

	if (!err)
		err = sen_model_flatten(model, &r->model, why);
	r->model.learned = 1;
	sen_model_free(model);
	return err;
}

/* Before anything was learned here the shipped model was in force, whatever was pushed over it. */
static int load_shipped(struct rollback *r, struct sen_why *why)
{
	int err = load_model(NULL, &r->model, why);

	if (err || !r->had_model ||
	    memcmp(r->model.digest, r->before.digest, sizeof(r->model.digest)) != 0)
		return err;
	return sen_why(why, -ENOENT, "sentroid model push IFACE FILE puts another one in force",
		       "rolling back: %s: the shipped model is in force, and nothing was before it",
		       r->ifname);
}

static int load_target(struct rollback *r, struct sen_why *why)
{
	unsigned int version = r->registry ? choose(r) : 0;

	if (version)
		return load_version(r, version, why);
	if (!r->registry || !sen_registry_production(r->registry))
		return load_shipped(r, why);
	return sen_why(why, -ENOENT, "sentroid model push IFACE FILE puts another one in force",
		       "rolling back: %s: no earlier version was in production", r->ifname);
}

/* In force and on record, or neither: unrecorded, the agent would undo it at its next start. */
static int push_and_record(struct rollback *r, struct sen_why *why)
{
	int err = sen_dataplane_push(r->dp, SEN_SLOT_ACTIVE, &r->model, why);

	if (err || !r->model.learned || sen_registry_production(r->registry) == r->model.version)
		return err;
	err = sen_registry_approve(r->registry, r->model.version, "rolled back by the operator",
				   why);
	if (err && r->had_model)
		sen_dataplane_push(r->dp, SEN_SLOT_ACTIVE, &r->before, NULL);
	return err;
}

static int roll_back(struct rollback *r, const char *state_dir, struct sen_why *why)
{
	int err = sen_dataplane_open(r->ifname, &r->dp, why);

	if (!err)
		err = read_before(r, why);
	if (!err)
		err = registry_of(state_dir, r->ifname, REGISTRY_WRITE, &r->registry, why);
	if (!err)
		err = load_target(r, why);
	if (!err)
		err = push_and_record(r, why);
	sen_registry_close(r->registry);
	sen_dataplane_close(r->dp);
	return err;
}

static int on_option(int key, const char *value, void *input)
{
	if (key != KEY_STATE_DIR)
		return ARGP_ERR_UNKNOWN;
	*(const char **)input = value;
	return 0;
}

int model_rollback(int argc, char **argv)
{
	static const struct argp_option options[] = { STATE_DIR_OPTION, { 0 } };
	static const struct syntax syntax = {
		.name = "model rollback",
		.args = "IFACE",
		.doc = "Put the version in force that was in production before, and record it. If a "
		       "model that is not in production was pushed by hand, the version in production "
		       "is put in force again, or, where nothing was learned yet, the shipped model.",
		.least = 1,
		.most = 1,
		.options = options,
		.option = on_option,
	};
	static struct rollback r;
	const char *arg[SYNTAX_ARGS], *state_dir = NULL;
	struct sen_why why = { 0 };
	char now[MODEL_TEXT], before[MODEL_TEXT];

	if (parse_line(&syntax, argc, argv, &state_dir, arg))
		return EXIT_USAGE;
	if (!is_root("rolling back", arg[0]))
		return EXIT_FAILED;
	r.ifname = arg[0];
	if (roll_back(&r, state_dir, &why))
		return fail(&why);
	printf("%s: model %s in force, before it %s\n", arg[0], model_text(&r.model, now),
	       r.had_model ? model_text(&r.before, before) : "none");
	return EXIT_DONE;
}
