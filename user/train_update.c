// SPDX-License-Identifier: BSD-2-Clause
/* Incremental training: small steps, none of which leads far, nor all of them together. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "train_internal.h"

#define MASS_DECAY  0.9    /* of every centroid at an incremental update */
#define MASS_CAP    1000.0 /* so that a fresh sample always moves its centroid by 1/1000 */
#define RADIUS_ROWS 20     /* fewer fresh rows say nothing about a 95th percentile */
#define STEP        0.25   /* radii and threshold move by at most this share at an update */
#define GROWTH      1.25   /* and become no larger than those of the reference times this */

/* Pull a moved centroid back to within `reach` of where it was. */
static void bound_shift(float *at, const float *was, double reach)
{
	double d2 = 0, keep;

	for (int d = 0; d < SEN_DIMS; d++)
		d2 += (double)(at[d] - was[d]) * (at[d] - was[d]);
	if (d2 <= reach * reach)
		return;
	keep = reach / sqrt(d2);
	for (int d = 0; d < SEN_DIMS; d++)
		at[d] = was[d] + keep * (at[d] - was[d]);
}

static double bound_step(double v, double was)
{
	return fmin(fmax(v, was * (1 - STEP)), was * (1 + STEP));
}

/* Fresh radii within bounds of the old ones; those without enough rows stay. */
static void update_radii(struct sen_model_member *m, const float *fresh)
{
	float radius[SEN_CENTROIDS_MAX];

	for (unsigned int k = 0; k < m->count; k++)
		radius[k] = fresh[k] > 0 ? fresh[k] : m->radius[k];
	sen_bound_radii(radius, m->count, SEN_RADIUS_FLOOR_BENIGN);
	for (unsigned int k = 0; k < m->count; k++)
		m->radius[k] = fmax(bound_step(radius[k], m->radius[k]), SEN_RADIUS_MIN);
}

/* Take over moved centroids; where two have met, the first stays with both masses. */
static void settle_member(struct sen_model_member *m, const struct sen_kmeans *c)
{
	unsigned int kept = 0;

	for (unsigned int k = 0; k < c->count; k++) {
		unsigned int twin = 0;

		while (twin < kept && !sen_kmeans_same(m->centroid[twin], c->at[k]))
			twin++;
		if (twin < kept) {
			m->mass[twin] += c->mass[k];
			m->radius[twin] = fmaxf(m->radius[twin], m->radius[k]);
			continue;
		}
		memcpy(m->centroid[kept], c->at[k], sizeof(c->at[k]));
		m->mass[kept] = c->mass[k];
		m->class_of[kept] = m->class_of[k];
		m->radius[kept++] = m->radius[k];
	}
	m->count = kept;
}

/* The part of a reference model that bounds a member; NULL: there is none. */
static const struct sen_model_member *member_of(const struct sen_model *reference, unsigned int e)
{
	return reference && e < reference->members ? &reference->member[e] : NULL;
}

static double distance(const float *a, const float *b)
{
	double d2 = 0;

	for (int d = 0; d < SEN_DIMS; d++)
		d2 += (double)(a[d] - b[d]) * (a[d] - b[d]);
	return sqrt(d2);
}

/* The centroid of the reference that a point is nearest to, in that one's radii. */
static unsigned int anchor_of(const struct sen_model_member *reference, const float *at)
{
	double best = INFINITY;
	unsigned int anchor = 0;

	for (unsigned int k = 0; k < reference->count; k++) {
		double radii = distance(at, reference->centroid[k]) / reference->radius[k];

		if (radii < best) {
			best = radii;
			anchor = k;
		}
	}
	return anchor;
}

/* However many small steps led away from the reference, they lead no further than this. */
static void bound_drift(struct sen_model_member *m, const struct sen_model_member *reference,
			double max_drift)
{
	for (unsigned int k = 0; k < m->count; k++) {
		unsigned int anchor = anchor_of(reference, m->centroid[k]);
		double radius = reference->radius[anchor];

		bound_shift(m->centroid[k], reference->centroid[anchor], max_drift * radius);
		m->radius[k] = fmin(m->radius[k], radius * GROWTH);
	}
}

static void trim_of(const struct sen_model_member *m, const struct sen_train_params *p,
		    struct sen_kmeans_trim *out)
{
	out->share = p->trim;
	for (unsigned int k = 0; k < m->count; k++)
		out->weight[k] = 1 / (m->radius[k] * m->radius[k]);
}

