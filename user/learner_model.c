// SPDX-License-Identifier: BSD-2-Clause
/* Models in force and their record: registration, refusal, roll-back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "learner_internal.h"

void sen_learner_history_failed(struct sen_learner *l, const struct sen_why *why)
{
	sen_learner_say(l, SEN_LOG_WARNING, "no history of this step: %s", why->text);
}

void sen_learner_set_stage(struct sen_learner *l, unsigned int version, const char *stage,
			   const char *reason)
{
	struct sen_why why = { 0 };

	if (l->registry && sen_registry_stage(l->registry, version, stage, reason, &why))
		sen_learner_history_failed(l, &why);
}

/* The number after the last, and a digest, for a model that cannot be written down. */
static int number_without_registry(struct sen_learner *l, struct sen_model *model,
				   struct sen_why *why)
{
	char *text;

	model->version = l->active.version + 1;
	text = sen_model_print(model);
	free(text);
	return text ? 0 : sen_why(why, -ENOMEM, NULL, "model: out of memory");
}

static void origin_of(const struct sen_training *t, struct sen_registry_origin *out)
{
	const struct sen_train_params *p = &t->params;

	*out = (struct sen_registry_origin){ .kind = sen_training_name(t->kind) };
	sen_facts_set(&out->params, "members", p->members);
	sen_facts_set(&out->params, "centroids", p->centroids);
	sen_facts_set(&out->params, "seed", (double)p->seed);
	sen_facts_set(&out->params, "samples", (double)t->n);
	sen_facts_set(&out->params, "target_fpr", p->target_fpr);
	sen_facts_set(&out->params, "threshold_margin", p->threshold_margin);
	sen_facts_set(&out->params, "batch", p->batch);
	sen_facts_set(&out->params, "epochs", p->epochs);
	sen_facts_set(&out->params, "source_quota", p->source_quota);
	sen_facts_set(&out->params, "trim", p->trim);
	sen_facts_set(&out->params, "max_shift", p->max_shift);
	sen_facts_set(&out->params, "max_drift", p->max_drift);
	sen_facts_set(&out->params, "reference", t->reference ? t->reference->version : 0);
}

static void measured(const struct sen_training *t, struct sen_facts *out)
{
	const struct sen_validation *v = &t->validation;
	char name[SEN_FACT_NAME];

	sen_facts_set(out, "held_out_benign", (double)v->benign);
	sen_facts_set(out, "held_out_attack", (double)v->attack);
	sen_facts_set(out, "false_positives", v->false_positives);
	sen_facts_set(out, "recall", v->recall);
	sen_facts_set(out, "balanced_accuracy", v->balanced_accuracy);
	sen_facts_set(out, "f1_attack", v->f1);
	sen_facts_set(out, "f1_benign", v->f1_benign);
	sen_facts_set(out, "shipped_attacks", (double)v->shipped);
	sen_facts_set(out, "shipped_recall", v->shipped_recall);
	for (unsigned int id = SEN_CLASS_UNKNOWN; id < SEN_CLASS_BUILTIN_COUNT; id++) {
		if (!v->class_of[id].n)
			continue;
		snprintf(name, sizeof(name), "recall_%.19s", sen_class_name(NULL, id));
		sen_facts_set(out, name, v->class_of[id].recall);
		snprintf(name, sizeof(name), "f1_%.19s", sen_class_name(NULL, id));
		sen_facts_set(out, name, v->class_of[id].f1);
	}
	sen_facts_set(out, "threshold", t->model->threshold);
	sen_facts_set(out, "threshold_fpr", t->model->training.holdout_fpr);
	sen_facts_set(out, "inertia", t->model->training.inertia);
	sen_facts_set(out, "seconds", t->seconds);
}

int sen_learner_register(struct sen_learner *l, struct sen_training *t, struct sen_why *why)
{
	struct sen_registry_origin origin;
	struct sen_model *model = t->model;
	struct sen_facts metrics = { 0 };
	int err;

	model->parent = l->status.version;
	model->created_s = time(NULL);
	snprintf(model->training.command, sizeof(model->training.command), "agent: %s (%s)",
		 sen_training_name(t->kind), t->trigger);
	if (!l->registry)
		return number_without_registry(l, model, why);
	origin_of(t, &origin);
	sen_registry_number_above(l->registry, l->active.version);
	err = sen_registry_add(l->registry, model, &origin, why);
	measured(t, &metrics);
	sen_facts_set(&metrics, "class_weights", sen_learner_weights_mark(l));
	return err ? err : sen_registry_measure(l->registry, model->version, &metrics, why);
}

