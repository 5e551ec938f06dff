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

static void take_best(struct sen_standard *best, const struct sen_registry_entry *e,
		      size_t shipped_n)
{
	double accuracy = metric(e, "balanced_accuracy"), recall = metric(e, "shipped_recall");

	if (accuracy > best->balanced_accuracy ||
	    (isnan(best->balanced_accuracy) && !isnan(accuracy))) {
		best->balanced_accuracy = accuracy;
		best->accurate = e->version;
	}
	/* Another release may ship other attacks. */
	if (metric(e, "shipped_attacks") != (double)shipped_n)
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
		take_best(&best, e, l->shipped_n);
		if (e->approved || !strcmp(e->kind, sen_training_name(SEN_TRAINING_BASELINE)) ||
		    e->parent >= e->version)
			break;
		e = sen_registry_find(l->registry, e->parent);
	}
	return best;
}
