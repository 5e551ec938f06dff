// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>

#include "float_score.h"
#include "sentroid/abi.h"

/* Where a vector lies between the model's steps. Quantizing rounds down, so that step q stands for
 * what lies about q + 1/2, and the centroids, fitted to steps, are half a step low. */
static void place(const struct sen_model *model, const struct sen_vector *x,
		  enum sen_float_kind kind, float at[SEN_DIMS])
{
	for (int d = 0; d < SEN_DIMS; d++) {
		float scale = model->quantizer[d].scale / (float)SEN_ONE;
		float bias = model->quantizer[d].bias / (float)SEN_ONE;

		at[d] = x->v[d] * scale + bias;
		if (kind == SEN_FLOAT_SATURATED)
			at[d] = fminf(fmaxf(at[d], 0), SEN_QMAX + 1);
		at[d] -= 0.5f;
	}
}

/* d^2 / r^2 to the nearest centroid. */
static float ratio(const struct sen_model_member *m, const float at[SEN_DIMS])
{
	float best = INFINITY, radius = 1;

	for (unsigned int k = 0; k < m->count; k++) {
		float d2 = 0;

		for (int d = 0; d < SEN_DIMS; d++) {
			float off = m->mask[d] ? at[d] - m->centroid[k][d] : 0;

			d2 += off * off;
		}
		if (d2 < best) {
			best = d2;
			radius = m->radius[k];
		}
	}
	return best / (radius * radius);
}

float sen_float_score(const struct sen_model *model, const struct sen_vector *x,
		      enum sen_float_kind kind)
{
	float at[SEN_DIMS], sum = 0;

	place(model, x, kind, at);
	for (unsigned int e = 0; e < model->members; e++)
		if (model->member[e].weight > 0)
			sum += (float)model->member[e].weight * ratio(&model->member[e], at);
	return sum / (float)model->threshold;
}
