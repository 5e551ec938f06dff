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
#define FLAGS_ALL      0.95
#define LEAST_OF_CLASS 20  /* samples of a class: fewer prove nothing */
#define COLLAPSED      1.0 /* steps that hold all centroids of a collapsed ensemble */

const struct sen_gate sen_gate_defaults = {
	.max_false_positives = 0.02,
	.min_recall = 0.5,
	.max_regression = 0.02,
	.max_class_regression = 0.1,
	.max_slide = 0.1,
	.max_shipped_slide = 0.2,
	.standard = { .balanced_accuracy = NAN, .shipped_recall = NAN },
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

struct confusion {
	size_t benign, false_alarms;
	size_t attack, hits;
	size_t of_class[SEN_CLASS_MAX], hits_of_class[SEN_CLASS_MAX];
};

/* -ENOMEM, or -ERANGE for a model that does not flatten. */
static int confuse(const struct sen_model *model, const struct sen_sample *samples, size_t n,
		   struct confusion *c)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	struct sen_lanes q;
	int err = flat ? sen_model_flatten(model, flat, NULL) : -ENOMEM;

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; !err && i < n; i++) {
		unsigned int id = samples[i].class_id % SEN_CLASS_MAX;
		bool flagged;

		if (samples[i].label == SEN_LABEL_NONE)
			continue;
		sen_quantize(flat->quantizer, &samples[i].vector, &q);
		flagged = sen_score(flat, &q).score >= SEN_ONE;
		if (samples[i].label == SEN_LABEL_ATTACK) {
			c->attack++;
			c->hits += flagged;
			c->of_class[id]++;
			c->hits_of_class[id] += flagged;
		} else {
			c->benign++;
			c->false_alarms += flagged;
		}
	}
	free(flat);
	return err;
}

static double f1(size_t hits, size_t false_alarms, size_t n)
{
	return n ? 2.0 * hits / (hits + false_alarms + n) : NAN;
}

static int measure(const struct sen_model *model, const struct sen_sample *samples, size_t n,
		   struct sen_validation *out)
{
	struct confusion c;
	int err = confuse(model, samples, n, &c);

	out->benign = c.benign;
	out->attack = c.attack;
	if (err)
		return err;
	out->false_positives = share(c.false_alarms, c.benign);
	out->recall = share(c.hits, c.attack);
	out->balanced_accuracy = (out->recall + 1 - out->false_positives) / 2;
	out->f1 = f1(c.hits, c.false_alarms, c.attack);
	out->f1_benign = f1(c.benign - c.false_alarms, c.attack - c.hits, c.benign);
	for (unsigned int id = 0; id < SEN_CLASS_MAX; id++)
		out->class_of[id] = (struct sen_class_validation){
			.n = c.of_class[id],
			.recall = share(c.hits_of_class[id], c.of_class[id]),
			.f1 = f1(c.hits_of_class[id], c.false_alarms, c.of_class[id]),
		};
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

/* What a model must do by itself; `old` is what the one in force does. Comparisons with NAN are false: what was
 * not measured passes. */
static int judge(struct sen_validation *v, const struct sen_validation *old,
		 const struct sen_gate *gate)
{
	if (!v->benign)
		return refuse(v, "no benign samples to try it on");
	if (v->false_positives >= FLAGS_ALL)
		return refuse(v, "flags everything: %.1f %% of %zu benign samples",
			      v->false_positives * 100, v->benign);
	if (v->recall <= SEN_FLAGS_NONE && !(old->recall <= SEN_FLAGS_NONE))
		return refuse(v, "misses everything: flags %.1f %% of %zu attack samples",
			      v->recall * 100, v->attack);
	if (v->false_positives > gate->max_false_positives)
		return refuse(v, "flags %.2f %% of %zu benign samples, allowed are %.2f %%",
			      v->false_positives * 100, v->benign, gate->max_false_positives * 100);
	if (v->recall < gate->min_recall && !(old->recall <= v->recall))
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
	/* A class that is lost does not show among many others. */
	for (unsigned int id = 0; id < SEN_CLASS_MAX; id++)
		if (v->class_of[id].n >= LEAST_OF_CLASS &&
		    v->class_of[id].recall < old->class_of[id].recall - gate->max_class_regression)
			return refuse(
				v, "flags %.1f %% of %zu samples of %s, the model in force %.1f %%",
				v->class_of[id].recall * 100, v->class_of[id].n,
				sen_class_name(NULL, id), old->class_of[id].recall * 100);
	if (!v->attack && v->false_positives > old->false_positives + gate->max_regression)
		return refuse(v, "flags %.2f %% of benign samples, the model in force %.2f %%",
			      v->false_positives * 100, old->false_positives * 100);
	return 0;
}

int sen_validate(const struct sen_model *candidate, const struct sen_model *in_force,
		 const struct sen_sample *held_out, size_t n, const struct sen_gate *gate,
		 struct sen_validation *out)
{
	struct sen_validation old = { .recall = NAN };
	int err;

