// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "sentroid/score.h"
#include "train_internal.h"

#define RADIUS_SHARE    0.95
#define THRESHOLD_FLOOR 1.0 /* nothing within one radius is an anomaly */

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

static void swap(float *a, float *b)
{
	float t = *a;

	*a = *b;
	*b = t;
}

/* The value that sorting would put at position k; reorders v (Hoare's selection). */
static float select_value(float *v, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		float pivot = v[low + (high - low) / 2];
		size_t i = low, j = high;

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap(&v[i++], &v[j--]);
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return v[k];
}

/* Position of the smallest value that a share of n values does not exceed. */
static size_t share_position(size_t n, double share)
{
	size_t k = ceil(share * n);

	return k ? k - 1 : 0;
}

int sen_measure_radii(const struct sen_kmeans *c, const float *rows, size_t n, size_t least,
		      float radius[SEN_CENTROIDS_MAX], double *inertia)
{
	size_t start[SEN_CENTROIDS_MAX + 1] = { 0 }, fill[SEN_CENTROIDS_MAX];
	float *d2 = malloc(n * sizeof(*d2)), *grouped = malloc(n * sizeof(*grouped));
	uint8_t *nearest = malloc(n);
	double sum = 0;
	int err = 0;

	if (!d2 || !grouped || !nearest) {
		err = -ENOMEM;
		goto out;
	}
	sen_kmeans_assign(c, rows, n, nearest, d2);
	for (size_t i = 0; i < n; i++)
		start[nearest[i] + 1]++;
	for (unsigned int k = 0; k < c->count; k++) {
		start[k + 1] += start[k];
		fill[k] = start[k];
	}
	for (size_t i = 0; i < n; i++) {
		grouped[fill[nearest[i]]++] = d2[i];
		sum += d2[i];
	}
	for (unsigned int k = 0; k < c->count; k++) {
		size_t own = start[k + 1] - start[k];

		radius[k] = own && own >= least ?
				    sqrtf(select_value(grouped + start[k], own,
						       share_position(own, RADIUS_SHARE))) :
				    0;
	}
	*inertia = sum / n;
out:
	free(nearest);
	free(grouped);
	free(d2);
	return err;
}

void sen_floor_radii(float *radius, unsigned int count, double floor)
{
	float sorted[SEN_CENTROIDS_MAX];
	double least;

	memcpy(sorted, radius, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	least = fmax(sorted[count / 2] / 2, floor);
	for (unsigned int k = 0; k < count; k++)
		radius[k] = fmax(radius[k], least);
}

/* Score every sample with a model of threshold 1 or its own. */
static int score_all(const struct sen_model *model, const struct sen_sample *samples,
		     const struct sen_indices *set, float *scores, struct sen_why *why)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	struct sen_lanes q;
	int err;

	if (!flat)
		return sen_why(why, -ENOMEM, NULL, "threshold: out of memory");
	err = sen_model_flatten(model, flat, why);
	for (size_t i = 0; !err && i < set->n; i++) {
		sen_quantize(flat->quantizer, &samples[set->at[i]].vector, &q);
		scores[i] = sen_score(flat, &q).score;
	}
	free(flat);
	return err;
}

int sen_find_threshold(const struct sen_model *model, const struct sen_sample *samples,
		       const struct sen_indices *set, const struct sen_train_params *params,
		       double *threshold, struct sen_why *why)
{
	struct sen_model *unit = sen_model_copy(model);
	float *scores = malloc(set->n * sizeof(*scores));
	size_t above = params->target_fpr * set->n; /* allowed; the maximum where it makes none */
	int err = -ENOMEM;

	if (!unit || !scores) {
		sen_why(why, err, NULL, "threshold: out of memory");
		goto out;
	}
	unit->threshold = 1;
	err = score_all(unit, samples, set, scores, why);
	if (err)
		goto out;
	*threshold = select_value(scores, set->n, set->n - 1 - above) / SEN_ONE *
		     params->threshold_margin;
	/* A step up: the sample that set the threshold must stay under it. */
	*threshold = fmin(fmax(*threshold + SEN_THRESHOLD_MIN, THRESHOLD_FLOOR), SEN_THRESHOLD_MAX);
out:
	free(scores);
	sen_model_free(unit);
	return err;
}

int sen_flagged_share(const struct sen_model *model, const struct sen_sample *samples,
		      const struct sen_indices *set, double *share, struct sen_why *why)
{
	float *scores = calloc(set->n ? set->n : 1, sizeof(*scores));
	size_t flagged = 0;
	int err;

	if (!scores)
		return sen_why(why, -ENOMEM, NULL, "threshold: out of memory");
	err = score_all(model, samples, set, scores, why);
	for (size_t i = 0; !err && i < set->n; i++)
		flagged += scores[i] >= SEN_ONE;
	*share = set->n ? (double)flagged / set->n : 0;
	free(scores);
	return err;
}
