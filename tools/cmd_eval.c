// SPDX-License-Identifier: BSD-2-Clause
/* sentroid eval: how well a model tells attacks from normal traffic, on captures whose frames are
 * labelled. The packet program itself scores them, as in `sentroid replay`. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "evaluation.h"
#include "figure.h"
#include "flow_table.h"
#include "fsutil.h"
#include "output.h"
#include "paths.h"
#include "report.h"
#include "table.h"

struct options {
	const char *model;
	char shipped[PATH_MAX]; /* the model where none is named */
	const char *labels;
	const char *report;
	const char *command; /* the line as it was given */
	double from_s;
	bool json;
	bool flow_tables; /* not captures */
};

enum {
	KEY_MODEL = 0x100,
	KEY_LABELS,
	KEY_FROM,
	KEY_REPORT,
	KEY_JSON,
	KEY_FLOW_TABLE
};

static const struct argp_option option_list[] = {
	{ "labels", KEY_LABELS, "LABELS.csv[.gz]", 0,
	  "What each frame is: columns frame,label,class and perhaps source", 0 },
	{ "model", KEY_MODEL, "FILE", 0, "Model instead of the shipped one", 0 },
	{ "from", KEY_FROM, "SECONDS", 0,
	  "Leave out flows that begin sooner after the first frame, such as those trained on", 0 },
	{ "report", KEY_REPORT, "OUT.html", 0,
	  "Write a page with curves and tables (takes gnuplot)", 0 },
	{ "json", KEY_JSON, 0, 0, "Print all figures as JSON", 0 },
	{ "flow-table", KEY_FLOW_TABLE, 0, 0,
	  "The files are flow tables with labels of their own, the model is one of such tables",
	  0 },
	{ 0 },
};

