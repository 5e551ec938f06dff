// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "kmeans.h"
#include "select.h"

#define LANES        4 /* of a vector: what SSE2 and NEON have; wider ones are split badly there */
#define PAIR         (2 * LANES)
#define BLOCKS       (SEN_CENTROIDS_MAX / PAIR)
#define FAR          1e17f /* coordinate of the padding of a block: never nearest, its square still finite */
#define START_ROWS   8192  /* k-means++ works on so many rows at most */
#define RESEED_ROWS  256   /* the farthest of so many becomes an empty cluster's centroid */
#define EXACT_PASSES 10    /* at most */
#define SETTLED      1e-3f /* steps squared: centroids that move less have converged */
#define CHUNK        1024  /* rows assigned before any centroid moves */
#define POLL_ROWS    4096  /* rows between two looks at the cancel flag */

typedef float vfloat __attribute__((vector_size(4 * LANES)));
typedef int32_t vint __attribute__((vector_size(4 * LANES)));

/* Centroids eight abreast, in two vectors: one row meets eight of them at once, and no sum is
 * reordered, so that no relaxed arithmetic is needed. */
struct blocks {
	unsigned int count;
	vfloat at[BLOCKS][SEN_DIMS][2];
};

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void sen_rng_seed(struct sen_rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		rng->s[i] = splitmix64(&seed);
}

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t sen_rng_next(struct sen_rng *rng)
{
	uint64_t *s = rng->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

size_t sen_rng_below(struct sen_rng *rng, size_t n)
{
	return (unsigned __int128)sen_rng_next(rng) * n >> 64;
}

double sen_rng_unit(struct sen_rng *rng)
{
	return (sen_rng_next(rng) >> 11) * 0x1p-53;
}

static void blocks_of(const struct sen_kmeans *c, struct blocks *b)
{
	b->count = (c->count + PAIR - 1) / PAIR;
	for (unsigned int k = 0; k < b->count * PAIR; k++)
		for (int d = 0; d < SEN_DIMS; d++)
			b->at[k / PAIR][d][k / LANES % 2][k % LANES] = k < c->count ? c->at[k][d] :
										      FAR;
}

/* A running minimum in each lane, and the number of the vector that it came from. */
static inline void keep_least(vfloat *best, vint *where, const vfloat *sum, int32_t number)
{
	vint less = *sum < *best;

	*best = (vfloat)(((vint)*sum & less) | ((vint)*best & ~less));
	*where = (((vint){ 0 } + number) & less) | (*where & ~less);
}

/* Nearest centroid, the first of equals; its squared distance into *d2. */
static unsigned int nearest_of(const struct blocks *b, const float *x, float *d2)
{
	vfloat best = (vfloat){ 0 } + INFINITY;
	vint where = { 0 };
	unsigned int at = 0;

	for (unsigned int i = 0; i < b->count; i++) {
		vfloat low = { 0 }, high = { 0 };

		for (int d = 0; d < SEN_DIMS; d++) {
			vfloat dl = x[d] - b->at[i][d][0], dh = x[d] - b->at[i][d][1];

			low += dl * dl;
			high += dh * dh;
		}
		keep_least(&best, &where, &low, 2 * i);
		keep_least(&best, &where, &high, 2 * i + 1);
	}
	*d2 = INFINITY;
	for (unsigned int l = 0; l < LANES; l++) {
		unsigned int k = where[l] * LANES + l;

		if (best[l] < *d2 || (best[l] == *d2 && k < at)) {
			*d2 = best[l];
			at = k;
		}
	}
	return at;
}

static float squared_distance(const float *a, const float *b)
{
	float sum = 0;

	for (int d = 0; d < SEN_DIMS; d++)
		sum += (a[d] - b[d]) * (a[d] - b[d]);
	return sum;
}

void sen_kmeans_assign(const struct sen_kmeans *c, const float *rows, size_t n, uint8_t *nearest,
		       float *d2)
{
	struct blocks b;

	blocks_of(c, &b);
	for (size_t i = 0; i < n; i++)
		nearest[i] = nearest_of(&b, rows + i * SEN_DIMS, &d2[i]);
}

static void set_centroid(struct sen_kmeans *c, unsigned int k, const float *row, double mass)
{
	memcpy(c->at[k], row, sizeof(c->at[k]));
	c->mass[k] = mass;
}

static void drop_centroid(struct sen_kmeans *c, unsigned int k)
{
	c->count--;
	memmove(c->at[k], c->at[k + 1], (c->count - k) * sizeof(c->at[0]));
	memmove(&c->mass[k], &c->mass[k + 1], (c->count - k) * sizeof(c->mass[0]));
}

/* What k-means++ works on: the first rows of an order, and how far each is from the centroids so far. */
struct start {
	const float *rows;
	const uint32_t *order;
	size_t n;
	float *d2;
	float *to; /* of each row: its distances to the rows on trial, PAIR of them */
};

static const float *start_row(const struct start *s, size_t i)
{
	return s->rows + (size_t)s->order[i] * SEN_DIMS;
}

/* A row in proportion to its squared distance; s->n where all are centroids already. */
static size_t draw(const struct start *s, double total, struct sen_rng *rng)
{
	double target = sen_rng_unit(rng) * total;
	size_t pick = s->n;

	for (size_t i = 0; i < s->n && target >= 0; i++) {
		if (s->d2[i] > 0)
			pick = i;
		target -= s->d2[i];
	}
	return pick;
}

static void measure_trials(const struct start *s, const struct sen_kmeans *trial, double left[PAIR])
{
	struct blocks b;

	memset(left, 0, PAIR * sizeof(*left));
	blocks_of(trial, &b);
	for (size_t i = 0; i < s->n; i++) {
		const float *x = start_row(s, i);
		vfloat sum[2] = { 0 };

		for (int d = 0; d < SEN_DIMS; d++)
			for (int half = 0; half < 2; half++) {
				vfloat apart = x[d] - b.at[0][d][half];

				sum[half] += apart * apart;
			}
		memcpy(s->to + i * PAIR, sum, sizeof(sum));
		for (unsigned int t = 0; t < trial->count; t++) {
			float d2 = s->to[i * PAIR + t];

			left[t] += d2 < s->d2[i] ? d2 : s->d2[i];
		}
	}
}

/* Of the rows on trial the one that leaves least becomes a centroid; returns what is left. */
static double take_best(const struct start *s, const struct sen_kmeans *trial, struct sen_kmeans *c)
{
	unsigned int best = 0;
	double left[PAIR];

	measure_trials(s, trial, left);
	for (unsigned int t = 1; t < trial->count; t++)
		best = left[t] < left[best] ? t : best;
	for (size_t i = 0; i < s->n; i++) {
		float d2 = s->to[i * PAIR + best];

		s->d2[i] = d2 < s->d2[i] ? d2 : s->d2[i];
	}
	set_centroid(c, c->count++, trial->at[best], 1);
	return left[best];
}

static void grow_start(const struct start *s, struct sen_kmeans *c, unsigned int want,
		       struct sen_rng *rng)
{
	unsigned int trials = 2 + (unsigned int)log(want);
	struct sen_kmeans trial = { .count = 1 };
	double left;

	memcpy(trial.at[0], start_row(s, sen_rng_below(rng, s->n)), sizeof(trial.at[0]));
	left = take_best(s, &trial, c);
	while (c->count < want && left > 0) {
		trial.count = 0;
		while (trial.count < trials && trial.count < PAIR) {
			size_t pick = draw(s, left, rng);

			if (pick == s->n)
				return;
			memcpy(trial.at[trial.count++], start_row(s, pick), sizeof(trial.at[0]));
		}
		left = take_best(s, &trial, c);
	}
}

/*
 * k-means++ (Arthur, Vassilvitskii 2007), greedy: of a few rows drawn in proportion to their squared
 * distance from the centroids so far, the next one is that which leaves the least to the nearest. Ends
 * early when every row is a centroid. The rows are those that `order` names.
 */
static int start(struct sen_kmeans *c, const float *rows, const uint32_t *order, size_t n,
		 unsigned int want, struct sen_rng *rng)
{
	struct start s = { rows, order, n, malloc(n * sizeof(float)),
			   malloc(n * PAIR * sizeof(float)) };
	int err = s.d2 && s.to ? 0 : -ENOMEM;

	c->count = 0;
	for (size_t i = 0; !err && i < n; i++)
		s.d2[i] = INFINITY;
	if (!err)
		grow_start(&s, c, want, rng);
	free(s.d2);
	free(s.to);
	return err;
}

/* Turns squared distances into squared radii; returns the one that a share of them exceeds. */
static float trim_limit(const struct sen_kmeans_trim *trim, const uint8_t *nearest, float *d2,
			size_t n)
{
	size_t keep = n - (size_t)(trim->share * n);
	float sorted[CHUNK];

	for (size_t i = 0; i < n; i++)
		sorted[i] = d2[i] *= trim->weight[nearest[i]];
	return sen_select_value(sorted, n, keep - 1);
}

/* One mini-batch (Sculley 2010): assign all rows first, then move each centroid towards its own. */
static void batch(struct sen_kmeans *c, const float *rows, const uint32_t *order, size_t from,
		  size_t to, const struct sen_kmeans_trim *trim, uint64_t *hits)
{
	uint8_t nearest[CHUNK];
	float d2[CHUNK];
	struct blocks b;

	blocks_of(c, &b);
	for (; from < to; from += CHUNK) {
		size_t n = to - from < CHUNK ? to - from : CHUNK;
		float limit;

		for (size_t i = 0; i < n; i++) {
			size_t row = order ? order[from + i] : from + i;

			nearest[i] = nearest_of(&b, rows + row * SEN_DIMS, &d2[i]);
		}
		limit = trim ? trim_limit(trim, nearest, d2, n) : INFINITY;
		for (size_t i = 0; i < n; i++) {
			const float *x = rows + (order ? order[from + i] : from + i) * SEN_DIMS;
			unsigned int k = nearest[i];
			float rate;

			if (d2[i] > limit)
				continue;
			rate = 1 / ++c->mass[k];
			hits[k]++;
			for (int d = 0; d < SEN_DIMS; d++)
				c->at[k][d] += rate * (x[d] - c->at[k][d]);
		}
	}
}

static int run_batches(struct sen_kmeans *c, const float *rows, const uint32_t *order, size_t n,
		       unsigned int size, const struct sen_kmeans_trim *trim,
		       const atomic_bool *cancel, uint64_t *hits)
{
	memset(hits, 0, SEN_CENTROIDS_MAX * sizeof(*hits));
	for (size_t from = 0; from < n; from += size) {
		if (sen_cancelled(cancel))
			return -ECANCELED;
		batch(c, rows, order, from, from + size < n ? from + size : n, trim, hits);
	}
	return 0;
}

int sen_kmeans_update(struct sen_kmeans *c, const float *rows, size_t n, unsigned int size,
		      const struct sen_kmeans_trim *trim, const atomic_bool *cancel)
{
	uint64_t hits[SEN_CENTROIDS_MAX];

	return run_batches(c, rows, NULL, n, size, trim, cancel, hits);
}

/* Centroids that no row chose move to where the fit is worst among some rows. */
static void reseed(struct sen_kmeans *c, const float *rows, size_t n, const uint64_t *hits,
		   struct sen_rng *rng)
{
	for (unsigned int k = 0; k < c->count; k++) {
		const float *worst = NULL;
		float most = 0, d2;
		struct blocks b;

		if (hits[k])
			continue;
		blocks_of(c, &b);
		for (int i = 0; i < RESEED_ROWS; i++) {
			const float *x = rows + sen_rng_below(rng, n) * SEN_DIMS;

			nearest_of(&b, x, &d2);
			if (d2 > most) {
				most = d2;
				worst = x;
			}
		}
		if (worst)
			set_centroid(c, k, worst, 1);
	}
}

/* Put each centroid into the middle of its rows and drop those without. True if none moved. */
static bool recentre(struct sen_kmeans *c, double sum[][SEN_DIMS])
{
	bool settled = true;

	for (unsigned int k = c->count; k-- > 0;) {
		float old[SEN_DIMS];

		if (c->mass[k] <= 0) {
			drop_centroid(c, k);
			settled = false;
			continue;
		}
		memcpy(old, c->at[k], sizeof(old));
		for (int d = 0; d < SEN_DIMS; d++)
			c->at[k][d] = sum[k][d] / c->mass[k];
		settled &= squared_distance(old, c->at[k]) < SETTLED;
	}
	return settled;
}

/* A step of plain K-means over all rows: 0 to go on, 1 when it has converged, or -ECANCELED. */
static int exact_pass(struct sen_kmeans *c, const float *rows, size_t n, const atomic_bool *cancel)
{
	double sum[SEN_CENTROIDS_MAX][SEN_DIMS] = { 0 };
	struct blocks b;
	float d2;

	memset(c->mass, 0, sizeof(c->mass));
	blocks_of(c, &b);
	for (size_t i = 0; i < n; i++) {
		const float *x = rows + i * SEN_DIMS;
		unsigned int k;

		if (i % POLL_ROWS == 0 && sen_cancelled(cancel))
			return -ECANCELED;
		k = nearest_of(&b, x, &d2);
		c->mass[k]++;
		for (int d = 0; d < SEN_DIMS; d++)
			sum[k][d] += x[d];
	}
	return recentre(c, sum);
}

static void shuffle(uint32_t *order, size_t n, struct sen_rng *rng)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = sen_rng_below(rng, i);
		uint32_t t = order[i - 1];

		order[i - 1] = order[j];
		order[j] = t;
	}
}

