// SPDX-License-Identifier: BSD-2-Clause
/* sentroid model promote: into force by an operator's word, from the shadow slot or from disk. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model_command.h"

static int from_shadow(struct sen_dataplane *dp, struct sen_model_flat *model, struct sen_why *why)
{
	const char *ifname = sen_dataplane_ifname(dp);
	int err = sen_dataplane_model(dp, SEN_SLOT_SHADOW, model);

	if (err == -ENOENT)
		return sen_why(why, err, "sentroid model push --shadow IFACE FILE puts one there",
			       "promoting model: %s: no model in the shadow slot", ifname);
	if (!err)
		err = sen_dataplane_push(dp, SEN_SLOT_ACTIVE, model, why);
	if (!err)
		err = sen_dataplane_clear(dp, SEN_SLOT_SHADOW);
	return err ? sen_why(why, err, NULL, "promoting model: %s: %s", ifname, strerror(-err)) : 0;
}

static int from_registry(struct sen_registry *r, struct sen_dataplane *dp, unsigned int version,
			 struct sen_model_flat *flat, struct sen_why *why)
{
	struct sen_model *model = NULL;
	int err = sen_registry_load(r, version, &model, why);

	if (!err)
		err = sen_model_flatten(model, flat, why);
	flat->learned = 1;
	if (!err)
		err = sen_dataplane_push(dp, SEN_SLOT_ACTIVE, flat, why);
	sen_model_free(model);
	return err;
}

static int promote_version(const char *state_dir, struct sen_dataplane *dp, unsigned int version,
			   struct sen_model_flat *model, struct sen_why *why)
{
	struct sen_registry *r = NULL;
	int err = open_registry(state_dir, sen_dataplane_ifname(dp), REGISTRY_WRITE, &r, why);

	if (!err)
		err = from_registry(r, dp, version, model, why);
	sen_registry_close(r);
	return err;
}

int model_promote(int argc, char **argv)
{
	static const struct argp_option options[] = { STATE_DIR_OPTION, { 0 } };
	static const struct syntax syntax = {
		.name = "model promote",
		.args = "IFACE [VERSION]",
		.doc = "Put a version kept on disk in force; without VERSION the model of the shadow slot, "
		       "which is emptied. It bounds how far its descendants may drift from then on.",
		.least = 1,
		.most = 2,
		.options = options,
		.option = on_registry_option,
	};
	static struct sen_model_flat model;
	struct registry_options o = { 0 };
	struct sen_dataplane *dp = NULL;
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };
	unsigned int version = 0;
	char text[MODEL_TEXT];
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg) ||
	    (arg[1] && parse_count("VERSION", arg[1], 1, UINT32_MAX, &version)))
		return EXIT_USAGE;
	if (!is_root("promoting model", arg[0]))
		return EXIT_FAILED;
	err = sen_dataplane_open(arg[0], &dp, &why);
	if (!err)
		err = version ? promote_version(o.state_dir, dp, version, &model, &why) :
				from_shadow(dp, &model, &why);
	sen_dataplane_close(dp);
	if (err)
		return fail(&why);
	printf("%s: model %s in force, from %s\n", arg[0], model_text(&model, text),
	       version ? "disk" : "the shadow slot");
	registry_record(o.state_dir, arg[0], &model, "promoted by the operator");
	return EXIT_DONE;
}
