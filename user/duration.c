// SPDX-License-Identifier: BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"

#define MOST (100ull * 365 * 86400)

/* Seconds in a unit; 0: there is no such unit. */
static unsigned int unit_seconds(const char *unit)
{
	static const struct {
		const char *name;
		unsigned int seconds;
	} units[] = { { "", 1 },     { "s", 1 },     { "m", 60 },
		      { "h", 3600 }, { "d", 86400 }, { "w", 604800 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(unit, units[i].name))
			return units[i].seconds;
	return 0;
}

int sen_duration_parse(const char *text, int64_t *seconds)
{
	unsigned long long n;
	unsigned int unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	n = strtoull(text, &end, 10); /* saturates where it does not fit */
	unit = unit_seconds(end);
	if (!unit)
		return -EINVAL;
	if (n > MOST / unit)
		return -ERANGE;
	*seconds = (int64_t)(n * unit);
	return 0;
}
