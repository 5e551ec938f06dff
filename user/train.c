// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "train_internal.h"

#define SAMPLES_PER_CENTROID 4  /* fewer make no model */
#define QUOTA_PER_CENTROID   32 /* source quotas give way rather than leave fewer */
#define LABELLED_PER_CLASS   8
#define BY_CATCH             0.01
#define SUBSPACE_LEAST       4 /* features */

const struct sen_train_params sen_train_defaults = {
	.members = 3,
	.centroids = 32,
	.subspace = 1,
	.seed = 1,
	.target_fpr = 0.001,
	.threshold_margin = 2.0,
	.holdout = 0.2,
	.batch = 512,
	.epochs = 4,
	.source_quota = 0.5,
	.max_shift = 0.25,
	.max_drift = 1.0,
	.trim = 0.05,
	.weights = sen_feature_weights,
};

int sen_train_check(const struct sen_train_params *p, struct sen_why *why)
{
	const char *bad = NULL;

	if (p->members < 1 || p->members > SEN_MEMBERS_MAX - 1)
		bad = "members";
	else if (p->centroids < 2 || p->centroids > SEN_CENTROIDS_MAX)
		bad = "centroids";
	else if (!(p->subspace > 0 && p->subspace <= 1))
		bad = "subspace";
	else if (!(p->target_fpr >= 0 && p->target_fpr < 1))
		bad = "target_fpr";
	else if (!(p->threshold_margin >= 1 && p->threshold_margin <= 100))
		bad = "threshold_margin";
	else if (!(p->holdout >= 0 && p->holdout <= 0.5))
		bad = "holdout";
	else if (!p->batch)
		bad = "batch";
	else if (!p->epochs)
		bad = "epochs";
	else if (!(p->source_quota > 0 && p->source_quota <= 1))
		bad = "source_quota";
	else if (!(p->max_shift > 0 && p->max_shift <= 1000))
		bad = "max_shift";
	else if (!(p->max_drift > 0 && p->max_drift <= 1000))
		bad = "max_drift";
	else if (!(p->trim >= 0 && p->trim < 0.5))
		bad = "trim";
	return bad ? sen_why(why, -EINVAL, NULL, "train: %s out of range", bad) : 0;
}

int sen_train_fail(struct sen_why *why, int err)
{
	if (err == -ECANCELED)
		return sen_why(why, err, NULL, "train: cancelled");
	return sen_why(why, err, NULL, "train: %s", strerror(-err));
}

int sen_train_choose(const struct sen_sample *samples, size_t n, const struct sen_train_params *p,
		     unsigned int centroids, struct sen_indices *fit, struct sen_why *why)
{
	size_t least = (size_t)SAMPLES_PER_CENTROID * centroids;
	int err;

	if (n > UINT32_MAX)
		return sen_train_fail(why, -E2BIG);
	err = sen_select(samples, n, SEN_LABEL_BENIGN, SEN_CLASS_NONE, fit);
	if (err)
		return sen_train_fail(why, err);
	if (fit->n < least)
		return sen_why(why, -ENODATA, "let it watch normal traffic for longer",
			       "train: %zu benign samples, %u centroids need %zu at least", fit->n,
			       centroids, least);
	err = sen_apply_quota(samples, fit, p->source_quota,
			      (size_t)QUOTA_PER_CENTROID * centroids);
	return err ? sen_train_fail(why, err) : 0;
}

static void take_centroids(struct sen_model_member *m, unsigned int from,
			   const struct sen_kmeans *c, unsigned int class_id)
{
	m->count = from + c->count;
	memcpy(m->centroid[from], c->at, c->count * sizeof(c->at[0]));
	memcpy(&m->mass[from], c->mass, c->count * sizeof(c->mass[0]));
	memset(&m->class_of[from], class_id, c->count);
}

/* Which features a member sees. All are chosen without a draw, so that their models stay what they were. */
static void choose_features(struct sen_rng *rng, double share, bool mask[SEN_DIMS])
{
	unsigned int left = fmax(lrint(share * SEN_DIMS), SUBSPACE_LEAST);

	for (unsigned int d = 0; d < SEN_DIMS; d++) {
		mask[d] = share >= 1 || sen_rng_below(rng, SEN_DIMS - d) < left;
		left -= mask[d];
	}
}

