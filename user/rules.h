/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks that give themselves away: thresholds on the raw features of one sample, far above what
 * ordinary traffic reaches. Pure functions, no state, no model.
 */
#ifndef SENTROID_RULES_H
#define SENTROID_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

/* Class that a rule is certain of, or SEN_CLASS_NONE. Why, with the numbers measured, goes to
 * `reason` (may be NULL). */
unsigned int sen_rules_classify(const struct sen_event *ev, char *reason, size_t size);

/* Least x with sen_lg(x) == lg: the inverse of the features' logarithm, exact to 1/16 octave. */
uint32_t sen_lg_inverse(uint32_t lg);
/* What a feature of a vector counts, in whole units: events, ports, packets, bytes. */
uint32_t sen_feature_count(const struct sen_vector *x, enum sen_feature feature);

#endif
