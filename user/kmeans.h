/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * K-means on contiguous rows of SEN_DIMS floats: k-means++ start, mini-batches, exact last passes.
 * Deterministic: the same rows and seed give the same centroids.
 */
#ifndef SENTROID_KMEANS_H
#define SENTROID_KMEANS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentroid/limits.h"

/* xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64. */
struct sen_rng {
	uint64_t s[4];
};

void sen_rng_seed(struct sen_rng *rng, uint64_t seed);
uint64_t sen_rng_next(struct sen_rng *rng);
/* Below n > 0. */
size_t sen_rng_below(struct sen_rng *rng, size_t n);
/* In [0, 1). */
double sen_rng_unit(struct sen_rng *rng);

struct sen_kmeans {
	unsigned int count;
	float at[SEN_CENTROIDS_MAX][SEN_DIMS];
	double mass[SEN_CENTROIDS_MAX]; /* rows behind each */
};

struct sen_kmeans_params {
	unsigned int centroids;
	unsigned int batch;
	unsigned int epochs;
	uint64_t seed;
	const atomic_bool *cancel; /* may be NULL */
};

/* Fit to n > 0 rows. Fewer centroids come out where there are fewer distinct rows, and none without
 * rows of its own. 0, -ENOMEM or -ECANCELED. */
int sen_kmeans_fit(const float *rows, size_t n, const struct sen_kmeans_params *params,
		   struct sen_kmeans *out);

/* The share of a batch that is farthest from its centroids moves none: what is far is more often noise,
 * or was put there to pull (trimmed k-means, Cuesta-Albertos, Gordaliza, Matran 1997). */
struct sen_kmeans_trim {
	double share;
	float weight[SEN_CENTROIDS_MAX]; /* of squared distances to each centroid: 1 / radius^2 */
};

/* One pass of mini-batches over n rows in their order, at the rate 1 / mass, which grows by the rows
 * taken. `trim` may be NULL. 0 or -ECANCELED. */
int sen_kmeans_update(struct sen_kmeans *c, const float *rows, size_t n, unsigned int batch,
		      const struct sen_kmeans_trim *trim, const atomic_bool *cancel);

/* Nearest centroid of each row and the squared distance to it. */
void sen_kmeans_assign(const struct sen_kmeans *c, const float *rows, size_t n, uint8_t *nearest,
		       float *d2);

/* Whether two centroids are one when rounded to whole steps. */
bool sen_kmeans_same(const float *a, const float *b);
/* Drop centroids that become one when rounded to whole steps; the first keeps the mass of both. */
void sen_kmeans_merge(struct sen_kmeans *c);

#endif
