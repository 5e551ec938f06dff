// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "review.h"
#include "sentroid/score.h"

#define POOL_FACTOR 8 /* candidates for each place */
#define EPOCHS      4

struct candidate {
	size_t at;
	double distance;
	unsigned int class_id; /* that it is taken for */
};

double sen_review_distance(uint32_t score)
{
	return fabs(log2((score + 1.0) / (SEN_ONE + 1.0)));
}

static int by_distance(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Of every cluster the first, as the candidates are in order. Returns how many. */
static long pick_various(const struct sen_record *records, const struct candidate *from, size_t n,
			 size_t places, struct candidate *out)
{
	struct sen_kmeans_params params = {
		.centroids = (unsigned int)(places < SEN_CENTROIDS_MAX ? places :
									 SEN_CENTROIDS_MAX),
		.batch = 256,
		.epochs = EPOCHS,
		.seed = 1,
	};
	float *rows = calloc(n, SEN_DIMS * sizeof(*rows)), *d2 = calloc(n, sizeof(*d2));
	uint8_t *nearest = calloc(n, 1);
	bool taken[SEN_CENTROIDS_MAX] = { false };
	struct sen_kmeans clusters;
	long picked = -ENOMEM;

	if (!rows || !d2 || !nearest)
		goto out;
	for (size_t i = 0; i < n; i++)
		for (int d = 0; d < SEN_DIMS; d++)
			rows[i * SEN_DIMS + d] = records[from[i].at].sample.vector.v[d];
	if (sen_kmeans_fit(rows, n, &params, &clusters))
		goto out;
	sen_kmeans_assign(&clusters, rows, n, nearest, d2);
	picked = 0;
	for (size_t i = 0; i < n; i++)
		if (!taken[nearest[i]]) {
			taken[nearest[i]] = true;
			out[picked++] = from[i];
		}
out:
	free(nearest);
	free(d2);
	free(rows);
	return picked;
}

/* The candidates of one class, in their order; how many. */
static size_t of_class(const struct candidate *all, size_t n, unsigned int class_id, size_t most,
		       struct candidate *out)
{
	size_t found = 0;

	for (size_t i = 0; i < n && found < most; i++)
		if (all[i].class_id == class_id)
			out[found++] = all[i];
	return found;
}

/* Equal places for each class; what one cannot fill, the later ones get, the largest last. */
static long share_places(const struct sen_record *records, const struct candidate *all, size_t n,
			 size_t wanted, struct candidate *out, struct candidate *scratch)
{
	size_t count[SEN_CLASS_MAX] = { 0 }, classes = 0, left = wanted;
	long total = 0;

	for (size_t i = 0; i < n; i++)
		classes += !count[all[i].class_id]++;
	for (; classes && left; classes--) {
		unsigned int least = 0;
		size_t found;
		long picked;

		for (unsigned int c = 0; c < SEN_CLASS_MAX; c++)
			if (count[c] && (!count[least] || count[c] < count[least]))
				least = c;
		count[least] = 0;
		if (left < classes)
			continue;
		found = of_class(all, n, least, POOL_FACTOR * (left / classes), scratch);
		picked = pick_various(records, scratch, found, left / classes, out + total);
		if (picked < 0)
			return picked;
		total += picked;
		left -= (size_t)picked;
	}
	return total;
}

long sen_review_choose(const struct sen_record *records, size_t n, size_t wanted, size_t *chosen)
{
	struct candidate *all = calloc(n + 1, sizeof(*all)), *scratch = calloc(n + 1, sizeof(*all)),
			 *picked = calloc(wanted + 1, sizeof(*all));
	long total = -ENOMEM;

	if (!all || !scratch || !picked)
		goto out;
	for (size_t i = 0; i < n; i++)
		all[i] = (struct candidate){
			.at = i,
			.distance = sen_review_distance(records[i].sample.score),
			.class_id = records[i].sample.class_id % SEN_CLASS_MAX,
		};
	qsort(all, n, sizeof(*all), by_distance);
	total = share_places(records, all, n, wanted, picked, scratch);
	if (total > 0)
		qsort(picked, (size_t)total, sizeof(*picked), by_distance);
	for (long i = 0; i < total; i++)
		chosen[i] = picked[i].at;
out:
	free(picked);
	free(scratch);
	free(all);
	return total;
}
