// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>
#include <string.h>

#include "drift_pool.h"

#define LEAST_SLICES 3 /* fewer do not show how much slices differ */

void sen_pool_add(struct sen_drift_pool *p, unsigned int dim, const uint64_t *now,
		  const uint64_t *before)
{
	double sum[SEN_DRIFT_BINS], n = 0;

	for (int b = 0; b < SEN_DRIFT_BINS; b++) {
		n += (double)(now[b] - before[b]);
		sum[b] = n;
	}
	if (n <= 0)
		return;
	p->n[dim] += n;
	p->slices[dim]++;
	for (int b = 0; b < SEN_DRIFT_BINS; b++) {
		p->sum[dim][b] += sum[b];
		p->square[dim][b] += sum[b] * sum[b] / n;
	}
}

void sen_pool_merge_dim(struct sen_drift_pool *to, const struct sen_drift_pool *from,
			unsigned int dim)
{
	to->n[dim] += from->n[dim];
	to->slices[dim] += from->slices[dim];
	for (int b = 0; b < SEN_DRIFT_BINS; b++) {
		to->sum[dim][b] += from->sum[dim][b];
		to->square[dim][b] += from->square[dim][b];
	}
}

void sen_pool_merge(struct sen_drift_pool *to, const struct sen_drift_pool *from)
{
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++)
		sen_pool_merge_dim(to, from, dim);
	to->span_ms += from->span_ms;
}

void sen_pool_halve(struct sen_drift_pool *p)
{
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++) {
		p->n[dim] /= 2;
		p->slices[dim] /= 2;
		for (int b = 0; b < SEN_DRIFT_BINS; b++) {
			p->sum[dim][b] /= 2;
			p->square[dim][b] /= 2;
		}
	}
	p->span_ms /= 2;
}

void sen_pool_clear_dim(struct sen_drift_pool *p, unsigned int dim)
{
	p->n[dim] = p->slices[dim] = 0;
	memset(p->sum[dim], 0, sizeof(p->sum[dim]));
	memset(p->square[dim], 0, sizeof(p->square[dim]));
}

double sen_pool_binomial(const struct sen_drift_pool *p, unsigned int dim)
{
	double sum = 0;

	for (int b = 0; b < SEN_DRIFT_BINS; b++) {
		double f = p->sum[dim][b] / p->n[dim];

		sum += f * (1 - f);
	}
	return sum;
}

double sen_pool_design_effect(const struct sen_drift_pool *p, unsigned int dim)
{
	double between = 0, expected = sen_pool_binomial(p, dim);

	if (p->slices[dim] < LEAST_SLICES || expected <= 0)
		return 1;
	for (int b = 0; b < SEN_DRIFT_BINS; b++)
		between += p->square[dim][b] - p->sum[dim][b] * p->sum[dim][b] / p->n[dim];
	return fmax(1, between / ((p->slices[dim] - 1) * expected));
}

void sen_pool_add_whole(struct sen_drift_pool *to, const struct sen_drift_pool *from)
{
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++) {
		double n = from->n[dim];

		if (n <= 0)
			continue;
		to->n[dim] += n;
		to->slices[dim]++;
		for (int b = 0; b < SEN_DRIFT_BINS; b++) {
			to->sum[dim][b] += from->sum[dim][b];
			to->square[dim][b] += from->sum[dim][b] * from->sum[dim][b] / n;
		}
	}
}
