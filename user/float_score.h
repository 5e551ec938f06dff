/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The score of a model without its integers, to see what they cost: coordinates that are not rounded to
 * steps nor held to 7 bits, the centroids and radii of the model file with their fractions, distances
 * in float32.
 */
#ifndef SENTROID_FLOAT_SCORE_H
#define SENTROID_FLOAT_SCORE_H

#include "model.h"

/* The score of a vector, 1.0 being the threshold. */
float sen_float_score(const struct sen_model *model, const struct sen_vector *x);

#endif