/* The model that bounds how far this one's descendants may drift: of the same lineage, from the registry. A
 * model whose lineage is not known bounds itself. */
static void find_reference(struct sen_learner *l, const struct sen_model *model)
{
	unsigned int version = l->registry ? sen_registry_reference(l->registry, model->version) :
					     0;
	bool update = strstr(model->training.command, sen_training_name(SEN_TRAINING_UPDATE));
	struct sen_model *found = NULL;

	if (!l->registry && update && l->reference)
		return;
	if (version && version != model->version &&
	    sen_registry_load(l->registry, version, &found, NULL))
		found = NULL;
	sen_model_free(l->reference);
	l->reference = found ? found : sen_model_copy(model);
	l->reference_wanted = version;
	l->status.reference = l->reference ? l->reference->version : 0;
}

void sen_learner_check_reference(struct sen_learner *l)
{
	if (l->registry && l->in_force &&
	    sen_registry_reference(l->registry, l->status.version) != l->reference_wanted)
		find_reference(l, l->in_force);
}

/* Policy enforce-learned drops only by the word of a model that is answered for. */
static void answer_for(struct sen_learner *l, bool learned)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	struct sen_why why = { 0 };
	int err = flat ? l->ops.model(l->ctx, SEN_SLOT_ACTIVE, flat) : -ENOMEM;

	if (!err && flat->learned != learned) {
		flat->learned = learned;
		err = l->ops.push(l->ctx, SEN_SLOT_ACTIVE, flat, &why);
	}
	if (err && err != -ENOENT)
		sen_learner_say(l, SEN_LOG_ERROR,
				"policy enforce-learned still takes the model in "
				"force for one %slearned here: %s",
				learned ? "not " : "", *why.text ? why.text : strerror(-err));
	free(flat);
}

void sen_learner_adopt(struct sen_learner *l, struct sen_model *model, const struct model_id *id)
{
	find_reference(l, model);
	sen_model_free(l->in_force);
	l->in_force = model;
	l->active = *id;
	l->foreign = false;
	l->status.version = model->version;
	answer_for(l, true);
	sen_learner_rescore_drift(l);
	l->status.threshold_fpr = model->training.holdout_fpr;
	snprintf(l->status.digest, sizeof(l->status.digest), "%s", model->digest);
}

void sen_learner_disown(struct sen_learner *l)
{
	answer_for(l, false);
	sen_model_free(l->in_force);
	sen_model_free(l->reference);
	l->in_force = l->reference = NULL;
	l->reference_wanted = 0;
	l->status.version = l->status.reference = 0;
	l->status.digest[0] = '\0';
}

int sen_learner_enforce(struct sen_learner *l, struct sen_model *model, struct sen_why *why)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	struct model_id id;
	int err;

	if (!flat)
		return sen_why(why, -ENOMEM, NULL, "model: out of memory");
	err = sen_model_flatten(model, flat, why);
	flat->learned = 1;
	if (!err)
		err = l->ops.push(l->ctx, SEN_SLOT_ACTIVE, flat, why);
	if (!err) {
		id.version = flat->version;
		memcpy(id.digest, flat->digest, sizeof(id.digest));
		sen_learner_adopt(l, model, &id);
	}
	free(flat);
	return err;
}

void sen_learner_refuse(struct sen_learner *l, struct sen_training *t)
{
	struct sen_why why = { 0 };
	char reason[176], name[32] = "candidate";

	l->status.refused++;
	l->drifted = false; /* if it lasts, it will be told again */
	snprintf(reason, sizeof(reason), "refused: %s", t->validation.reason);
	if (t->model && l->registry) {
		if (!sen_learner_register(l, t, &why))
			sen_learner_set_stage(l, t->model->version, "Archived", reason);
		snprintf(name, sizeof(name), "candidate %u", t->model->version);
	}
	sen_learner_say(l, SEN_LOG_NOTICE,
			"%s refused (%s: %s): %s; %zu samples, trained in %.2f s", name,
			sen_training_name(t->kind), t->trigger, t->validation.reason, t->n,
			t->seconds);
	sen_learner_prune(l);
}

void sen_learner_prune(struct sen_learner *l)
{
	struct sen_why why = { 0 };

	if (l->registry && sen_registry_prune(l->registry, l->config.registry_keep, NULL, &why))
		sen_learner_say(l, SEN_LOG_WARNING, "old models not pruned: %s", why.text);
}