	memset(out, 0, sizeof(*out));
	out->false_positives = out->recall = out->balanced_accuracy = out->f1 = out->f1_benign =
		NAN;
	out->shipped_recall = NAN;
	err = measure(candidate, held_out, n, out);
	if (err == -ENOMEM)
		return err;
	if (sen_validate_structure(candidate, out->reason, sizeof(out->reason)))
		return -EKEYREJECTED;
	/* A model in force that cannot be measured sets no standard. */
	if (in_force && measure(in_force, held_out, n, &old)) {
		old.recall = NAN;
		in_force = NULL;
	}
	err = err ? refuse(out, "does not fit the packet path") : judge(out, &old, gate);
	return !err && in_force ? compare(out, &old, gate) : err;
}

double sen_validate_recall(const struct sen_model *model, const struct sen_sample *attacks,
			   size_t n)
{
	struct confusion c;

	return confuse(model, attacks, n, &c) ? NAN : share(c.hits, c.attack);
}

int sen_validate_shipped(const struct sen_model *candidate, const struct sen_model *in_force,
			 const struct sen_sample *shipped, size_t n, const struct sen_gate *gate,
			 struct sen_validation *out)
{
	struct confusion c, old;
	int err = n ? confuse(candidate, shipped, n, &c) : 0;
	double before;

	if (!n || err)
		return err;
	out->shipped = c.attack;
	out->shipped_recall = share(c.hits, c.attack);
	if (in_force && confuse(in_force, shipped, n, &old))
		in_force = NULL;
	before = in_force ? share(old.hits, old.attack) : 1;
	/* One no worse than the model in force may come after it, blind as both may be. */
	if (out->shipped_recall <= SEN_FLAGS_NONE && before > SEN_FLAGS_NONE)
		return refuse(out, "misses everything: flags %.1f %% of %zu shipped attacks",
			      out->shipped_recall * 100, c.attack);
	if (in_force && out->shipped_recall < before - gate->max_class_regression)
		return refuse(out,
			      "flags %.1f %% of %zu shipped attacks, the model in force %.1f %%",
			      out->shipped_recall * 100, c.attack, before * 100);
	return 0;
}

static int compare_reference(const struct sen_model *reference, const struct sen_sample *held_out,
			     size_t n, const struct sen_sample *shipped, size_t shipped_n,
			     const struct sen_gate *gate, struct sen_validation *v)
{
	struct sen_validation old = { .balanced_accuracy = NAN };
	double recall = sen_validate_recall(reference, shipped, shipped_n);

	if (!measure(reference, held_out, n, &old) &&
	    v->balanced_accuracy < old.balanced_accuracy - gate->max_slide)
		return refuse(v, "balanced accuracy %.4f, the reference %u has %.4f",
			      v->balanced_accuracy, reference->version, old.balanced_accuracy);
	if (v->shipped_recall < recall - gate->max_shipped_slide)
		return refuse(v, "flags %.1f %% of %zu shipped attacks, the reference %u %.1f %%",
			      v->shipped_recall * 100, v->shipped, reference->version,
			      recall * 100);
	return 0;
}

int sen_validate_slide(const struct sen_model *reference, const struct sen_sample *held_out,
		       size_t n, const struct sen_sample *shipped, size_t shipped_n,
		       const struct sen_gate *gate, struct sen_validation *v)
{
	const struct sen_standard *best = &gate->standard;

	if (v->balanced_accuracy < best->balanced_accuracy - gate->max_slide)
		return refuse(v, "balanced accuracy %.4f, version %u had %.4f",
			      v->balanced_accuracy, best->accurate, best->balanced_accuracy);
	if (v->shipped_recall < best->shipped_recall - gate->max_shipped_slide)
		return refuse(v, "flags %.1f %% of %zu shipped attacks, version %u flagged %.1f %%",
			      v->shipped_recall * 100, v->shipped, best->sharp,
			      best->shipped_recall * 100);
	return reference ? compare_reference(reference, held_out, n, shipped, shipped_n, gate, v) :
			   0;
}

/* A raw value that quantizes to the middle of a step. */
static uint16_t raw_of(const struct sen_quantizer *q, float step)
{
	double raw = ((step + 0.5) * SEN_ONE - q->bias) / q->scale;

	return (uint16_t)lrint(fmin(fmax(raw, 0), SEN_LG_MAX));
}

struct sen_sample *sen_labelled_centroids(const struct sen_model *model, size_t *n)
{
	struct sen_sample *out = calloc((size_t)SEN_MEMBERS_MAX * SEN_CENTROIDS_MAX, sizeof(*out));

	*n = 0;
	for (unsigned int e = 0; out && e < model->members; e++) {
		const struct sen_model_member *m = &model->member[e];

		for (unsigned int k = 0; m->weight <= 0 && k < m->count; k++) {
			struct sen_sample *s = &out[(*n)++];

			for (int d = 0; d < SEN_DIMS; d++)
				s->vector.v[d] = raw_of(&model->quantizer[d], m->centroid[k][d]);
			s->label = SEN_LABEL_ATTACK;
			s->class_id = m->class_of[k];
		}
	}
	return out;
}
