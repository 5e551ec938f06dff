// SPDX-License-Identifier: BSD-2-Clause
/* From a training that has passed the gate to a model in force: the record, the canary, the swap. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "learner_internal.h"
#include "sentroid/score.h"

void sen_candidate_free(struct sen_candidate *c)
{
	if (!c)
		return;
	sen_model_free(c->model);
	free(c->flat);
	free(c);
}

void sen_learner_forget_candidate(struct sen_learner *l)
{
	sen_candidate_free(l->candidate);
	l->candidate = NULL;
}

/* ---- the shadow slot ---- */

static bool in_shadow(struct sen_learner *l, const struct sen_candidate *c, bool *empty)
{
	struct sen_model_flat *found = malloc(sizeof(*found));
	int err = found ? l->ops.model(l->ctx, SEN_SLOT_SHADOW, found) : -ENOMEM;
	bool same = !err && found->version == c->flat->version &&
		    !memcmp(found->digest, c->flat->digest, sizeof(found->digest));

	*empty = err == -ENOENT;
	free(found);
	return same;
}

static void clear_shadow(struct sen_learner *l, const struct sen_candidate *c)
{
	bool empty;

	if (c->in_shadow && in_shadow(l, c, &empty))
		l->ops.clear(l->ctx, SEN_SLOT_SHADOW);
}

/* Nothing else is trained meanwhile: that should be known. */
static void wait_for_slot(struct sen_learner *l, struct sen_candidate *c, const char *what)
{
	if (!*c->waits)
		sen_learner_say(l, SEN_LOG_WARNING, "candidate %u waits, and learning with it: %s",
				c->model->version, what);
	snprintf(c->waits, sizeof(c->waits), "%s", what);
}

/* The slot may be an operator's for now. */
static void enter_shadow(struct sen_learner *l, struct sen_candidate *c, int64_t now_ms)
{
	struct sen_score_hist scores;
	struct sen_why why = { 0 };
	struct sen_stats stats;
	bool empty, there = in_shadow(l, c, &empty);

	c->in_shadow = false;
	if (!there && !empty) {
		wait_for_slot(l, c,
			      "the shadow slot holds another model "
			      "(sentroid model clear-shadow takes it out)");
		return;
	}
	if (!there && l->ops.push(l->ctx, SEN_SLOT_SHADOW, c->flat, &why)) {
		wait_for_slot(l, c, why.text);
		return;
	}
	if (l->ops.stats(l->ctx, &stats) || l->ops.score_hist(l->ctx, &scores)) {
		wait_for_slot(l, c, "counters cannot be read");
		return;
	}
	sen_canary_begin(&c->canary, &stats, &scores, now_ms);
	c->in_shadow = true;
	c->waits[0] = '\0';
	sen_learner_say(l, SEN_LOG_INFO, "candidate %u (%s) runs beside the model in force",
			c->model->version, c->reason);
}

/* ---- ends of a candidate ---- */

void sen_learner_abandon(struct sen_learner *l, const char *why)
{
	struct sen_candidate *c = l->candidate;

	if (!c)
		return;
	clear_shadow(l, c);
	sen_learner_set_stage(l, c->model->version, "Archived", why);
	sen_learner_say(l, SEN_LOG_NOTICE, "candidate %u abandoned: %s", c->model->version, why);
	sen_learner_forget_candidate(l);
}

static void reject(struct sen_learner *l)
{
	struct sen_candidate *c = l->candidate;
	char reason[176];

	snprintf(reason, sizeof(reason), "refused: %s", c->canary.reason);
	clear_shadow(l, c);
	sen_learner_set_stage(l, c->model->version, "Archived", reason);
	l->status.refused++;
	l->drifted = false; /* if it lasts, it will be told again */
	sen_learner_say(l, SEN_LOG_NOTICE, "candidate %u refused (%s): %s", c->model->version,
			c->reason, c->canary.reason);
	sen_learner_forget_candidate(l);
	sen_learner_prune(l);
}

static void failed(struct sen_learner *l, struct sen_candidate *c, const struct sen_why *why)
{
	l->status.failed++;
	clear_shadow(l, c);
	sen_learner_set_stage(l, c->model->version, "Archived", why->text);
	sen_learner_say(l, SEN_LOG_WARNING, "model %u not put in force: %s", c->model->version,
			why->text);
}

/* The candidate becomes in_force, what was in force becomes previous. A step that fails leaves all as it
 * was. */
static int put_in_force(struct sen_learner *l, struct sen_candidate *c, struct sen_why *why)
{
	struct sen_model_flat *before = malloc(sizeof(*before));
	int found = before ? l->ops.model(l->ctx, SEN_SLOT_ACTIVE, before) : -ENOMEM, err = 0;
	struct sen_why undone = { 0 };

	if (found && found != -ENOENT)
		err = sen_why(why, found, NULL, "model in force: read: %s", strerror(-found));
	if (!err)
		err = l->ops.push(l->ctx, SEN_SLOT_ACTIVE, c->flat, why);
	if (!err && l->registry) {
		err = sen_registry_stage(l->registry, c->model->version, "Production", c->reason,
					 why);
		if (err && !found)
			l->ops.push(l->ctx, SEN_SLOT_ACTIVE, before, &undone);
		else if (err)
			l->ops.clear(l->ctx, SEN_SLOT_ACTIVE);
	}
	free(before);
	return err;
}

