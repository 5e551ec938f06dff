// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation.h"

static const double rates[SEN_EVAL_RATES] = SEN_EVAL_RATE_LIST;

void sen_evaluation_free(struct sen_evaluation *e)
{
	if (!e)
		return;
	sen_ranking_free(e->flows);
	free(e->classes);
	free(e->sources);
	free(e);
}

static struct sen_figures figures_of(struct sen_ranking *r, double threshold)
{
	struct sen_figures f = {
		.benign = sen_ranking_negatives(r),
		.malicious = sen_ranking_positives(r),
		.auc = sen_ranking_auc(r),
		.average_precision = sen_ranking_average_precision(r),
	};

	for (int i = 0; i < SEN_EVAL_RATES; i++)
		f.tpr_at_fpr[i] = sen_ranking_recall_at(r, rates[i]);
	sen_ranking_confusion(r, threshold, &f.threshold);
	return f;
}

static bool is_counted(const struct sen_trial_flow *f)
{
	return !f->left_out && f->labelled;
}

static void count_flow(struct sen_evaluation *e, const struct sen_trial_flow *f)
{
	if (f->left_out) {
		e->flows_before++;
	} else if (!f->labelled) {
		e->flows_unlabelled++;
	} else if (f->inherited && !f->evaluations) {
		e->flows_inherited++;
	} else if (!f->evaluations) {
		e->flows_unscored++;
		e->flows_unscored_malicious += f->label.malicious;
	}
}

static int rank_flows(struct sen_evaluation *e, const struct sen_trial *t)
{
	int err = 0;

	for (size_t i = 0; !err && i < t->n_flows; i++) {
		const struct sen_trial_flow *f = &t->flows[i];

		count_flow(e, f);
		if (is_counted(f))
			err = sen_ranking_add(e->flows, f->score, f->label.malicious);
	}
	e->flow = figures_of(e->flows, SEN_ONE);
	return err;
}

/* A flow of which no vector came stands last. */
static int rank_flows_in_float(struct sen_figures *out, const struct sen_trial *t,
			       enum sen_float_kind kind)
{
	struct sen_ranking *r = sen_ranking_new();
	int err = r ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < t->n_flows; i++) {
		const struct sen_trial_flow *f = &t->flows[i];

		if (is_counted(f))
			err = sen_ranking_add(r, f->in_float[kind], f->label.malicious);
	}
	if (!err)
		*out = figures_of(r, 1);
	sen_ranking_free(r);
	return err;
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	if (!n)
		return NAN;
	qsort(v, n, sizeof(*v), by_value);
	return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

static int measure_delays(struct sen_class_figures *c, const struct sen_trial *t)
{
	double *seconds = calloc(2 * t->n_attacks + 1, sizeof(*seconds));
	double *packets;

	if (!seconds)
		return -ENOMEM;
	packets = seconds + t->n_attacks;
	for (size_t i = 0; i < t->n_attacks; i++) {
		const struct sen_trial_attack *a = &t->attacks[i];

		if (a->label.class_index != c->class_index)
			continue;
		c->attacks++;
		if (!a->detected)
			continue;
		seconds[c->detected] = ((double)a->detected_ns - (double)a->first_ns) / 1e9;
		packets[c->detected++] = a->delay_packets;
	}
	c->delay_s = median(seconds, c->detected);
	c->delay_packets = median(packets, c->detected);
	free(seconds);
	return 0;
}

static void count_class_flow(struct sen_class_figures *c, const struct sen_trial_flow *f,
			     bool named, const double cut[SEN_EVAL_RATES])
{
	c->flows++;
	for (int i = 0; i < SEN_EVAL_RATES; i++)
		c->recall_at_fpr[i] += f->score > cut[i];
	if (f->score < SEN_ONE)
		return;
	c->flagged++;
	c->named += named;
	c->named_as[f->class_id % SEN_CLASS_MAX]++;
}

static void count_source_flow(struct sen_source_figures *s, const struct sen_trial_flow *f,
			      bool named, const double cut[SEN_EVAL_RATES])
{
	bool flagged = f->score >= SEN_ONE;

	if (!f->label.malicious) {
		s->benign++;
		s->false_positives += flagged;
		return;
	}
	s->malicious++;
	s->flagged += flagged;
	s->named += flagged && named;
	for (int i = 0; i < SEN_EVAL_RATES; i++)
		s->recall_at_fpr[i] += f->score > cut[i];
}

static void count_flows(struct sen_evaluation *e, const struct sen_trial *t,
			const struct sen_model *model, const struct sen_labels *labels)
{
	double cut[SEN_EVAL_RATES];

	for (int i = 0; i < SEN_EVAL_RATES; i++)
		cut[i] = sen_ranking_cut(e->flows, rates[i]);
	for (size_t i = 0; i < t->n_flows; i++) {
		const struct sen_trial_flow *f = &t->flows[i];
		unsigned int class_index = f->label.class_index;
		bool named = !strcmp(sen_class_name(model, f->class_id),
				     sen_labels_class(labels, class_index));

		if (!is_counted(f))
			continue;
		count_source_flow(&e->sources[f->label.source_index], f, named, cut);
		if (f->label.malicious)
			count_class_flow(&e->classes[class_index], f, named, cut);
	}
}

