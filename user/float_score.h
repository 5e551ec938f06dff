/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The score of a model without its integers, to see what they cost: coordinates that are not rounded to
 * steps, the centroids and radii of the model file with their fractions, distances in float32.
 */
#ifndef SENTROID_FLOAT_SCORE_H
#define SENTROID_FLOAT_SCORE_H

#include "model.h"

enum sen_float_kind {
	SEN_FLOAT_FREE,      /* nor held to 7 bits: what rounding and saturation cost together */
	SEN_FLOAT_SATURATED, /* held to the steps there are: what rounding alone costs */
	SEN_FLOAT_KINDS
};

/* The score of a vector, 1.0 being the threshold. */
float sen_float_score(const struct sen_model *model, const struct sen_vector *x,
		      enum sen_float_kind kind);

#endif
