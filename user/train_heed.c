// SPDX-License-Identifier: BSD-2-Clause
/* Known attacks, and a threshold that would pass most of them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "model_internal.h"
#include "select.h"
#include "train_internal.h"

/* Of the scores of a set, in units of the threshold, the one that a share of them lies below. 0 where there
 * are none. */
static int score_quantile(const struct sen_model *model, const struct sen_sample *samples,
			  const struct sen_indices *set, double share, double *out,
			  struct sen_why *why)
{
	float *scores = malloc((set->n ? set->n : 1) * sizeof(*scores));
	int err = scores ? sen_score_samples(model, samples, set, scores, why) : -ENOMEM;

	*out = 0;
	if (!err && set->n)
		*out = sen_select_value(scores, set->n, (size_t)(share * (set->n - 1))) / SEN_ONE;
	free(scores);
	return err;
}

int sen_heed_attacks(struct sen_model *model, const struct sen_sample *samples,
		     const struct sen_indices *fit, const struct sen_train_params *p,
		     struct sen_why *why)
{
	struct sen_indices known = { 0 };
	double attacks, benign, factor;
	int err;

	if (!p->attacks_n)
		return 0;
	err = sen_select(p->attacks, p->attacks_n, SEN_LABEL_ATTACK, SEN_CLASS_NONE, &known);
	if (!err)
		err = score_quantile(model, p->attacks, &known, 0.5, &attacks, why);
	if (!err)
		err = score_quantile(model, samples, fit, 1 - p->target_fpr, &benign, why);
	free(known.at);
	if (err)
		return err == -ENOMEM ? sen_train_fail(why, err) : err;
	factor = fmax(attacks, benign * p->threshold_margin);
	if (factor < 1)
		model->threshold = fmax(model->threshold * factor, 1);
	sen_model_round(model);
	return 0;
}
