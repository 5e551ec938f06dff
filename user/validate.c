// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "model_internal.h"
#include "sentroid/score.h"
#include "validate.h"

/* Beyond these a model tells nothing apart, however lenient the gate. */
#define FLAGS_ALL  0.95
#define FLAGS_NONE 0.05
#define COLLAPSED  1.0 /* steps that hold all centroids of a collapsed ensemble */

const struct sen_gate sen_gate_defaults = {
	.max_false_positives = 0.02,
	.min_recall = 0.5,
	.max_regression = 0.02,
};

static int check_centroids(const struct sen_model *model, unsigned int e, char *reason, size_t size)
{
	const struct sen_model_member *m = &model->member[e];

	for (unsigned int k = 0; k < m->count; k++) {
		if (m->mass[k] <= 0) {
			snprintf(reason, size, "member %u: centroid %u is empty", e, k);
			return -EINVAL;
		}
		for (unsigned int i = 0; i < k; i++)
			if (sen_kmeans_same(m->centroid[i], m->centroid[k]) &&
			    m->class_of[i] == m->class_of[k]) {
				snprintf(reason, size,
					 "member %u: centroids %u and %u are the same", e, i, k);
				return -EINVAL;
			}
	}
	return 0;
}

static double distance(const float *a, const float *b)
{
	double sum = 0;

	for (int d = 0; d < SEN_DIMS; d++)
		sum += ((double)a[d] - b[d]) * ((double)a[d] - b[d]);
	return sqrt(sum);
}

/* Whether all scoring centroids lie in one spot. */
static bool collapsed(const struct sen_model *model)
{
	const float *first = NULL;

	for (unsigned int e = 0; e < model->members; e++) {
		const struct sen_model_member *m = &model->member[e];

		for (unsigned int k = 0; m->weight > 0 && k < m->count; k++) {
			if (!first)
				first = m->centroid[k];
			if (distance(first, m->centroid[k]) > COLLAPSED)
				return false;
		}
	}
	return true;
}

int sen_validate_structure(const struct sen_model *model, char *reason, size_t size)
{
	struct sen_why why = { 0 };
	int err;

	if (size)
		*reason = '\0';
	if (sen_model_check(model, &why)) {
		snprintf(reason, size, "%s", why.text);
		return -EINVAL;
	}
	for (unsigned int e = 0; e < model->members; e++) {
		err = check_centroids(model, e, reason, size);
		if (err)
			return err;
	}
	if (collapsed(model)) {
		snprintf(reason, size, "collapsed: all centroids lie within a step of each other");
		return -EINVAL;
	}
	return 0;
}

static double share(size_t part, size_t whole)
{
	return whole ? (double)part / whole : NAN;
}

/* Confusion of a model on labelled samples. -ENOMEM, or -ERANGE for a model that does not flatten. */
static int measure(const struct sen_model *model, const struct sen_sample *samples, size_t n,
		   struct sen_validation *out)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	size_t false_alarms = 0, hits = 0;
	struct sen_lanes q;
	int err = flat ? sen_model_flatten(model, flat, NULL) : -ENOMEM;

	for (size_t i = 0; !err && i < n; i++) {
		bool flagged;

		if (samples[i].label == SEN_LABEL_NONE)
			continue;
		sen_quantize(flat->quantizer, &samples[i].vector, &q);
		flagged = sen_score(flat, &q).score >= SEN_ONE;
		if (samples[i].label == SEN_LABEL_ATTACK) {
			out->attack++;
			hits += flagged;
		} else {
			out->benign++;
			false_alarms += flagged;
		}
	}
	free(flat);
	if (err)
		return err;
	out->false_positives = share(false_alarms, out->benign);
	out->recall = share(hits, out->attack);
	out->balanced_accuracy = (out->recall + 1 - out->false_positives) / 2;
	out->f1 = out->attack ? 2.0 * hits / (hits + false_alarms + out->attack) : NAN;
	return 0;
}

__attribute__((format(printf, 2, 3))) static int refuse(struct sen_validation *v, const char *fmt,
							...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, args);
	va_end(args);
	return -EKEYREJECTED;
}

/* What a model must do by itself. Comparisons with NAN are false: what was not measured passes. */
static int judge(struct sen_validation *v, const struct sen_gate *gate)
{
	if (!v->benign)
		return refuse(v, "no benign samples to try it on");
	if (v->false_positives >= FLAGS_ALL)
		return refuse(v, "flags everything: %.1f %% of %zu benign samples",
			      v->false_positives * 100, v->benign);
	if (v->recall <= FLAGS_NONE)
		return refuse(v, "misses everything: flags %.1f %% of %zu attack samples",
			      v->recall * 100, v->attack);
	if (v->false_positives > gate->max_false_positives)
		return refuse(v, "flags %.2f %% of %zu benign samples, allowed are %.2f %%",
			      v->false_positives * 100, v->benign, gate->max_false_positives * 100);
	if (v->recall < gate->min_recall)
		return refuse(v, "flags only %.1f %% of %zu attack samples, required are %.1f %%",
			      v->recall * 100, v->attack, gate->min_recall * 100);
	return 0;
}

/* Against the model in force, by balanced accuracy, or by false positives where no attack is known. */
static int compare(struct sen_validation *v, const struct sen_validation *old,
		   const struct sen_gate *gate)
{
	if (v->balanced_accuracy < old->balanced_accuracy - gate->max_regression)
		return refuse(v, "balanced accuracy %.4f, the model in force has %.4f",
			      v->balanced_accuracy, old->balanced_accuracy);
	if (!v->attack && v->false_positives > old->false_positives + gate->max_regression)
		return refuse(v, "flags %.2f %% of benign samples, the model in force %.2f %%",
			      v->false_positives * 100, old->false_positives * 100);
	return 0;
}

int sen_validate(const struct sen_model *candidate, const struct sen_model *in_force,
		 const struct sen_sample *held_out, size_t n, const struct sen_gate *gate,
		 struct sen_validation *out)
{
	struct sen_validation old = { 0 };
	int err;

	memset(out, 0, sizeof(*out));
	out->false_positives = out->recall = out->balanced_accuracy = out->f1 = NAN;
	err = measure(candidate, held_out, n, out);
	if (err == -ENOMEM)
		return err;
	if (sen_validate_structure(candidate, out->reason, sizeof(out->reason)))
		return -EKEYREJECTED;
	err = err ? refuse(out, "does not fit the packet path") : judge(out, gate);
	/* A model in force that cannot be measured sets no standard. */
	if (!err && in_force && !measure(in_force, held_out, n, &old))
		err = compare(out, &old, gate);
	return err;
}