bool sen_kmeans_same(const float *a, const float *b)
{
	for (int d = 0; d < SEN_DIMS; d++)
		if (lrintf(a[d]) != lrintf(b[d]))
			return false;
	return true;
}

void sen_kmeans_merge(struct sen_kmeans *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		for (unsigned int k = c->count; --k > i;)
			if (sen_kmeans_same(c->at[i], c->at[k])) {
				c->mass[i] += c->mass[k];
				drop_centroid(c, k);
			}
}

int sen_kmeans_fit(const float *rows, size_t n, const struct sen_kmeans_params *p,
		   struct sen_kmeans *out)
{
	uint32_t *order = calloc(n, sizeof(*order));
	uint64_t hits[SEN_CENTROIDS_MAX];
	struct sen_rng rng;
	int err = 0;

	if (!order)
		return -ENOMEM;
	sen_rng_seed(&rng, p->seed);
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	shuffle(order, n, &rng);
	memset(out, 0, sizeof(*out));
	err = start(out, rows, order, n < START_ROWS ? n : START_ROWS, p->centroids, &rng);

	for (unsigned int epoch = 0; !err && epoch < p->epochs; epoch++) {
		err = run_batches(out, rows, order, n, p->batch, NULL, p->cancel, hits);
		if (!err && epoch + 1 < p->epochs) {
			reseed(out, rows, n, hits, &rng);
			shuffle(order, n, &rng);
		}
	}
	for (int pass = 0; !err && pass < EXACT_PASSES; pass++)
		err = exact_pass(out, rows, n, p->cancel);
	if (err >= 0)
		sen_kmeans_merge(out);
	free(order);
	return err < 0 ? err : 0;
}