static int update_member(struct sen_model_member *m, const struct sen_model_member *reference,
			 const float *rows, size_t n, const struct sen_train_params *p,
			 double *inertia)
{
	struct sen_kmeans c = { .count = m->count };
	struct sen_kmeans_trim trim;
	float fresh[SEN_CENTROIDS_MAX];
	int err;

	memcpy(c.at, m->centroid, sizeof(c.at));
	for (unsigned int k = 0; k < c.count; k++)
		c.mass[k] = fmin(fmax(m->mass[k] * MASS_DECAY, 1), MASS_CAP);
	trim_of(m, p, &trim);
	err = sen_kmeans_update(&c, rows, n, p->batch, &trim, p->cancel);
	if (err)
		return err;
	for (unsigned int k = 0; k < c.count; k++)
		bound_shift(c.at[k], m->centroid[k], p->max_shift * m->radius[k]);
	err = sen_measure_radii(&c, rows, n, RADIUS_ROWS, fresh, inertia);
	if (err)
		return err;
	update_radii(m, fresh);
	settle_member(m, &c);
	if (reference)
		bound_drift(m, reference, p->max_drift);
	return 0;
}

static int update_members(struct sen_model *model, const float *rows, size_t n,
			  const struct sen_train_params *p)
{
	float *masked = malloc(n * SEN_DIMS * sizeof(*masked));
	unsigned int scoring = 0;
	double inertia = 0, sum = 0;
	int err = masked ? 0 : -ENOMEM;

	for (unsigned int e = 0; !err && e < model->members; e++) {
		struct sen_model_member *m = &model->member[e];

		if (m->weight <= 0)
			continue;
		sen_mask_rows(m->mask, rows, n, masked);
		err = update_member(m, member_of(p->reference, e), masked, n, p, &inertia);
		sum += inertia;
		scoring++;
	}
	if (!err)
		model->training.inertia = scoring ? sum / scoring : 0;
	free(masked);
	return err;
}

/*
 * Fresh samples may raise the threshold, within bounds. They do not lower it: they come from hosts that
 * the model knows, and say nothing of how high the next new one will score. A full training asks that.
 */
static int update_threshold(struct sen_model *model, const struct sen_sample *samples,
			    const struct sen_indices *judge, const struct sen_train_params *p,
			    struct sen_why *why)
{
	float *scores = malloc((judge->n ? judge->n : 1) * sizeof(*scores));
	double was = model->threshold, now = was;
	int err;

	if (!scores)
		return sen_train_fail(why, -ENOMEM);
	model->threshold = 1;
	sen_model_round(model);
	err = sen_score_samples(model, samples, judge, scores, why);
	if (!err)
		err = sen_find_threshold(samples, judge, scores, p, &now, why);
	model->threshold = bound_step(fmax(now, was), was);
	if (p->reference)
		model->threshold = fmin(model->threshold, p->reference->threshold * GROWTH);
	sen_model_round(model);
	if (!err)
		err = sen_flagged_share(samples, judge, scores, model->threshold,
					&model->training.holdout_fpr, why);
	sen_model_round(model);
	free(scores);
	return err;
}

/* Distances in another quantizer's steps bound nothing. */
static int check_reference(const struct sen_model *parent, const struct sen_model *reference,
			   struct sen_why *why)
{
	if (!reference ||
	    !memcmp(reference->quantizer, parent->quantizer, sizeof(parent->quantizer)))
		return 0;
	return sen_why(why, -EINVAL, NULL,
		       "train: the reference has another quantizer than the model in force");
}

static unsigned int most_centroids(const struct sen_model *model)
{
	unsigned int most = 1;

	for (unsigned int e = 0; e < model->members; e++)
		if (model->member[e].weight > 0 && model->member[e].count > most)
			most = model->member[e].count;
	return most;
}

int sen_train_incremental(const struct sen_model *parent, const struct sen_sample *samples,
			  size_t n, const struct sen_train_params *p, struct sen_model **out,
			  struct sen_why *why)
{
	struct sen_indices fit = { 0 }, held = { 0 };
	struct sen_model *model = NULL;
	float *rows = NULL;
	int err;

	err = sen_train_check(p, why);
	if (!err)
		err = sen_model_check(parent, why);
	if (!err)
		err = check_reference(parent, p->reference, why);
	if (!err)
		err = sen_train_choose(samples, n, p, most_centroids(parent), &fit, why);
	if (err)
		goto out;
	err = sen_hold_back(&fit, p->holdout, p->seed, &held);
	if (err) {
		sen_train_fail(why, err);
		goto out;
	}
	err = -ENOMEM;
	model = sen_model_copy(parent);
	rows = sen_quantized_rows(samples, &fit, parent->quantizer);
	if (model && rows)
		err = update_members(model, rows, fit.n, p);
	if (err) {
		err = sen_train_fail(why, err);
		goto out;
	}
	sen_train_record(model, p, fit.n + held.n);
	model->parent = parent->version;
	model->version = 0;
	err = update_threshold(model, samples, held.n ? &held : &fit, p, why);
out:
	if (err)
		sen_model_free(model);
	else
		*out = model;
	free(rows);
	free(held.at);
	free(fit.at);
	return err;
}
