/* SPDX-License-Identifier: BSD-2-Clause */
/* Models for tests: one whose score is known beforehand, and ones that nobody has seen before. */
#ifndef SENTROID_TEST_MODELKIT_H
#define SENTROID_TEST_MODELKIT_H

#include <stdint.h>

#include "sentroid/model.h"

/* Gives every vector this score, and the class where that reaches the threshold (UNKNOWN: no
 * labelled member). */
void model_constant(struct sen_model_flat *m, __u32 version, __u32 score, __u8 class_id);

/* Any model that the format can hold: member and centroid counts, masks, weights, radii, labels and
 * thresholds between their extremes. */
void model_random(struct sen_model_flat *m, __u32 version, uint64_t *random);

#endif
