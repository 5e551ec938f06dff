// SPDX-License-Identifier: BSD-2-Clause
/* sentroid train: captures go through the packet program itself, so that a model is made from the very
 * vectors that it will be asked about. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "command.h"
#include "flow_table.h"
#include "fsutil.h"
#include "harvest.h"
#include "label.h"
#include "output.h"
#include "train.h"
#include "utf8.h"
#include "validate.h"

struct input {
	const char *path;
	char class_name[SEN_CLASS_NAME_MAX]; /* empty: normal traffic */
};

struct options {
	struct input inputs[SEN_INPUTS_MAX];
	unsigned int n;
	double until_s;
	bool flow_tables; /* not captures */
	const char *out;
	struct sen_train_params params;
};

enum {
	KEY_NORMAL = 0x100,
	KEY_UNTIL,
	KEY_ATTACK,
	KEY_MEMBERS,
	KEY_SUBSPACE,
	KEY_SEED,
	KEY_FPR,
	KEY_MARGIN,
	KEY_FLOW_TABLE
};

static const struct argp_option option_list[] = {
	{ "normal", KEY_NORMAL, "FILE", 0, "Capture of normal traffic; may be given again", 0 },
	{ "until", KEY_UNTIL, "SECONDS", 0,
	  "Use normal captures up to so long after their first packet", 0 },
	{ "attack", KEY_ATTACK, "CLASS=FILE", 0,
	  "Capture of one attack, to name what is flagged; may be given again", 0 },
	{ "centroids", 'k', "K", 0, "Centroids of each member (32)", 0 },
	{ "members", KEY_MEMBERS, "E", 0, "Members of the ensemble (3)", 0 },
	{ "subspace", KEY_SUBSPACE, "SHARE", 0,
	  "Share of the features that each member sees, drawn by the seed, at least four (1: all)",
	  0 },
	{ "seed", KEY_SEED, "N", 0, "Seed: the same seed and input give the same model (1)", 0 },
	{ "fpr", KEY_FPR, "SHARE", 0, "Share of normal flows that may be flagged (0.01)", 0 },
	{ "margin", KEY_MARGIN, "FACTOR", 0, "The threshold is what that takes, times this (1)",
	  0 },
	{ "flow-table", KEY_FLOW_TABLE, 0, 0,
	  "The files are flow tables with labels of their own: NSL-KDD, CICFlowMeter, Zeek's conn.log",
	  0 },
	{ "output", 'o', "MODEL.json", 0, "Where the model goes", 0 },
	{ 0 },
};

static int add_input(struct options *o, const char *path, const char *class_name, size_t len)
{
	if (o->n == SEN_INPUTS_MAX)
		return usage_error("more than %d captures", SEN_INPUTS_MAX);
	o->inputs[o->n].path = path;
	memcpy(o->inputs[o->n++].class_name, class_name, len);
	return 0;
}

/* Where samples are labelled such a word is no class, or another one. */
static bool is_reserved(const char *name)
{
	unsigned int label, class_id;

	if (!strcmp(name, "auto") || !strcmp(name, "normal"))
		return true;
	return !sen_label_parse(name, NULL, &label, &class_id) &&
	       (class_id <= SEN_CLASS_UNKNOWN || class_id >= SEN_CLASS_CUSTOM);
}

static int add_attack(struct options *o, const char *value)
{
	const char *equals = strchr(value, '=');
	char name[SEN_CLASS_NAME_MAX] = "";

	if (!equals || equals == value || !equals[1])
		return usage_error("--attack: %s: not CLASS=FILE", value);
	if (equals - value >= SEN_CLASS_NAME_MAX)
		return usage_error("--attack: %.*s: more than the %d bytes of a name for a class",
				   (int)(equals - value), value, SEN_CLASS_NAME_MAX - 1);
	memcpy(name, value, equals - value);
	if (!sen_class_name_fits(name))
		return usage_error("--attack: %s: not a name for a class: letters, digits, '_', "
				   "'-' and '.' can be in one",
				   name);
	if (is_reserved(name))
		return usage_error("--attack: '%s' has a meaning of its own: no name for a class",
				   name);
	return add_input(o, equals + 1, name, equals - value);
}

