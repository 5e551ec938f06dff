// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsutil.h"
#include "model_internal.h"
#include "report.h"
#include "report_html.h"
#include "report_plots.h"
#include "utf8.h"

static void item(FILE *out, const char *name, const char *value)
{
	fprintf(out, "<dt>%s</dt><dd>", name);
	html_text(out, value);
	fputs("</dd>\n", out);
}

static void item_digest(FILE *out, const char *name, const char *value, const char *digest,
			const char *remark)
{
	fprintf(out, "<dt>%s</dt><dd>", name);
	html_text(out, value);
	fprintf(out, " <code>%.16s</code>%s</dd>\n", digest, remark);
}

static void print_facts(FILE *out, const struct sen_evaluation_context *x, const char *command)
{
	const struct sen_trial *t = x->trial;
	char text[192], made[SEN_RFC3339_SIZE];

	fputs("<dl>\n", out);
	item(out, "Command", command);
	sen_time_print(x->model->created_s, made);
	item_digest(out, "Model", x->model_path, x->model->digest, "");
	snprintf(text, sizeof(text), "version %u of %s, %llu samples, seed %llu", x->model->version,
		 made, (unsigned long long)x->model->training.samples,
		 (unsigned long long)x->model->training.seed);
	item(out, "Training", text);
	for (size_t i = 0; i < x->n_inputs; i++)
		item_digest(out, "Capture", x->inputs[i].path, x->inputs[i].digest,
			    x->inputs[i].trained_on ? " (the model was trained on it)" : "");
	item(out, "Labels", x->labels_path);
	snprintf(text, sizeof(text), "%llu frames, %.1f s; flows from %g s on",
		 (unsigned long long)t->counts.frames,
		 ((double)t->last_ns - (double)t->first_ns) / 1e9, x->from_s);
	item(out, "Extent", text);
	fputs("</dl>\n", out);
}

static void print_figures(FILE *out, const char *name, const struct sen_figures *f)
{
	html_row(out, name);
	html_count(out, f->benign);
	html_count(out, f->malicious);
	html_figure(out, f->auc, 4);
	html_figure(out, f->average_precision, 4);
	for (int i = 0; i < SEN_EVAL_RATES; i++)
		html_share(out, f->tpr_at_fpr[i]);
	html_share(out, f->threshold.fpr);
	html_share(out, f->threshold.tpr);
	html_share(out, f->threshold.precision);
	html_figure(out, f->threshold.f1, 4);
	html_figure(out, f->threshold.balanced_accuracy, 4);
	html_row_end(out);
}

static void print_summary(FILE *out, const struct sen_evaluation *e)
{
	fputs("<h2>Figures</h2>\n", out);
	html_table(out, HTML_WORDS,
		   "by|benign|malicious|AUC|average precision|recall at 0.1&thinsp;% FPR|"
		   "at 1&thinsp;%|threshold: FPR|recall|precision|F1|balanced accuracy");
	print_figures(out, "flow", &e->flow);
	print_figures(out, "packet", &e->packet);
	print_figures(out, "evaluation", &e->evaluation);
	html_table_end(out);
	fputs("<p class=\"note\">A flow is malicious if any of its frames is; its score is the highest "
	      "of its evaluations. Packets carry the score in force after them. The AUC alone "
	      "flatters: read it beside the recall at low false-positive rates.</p>\n",
	      out);
}

static void print_confusion_of(FILE *out, const char *name, const struct sen_confusion *c)
{
	html_row(out, name);
	html_count(out, c->true_positives);
	html_count(out, c->false_positives);
	html_count(out, c->false_negatives);
	html_count(out, c->true_negatives);
	html_row_end(out);
}

static void print_confusion(FILE *out, const struct sen_evaluation *e)
{
	html_table(
		out, HTML_WORDS,
		"at the threshold|true positives|false positives|false negatives|true negatives");
	print_confusion_of(out, "flow", &e->flow.threshold);
	print_confusion_of(out, "packet", &e->packet.threshold);
	html_table_end(out);
}

static void print_comparison(FILE *out, const char *name, const struct sen_figures *f, double auc)
{
	html_row(out, name);
	html_figure(out, f->auc, 5);
	html_figure(out, auc - f->auc, 5);
	for (int i = 0; i < SEN_EVAL_RATES; i++)
		html_share(out, f->tpr_at_fpr[i]);
	html_row_end(out);
}

static void print_calibration_of(FILE *out, const char *name, const struct sen_calibration *c,
				 const struct sen_evaluation *e, double threshold)
{
	html_row(out, name);
	html_count(out, c->benign);
	html_share(out, e->target_fpr);
	html_share(out, c->fpr);
	html_figure(out, threshold, 3);
	html_figure(out, threshold * c->score_for_target, 3);
	html_row_end(out);
}

