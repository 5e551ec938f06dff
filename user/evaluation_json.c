// SPDX-License-Identifier: BSD-2-Clause
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "evaluation.h"
#include "utf8.h"

static const char *const rate_names[SEN_EVAL_RATES] = SEN_EVAL_RATE_NAMES;

/* JSON has no NaN and no infinity. */
static void number(cJSON *o, const char *key, double v)
{
	if (isfinite(v))
		cJSON_AddNumberToObject(o, key, v);
	else
		cJSON_AddNullToObject(o, key);
}

static void add_rates(cJSON *o, const char *key, const double value[SEN_EVAL_RATES])
{
	cJSON *at = cJSON_AddObjectToObject(o, key);

	for (int i = 0; i < SEN_EVAL_RATES; i++)
		number(at, rate_names[i], value[i]);
}

/* As members of their own: recall_at_fpr_0.001, ... */
static void add_recall_at(cJSON *o, const double value[SEN_EVAL_RATES])
{
	static const char *const keys[] = { "recall_at_fpr_0.001", "recall_at_fpr_0.01" };

	for (int i = 0; i < SEN_EVAL_RATES; i++)
		number(o, keys[i], value[i]);
}

static void add_figures(cJSON *root, const char *key, const struct sen_figures *f)
{
	cJSON *o = cJSON_AddObjectToObject(root, key), *t;

	number(o, "benign", f->benign);
	number(o, "malicious", f->malicious);
	number(o, "auc", f->auc);
	number(o, "average_precision", f->average_precision);
	add_rates(o, "tpr_at_fpr", f->tpr_at_fpr);
	t = cJSON_AddObjectToObject(o, "threshold");
	number(t, "fpr", f->threshold.fpr);
	number(t, "tpr", f->threshold.tpr);
	number(t, "precision", f->threshold.precision);
	number(t, "f1", f->threshold.f1);
	number(t, "balanced_accuracy", f->threshold.balanced_accuracy);
	number(t, "true_positives", f->threshold.true_positives);
	number(t, "false_positives", f->threshold.false_positives);
	number(t, "true_negatives", f->threshold.true_negatives);
	number(t, "false_negatives", f->threshold.false_negatives);
}

static void add_named(cJSON *o, const struct sen_class_figures *c, const struct sen_model *model)
{
	cJSON *as = cJSON_AddObjectToObject(o, "named_as");

	number(o, "named", c->flagged ? (double)c->named / c->flagged : NAN);
	for (unsigned int id = 0; id < SEN_CLASS_MAX; id++)
		if (c->named_as[id])
			number(as, sen_class_name(model, id), c->named_as[id]);
}

static void add_classes(cJSON *root, const struct sen_evaluation *e,
			const struct sen_evaluation_context *x)
{
	cJSON *classes = cJSON_AddObjectToObject(root, "classes");

	for (size_t i = 0; i < e->n_classes; i++) {
		const struct sen_class_figures *c = &e->classes[i];
		const char *name = sen_labels_class(x->labels, c->class_index);
		cJSON *o = cJSON_AddObjectToObject(classes, name);

		number(o, "flows", c->flows);
		number(o, "recall", c->recall);
		add_recall_at(o, c->recall_at_fpr);
		add_named(o, c, x->model);
		number(o, "attacks", c->attacks);
		number(o, "attacks_detected", c->detected);
		number(o, "delay_seconds", c->delay_s);
		number(o, "delay_packets", c->delay_packets);
	}
}

static double since_start(const struct sen_trial *t, uint64_t time_ns)
{
	return ((double)time_ns - (double)t->first_ns) / 1e9;
}

static void add_attacks(cJSON *root, const struct sen_evaluation_context *x)
{
	cJSON *attacks = cJSON_AddArrayToObject(root, "attacks");

	for (size_t i = 0; i < x->trial->n_attacks; i++) {
		const struct sen_trial_attack *a = &x->trial->attacks[i];
		double delay = ((double)a->detected_ns - (double)a->first_ns) / 1e9;
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "class",
					sen_labels_class(x->labels, a->label.class_index));
		cJSON_AddStringToObject(o, "source",
					sen_labels_source(x->labels, a->label.source_index));
		number(o, "frames", a->frames);
		number(o, "begin_seconds", since_start(x->trial, a->first_ns));
		number(o, "end_seconds", since_start(x->trial, a->last_ns));
		number(o, "delay_seconds", a->detected ? delay : NAN);
		number(o, "delay_packets", a->detected ? (double)a->delay_packets : NAN);
		cJSON_AddItemToArray(attacks, o);
	}
}

static void add_sources(cJSON *root, const struct sen_evaluation *e,
			const struct sen_evaluation_context *x)
{
	cJSON *sources = cJSON_AddArrayToObject(root, "sources");

	for (size_t i = 0; i < e->n_sources; i++) {
		const struct sen_source_figures *s = &e->sources[i];
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "source", sen_labels_source(x->labels, s->source_index));
		number(o, "benign_flows", s->benign);
		number(o, "false_positives", s->false_positives);
		number(o, "malicious_flows", s->malicious);
		number(o, "recall", s->recall);
		add_recall_at(o, s->recall_at_fpr);
		number(o, "named", s->flagged ? (double)s->named / s->flagged : NAN);
		cJSON_AddItemToArray(sources, o);
	}
	add_rates(cJSON_AddObjectToObject(root, "source_mean"), "tpr_at_fpr",
		  e->source_mean_at_fpr);
}

