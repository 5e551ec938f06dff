/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SENTROID_TEST_RANDOM_H
#define SENTROID_TEST_RANDOM_H

#include <stdint.h>

/* A random number; the same sequence in every run. */
uint64_t random_next(uint64_t *state);

#endif