static void tell_promotion(struct sen_learner *l, const struct sen_candidate *c)
{
	char shipped[64] = "";

	if (!isnan(c->shipped_recall))
		snprintf(shipped, sizeof(shipped), ", flags %.0f%% of the attacks that are shipped",
			 100 * c->shipped_recall);
	sen_learner_say(
		l, SEN_LOG_NOTICE,
		"model %u promoted (%s): %llu samples, false positives %.3f%% on samples held "
		"back, trained in %.2f s%s",
		c->model->version, c->reason, (unsigned long long)c->model->training.samples,
		100 * c->false_positives, c->seconds, shipped);
}

static void take_in_force(struct sen_learner *l, struct sen_candidate *c, int64_t now_ms)
{
	struct model_id id = { .version = c->flat->version };
	struct sen_model *before = l->in_force;

	memcpy(id.digest, c->flat->digest, sizeof(id.digest));
	l->in_force = NULL;
	sen_learner_begin_watch(l, c, now_ms);
	sen_learner_adopt(l, c->model, &id);
	c->model = NULL;
	sen_model_free(l->previous);
	l->previous = before;
	clear_shadow(l, c);
}

static int promote(struct sen_learner *l, int64_t now_ms)
{
	struct sen_candidate *c = l->candidate;
	bool scratch = c->kind != SEN_TRAINING_UPDATE;
	struct sen_why why = { 0 };
	int err = put_in_force(l, c, &why);

	if (err) {
		failed(l, c, &why);
		sen_learner_forget_candidate(l);
		return err;
	}
	tell_promotion(l, c);
	l->status.promoted++;
	l->status.last_success_s = time(NULL);
	l->status.last_samples = c->model->training.samples;
	take_in_force(l, c, now_ms);
	sen_learner_forget_candidate(l);
	if (l->status.state == SEN_LEARNER_BASELINE)
		sen_learner_begin_active(l, now_ms);
	if (scratch)
		sen_learner_mark_drift(l, true, now_ms);
	sen_learner_prune(l);
	return 0;
}

/* ---- its life ---- */

static struct sen_candidate *candidate_new(struct sen_model *model, struct sen_why *why)
{
	struct sen_candidate *c = calloc(1, sizeof(*c));

	if (c)
		c->flat = malloc(sizeof(*c->flat));
	if (!c || !c->flat) {
		free(c);
		sen_why(why, -ENOMEM, NULL, "candidate: out of memory");
		return NULL;
	}
	if (sen_model_flatten(model, c->flat, why)) {
		sen_candidate_free(c);
		return NULL;
	}
	c->flat->learned = 1;
	c->model = model;
	return c;
}

/* Without a model in force there is nothing to run beside. */
static bool wants_canary(struct sen_learner *l)
{
	return l->config.canary_evaluations && l->active.version;
}

int sen_learner_stage(struct sen_learner *l, struct sen_training *t, int64_t now_ms)
{
	struct sen_why why = { 0 };
	struct sen_candidate *c = NULL;
	int err = sen_learner_register(l, t, &why);

	if (!err)
		c = candidate_new(t->model, &why);
	if (!c) {
		l->status.failed++;
		sen_learner_say(l, SEN_LOG_WARNING, "candidate given up: %s", why.text);
		return err ? err : -ENOMEM;
	}
	t->model = NULL;
	c->kind = t->kind;
	c->seconds = t->seconds;
	c->false_positives = t->validation.false_positives;
	c->shipped_recall = t->validation.shipped_recall;
	snprintf(c->reason, sizeof(c->reason), "%s: %s", sen_training_name(t->kind), t->trigger);
	l->candidate = c;
	if (!wants_canary(l))
		return promote(l, now_ms);
	sen_learner_set_stage(l, c->model->version, "Staging", c->reason);
	enter_shadow(l, c, now_ms);
	return 0;
}

static struct sen_canary_settings canary_settings(const struct sen_learner *l)
{
	return (struct sen_canary_settings){
		.evaluations = l->config.canary_evaluations,
		.duration_ms = 1000ll * l->config.canary_seconds,
		.max_extra = l->config.canary_extra,
		.min_agreement = l->config.canary_agreement,
		.max_shift = l->config.canary_shift,
	};
}

static void record_canary(struct sen_learner *l, const struct sen_candidate *c)
{
	struct sen_facts facts = { 0 };
	struct sen_why why = { 0 };

	sen_canary_facts(&c->canary, &facts);
	if (l->registry && sen_registry_measure(l->registry, c->model->version, &facts, &why))
		sen_learner_history_failed(l, &why);
}

