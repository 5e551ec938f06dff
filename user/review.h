/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operator should look at: of the samples that nothing certain is known of, those that tell
 * most. Uncertainty sampling (Lewis, Gale 1994) made various by clusters (as in Zhdanov 2019): the
 * classes that the model takes samples for share the places; in each the most uncertain are clustered,
 * and every cluster is represented by its most uncertain sample. Pure.
 */
#ifndef SENTROID_REVIEW_H
#define SENTROID_REVIEW_H

#include "store.h"

#define SEN_REVIEW_POOL 4000 /* candidates that are worth choosing from */

/* Positions of up to `wanted` of the n records into `chosen`, the most uncertain first; how many, or
 * -ENOMEM. */
long sen_review_choose(const struct sen_record *records, size_t n, size_t wanted, size_t *chosen);
/* Octaves between a score and the threshold: the fewer, the less certain. */
double sen_review_distance(uint32_t score);

#endif