static int on_option(int key, const char *value, void *input)
{
	struct options *o = input;

	switch (key) {
	case KEY_MODEL:
		o->model = value;
		return 0;
	case KEY_LABELS:
		o->labels = value;
		return 0;
	case KEY_FROM:
		return parse_number("--from", value, 0, 1e9, &o->from_s);
	case KEY_REPORT:
		o->report = value;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_FLOW_TABLE:
		o->flow_tables = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct syntax syntax = {
	.name = "eval",
	.args = "--labels LABELS.csv[.gz] FILE...",
	.doc = "Run labelled captures through the packet program and tell how well its scores separate "
	       "attacks from normal traffic. Frames are counted from 1, those of several captures in the order of their stamps.",
	.least = 1,
	.most = SYNTAX_ARGS - 1,
	.options = option_list,
	.option = on_option,
};

static void progress(void *ctx, uint64_t frames)
{
	(void)ctx;
	show_progress(frames, false);
}

static void print_figures(struct table *t, const char *of, const struct sen_figures *f)
{
	table_row(t, "%s\t%zu\t%zu\t%s\t%s\t%s\t%s\t%s\t%s\t%s", of, f->benign, f->malicious,
		  decimal(f->auc, 4).is, decimal(f->average_precision, 4).is,
		  percent(f->tpr_at_fpr[0]).is, percent(f->tpr_at_fpr[1]).is,
		  percent(f->threshold.fpr).is, percent(f->threshold.tpr).is,
		  percent(f->threshold.precision).is);
}

static void print_summary(const struct sen_evaluation *e)
{
	struct table t = { .align = "<>>>>>>>>>", .indent = "" };

	table_row(&t, "by\tbenign\tmalicious\tAUC\tAP\trecall at 0.1%%\tat 1%%\tthreshold: FPR\t"
		      "recall\tprecision");
	print_figures(&t, "flow", &e->flow);
	print_figures(&t, "packet", &e->packet);
	print_figures(&t, "evaluation", &e->evaluation);
	table_print(&t);
}

static void print_confusion_of(struct table *t, const char *of, const struct sen_confusion *c)
{
	table_row(t, "%s\t%zu\t%zu\t%zu\t%zu", of, c->true_positives, c->false_positives,
		  c->false_negatives, c->true_negatives);
}

static void print_confusion(const struct sen_evaluation *e)
{
	struct table t = { .align = "<>>>>", .indent = "" };

	table_row(&t, "at the threshold\ttrue positives\tfalse positives\tfalse negatives\t"
		      "true negatives");
	print_confusion_of(&t, "flow", &e->flow.threshold);
	print_confusion_of(&t, "packet", &e->packet.threshold);
	table_print(&t);
}

static void print_classes(const struct sen_evaluation *e, const struct sen_labels *labels)
{
	struct table t = { .align = "<>>>>>>>>", .indent = "" };

	table_row(&t, "class\tflows\trecall\tat 0.1%%\tat 1%%\tnamed right\tattacks\tdetected\t"
		      "delay, packets");
	for (size_t i = 0; i < e->n_classes; i++) {
		const struct sen_class_figures *c = &e->classes[i];
		double named = c->flagged ? (double)c->named / c->flagged : NAN;

		table_row(&t, "%s\t%zu\t%s\t%s\t%s\t%s\t%zu\t%zu\t%s",
			  sen_labels_class(labels, c->class_index), c->flows, percent(c->recall).is,
			  percent(c->recall_at_fpr[0]).is, percent(c->recall_at_fpr[1]).is,
			  percent(named).is, c->attacks, c->detected,
			  decimal(c->delay_packets, 0).is);
	}
	table_print(&t);
}

static void print_names(const struct sen_evaluation *e, const struct sen_evaluation_context *x)
{
	struct table t = { .align = "<><", .indent = "" };
	char text[SEN_NAMED_TEXT];

	table_row(&t, "class\tflagged\tnamed");
	for (size_t i = 0; i < e->n_classes; i++) {
		const struct sen_class_figures *c = &e->classes[i];

		table_row(&t, "%s\t%zu\t%s", sen_labels_class(x->labels, c->class_index),
			  c->flagged, sen_evaluation_named_as(c, x->model, text));
	}
	table_print(&t);
}

static void print_rest(const struct sen_evaluation *e, const struct sen_trial *t)
{
	printf("mean over sources: recall %s at 0.1%%, %s at 1%%\n",
	       percent(e->source_mean_at_fpr[0]).is, percent(e->source_mean_at_fpr[1]).is);
	printf("threshold: set for %s of flows, gives %s of evaluations and %s of flows\n",
	       percent(e->target_fpr).is, percent(e->by_evaluation.fpr).is,
	       percent(e->by_flow.fpr).is);
	printf("integers: AUC %s; float32: %s, held to 7 bits: %s\n", decimal(e->flow.auc, 5).is,
	       decimal(e->flow_float[SEN_FLOAT_FREE].auc, 5).is,
	       decimal(e->flow_float[SEN_FLOAT_SATURATED].auc, 5).is);
	printf("left out: %zu flows before the start, %zu unlabelled; without a score: %zu flows, "
	       "%llu frames\n",
	       e->flows_before, e->flows_unlabelled, e->flows_unscored,
	       (unsigned long long)(t->counts.frames_unparsed + t->counts.frames_untracked));
}

static int print_json(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
		      struct sen_why *why)
{
	char *text = sen_evaluation_json(e, x);

	if (!text)
		return sen_why(why, -ENOMEM, NULL, "printing figures: out of memory");
	puts(text);
	free(text);
	return 0;
}

static int tell(const struct options *o, const struct sen_evaluation_context *x,
		struct sen_trial *trial, struct sen_why *why)
{
	struct sen_evaluation *e;
	int err = sen_evaluation_make(trial, x->model, x->labels, &e);

	if (err)
		return sen_why(why, err, NULL, "evaluating: out of memory");
	if (o->json) {
		err = print_json(e, x, why);
	} else {
		print_summary(e);
		print_confusion(e);
		print_classes(e, x->labels);
		print_names(e, x);
		print_rest(e, trial);
	}
	if (!err && o->report)
		err = sen_report_write(o->report, e, x, o->command, why);
	sen_evaluation_free(e);
	return err;
}

/* Figures on what a model was trained on say nothing about what it will meet. */
static int describe_inputs(const struct options *o, const char *const *files,
			   const struct sen_model *model, struct sen_evaluation_input *inputs,
			   size_t *n, struct sen_why *why)
{
	struct stat st;
	int err = 0;

	for (*n = 0; !err && files[*n]; ++*n) {
		struct sen_evaluation_input *in = &inputs[*n];

		in->path = files[*n];
		/* A pipe can be read only once. */
		if (stat(in->path, &st) || !S_ISREG(st.st_mode))
			continue;
		err = sen_sha256_file(in->path, NULL, in->digest, why);
		in->trained_on = !err && strstr(model->training.inputs, in->digest);
		if (in->trained_on && o->from_s <= 0)
			note("%s: the model was trained on it: --from SECONDS leaves out the part "
			     "that was used",
			     in->path);
	}
	return err;
}

static int evaluate(const struct options *o, const char *const *files,
		    const struct sen_model *model, const struct sen_labels *labels)
{
	struct sen_evaluation_input inputs[SYNTAX_ARGS] = { 0 };
	struct sen_evaluation_context x = {
		.model = model,
		.labels = labels,
		.model_path = o->model,
		.labels_path = o->labels,
		.inputs = inputs,
		.from_s = o->from_s,
	};
	struct sen_trial_options options = {
		.model = model,
		.labels = labels,
		.files = files,
		.from_s = o->from_s,
		.damage = note_damage,
		.note = note_text,
		.progress = progress,
	};
	struct sen_trial *trial = NULL;
	struct sen_why why = { 0 };
	int err = describe_inputs(o, files, model, inputs, &x.n_inputs, &why);

	if (!err)
		err = sen_trial_run(&options, &trial, &why);
	if (!err) {
		show_progress(trial->counts.frames, true);
		x.trial = trial;
		err = tell(o, &x, trial, &why);
	}
	sen_trial_free(trial);
	return err ? fail(&why) : EXIT_DONE;
}

/* "sentroid eval ..." to free(), for the report. */
static char *command_line(int argc, char **argv)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fputs("sentroid", out);
	for (int i = 0; i < argc; i++)
		fprintf(out, " %s", argv[i]);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static int load_and_evaluate(struct options *o, const char *const *files)
{
	struct sen_why why = { 0 };
	struct sen_model *model = NULL;
	struct sen_labels *labels = NULL;
	int err = o->report ? sen_check_writable(o->report, &why) : 0;

	if (!err && !o->model) {
		err = sen_default_model_path(o->shipped, sizeof(o->shipped), &why);
		o->model = o->shipped;
	}
	if (!err)
		err = sen_model_load(o->model, &model, &why);
	if (!err)
		err = sen_labels_read(o->labels, &labels, &why);
	err = err ? fail(&why) : evaluate(o, files, model, labels);
	sen_labels_free(labels);
	sen_model_free(model);
	return err;
}

static int evaluate_tables(const struct options *o, const char *const *files)
{
	struct sen_why why;

	if (!o->model)
		return usage_error("--model MODEL.json is needed for flow tables");
	if (o->labels || o->report || o->from_s > 0)
		return usage_error("--labels, --report and --from are for captures");
	return flow_table_eval(o->model, files, o->json, &why) ? fail(&why) : EXIT_DONE;
}

static int check_report(const struct options *o, const char *const *files)
{
	const char *more[] = { o->labels, o->model };
	int err = check_no_input("--report", o->report, files, SYNTAX_ARGS);

	if (!err)
		err = check_no_input("--report", o->report, more, 2);
	return err ? err : check_no_recording("--report", o->report);
}

int cmd_eval(int argc, char **argv)
{
	const char *files[SYNTAX_ARGS] = { 0 };
	char *command = command_line(argc, argv);
	struct options o = { .command = command ? command : "" };
	int err = parse_line(&syntax, argc, argv, &o, files);

	if (!err && o.flow_tables) {
		err = evaluate_tables(&o, files);
		goto out;
	}
	if (!err && !o.labels)
		err = usage_error("--labels LABELS.csv is needed");
	if (!err)
		err = check_report(&o, files);
	if (!err && !is_root("evaluating (captures go through the packet program)", files[0]))
		err = EXIT_FAILED;
	if (!err)
		err = load_and_evaluate(&o, files);
out:
	free(command);
	return err;
}
