// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>

#include "divergence.h"

#define TERMS 100 /* of the Kolmogorov series, which converges long before */

double sen_psi(const double *a, const double *b, size_t bins)
{
	double na = 0, nb = 0, psi = 0;

	for (size_t i = 0; i < bins; i++) {
		bool used = a[i] > 0 || b[i] > 0;

		na += used ? a[i] + 0.5 : 0;
		nb += used ? b[i] + 0.5 : 0;
	}
	for (size_t i = 0; i < bins; i++) {
		double p = (a[i] + 0.5) / na, q = (b[i] + 0.5) / nb;

		if (a[i] > 0 || b[i] > 0)
			psi += (p - q) * log(p / q);
	}
	return psi;
}

double sen_ks(const double *a, const double *b, size_t bins)
{
	double most = 0;

	for (size_t i = 0; i < bins; i++)
		most = fmax(most, fabs(a[i] - b[i]));
	return most;
}

double sen_ks_p(double ks, double na, double nb)
{
	double root = sqrt(na * nb / (na + nb)), lambda = (root + 0.12 + 0.11 / root) * ks;
	double sum = 0, sign = 1;

	/* The alternating series does not settle there, where the answer is 1. */
	if (!(lambda > 0.2))
		return 1;
	for (int j = 1; j <= TERMS; j++) {
		double term = exp(-2.0 * j * j * lambda * lambda);

		sum += sign * term;
		if (term < 1e-12)
			break;
		sign = -sign;
	}
	return fmin(fmax(2 * sum, 0), 1);
}

double sen_wasserstein(const double *a, const double *b, size_t bins, double width)
{
	double sum = 0;

	for (size_t i = 0; i < bins; i++)
		sum += fabs(a[i] - b[i]);
	return sum * width;
}

void sen_false_discovery(const double *p, size_t n, double q, bool *rejected)
{
	double limit = -1;
	size_t tested = 0;

	for (size_t i = 0; i < n; i++)
		tested += !isnan(p[i]);
	/* The largest p that is below its own rank's share; n is small. */
	for (size_t i = 0; i < n; i++) {
		size_t rank = 0;

		for (size_t k = 0; k < n; k++)
			rank += p[k] <= p[i];
		if (p[i] <= q * rank / tested && p[i] > limit)
			limit = p[i];
	}
	for (size_t i = 0; i < n; i++)
		rejected[i] = p[i] <= limit;
}
