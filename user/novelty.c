// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "novelty.h"
#include "rules.h"
#include "sentroid/score.h"
#include "train.h"

#define CENTRE 64 /* where quantizers put the middle of benign traffic */
#define TOLD   3
#define LEAST_ODD \
	30 /* unweighted steps from the centre; benign traffic keeps within 24, but for 2 % */

static const char *const class_names[] = {
#define CLASS_NAME(id, name, help) name,
	SEN_CLASSES(CLASS_NAME)
};

void sen_flat_class_name(const struct sen_model_flat *model, unsigned int class_id,
			 char name[SEN_CLASS_NAME_MAX])
{
	const char *own = "";

	if (class_id >= SEN_CLASS_CUSTOM && class_id < SEN_CLASS_MAX)
		own = model->class_name[class_id - SEN_CLASS_CUSTOM];
	if (class_id < SEN_CLASS_BUILTIN_COUNT)
		snprintf(name, SEN_CLASS_NAME_MAX, "%s", class_names[class_id]);
	else if (*own)
		snprintf(name, SEN_CLASS_NAME_MAX, "%.*s", SEN_CLASS_NAME_MAX - 1, own);
	else
		snprintf(name, SEN_CLASS_NAME_MAX, "custom_%u", class_id);
}

static int oddness(const struct sen_lanes *q, int d)
{
	int value = (int)(q->w[d / SEN_LANES] >> (16 * (d % SEN_LANES)) & 0xffff);

	return (int)(abs(value - CENTRE) / sen_feature_weights[d]);
}

void sen_novelty_explain(const struct sen_model_flat *model, const struct sen_vector *x,
			 char *reason, size_t size)
{
	bool told[SEN_DIMS] = { false };
	struct sen_lanes q;
	size_t at;

	sen_quantize(model->quantizer, x, &q);
	at = snprintf(reason, size, "unlike normal traffic");
	for (int n = 0; n < TOLD && at < size; n++) {
		int most = -1;

		for (int d = 0; d < SEN_DIMS; d++)
			if (!told[d] && (most < 0 || oddness(&q, d) > oddness(&q, most)))
				most = d;
		if (n && oddness(&q, most) < LEAST_ODD)
			break;
		told[most] = true;
		at += snprintf(reason + at, size - at, "%s %s %u", n ? "," : ":",
			       sen_feature_name(most), sen_feature_count(x, most));
	}
}