void sen_learner_tick_candidate(struct sen_learner *l, int64_t now_ms)
{
	struct sen_candidate *c = l->candidate;
	struct sen_canary_settings settings;
	struct sen_score_hist scores;
	enum sen_canary_state state;
	struct sen_stats stats;
	bool empty;

	if (!c)
		return;
	if (!c->in_shadow || !in_shadow(l, c, &empty)) {
		/* Perhaps an operator has promoted it. */
		sen_learner_check_active(l, now_ms);
		if (l->candidate)
			enter_shadow(l, c, now_ms);
		return;
	}
	if (l->ops.stats(l->ctx, &stats) || l->ops.score_hist(l->ctx, &scores))
		return;
	settings = canary_settings(l);
	state = sen_canary_check(&c->canary, &settings, &stats, &scores, now_ms);
	if (state == SEN_CANARY_ON)
		return;
	sen_learner_check_active(l, now_ms);
	if (!l->candidate)
		return;
	record_canary(l, c);
	if (state == SEN_CANARY_FAILED)
		reject(l);
	else
		promote(l, now_ms);
}

void sen_learner_try_candidate(struct sen_learner *l, const struct sen_event *ev, bool named,
			       bool explained)
{
	struct sen_candidate *c = l->candidate;
	struct sen_lanes q;

	if (!c || !c->in_shadow)
		return;
	sen_quantize(c->flat->quantizer, &ev->vector, &q);
	sen_canary_sample(&c->canary, ev->score >= SEN_ONE, sen_score(c->flat, &q).score >= SEN_ONE,
			  named, explained);
}

/* What the last agent left in the shadow slot is of no use if it is a version of this registry. */
static void tidy_shadow(struct sen_learner *l)
{
	struct sen_model_flat *found = malloc(sizeof(*found));
	struct model_id id;

	if (found && !l->ops.model(l->ctx, SEN_SLOT_SHADOW, found)) {
		id.version = found->version;
		memcpy(id.digest, found->digest, sizeof(id.digest));
		if (sen_learner_owns(l, &id))
			l->ops.clear(l->ctx, SEN_SLOT_SHADOW);
	}
	free(found);
}

static enum sen_training_kind kind_of(const char *name)
{
	for (int kind = SEN_TRAINING_BASELINE; kind <= SEN_TRAINING_FULL; kind++)
		if (!strcmp(sen_training_name(kind), name))
			return kind;
	return SEN_TRAINING_FULL;
}

/* Take the staged version up again; false: it must go. */
static bool resume(struct sen_learner *l, const struct sen_registry_entry *e, struct sen_why *why)
{
	struct sen_model *model = NULL;
	const double *fpr = sen_facts_get(&e->metrics, "false_positives");
	const double *shipped = sen_facts_get(&e->metrics, "shipped_recall");

	if (!l->config.learn_enabled) {
		sen_why(why, -ECANCELED, NULL, "learning is switched off");
		return false;
	}
	if (e->parent != l->status.version || !wants_canary(l)) {
		sen_why(why, -ESTALE, NULL, "another model is in force than it was trained beside");
		return false;
	}
	if (sen_registry_load(l->registry, e->version, &model, why))
		return false;
	l->candidate = candidate_new(model, why);
	if (!l->candidate) {
		sen_model_free(model);
		return false;
	}
	l->candidate->kind = kind_of(e->kind);
	l->candidate->false_positives = fpr ? *fpr : 0;
	l->candidate->shipped_recall = shipped ? *shipped : NAN;
	snprintf(l->candidate->reason, sizeof(l->candidate->reason), "%s", e->reason);
	return true;
}

/* A version that came to nothing, as the agent ended before the gate's word or the stage was on record. */
static void archive_unfinished(struct sen_learner *l)
{
	const struct sen_registry_entry *e;
	struct sen_why why = { 0 };

	for (size_t i = 0; l->registry && i < sen_registry_entries(l->registry, &e); i++) {
		if (strcmp(e[i].stage, "Development"))
			continue;
		if (sen_registry_stage(l->registry, e[i].version, "Archived",
				       "left behind when the agent ended", &why)) {
			sen_learner_history_failed(l, &why);
			return;
		}
	}
}

void sen_learner_resume_candidate(struct sen_learner *l)
{
	const struct sen_registry_entry *e;
	struct sen_why why = { 0 };
	unsigned int version;

	/* The one here is on record as staged, as that of the last agent is. */
	if (!l->registry)
		sen_learner_abandon(l, "the program was attached anew");
	sen_learner_forget_candidate(l);
	archive_unfinished(l);
	tidy_shadow(l);
	/* One at most goes on: the latest. */
	while (l->registry && (version = sen_registry_staged(l->registry))) {
		e = sen_registry_find(l->registry, version);
		if (resume(l, e, &why)) {
			sen_learner_say(l, SEN_LOG_NOTICE, "candidate %u goes on in the canary",
					version);
			return;
		}
		if (sen_registry_stage(l->registry, version, "Archived", why.text, &why))
			return;
	}
}
