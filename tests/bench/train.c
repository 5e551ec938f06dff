// SPDX-License-Identifier: BSD-2-Clause
/*
 * train ROWS: what training costs on one core, on data made here: an update of 5 x 16 centroids by 10,000
 * samples of 16 features, a training from scratch on 100,000, and one K-means of 16 clusters, whose input is
 * written to ROWS (32-bit floats) for train.py to repeat with scikit-learn. Prints JSON.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kmeans.h"
#include "train_internal.h"

#define FEATURES 16
#define BLOBS    40
#define HOSTS    50
#define UPDATE   10000
#define FULL     100000
#define CLUSTERS 16
#define ROUNDS   15

/* Of this process alone: what else runs does not count. */
static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return 1e3 * (double)ts.tv_sec + (double)ts.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

/* Sum of twelve uniforms less six: near enough to normal. */
static double normal(struct sen_rng *rng)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += sen_rng_unit(rng);
	return sum;
}

static struct sen_sample *make_samples(size_t n, uint64_t seed)
{
	struct sen_sample *s = calloc(n, sizeof(*s));
	double centre[BLOBS][FEATURES], spread[BLOBS];
	struct sen_rng rng;

	if (!s)
		exit(1);
	/* The same blobs whatever the seed of the draws. */
	sen_rng_seed(&rng, 1);
	for (int b = 0; b < BLOBS; b++) {
		spread[b] = 4 + 12 * sen_rng_unit(&rng);
		for (int d = 0; d < FEATURES; d++)
			centre[b][d] = 60 + 240 * sen_rng_unit(&rng);
	}
	sen_rng_seed(&rng, seed);
	for (size_t i = 0; i < n; i++) {
		size_t b = sen_rng_below(&rng, BLOBS);

		for (int d = 0; d < FEATURES; d++)
			s[i].vector.v[d] = lrint(fmax(0, centre[b][d] + spread[b] * normal(&rng)));
		s[i].label = SEN_LABEL_BENIGN;
		s[i].source = sen_rng_below(&rng, HOSTS);
		s[i].time_ns = i;
	}
	return s;
}

static struct sen_model *train(const struct sen_sample *s, size_t n,
			       const struct sen_train_params *p)
{
	struct sen_model *model;
	struct sen_why why = { 0 };

	if (!sen_train_full(s, n, p, &model, &why))
		return model;
	fprintf(stderr, "%s\n", why.text);
	exit(1);
}

static double time_update(const struct sen_train_params *params)
{
	struct sen_sample *first = make_samples(20000, 2), *s = make_samples(UPDATE, 3);
	struct sen_train_params p = *params;
	struct sen_model *reference, *next;
	double ms[ROUNDS];

	reference = train(first, 20000, &p);
	p.reference = reference;
	for (int i = 0; i < ROUNDS; i++) {
		double began = now_ms();

		if (sen_train_incremental(reference, s, UPDATE, &p, &next, NULL))
			exit(1);
		ms[i] = now_ms() - began;
		sen_model_free(next);
	}
	sen_model_free(reference);
	free(first);
	free(s);
	return median(ms, ROUNDS);
}

static double time_full(const struct sen_sample *s, const struct sen_train_params *p)
{
	double ms[3];

	for (int i = 0; i < 3; i++) {
		double began = now_ms();

		sen_model_free(train(s, FULL, p));
		ms[i] = now_ms() - began;
	}
	return median(ms, 3);
}

static double inertia_of(const struct sen_kmeans *c, const float *rows, size_t n)
{
	uint8_t *nearest = malloc(n);
	float *d2 = malloc(n * sizeof(*d2));
	double sum = 0;

	if (!nearest || !d2)
		exit(1);
	sen_kmeans_assign(c, rows, n, nearest, d2);
	for (size_t i = 0; i < n; i++)
		sum += d2[i];
	free(nearest);
	free(d2);
	return sum / (double)n;
}

/* Medians over seeds, as the outcome depends on the start. */
static double time_kmeans(const float *rows, double *inertia)
{
	double ms[ROUNDS], spread[ROUNDS];
	struct sen_kmeans c;

	for (int i = 0; i < ROUNDS; i++) {
		struct sen_kmeans_params p = { .centroids = CLUSTERS,
					       .batch = sen_train_defaults.batch,
					       .epochs = sen_train_defaults.epochs,
					       .seed = 1 + i };
		double began = now_ms();

		if (sen_kmeans_fit(rows, FULL, &p, &c))
			exit(1);
		ms[i] = now_ms() - began;
		spread[i] = inertia_of(&c, rows, FULL);
	}
	*inertia = median(spread, ROUNDS);
	return median(ms, ROUNDS);
}

int main(int argc, char **argv)
{
	struct sen_train_params p = sen_train_defaults;
	struct sen_quantizer quantizer[SEN_DIMS];
	struct sen_sample *s = make_samples(FULL, 4);
	double update, full, kmeans, inertia;
	struct sen_indices all = { 0 };
	float *rows;
	FILE *out;

	if (argc != 2)
		return 2;
	p.members = 5;
	p.centroids = CLUSTERS;
	update = time_update(&p);
	full = time_full(s, &p);
	if (sen_select(s, FULL, SEN_LABEL_BENIGN, SEN_CLASS_NONE, &all))
		return 1;
	sen_fit_quantizer(s, &all, NULL, quantizer);
	rows = sen_quantized_rows(s, &all, quantizer);
	out = fopen(argv[1], "wb");
	if (!rows || !out || fwrite(rows, SEN_DIMS * sizeof(*rows), FULL, out) != FULL ||
	    fclose(out))
		return 1;
	kmeans = time_kmeans(rows, &inertia);
	printf("{\"update_ms\":%.2f,\"full_ms\":%.1f,\"kmeans_ms\":%.1f,\"kmeans_inertia\":%.3f}\n",
	       update, full, kmeans, inertia);
	free(rows);
	free(all.at);
	free(s);
	return 0;
}
