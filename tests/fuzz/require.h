/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold whatever the input: an abort is what the fuzzer keeps the input for. */
#ifndef SENTROID_FUZZ_REQUIRE_H
#define SENTROID_FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

#define REQUIRE(condition) require(condition, #condition)

#endif