/* From rows that are masked already. */
static int fit_member(struct sen_model_member *m, const float *rows, size_t n,
		      const struct sen_kmeans_params *kp, double *inertia)
{
	struct sen_kmeans c;
	int err = sen_kmeans_fit(rows, n, kp, &c);

	if (!err)
		err = sen_measure_radii(&c, rows, n, 1, m->radius, inertia);
	if (err)
		return err;
	take_centroids(m, 0, &c, SEN_CLASS_NONE);
	sen_bound_radii(m->radius, m->count, SEN_RADIUS_FLOOR_BENIGN);
	return 0;
}

int sen_fit_members(struct sen_model *model, const float *rows, size_t n,
		    const struct sen_train_params *p)
{
	struct sen_kmeans_params kp = { .centroids = p->centroids,
					.batch = p->batch,
					.epochs = p->epochs,
					.cancel = p->cancel };
	float *seen = malloc((n ? n : 1) * SEN_DIMS * sizeof(*seen));
	int err = seen ? 0 : -ENOMEM;
	double inertia = 0, sum = 0;
	struct sen_rng rng;

	sen_rng_seed(&rng, p->seed);
	for (model->members = 0; !err && model->members < p->members; model->members++) {
		struct sen_model_member *m = &model->member[model->members];

		/* A seed of its own also makes it see the rows in an order of its own. */
		kp.seed = sen_rng_next(&rng);
		choose_features(&rng, p->subspace, m->mask);
		sen_mask_rows(m->mask, rows, n, seen);
		err = fit_member(m, seen, n, &kp, &inertia);
		m->weight = 1.0 / p->members;
		sum += inertia;
	}
	model->training.inertia = sum / p->members;
	free(seen);
	return err;
}

/* Classes that can name a centroid: a built-in kind of attack, or a custom one with a name. */
static bool nameable(const struct sen_model *model, unsigned int id)
{
	if (id > SEN_CLASS_UNKNOWN && id < SEN_CLASS_BUILTIN_COUNT)
		return true;
	return id >= SEN_CLASS_CUSTOM && id < SEN_CLASS_MAX &&
	       model->class_name[id - SEN_CLASS_CUSTOM][0];
}

/* Captures of an attack have some of everything in them. A cluster of less than a hundredth of a class is
 * such by-catch, and would name what is of another kind. */
static void drop_by_catch(struct sen_kmeans *c)
{
	unsigned int kept = 0;
	double sum = 0;

	for (unsigned int k = 0; k < c->count; k++)
		sum += c->mass[k];
	for (unsigned int k = 0; k < c->count; k++) {
		if (c->mass[k] < BY_CATCH * sum)
			continue;
		memmove(c->at[kept], c->at[k], sizeof(c->at[0]));
		c->mass[kept++] = c->mass[k];
	}
	c->count = kept;
}

static int fit_class(struct sen_model *model, struct sen_model_member *m,
		     const struct sen_sample *samples, size_t n, unsigned int class_id,
		     unsigned int centroids, const struct sen_train_params *p)
{
	struct sen_kmeans_params kp = { .centroids = centroids,
					.batch = p->batch,
					.epochs = p->epochs,
					.seed = p->seed + class_id,
					.cancel = p->cancel };
	struct sen_indices set = { 0 };
	unsigned int from = m->count;
	float *rows = NULL;
	struct sen_kmeans c;
	double inertia;
	int err;

	err = sen_select(samples, n, SEN_LABEL_ATTACK, class_id, &set);
	if (err)
		goto out;
	err = -ENOMEM;
	rows = sen_quantized_rows(samples, &set, model->quantizer);
	if (!rows)
		goto out;
	err = sen_kmeans_fit(rows, set.n, &kp, &c);
	if (!err) {
		drop_by_catch(&c);
		err = sen_measure_radii(&c, rows, set.n, 1, &m->radius[from], &inertia);
	}
	if (err)
		goto out;
	take_centroids(m, from, &c, class_id);
	sen_bound_radii(&m->radius[from], c.count, SEN_RADIUS_FLOOR_ATTACK);
out:
	free(rows);
	free(set.at);
	return err;
}