static int on_option(int key, const char *value, void *input)
{
	struct options *o = input;
	unsigned int seed;
	int err;

	switch (key) {
	case KEY_NORMAL:
		return add_input(o, value, "", 0);
	case KEY_ATTACK:
		return add_attack(o, value);
	case KEY_UNTIL:
		return parse_number("--until", value, 1e-6, 1e9, &o->until_s);
	case 'k':
		return parse_count("-k", value, 2, SEN_CENTROIDS_MAX, &o->params.centroids);
	case KEY_MEMBERS:
		return parse_count("--members", value, 1, SEN_MEMBERS_MAX - 1, &o->params.members);
	case KEY_SUBSPACE:
		return parse_number("--subspace", value, 0.01, 1, &o->params.subspace);
	case KEY_SEED:
		err = parse_count("--seed", value, 0, ~0u, &seed);
		o->params.seed = seed;
		return err;
	case KEY_FPR:
		return parse_number("--fpr", value, 1e-6, 0.5, &o->params.target_fpr);
	case KEY_MARGIN:
		return parse_number("--margin", value, 1, 100, &o->params.threshold_margin);
	case KEY_FLOW_TABLE:
		o->flow_tables = true;
		return 0;
	case 'o':
		o->out = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct syntax syntax = {
	.name = "train",
	.args = "--normal FILE... [--attack CLASS=FILE ...] -o MODEL.json",
	.doc = "Make a model from captures of normal traffic, and from captures of attacks the names of "
	       "what it flags. Further arguments are further captures of normal traffic.",
	.least = 0,
	.most = SYNTAX_ARGS,
	.options = option_list,
	.option = on_option,
};

/* A pipe or standard input: what is read of it for a digest would be lost for training. */
static bool is_read_once(const char *path)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return true;
	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

#define DIGEST_TEXT 80

static int digest_input(const char *path, char digest[DIGEST_TEXT], struct sen_why *why)
{
	char hex[65];
	int err;

	if (is_read_once(path)) {
		note("%s: not a regular file: goes on record without a digest", path);
		strcpy(digest, "no digest");
		return 0;
	}
	err = sen_sha256_file(path, NULL, hex, why);
	if (!err)
		snprintf(digest, DIGEST_TEXT, "sha256:%s", hex);
	return err;
}

/* "name sha256:hex" of a capture, appended to the provenance. */
static int record_input(struct sen_provenance *training, const struct input *in,
			struct sen_why *why)
{
	size_t used = strlen(training->inputs), room = sizeof(training->inputs) - used;
	const char *slash = strrchr(in->path, '/');
	char digest[DIGEST_TEXT], *name;
	int err = digest_input(in->path, digest, why), len;

	if (err)
		return err;
	name = sen_utf8_mended(slash ? slash + 1 : in->path);
	if (!name)
		return sen_why(why, -ENOMEM, NULL, "training: out of memory");
	len = snprintf(training->inputs + used, room, "%s%s%s%s %s", used ? "\n" : "",
		       in->class_name, *in->class_name ? "=" : "", name, digest);
	free(name);
	if ((size_t)len >= room)
		return sen_why(why, -ENOSPC, NULL, "training: %s: no room for it on record",
			       in->path);
	return 0;
}

static int record_inputs(const struct options *o, struct sen_provenance *training,
			 struct sen_why *why)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < o->n; i++)
		err = record_input(training, &o->inputs[i], why);
	return err;
}

static int read_tables(const struct options *o, const char **format, struct sen_model *names,
		       struct sen_harvest *h, struct sen_why *why)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < o->n; i++)
		err = flow_table_samples(o->inputs[i].path, format, names, h, why);
	return err;
}

/* Before anything is read: whether a model can have so many classes. */
static int name_classes(const struct options *o, struct sen_model *names, struct sen_why *why)
{
	for (unsigned int i = 0; i < o->n; i++) {
		const char *name = o->inputs[i].class_name;
		int id = *name ? sen_class_id(names, name) : 0;

		if (id < 0)
			return sen_why(why, id, NULL, "training: %s: no room for the class", name);
	}
	return 0;
}

/* A class that no sample shows is none, and there is no model without normal traffic. */
static int check_classes(const struct options *o, struct sen_model *names,
			 const struct sen_harvest *h, struct sen_why *why)
{
	bool shown[SEN_CLASS_MAX] = { 0 };

	for (size_t i = 0; i < h->n; i++)
		shown[h->samples[i].class_id % SEN_CLASS_MAX] = true;
	for (unsigned int i = 0; i < o->n; i++) {
		const struct input *in = &o->inputs[i];
		bool normal = !*in->class_name;

		if (!shown[normal ? SEN_CLASS_NONE : sen_class_id(names, in->class_name)])
			return sen_why(why, -ENODATA, NULL, "training: %s: no sample of %s in it",
				       in->path, normal ? "normal traffic" : in->class_name);
	}
	return 0;
}

