/* SPDX-License-Identifier: BSD-2-Clause */
/* Slices of histograms added up, with the variance between them. Within drift.c. */
#ifndef SENTROID_DRIFT_POOL_H
#define SENTROID_DRIFT_POOL_H

#include "drift.h"

/* By dimension: cumulative counts, and their squares over the size of each slice, which give the
 * variance between slices without keeping them. */
struct sen_drift_pool {
	double n[SEN_DRIFT_DIMS];
	double slices[SEN_DRIFT_DIMS];
	double sum[SEN_DRIFT_DIMS][SEN_DRIFT_BINS];
	double square[SEN_DRIFT_DIMS][SEN_DRIFT_BINS];
	int64_t span_ms;
};

/* One slice of one dimension: what was counted between two readings. */
void sen_pool_add(struct sen_drift_pool *p, unsigned int dim, const uint64_t *now,
		  const uint64_t *before);
/* All slices of another pool; of one dimension. */
void sen_pool_merge(struct sen_drift_pool *to, const struct sen_drift_pool *from);
void sen_pool_merge_dim(struct sen_drift_pool *to, const struct sen_drift_pool *from,
			unsigned int dim);
/* Another pool as one slice. */
void sen_pool_add_whole(struct sen_drift_pool *to, const struct sen_drift_pool *from);
/* Let everything weigh half. */
void sen_pool_halve(struct sen_drift_pool *p);
void sen_pool_clear_dim(struct sen_drift_pool *p, unsigned int dim);

/* Sum over the bins of the binomial variance of one observation. */
double sen_pool_binomial(const struct sen_drift_pool *p, unsigned int dim);
/* How many times the variance of independent draws that between slices is (Kish 1965); at least 1. */
double sen_pool_design_effect(const struct sen_drift_pool *p, unsigned int dim);

#endif
