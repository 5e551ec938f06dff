// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "select.h"
#include "sentroid/score.h"
#include "train_internal.h"

#define RADIUS_SHARE    0.95
#define RADIUS_LEAST    0.5  /* medians; */
#define RADIUS_MOST     1.25 /* a cluster of odds and ends must not hide what else falls into it */
#define THRESHOLD_FLOOR 1.0  /* nothing within one radius is an anomaly */

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
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
				    sqrtf(sen_select_value(grouped + start[k], own,
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

void sen_bound_radii(float *radius, unsigned int count, double floor)
{
	float sorted[SEN_CENTROIDS_MAX];
	double least, most;

	memcpy(sorted, radius, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	least = fmax(sorted[count / 2] * RADIUS_LEAST, floor);
	most = fmax(sorted[count / 2] * RADIUS_MOST, floor);
	for (unsigned int k = 0; k < count; k++)
		radius[k] = fmin(fmax(radius[k], least), most);
}

int sen_score_samples(const struct sen_model *model, const struct sen_sample *samples,
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

struct scored {
	uint64_t flow;
	float score;
};

static int by_flow(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	if (x->flow != y->flow)
		return x->flow < y->flow ? -1 : 1;
	return x->score > y->score ? -1 : x->score < y->score;
}

/* The highest score of each flow into `best`; returns how many there are, or a negative errno. */
static ssize_t flow_scores(const struct sen_sample *samples, const struct sen_indices *set,
			   const float *scores, float *best)
{
	struct scored *s = malloc((set->n ? set->n : 1) * sizeof(*s));
	size_t flows = 0;

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++)
		s[i] = (struct scored){ samples[set->at[i]].flow, scores[i] };
	qsort(s, set->n, sizeof(*s), by_flow);
	for (size_t i = 0; i < set->n; i++)
		if (!i || !s[i].flow || s[i].flow != s[i - 1].flow)
			best[flows++] = s[i].score;
	free(s);
	return flows;
}

int sen_find_threshold(const struct sen_sample *samples, const struct sen_indices *set,
		       const float *scores, const struct sen_train_params *params,
		       double *threshold, struct sen_why *why)
{
	float *best = malloc((set->n ? set->n : 1) * sizeof(*best));
	ssize_t flows = best ? flow_scores(samples, set, scores, best) : -ENOMEM;
	size_t above; /* allowed; the maximum where it makes none */

	if (flows <= 0) {
		free(best);
		return flows ? sen_why(why, flows, NULL, "threshold: out of memory") :
			       sen_why(why, -ENODATA, NULL, "threshold: no benign sample");
	}
	above = params->target_fpr * flows;
	*threshold = sen_select_value(best, flows, flows - 1 - above) / SEN_ONE *
		     params->threshold_margin;
	/* A step up: the flow that set the threshold must stay under it. */
	*threshold = fmin(fmax(*threshold + SEN_THRESHOLD_MIN, THRESHOLD_FLOOR), SEN_THRESHOLD_MAX);
	free(best);
	return 0;
}

int sen_flagged_share(const struct sen_sample *samples, const struct sen_indices *set,
		      const float *scores, double limit, double *share, struct sen_why *why)
{
	float *best = malloc((set->n ? set->n : 1) * sizeof(*best));
	ssize_t flows = best ? flow_scores(samples, set, scores, best) : -ENOMEM;
	size_t flagged = 0;

	for (ssize_t i = 0; i < flows; i++)
		flagged += best[i] >= limit * SEN_ONE;
	free(best);
	if (flows < 0)
		return sen_why(why, flows, NULL, "threshold: out of memory");
	*share = flows ? (double)flagged / flows : 0;
	return 0;
}
