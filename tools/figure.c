// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>
#include <stdio.h>

#include "figure.h"

struct text decimal(double v, int decimals)
{
	struct text t = { "-" };

	if (isfinite(v))
		snprintf(t.is, sizeof(t.is), "%.*f", decimals, v);
	return t;
}

struct text percent(double share)
{
	struct text t = { "-" };

	if (isfinite(share))
		snprintf(t.is, sizeof(t.is), "%.2f%%", 100 * share);
	return t;
}