/* From counts to shares; without benign flows there is no rate to hold. */
static void settle_rates(double recall_at_fpr[SEN_EVAL_RATES], size_t flows, bool has_benign)
{
	for (int i = 0; i < SEN_EVAL_RATES; i++)
		recall_at_fpr[i] = has_benign ? share(recall_at_fpr[i], flows) : NAN;
}

static int settle_classes(struct sen_evaluation *e, const struct sen_trial *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->n_classes; i++) {
		struct sen_class_figures *c = &e->classes[i];

		c->class_index = i;
		if (measure_delays(c, t))
			return -ENOMEM;
		c->recall = share(c->flagged, c->flows);
		settle_rates(c->recall_at_fpr, c->flows, e->flow.benign);
		if (c->flows || c->attacks)
			e->classes[kept++] = *c;
	}
	e->n_classes = kept;
	return 0;
}

static void settle_sources(struct sen_evaluation *e)
{
	size_t kept = 0, attacked = 0;

	for (size_t i = 0; i < e->n_sources; i++) {
		struct sen_source_figures *s = &e->sources[i];

		s->source_index = i;
		s->recall = share(s->flagged, s->malicious);
		settle_rates(s->recall_at_fpr, s->malicious, e->flow.benign);
		for (int k = 0; s->malicious && k < SEN_EVAL_RATES; k++)
			e->source_mean_at_fpr[k] += s->recall_at_fpr[k];
		attacked += s->malicious > 0;
		if (s->malicious || s->benign)
			e->sources[kept++] = *s;
	}
	e->n_sources = kept;
	for (int k = 0; k < SEN_EVAL_RATES; k++)
		e->source_mean_at_fpr[k] = share(e->source_mean_at_fpr[k], attacked);
}

/* Scores are whole numbers, and flagged is what reaches the threshold: what the cut itself scores must not. */
static struct sen_calibration calibrate(struct sen_ranking *r, const struct sen_figures *f,
					double target_fpr)
{
	return (struct sen_calibration){
		.benign = f->benign,
		.fpr = f->threshold.fpr,
		.score_for_target = (sen_ranking_cut(r, target_fpr) + 1) / SEN_ONE,
	};
}

const char *sen_evaluation_named_as(const struct sen_class_figures *c,
				    const struct sen_model *model, char text[SEN_NAMED_TEXT])
{
	size_t left[SEN_CLASS_MAX];
	int at = 0;

	memcpy(left, c->named_as, sizeof(left));
	*text = '\0';
	for (;;) {
		unsigned int most = 0;

		for (unsigned int id = 1; id < SEN_CLASS_MAX; id++)
			if (left[id] > left[most])
				most = id;
		if (!left[most])
			return text;
		at += snprintf(text + at, SEN_NAMED_TEXT - at, "%s%s %zu", at ? ", " : "",
			       sen_class_name(model, most), left[most]);
		left[most] = 0;
	}
}

static int make(struct sen_evaluation *e, struct sen_trial *t, const struct sen_model *model,
		const struct sen_labels *labels)
{
	int err;

	e->n_classes = sen_labels_classes(labels);
	e->n_sources = sen_labels_sources(labels);
	e->classes = calloc(e->n_classes, sizeof(*e->classes));
	e->sources = calloc(e->n_sources, sizeof(*e->sources));
	e->flows = sen_ranking_new();
	if (!e->classes || !e->sources || !e->flows)
		return -ENOMEM;
	err = rank_flows(e, t);
	for (int kind = 0; !err && kind < SEN_FLOAT_KINDS; kind++) {
		err = rank_flows_in_float(&e->flow_float[kind], t, kind);
		e->evaluation_float[kind] = figures_of(t->in_float[kind], 1);
	}
	if (err)
		return err;
	e->packet = figures_of(t->packets, SEN_ONE);
	e->evaluation = figures_of(t->evaluations, SEN_ONE);
	e->target_fpr = model->training.target_fpr;
	e->by_flow = calibrate(e->flows, &e->flow, e->target_fpr);
	e->by_evaluation = calibrate(t->evaluations, &e->evaluation, e->target_fpr);
	count_flows(e, t, model, labels);
	settle_sources(e);
	return settle_classes(e, t);
}

int sen_evaluation_make(struct sen_trial *trial, const struct sen_model *model,
			const struct sen_labels *labels, struct sen_evaluation **out)
{
	struct sen_evaluation *e = calloc(1, sizeof(*e));
	int err = e ? make(e, trial, model, labels) : -ENOMEM;

	if (err)
		sen_evaluation_free(e);
	else
		*out = e;
	return err;
}
