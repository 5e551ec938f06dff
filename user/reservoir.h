/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded, fair memory of a stream of samples: reservoir sampling (Vitter 1985). The stream counts
 * as eight times the capacity at most, so that what is old fades instead of never giving way.
 */
#ifndef SENTROID_RESERVOIR_H
#define SENTROID_RESERVOIR_H

#include <stddef.h>
#include <stdint.h>

#include "sample.h"

struct sen_reservoir;

int sen_reservoir_new(size_t capacity, uint64_t seed, struct sen_reservoir **out);
void sen_reservoir_free(struct sen_reservoir *r);
void sen_reservoir_add(struct sen_reservoir *r, const struct sen_sample *sample);
/* Samples held, in no order; valid until the next add. */
size_t sen_reservoir_samples(const struct sen_reservoir *r, const struct sen_sample **out);
size_t sen_reservoir_size(const struct sen_reservoir *r);
/* Copy min(max, size) of them, drawn without replacement; returns how many. */
size_t sen_reservoir_draw(struct sen_reservoir *r, struct sen_sample *out, size_t max);
void sen_reservoir_clear(struct sen_reservoir *r);

#endif
