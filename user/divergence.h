/* SPDX-License-Identifier: BSD-2-Clause */
/* How far two distributions over the same bins lie apart, and whether chance explains it. Pure functions. */
#ifndef SENTROID_DIVERGENCE_H
#define SENTROID_DIVERGENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Population stability index of two histograms of counts, half a count added to every bin that either
 * uses; 0.1 is usually called small, 0.25 large. */
double sen_psi(const double *a, const double *b, size_t bins);

/* Kolmogorov-Smirnov statistic of two cumulative distributions: their largest difference. */
double sen_ks(const double *cdf_a, const double *cdf_b, size_t bins);
/* Probability of a difference as large from na and nb independent observations of one distribution
 * (Stephens 1970). On bins it errs on the safe side: too large. */
double sen_ks_p(double ks, double na, double nb);

/* Wasserstein-1 distance of two cumulative distributions, in the unit of `width`, that of a bin. */
double sen_wasserstein(const double *cdf_a, const double *cdf_b, size_t bins, double width);

/* Which of n hypotheses to reject so that at most the share q of the rejected is so by chance
 * (Benjamini, Hochberg 1995). NAN: not tested. */
void sen_false_discovery(const double *p, size_t n, double q, bool *rejected);

#endif