static void print_threshold(FILE *out, const struct sen_evaluation *e, double threshold)
{
	fputs("<h2>Threshold, and what integers cost</h2>\n", out);
	html_table(out, HTML_WORDS,
		   "false positives by|benign|target|measured|threshold|"
		   "that would have met the target");
	print_calibration_of(out, "evaluation", &e->by_evaluation, e, threshold);
	print_calibration_of(out, "flow", &e->by_flow, e, threshold);
	html_table_end(out);
	html_table(out, HTML_NAMES,
		   "flows scored in|AUC|integers less this|recall at 0.1&thinsp;% FPR|"
		   "at 1&thinsp;%");
	print_comparison(out, "integers, as in the packet path", &e->flow, e->flow.auc);
	print_comparison(out, "float32, held to 7 bits", &e->flow_float[SEN_FLOAT_SATURATED],
			 e->flow.auc);
	print_comparison(out, "float32", &e->flow_float[SEN_FLOAT_FREE], e->flow.auc);
	html_table_end(out);
}

static void print_classes(FILE *out, const struct sen_evaluation *e,
			  const struct sen_labels *labels)
{
	fputs("<h2>By class</h2>\n", out);
	html_table(out, HTML_WORDS,
		   "class|flows|recall at the threshold|at 0.1&thinsp;% FPR|at 1&thinsp;%|"
		   "named right|attacks|detected|delay, s|delay, packets");
	for (size_t i = 0; i < e->n_classes; i++) {
		const struct sen_class_figures *c = &e->classes[i];

		html_row(out, sen_labels_class(labels, c->class_index));
		html_count(out, c->flows);
		html_share(out, c->recall);
		for (int k = 0; k < SEN_EVAL_RATES; k++)
			html_share(out, c->recall_at_fpr[k]);
		html_share(out, c->flagged ? (double)c->named / c->flagged : NAN);
		html_count(out, c->attacks);
		html_count(out, c->detected);
		html_figure(out, c->delay_s, 3);
		html_count(out, c->delay_packets);
		html_row_end(out);
	}
	html_table_end(out);
	fputs("<p class=\"note\">Named right: share of the flagged flows. Delay: from the first "
	      "malicious frame of an attack to the first one flagged, median over the attacks that "
	      "were detected; attacks of a class are told apart by source. "
	      "Where attacks on one victim follow one another, its windows are still hot from the one "
	      "before, and the delay is shorter than it would be alone.</p>\n",
	      out);
}

static void print_names(FILE *out, const struct sen_evaluation *e,
			const struct sen_evaluation_context *x)
{
	char text[SEN_NAMED_TEXT];

	html_table(out, HTML_LISTS, "class|flagged flows|named");
	for (size_t i = 0; i < e->n_classes; i++) {
		const struct sen_class_figures *c = &e->classes[i];

		html_row(out, sen_labels_class(x->labels, c->class_index));
		html_count(out, c->flagged);
		html_words(out, sen_evaluation_named_as(c, x->model, text));
		html_row_end(out);
	}
	html_table_end(out);
}

static void print_attacks(FILE *out, const struct sen_evaluation_context *x)
{
	const struct sen_trial *t = x->trial;

	fputs("<h2>By attack</h2>\n", out);
	html_table(out, HTML_NAMES,
		   "source|class|frames|begins, s|lasts, s|delay, s|delay, packets");
	for (size_t i = 0; i < t->n_attacks; i++) {
		const struct sen_trial_attack *a = &t->attacks[i];
		double first = (double)a->first_ns;

		html_row(out, sen_labels_source(x->labels, a->label.source_index));
		html_words(out, sen_labels_class(x->labels, a->label.class_index));
		html_count(out, a->frames);
		html_figure(out, (first - (double)t->first_ns) / 1e9, 1);
		html_figure(out, ((double)a->last_ns - first) / 1e9, 2);
		html_figure(out, a->detected ? ((double)a->detected_ns - first) / 1e9 : NAN, 3);
		html_count(out, a->detected ? (double)a->delay_packets : NAN);
		html_row_end(out);
	}
	html_table_end(out);
}

static void print_attacked_sources(FILE *out, const struct sen_evaluation *e,
				   const struct sen_labels *labels)
{
	fputs("<h2>By source</h2>\n", out);
	html_table(out, HTML_NAMES,
		   "source with malicious flows|flows|recall at the threshold|"
		   "at 0.1&thinsp;% FPR|at 1&thinsp;%|named right");
	for (size_t i = 0; i < e->n_sources; i++) {
		const struct sen_source_figures *s = &e->sources[i];

		if (!s->malicious)
			continue;
		html_row(out, sen_labels_source(labels, s->source_index));
		html_count(out, s->malicious);
		html_share(out, s->recall);
		for (int k = 0; k < SEN_EVAL_RATES; k++)
			html_share(out, s->recall_at_fpr[k]);
		html_share(out, s->flagged ? (double)s->named / s->flagged : NAN);
		html_row_end(out);
	}
	html_row(out, "mean over these sources");
	fputs("<td></td><td></td>", out);
	for (int k = 0; k < SEN_EVAL_RATES; k++)
		html_share(out, e->source_mean_at_fpr[k]);
	fputs("<td></td>", out);
	html_row_end(out);
	html_table_end(out);
}

