// SPDX-License-Identifier: BSD-2-Clause
/* sentroid model: the table of its commands, and those that need little. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model_command.h"

const char *model_text(const struct sen_model_flat *model, char text[MODEL_TEXT])
{
	char digest[DIGEST_HEX];

	digest_text(model->digest, digest);
	snprintf(text, MODEL_TEXT, "%u (%.*s)", model->version, DIGEST_SHORT, digest);
	return text;
}

/* ---- push ---- */

enum {
	KEY_SHADOW = 0x100
};

struct push_options {
	const char *state_dir;
	bool shadow;
};

static int on_push_option(int key, const char *value, void *input)
{
	struct push_options *o = input;

	switch (key) {
	case KEY_SHADOW:
		o->shadow = true;
		return 0;
	case KEY_STATE_DIR:
		o->state_dir = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int model_push(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "shadow", KEY_SHADOW, NULL, 0,
		  "Into the shadow slot: it scores beside the model in force and decides nothing; no "
		  "candidate of the agent's gets there until promote or clear-shadow has taken it out",
		  0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "model push",
		.args = "IFACE FILE",
		.doc = "Check a model file and put it in force on an interface, while traffic flows. It "
		       "keeps the version number that is in the file. The agent's learning rests while it "
		       "is in force, and an agent that starts puts its own version in production back: "
		       "what is to stay is learned, uploaded or promoted.",
		.least = 2,
		.most = 2,
		.options = options,
		.option = on_push_option,
	};
	static struct sen_model_flat model;
	struct push_options o = { 0 };
	const char *arg[SYNTAX_ARGS];
	struct sen_dataplane *dp = NULL;
	struct sen_why why = { 0 };
	char text[MODEL_TEXT];
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	if (!is_root("pushing model", arg[0]))
		return EXIT_FAILED;
	err = load_model(arg[1], &model, &why);
	if (!err)
		err = sen_dataplane_open(arg[0], &dp, &why);
	if (!err)
		err = sen_dataplane_push(dp, o.shadow ? SEN_SLOT_SHADOW : SEN_SLOT_ACTIVE, &model,
					 &why);
	sen_dataplane_close(dp);
	if (err)
		return fail(&why);
	printf("%s: model %s %s\n", arg[0], model_text(&model, text),
	       o.shadow ? "in the shadow slot" : "in force");
	if (!o.shadow)
		registry_record(o.state_dir, arg[0], &model, "pushed by the operator");
	return EXIT_DONE;
}

/* ---- clear-shadow ---- */

static int clear_shadow(struct sen_dataplane *dp, struct sen_model_flat *was, struct sen_why *why)
{
	const char *ifname = sen_dataplane_ifname(dp);
	int err = sen_dataplane_model(dp, SEN_SLOT_SHADOW, was);

	if (err == -ENOENT)
		return sen_why(why, err, NULL,
			       "clearing the shadow slot: %s: no model in the shadow slot", ifname);
	if (!err)
		err = sen_dataplane_clear(dp, SEN_SLOT_SHADOW);
	return err ? path_error(why, err, "clearing the shadow slot", ifname) : 0;
}

static int model_clear_shadow(int argc, char **argv)
{
	static const struct syntax syntax = {
		.name = "model clear-shadow",
		.args = "IFACE",
		.doc = "Take the model out of the shadow slot. A candidate of the agent's that waits for it goes "
		       "in; one that was in it begins anew.",
		.least = 1,
		.most = 1,
	};
	static struct sen_model_flat was;
	const char *arg[SYNTAX_ARGS];
	struct sen_dataplane *dp = NULL;
	struct sen_why why = { 0 };
	char text[MODEL_TEXT];
	int err;

	if (parse_line(&syntax, argc, argv, NULL, arg))
		return EXIT_USAGE;
	if (!is_root("clearing the shadow slot", arg[0]))
		return EXIT_FAILED;
	err = sen_dataplane_open(arg[0], &dp, &why);
	if (!err)
		err = clear_shadow(dp, &was, &why);
	sen_dataplane_close(dp);
	if (err)
		return fail(&why);
	printf("%s: model %s taken out of the shadow slot\n", arg[0], model_text(&was, text));
	return EXIT_DONE;
}

/* ---- verify ---- */

static int model_verify(int argc, char **argv)
{
	static const struct syntax syntax = {
		.name = "model verify",
		.args = "FILE",
		.doc = "Check a model file as attach and push do: format, features, digest, every "
		       "number.",
		.least = 1,
		.most = 1,
	};
	static struct sen_model_flat model;
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };
	char digest[DIGEST_HEX];

	if (parse_line(&syntax, argc, argv, NULL, arg))
		return EXIT_USAGE;
	if (load_model(arg[0], &model, &why))
		return fail(&why);
	digest_text(model.digest, digest);
	printf("%s: good: version %u, sha256 %s\n", arg[0], model.version, digest);
	return EXIT_DONE;
}

int cmd_model(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "push", "IFACE FILE [--shadow] [--state-dir DIR]", "put a model file in force",
		  model_push },
		{ "clear-shadow", "IFACE", "take the model out of the shadow slot",
		  model_clear_shadow },
		{ "show", "IFACE [VERSION] [--json]",
		  "the model in force, or a version kept on disk", model_show },
		{ "list", "[IFACE] [--state-dir DIR] [--json]", "versions kept on disk",
		  model_list },
		{ "verify", "FILE", "check a model file", model_verify },
		{ "rollback", "IFACE [--state-dir DIR]", "back to the version in force before",
		  model_rollback },
		{ "promote", "IFACE [VERSION] [--state-dir DIR]",
		  "put the shadow model, or a version kept on disk, in force", model_promote },
		{ "diff", "IFACE VERSION VERSION [--json]", "what tells two versions apart",
		  model_diff },
		{ "prune", "IFACE [--keep N] [--state-dir DIR]", "delete old archived versions",
		  model_prune },
		{ "export", "IFACE DIR [--state-dir DIR]", "versions for MLflow to look at",
		  model_export },
		{ 0 },
	};

	return run_command("model", "Look at models, put them in force, take them back.", commands,
			   argc, argv);
}
