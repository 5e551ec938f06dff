// SPDX-License-Identifier: BSD-2-Clause
/* Models in force: promotion, refusal, roll-back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "learner_internal.h"

/* An operation on the registry has failed: the model in force matters more than its record. */
static void history_failed(struct sen_learner *l, const struct sen_why *why)
{
	sen_learner_say(l, SEN_LOG_WARNING, "no history of this step: %s", why->text);
}

static void set_stage(struct sen_learner *l, unsigned int version, const char *stage,
		      const char *reason)
{
	struct sen_why why = { 0 };

	if (l->registry && sen_registry_stage(l->registry, version, stage, reason, &why))
		history_failed(l, &why);
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

/* A version number and a digest; *recorded tells whether the registry knows them. */
static int register_model(struct sen_learner *l, struct sen_training *t, bool *recorded,
			  struct sen_why *why)
{
	struct sen_model *model = t->model;
	int err;

	model->parent = l->status.version;
	model->created_s = time(NULL);
	snprintf(model->training.command, sizeof(model->training.command), "agent: %s (%s)",
		 sen_training_name(t->kind), t->trigger);
	*recorded = false;
	if (!l->registry)
		return number_without_registry(l, model, why);
	sen_registry_number_above(l->registry, l->active.version);
	err = sen_registry_add(l->registry, model, NULL, why);
	*recorded = !err;
	if (!err)
		return 0;
	history_failed(l, why);
	return number_without_registry(l, model, why);
}

void sen_learner_adopt(struct sen_learner *l, struct sen_model *model, const struct model_id *id)
{
	sen_model_free(l->in_force);
	l->in_force = model;
	l->active = *id;
	l->status.version = model->version;
	sen_learner_rescore_drift(l);
	l->status.threshold_fpr = model->training.holdout_fpr;
	snprintf(l->status.digest, sizeof(l->status.digest), "%s", model->digest);
}

int sen_learner_enforce(struct sen_learner *l, struct sen_model *model, struct sen_why *why)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	struct model_id id;
	int err;

	if (!flat)
		return sen_why(why, -ENOMEM, NULL, "model: out of memory");
	err = sen_model_flatten(model, flat, why);
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

static void begin_watch(struct sen_learner *l, int64_t now_ms)
{
	double limit = l->config.watch_factor * l->config.train_target_fpr;
	struct sen_stats stats;

	if (limit < l->config.watch_share)
		limit = l->config.watch_share;
	if (!l->ops.stats(l->ctx, &stats))
		sen_watch_begin(&l->watch, &stats, limit,
				now_ms + 1000ll * l->config.watch_seconds);
}

/* The candidate becomes in_force, what was in force becomes previous. */
static int put_in_force(struct sen_learner *l, struct sen_training *t, struct sen_why *why)
{
	struct sen_model *before = l->in_force, *candidate = t->model;
	int err;

	l->in_force = NULL;
	err = sen_learner_enforce(l, candidate, why);
	if (err) {
		l->in_force = before;
		return err;
	}
	t->model = NULL;
	sen_model_free(l->previous);
	l->previous = before;
	return 0;
}

int sen_learner_promote(struct sen_learner *l, struct sen_training *t, int64_t now_ms)
{
	char reason[192];
	struct sen_why why = { 0 };
	unsigned int version;
	uint64_t samples;
	bool recorded;
	int err;

	err = register_model(l, t, &recorded, &why);
	version = t->model->version;
	samples = t->model->training.samples;
	snprintf(reason, sizeof(reason), "%s: %s", sen_training_name(t->kind), t->trigger);
	if (!err)
		err = put_in_force(l, t, &why);
	if (err) {
		l->status.failed++;
		if (recorded)
			set_stage(l, version, "Archived", why.text);
		sen_learner_say(l, SEN_LOG_WARNING, "model %u not put in force: %s", version,
				why.text);
		return err;
	}
	if (recorded)
		set_stage(l, version, "Production", reason);
	l->status.promoted++;
	l->status.last_success_s = time(NULL);
	l->status.last_samples = samples;
	begin_watch(l, now_ms);
	sen_learner_say(
		l, SEN_LOG_NOTICE,
		"model %u promoted (%s): %llu samples, false positives %.3f%% on samples held "
		"back, trained in %.2f s",
		version, reason, (unsigned long long)l->status.last_samples,
		100 * t->validation.false_positives, t->seconds);
	return 0;
}

void sen_learner_refuse(struct sen_learner *l, struct sen_training *t)
{
	struct sen_why why = { 0 };
	char reason[176], name[32] = "candidate";
	bool recorded = false;

	l->status.refused++;
	l->drifted = false; /* if it lasts, it will be told again */
	snprintf(reason, sizeof(reason), "refused: %s", t->validation.reason);
	if (t->model && l->registry && !register_model(l, t, &recorded, &why) && recorded) {
		set_stage(l, t->model->version, "Archived", reason);
		snprintf(name, sizeof(name), "candidate %u", t->model->version);
	}
	sen_learner_say(l, SEN_LOG_NOTICE,
			"%s refused (%s: %s): %s; %zu samples, trained in %.2f s", name,
			sen_training_name(t->kind), t->trigger, t->validation.reason, t->n,
			t->seconds);
}

/* The version before the present one, from memory or from disk. NULL: there is none. */
static struct sen_model *take_previous(struct sen_learner *l)
{
	struct sen_model *model = l->previous;
	unsigned int version;

	l->previous = NULL;
	if (model || !l->registry)
		return model;
	version = sen_registry_previous(l->registry);
	if (version && version != l->status.version &&
	    sen_registry_load(l->registry, version, &model, NULL))
		model = NULL;
	return model;
}

void sen_learner_roll_back(struct sen_learner *l, int64_t now_ms)
{
	struct sen_model *model = take_previous(l);
	unsigned int bad = l->status.version;
	struct sen_why why = { 0 };
	char reason[160];
	int err;

	snprintf(reason, sizeof(reason), "version %u flagged %.1f%% of evaluations", bad,
		 100 * l->watch.share);
	if (!model) {
		sen_learner_begin_baseline(l, now_ms);
		sen_learner_say(l, SEN_LOG_WARNING,
				"%s and there is none before it: the baseline begins again",
				reason);
		return;
	}
	err = sen_learner_enforce(l, model, &why);
	if (err) {
		sen_model_free(model);
		sen_learner_say(l, SEN_LOG_ERROR, "%s, and could not be rolled back: %s", reason,
				why.text);
		return;
	}
	set_stage(l, model->version, "Production", reason);
	l->status.rolled_back++;
	l->status.state = SEN_LEARNER_PAUSED;
	l->paused_until_ms = now_ms + 1000ll * l->config.watch_pause;
	sen_learner_say(l, SEN_LOG_WARNING, "rolled back to model %u: %s; learning rests for %u s",
			model->version, reason, l->config.watch_pause);
}
