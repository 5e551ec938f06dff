/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SENTROID_SELECT_H
#define SENTROID_SELECT_H

#include <stddef.h>

/* The value that sorting n > 0 values would put at position k < n; reorders v (Hoare 1961). */
float sen_select_value(float *v, size_t n, size_t k);

#endif
