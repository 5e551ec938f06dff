/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans of time as people write them: "90", "90s", "10m", "2h", "1d", "2w". */
#ifndef SENTROID_DURATION_H
#define SENTROID_DURATION_H

#include <stdint.h>

/* One number and one unit, seconds where there is none. -EINVAL: it is something else; -ERANGE: longer than a
 * hundred years. */
int sen_duration_parse(const char *text, int64_t *seconds);

#endif
