// SPDX-License-Identifier: BSD-2-Clause
/* What the gate holds a candidate to beside the model in force, which may itself be the last of many that were
 * each a little worse. */
#include <math.h>
#include <string.h>

#include "learner_internal.h"

static double metric(const struct sen_registry_entry *e, const char *name)
{
	const double *value = sen_facts_get(&e->metrics, name);

	return value ? *value : NAN;
}

/* FNV-1a of the weights, 0 where all classes weigh the same. */
double sen_learner_weights_mark(const struct sen_learner *l)
{
	const double *weights = l->config.weights;
	const unsigned char *bytes = (const unsigned char *)&weights[SEN_CLASS_UNKNOWN];
	size_t n = (SEN_CLASS_BUILTIN_COUNT - SEN_CLASS_UNKNOWN) * sizeof(*weights);
	bool alike = true;
	uint32_t mark = 2166136261u;

	for (int i = SEN_CLASS_UNKNOWN; i < SEN_CLASS_BUILTIN_COUNT; i++)
		alike = alike && weights[i] == 1;
	for (size_t i = 0; i < n; i++)
		mark = (mark ^ bytes[i]) * 16777619u;
	return alike ? 0 : mark;
}

/* Other weights make another mean of the classes. */
static bool weighed_alike(const struct sen_learner *l, const struct sen_registry_entry *e)
{
	const double *mark = sen_facts_get(&e->metrics, "class_weights");

	return (mark ? *mark : 0) == sen_learner_weights_mark(l);
}

static void take_best(const struct sen_learner *l, struct sen_standard *best,
		      const struct sen_registry_entry *e)
{
	double accuracy = metric(e, "balanced_accuracy"), recall = metric(e, "shipped_recall");

	if (weighed_alike(l, e) && (accuracy > best->balanced_accuracy ||
				    (isnan(best->balanced_accuracy) && !isnan(accuracy)))) {
		best->balanced_accuracy = accuracy;
		best->accurate = e->version;
	}
	/* Another release may ship other attacks. */
	if (metric(e, "shipped_attacks") != (double)l->shipped_n)
		return;
	if (recall > best->shipped_recall || (isnan(best->shipped_recall) && !isnan(recall))) {
		best->shipped_recall = recall;
		best->sharp = e->version;
	}
}

/* Every parent was in force when its child was trained: the way back passes no refused candidate. */
struct sen_standard sen_learner_standard(const struct sen_learner *l)
{
	struct sen_standard best = { .balanced_accuracy = NAN, .shipped_recall = NAN };
	const struct sen_registry_entry *e =
		l->registry ? sen_registry_find(l->registry, l->status.version) : NULL;

	while (e) {
		take_best(l, &best, e);
		if (e->approved || !strcmp(e->kind, sen_training_name(SEN_TRAINING_BASELINE)) ||
		    e->parent >= e->version)
			break;
		e = sen_registry_find(l->registry, e->parent);
	}
	return best;
}