static int harvest_all(const struct options *o, struct sen_model *names, struct sen_harvest *h,
		       struct sen_why *why)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < o->n; i++) {
		const struct input *in = &o->inputs[i];
		struct sen_harvest_options options = { .label = SEN_LABEL_BENIGN,
						       .until_s = o->until_s };

		if (*in->class_name)
			options = (struct sen_harvest_options){
				.label = SEN_LABEL_ATTACK,
				.class_id = sen_class_id(names, in->class_name),
			};
		options.on_damage = note_damage;
		options.on_note = note_text;
		err = sen_harvest_capture(h, in->path, &options, why);
	}
	return err ? err : check_classes(o, names, h, why);
}

/* The files are on record with their digests; this is the rest. */
static void record_command(struct sen_provenance *training, const struct options *o)
{
	const struct sen_train_params *p = &o->params;
	int at = snprintf(training->command, sizeof(training->command),
			  "sentroid train -k %u --members %u --seed %llu --fpr %g --margin %g",
			  p->centroids, p->members, (unsigned long long)p->seed, p->target_fpr,
			  p->threshold_margin);

	if (p->subspace < 1)
		at += snprintf(training->command + at, sizeof(training->command) - at,
			       " --subspace %g", p->subspace);
	if (o->until_s > 0)
		at += snprintf(training->command + at, sizeof(training->command) - at,
			       " --until %g", o->until_s);
	if (o->flow_tables)
		snprintf(training->command + at, sizeof(training->command) - at, " --flow-table");
}

static int train(const struct options *o, struct sen_why *why)
{
	struct sen_model *names = calloc(1, sizeof(*names)), *model = NULL;
	struct sen_train_params params = o->params;
	struct sen_harvest h = { 0 };
	const char *format = NULL;
	int err;

	if (!names)
		return sen_why(why, -ENOMEM, NULL, "training: out of memory");
	err = sen_check_writable(o->out, why);
	if (!err)
		err = name_classes(o, names, why);
	if (!err)
		err = record_inputs(o, &names->training, why);
	if (!err)
		err = o->flow_tables ? read_tables(o, &format, names, &h, why) :
				       harvest_all(o, names, &h, why);
	params.class_names = names;
	if (o->flow_tables)
		params.weights = NULL;
	if (!err)
		err = sen_train_full(h.samples, h.n, &params, &model, why);
	if (err)
		goto cleanup;
	if (o->flow_tables)
		flow_table_mark(model, format);
	model->version = 1;
	model->created_s = time(NULL);
	record_command(&model->training, o);
	strcpy(model->training.inputs, names->training.inputs);
	err = sen_model_save(model, o->out, why);
	if (!err)
		printf("%s: %u members x %u centroids from %zu samples, threshold %.3f, digest %.12s\n",
		       o->out, model->members, model->member[0].count, h.n, model->threshold,
		       model->digest);
cleanup:
	sen_model_free(model);
	free(h.samples);
	free(names);
	return err;
}

static int check_usage(const struct options *o)
{
	int err = 0;

	if (!o->n || !o->out)
		return usage_error("--normal FILE and -o MODEL.json are needed");
	for (unsigned int i = 0; i < o->n && o->flow_tables; i++)
		if (*o->inputs[i].class_name)
			return usage_error("--attack is for captures: flow tables have labels");
	if (o->flow_tables && (o->params.subspace < 1 || o->until_s > 0))
		return usage_error("--subspace and --until are for captures");
	for (unsigned int i = 0; !err && i < o->n; i++)
		err = check_no_input("-o", o->out, &o->inputs[i].path, 1);
	return err ? err : check_no_recording("-o", o->out);
}

int cmd_train(int argc, char **argv)
{
	struct options o = { .params = sen_train_defaults };
	const char *more[SYNTAX_ARGS];
	struct sen_why why = { 0 };
	int err;

	/* In the laboratory the threshold is to be where it was asked for; the agent leaves more room. */
	o.params.target_fpr = 0.01;
	o.params.threshold_margin = 1;
	err = parse_line(&syntax, argc, argv, &o, more);
	for (int i = 0; !err && i < SYNTAX_ARGS && more[i]; i++)
		err = add_input(&o, more[i], "", 0);
	if (!err)
		err = check_usage(&o);
	if (err)
		return err;
	if (!o.flow_tables &&
	    !is_root("training (captures go through the packet program)", o.inputs[0].path))
		return EXIT_FAILED;
	return train(&o, &why) ? fail(&why) : EXIT_DONE;
}
