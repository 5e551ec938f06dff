// SPDX-License-Identifier: BSD-2-Clause
/* sentroid model prune and export: what is kept, and for whom. */
#include <stdio.h>

#include "config.h"
#include "mlflow.h"
#include "model_command.h"

int on_registry_option(int key, const char *value, void *input)
{
	struct registry_options *o = input;

	switch (key) {
	case KEY_MODEL_JSON:
		o->json = true;
		return 0;
	case KEY_STATE_DIR:
		o->state_dir = value;
		return 0;
	case KEY_KEEP:
		return parse_count("--keep", value, 0, 1000000, &o->keep);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int model_prune(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "keep", KEY_KEEP, "N", 0, "Archived versions to keep (50)", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "model prune",
		.args = "IFACE",
		.doc = "Delete the files of archived versions but the latest. What is in production, staged, "
		       "what a roll-back goes to and what bounds the drift of these stays; so does the "
		       "record of all.",
		.least = 1,
		.most = 1,
		.options = options,
		.option = on_registry_option,
	};
	struct registry_options o = { .keep = sen_config_defaults.registry_keep };
	const char *arg[SYNTAX_ARGS];
	struct sen_registry *r = NULL;
	struct sen_why why = { 0 };
	unsigned int pruned = 0;
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	err = open_registry(o.state_dir, arg[0], REGISTRY_WRITE, &r, &why);
	if (!err)
		err = sen_registry_prune(r, o.keep, &pruned, &why);
	sen_registry_close(r);
	if (err)
		return fail(&why);
	printf("%s: %u versions pruned\n", arg[0], pruned);
	return EXIT_DONE;
}

int model_export(int argc, char **argv)
{
	static const struct argp_option options[] = { STATE_DIR_OPTION, { 0 } };
	static const struct syntax syntax = {
		.name = "model export",
		.args = "IFACE DIR",
		.doc = "Write every version with its parameters, metrics and stage into DIR as MLflow's file "
		       "store: mlflow ui --backend-store-uri DIR shows it.",
		.least = 2,
		.most = 2,
		.options = options,
		.option = on_registry_option,
	};
	struct registry_options o = { 0 };
	const char *arg[SYNTAX_ARGS];
	struct sen_registry *r = NULL;
	struct sen_why why = { 0 };
	unsigned int runs = 0;
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	err = open_registry(o.state_dir, arg[0], REGISTRY_READ, &r, &why);
	if (!err)
		err = sen_mlflow_export(r, arg[0], arg[1], &runs, &why);
	sen_registry_close(r);
	if (err)
		return fail(&why);
	printf("%s: %u versions written to %s\n", arg[0], runs, arg[1]);
	return EXIT_DONE;
}
