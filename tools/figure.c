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

struct text size_text(double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	struct text t;
	size_t u = 0;

	while (bytes >= 1024 && u + 1 < sizeof(units) / sizeof(*units)) {
		bytes /= 1024;
		u++;
	}
	snprintf(t.is, sizeof(t.is), u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
	return t;
}