static void add_calibration_of(cJSON *root, const char *key, const struct sen_calibration *c,
			       double threshold)
{
	cJSON *o = cJSON_AddObjectToObject(root, key);

	number(o, "benign", c->benign);
	number(o, "fpr", c->fpr);
	number(o, "score_for_target", c->score_for_target);
	number(o, "threshold_for_target", c->score_for_target * threshold);
}

static void add_calibration(cJSON *root, const struct sen_evaluation *e, double threshold)
{
	cJSON *o = cJSON_AddObjectToObject(root, "calibration");

	number(o, "target_fpr", e->target_fpr);
	number(o, "threshold", threshold);
	add_calibration_of(o, "evaluation", &e->by_evaluation, threshold);
	add_calibration_of(o, "flow", &e->by_flow, threshold);
}

static void add_float(cJSON *root, const char *key, const struct sen_figures *integer,
		      const struct sen_figures *in_float)
{
	cJSON *o = cJSON_AddObjectToObject(root, key);

	number(o, "auc", in_float->auc);
	number(o, "difference", integer->auc - in_float->auc);
	add_rates(o, "tpr_at_fpr", in_float->tpr_at_fpr);
}

static void add_comparison(cJSON *root, const char *key, const struct sen_figures *integer,
			   const struct sen_figures in_float[SEN_FLOAT_KINDS])
{
	cJSON *o = cJSON_AddObjectToObject(root, key);

	number(o, "auc", integer->auc);
	add_rates(o, "tpr_at_fpr", integer->tpr_at_fpr);
	add_float(o, "float32", integer, &in_float[SEN_FLOAT_FREE]);
	add_float(o, "float32_saturated", integer, &in_float[SEN_FLOAT_SATURATED]);
}

static void add_counts(cJSON *root, const struct sen_evaluation *e, const struct sen_trial *t)
{
	const struct sen_trial_counts *n = &t->counts;
	cJSON *out = cJSON_AddObjectToObject(root, "left_out"), *unscored;

	number(out, "flows_before", e->flows_before);
	number(out, "frames_before", n->frames_before);
	number(out, "flows_unlabelled", e->flows_unlabelled);
	number(out, "frames_unlabelled", n->frames_unlabelled);
	number(out, "frames_missing", n->frames_missing);
	unscored = cJSON_AddObjectToObject(root, "unscored");
	number(unscored, "flows", e->flows_unscored);
	number(unscored, "flows_malicious", e->flows_unscored_malicious);
	number(unscored, "frames_without_flow", n->frames_unparsed);
	number(unscored, "frames_untracked", n->frames_untracked);
	number(unscored, "frames_malicious", n->frames_unscored_malicious);
	number(unscored, "flows_inherited", e->flows_inherited);
	number(unscored, "evaluations_lost", n->evaluations_lost);
}

static void add_context(cJSON *root, const struct sen_evaluation_context *x)
{
	cJSON *model = cJSON_AddObjectToObject(root, "model");
	cJSON *inputs = cJSON_AddArrayToObject(root, "inputs");

	cJSON_AddStringToObject(model, "file", x->model_path);
	number(model, "version", x->model->version);
	cJSON_AddStringToObject(model, "digest", x->model->digest);
	number(model, "features_version", SEN_FEATURES_VERSION);
	for (size_t i = 0; i < x->n_inputs; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "file", x->inputs[i].path);
		cJSON_AddStringToObject(o, "sha256", x->inputs[i].digest);
		cJSON_AddBoolToObject(o, "trained_on", x->inputs[i].trained_on);
		cJSON_AddItemToArray(inputs, o);
	}
	cJSON_AddStringToObject(root, "labels", x->labels_path);
	number(root, "frames", x->trial->counts.frames);
	number(root, "seconds", since_start(x->trial, x->trial->last_ns));
	number(root, "from_seconds", x->from_s);
}

char *sen_evaluation_json(const struct sen_evaluation *e,
			  const struct sen_evaluation_context *context)
{
	cJSON *root = cJSON_CreateObject(), *quantized;
	char *text, *mended;

	add_context(root, context);
	add_figures(root, "flow", &e->flow);
	add_figures(root, "packet", &e->packet);
	add_figures(root, "evaluation", &e->evaluation);
	add_classes(root, e, context);
	add_sources(root, e, context);
	add_calibration(root, e, context->model->threshold);
	quantized = cJSON_AddObjectToObject(root, "quantized");
	add_comparison(quantized, "flow", &e->flow, e->flow_float);
	add_comparison(quantized, "evaluation", &e->evaluation, e->evaluation_float);
	add_counts(root, e, context->trial);
	add_attacks(root, context);
	text = cJSON_Print(root);
	cJSON_Delete(root);
	mended = sen_utf8_mended(text);
	cJSON_free(text);
	return mended;
}