static void print_benign_sources(FILE *out, const struct sen_evaluation *e,
				 const struct sen_labels *labels)
{
	size_t silent = 0;

	html_table(out, HTML_NAMES, "source with false positives|benign flows|flagged|share");
	for (size_t i = 0; i < e->n_sources; i++) {
		const struct sen_source_figures *s = &e->sources[i];

		silent += s->benign && !s->false_positives;
		if (!s->false_positives)
			continue;
		html_row(out, sen_labels_source(labels, s->source_index));
		html_count(out, s->benign);
		html_count(out, s->false_positives);
		html_share(out, (double)s->false_positives / s->benign);
		html_row_end(out);
	}
	html_table_end(out);
	fprintf(out,
		"<p class=\"note\">Sources of benign flows without a false positive: %zu.</p>\n",
		silent);
}

static void print_counts(FILE *out, const struct sen_evaluation *e, const struct sen_trial *t)
{
	const struct sen_trial_counts *n = &t->counts;

	if (n->damaged)
		fprintf(out,
			"<p>A capture ended early: %llu frames that have labels are missing.</p>\n",
			(unsigned long long)n->frames_missing);
	fprintf(out,
		"<h2>What does not count, and what had no score</h2>\n"
		"<p>Left out: %zu flows and %llu frames before the start, %zu flows and %llu frames "
		"without a label. Scored 0, because the program did not score them: %zu flows, %zu of "
		"them malicious; %llu frames without a flow and %llu without room in the flow table, "
		"%llu of them malicious. Evaluations whose vector was lost: %llu.</p>\n",
		e->flows_before, (unsigned long long)n->frames_before, e->flows_unlabelled,
		(unsigned long long)n->frames_unlabelled, e->flows_unscored,
		e->flows_unscored_malicious, (unsigned long long)n->frames_unparsed,
		(unsigned long long)n->frames_untracked,
		(unsigned long long)n->frames_unscored_malicious,
		(unsigned long long)n->evaluations_lost);
}

typedef int plot_function(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
			  char **svg, struct sen_why *why);

static int print_plot(FILE *out, plot_function *plot, const struct sen_evaluation *e,
		      const struct sen_evaluation_context *x, struct sen_why *why)
{
	char *svg = NULL;
	int err = plot(e, x, &svg, why);

	if (!err)
		fputs(svg, out);
	free(svg);
	return err;
}

static int print_curves(FILE *out, const struct sen_evaluation *e,
			const struct sen_evaluation_context *x, struct sen_why *why)
{
	int err;

	fputs("<div class=\"pair\">\n", out);
	err = print_plot(out, sen_report_plot_roc, e, x, why);
	if (!err)
		err = print_plot(out, sen_report_plot_precision, e, x, why);
	fputs("</div>\n<h2>Scores over time</h2>\n", out);
	if (!err)
		err = print_plot(out, sen_report_plot_time, e, x, why);
	fputs("<p class=\"note\">Flows where they begin, one point for many that lie together; "
	      "attacks are shaded by class.</p>\n",
	      out);
	return err;
}

static int print_page(FILE *out, const struct sen_evaluation *e,
		      const struct sen_evaluation_context *x, const char *command,
		      struct sen_why *why)
{
	int err;

	html_begin(out, "Sentroid: evaluation");
	print_facts(out, x, command);
	print_summary(out, e);
	print_confusion(out, e);
	err = print_curves(out, e, x, why);
	if (err)
		return err;
	print_classes(out, e, x->labels);
	print_names(out, e, x);
	print_attacks(out, x);
	print_attacked_sources(out, e, x->labels);
	print_benign_sources(out, e, x->labels);
	print_threshold(out, e, x->model->threshold);
	fputs("<h2>Features</h2>\n<p class=\"note\">Share of the evaluations by value, octave by "
	      "octave: benign filled, malicious as a line. Each has a scale of its own.</p>\n",
	      out);
	err = print_plot(out, sen_report_plot_features, e, x, why);
	print_counts(out, e, x->trial);
	html_end(out);
	return err;
}

static int write_page(const char *path, const char *text, struct sen_why *why)
{
	char *mended = sen_utf8_mended(text);
	int err = mended ? sen_write_atomic(path, mended, strlen(mended), why) :
			   sen_why(why, -ENOMEM, NULL, "writing report: out of memory");

	free(mended);
	return err;
}

int sen_report_write(const char *path, const struct sen_evaluation *e,
		     const struct sen_evaluation_context *x, const char *command,
		     struct sen_why *why)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool failed;
	int err;

	if (!out)
		return sen_why(why, -ENOMEM, NULL, "writing report: out of memory");
	err = print_page(out, e, x, command, why);
	failed = ferror(out);
	if (fclose(out) || failed)
		err = err ? err : sen_why(why, -ENOMEM, NULL, "writing report: out of memory");
	if (!err)
		err = write_page(path, text, why);
	free(text);
	return err;
}