/* The member of weight 0 that names what was flagged. None without labelled attacks. */
static int fit_attacks(struct sen_model *model, const struct sen_sample *samples, size_t n,
		       const struct sen_train_params *p)
{
	struct sen_model_member *m = &model->member[model->members];
	bool present[256] = { false };
	unsigned int classes = 0, each;
	int err = 0;

	for (size_t i = 0; i < n; i++)
		if (samples[i].label == SEN_LABEL_ATTACK && nameable(model, samples[i].class_id))
			present[samples[i].class_id] = true;
	for (unsigned int id = 0; id < SEN_CLASS_MAX; id++)
		classes += present[id];
	if (!classes)
		return 0;
	each = SEN_CENTROIDS_MAX / classes;
	each = each < LABELLED_PER_CLASS ? each : LABELLED_PER_CLASS;
	memset(m->mask, true, sizeof(m->mask));
	for (unsigned int id = 0; !err && id < SEN_CLASS_MAX; id++)
		if (present[id])
			err = fit_class(model, m, samples, n, id, each, p);
	if (!err)
		model->members++;
	return err;
}

static void take_class_names(struct sen_model *model, const struct sen_model *names)
{
	if (names)
		memcpy(model->class_name, names->class_name, sizeof(model->class_name));
}

void sen_train_record(struct sen_model *model, const struct sen_train_params *p, size_t samples)
{
	memset(model->digest, 0, sizeof(model->digest));
	memset(model->training.command, 0, sizeof(model->training.command));
	memset(model->training.inputs, 0, sizeof(model->training.inputs));
	model->created_s = 0;
	model->training.samples = samples;
	model->training.seed = p->seed;
	model->training.target_fpr = p->target_fpr;
}

/* A full training's threshold: on every benign sample, by models that do not know its host. */
static int cross_threshold(struct sen_model *model, const struct sen_sample *samples,
			   const struct sen_indices *set, const struct sen_train_params *p,
			   struct sen_why *why)
{
	float *scores = malloc((set->n ? set->n : 1) * sizeof(*scores));
	int err = scores ? sen_cross_scores(samples, set, p, scores, why) : -ENOMEM;

	if (err)
		err = sen_train_fail(why, err);
	if (!err)
		err = sen_find_threshold(samples, set, scores, p, &model->threshold, why);
	if (!err) {
		sen_model_round(model);
		err = sen_heed_attacks(model, samples, set, p, why);
	}
	if (!err)
		err = sen_flagged_share(samples, set, scores, model->threshold,
					&model->training.holdout_fpr, why);
	free(scores);
	return err;
}

int sen_train_full(const struct sen_sample *samples, size_t n, const struct sen_train_params *p,
		   struct sen_model **out, struct sen_why *why)
{
	struct sen_indices fit = { 0 };
	struct sen_model *model = NULL;
	float *rows = NULL;
	int err;

	err = sen_train_check(p, why);
	if (!err)
		err = sen_train_choose(samples, n, p, p->centroids, &fit, why);
	if (err)
		goto out;
	model = calloc(1, sizeof(*model));
	if (!model) {
		err = sen_train_fail(why, -ENOMEM);
		goto out;
	}
	take_class_names(model, p->class_names);
	sen_fit_quantizer(samples, &fit, p->weights, model->quantizer);
	rows = sen_quantized_rows(samples, &fit, model->quantizer);
	err = rows ? sen_fit_members(model, rows, fit.n, p) : -ENOMEM;
	if (!err)
		err = fit_attacks(model, samples, n, p);
	if (err) {
		err = sen_train_fail(why, err);
		goto out;
	}
	sen_train_record(model, p, fit.n);
	err = cross_threshold(model, samples, &fit, p, why);
	sen_model_round(model);
out:
	if (err)
		sen_model_free(model);
	else
		*out = model;
	free(rows);
	free(fit.at);
	return err;
}
