// SPDX-License-Identifier: BSD-2-Clause
/* Whose model is in force: at start, and whenever somebody else has put one there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "learner_internal.h"

bool sen_model_id_equal(const struct model_id *a, const struct model_id *b)
{
	return a->version == b->version && !memcmp(a->digest, b->digest, sizeof(a->digest));
}

static void digest_hex(const __u8 *digest, char hex[2 * SEN_DIGEST_BYTES + 1])
{
	for (int i = 0; i < SEN_DIGEST_BYTES; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

void sen_model_id_text(const struct model_id *id, char text[32])
{
	char hex[2 * SEN_DIGEST_BYTES + 1];

	digest_hex(id->digest, hex);
	snprintf(text, 32, "%u (%.12s)", id->version, hex);
}

int sen_learner_read_active(struct sen_learner *l, struct model_id *id)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	int err = flat ? l->ops.model(l->ctx, SEN_SLOT_ACTIVE, flat) : -ENOMEM;

	*id = (struct model_id){ 0 };
	if (!err) {
		id->version = flat->version;
		memcpy(id->digest, flat->digest, sizeof(id->digest));
	}
	free(flat);
	return err == -ENOENT ? 0 : err;
}

bool sen_learner_owns(struct sen_learner *l, const struct model_id *id)
{
	const struct sen_registry_entry *e = l->registry && id->version ?
						     sen_registry_find(l->registry, id->version) :
						     NULL;
	char hex[2 * SEN_DIGEST_BYTES + 1];

	digest_hex(id->digest, hex);
	return e && !strcmp(e->digest, hex);
}

/* The registry's copy of a model found in the kernel, NULL if it knows none such. */
static struct sen_model *find_own(struct sen_learner *l, const struct model_id *id)
{
	struct sen_model *model = NULL;

	if (sen_learner_owns(l, id) && sen_registry_load(l->registry, id->version, &model, NULL))
		model = NULL;
	return model;
}

/* The kernel runs something else than this registry's production version: put that in force again. */
static int restore_production(struct sen_learner *l, const char *found, struct sen_why *why)
{
	unsigned int version = sen_registry_production(l->registry);
	struct sen_model *model = NULL;
	int err = sen_registry_load(l->registry, version, &model, why);

	if (!err)
		err = sen_learner_enforce(l, model, why);
	if (err) {
		sen_model_free(model);
		return err;
	}
	sen_learner_say(l, SEN_LOG_NOTICE,
			"model %s was in force, not the one in production here: version %u pushed "
			"again",
			found, version);
	return 0;
}

static int take_over(struct sen_learner *l, const struct model_id *found)
{
	unsigned int production = l->registry ? sen_registry_production(l->registry) : 0;
	struct sen_model *model;
	struct sen_why why = { 0 };
	char text[32];

	if (!production)
		return -ENOENT;
	if (found->version == production) {
		model = find_own(l, found);
		if (model) {
			sen_learner_adopt(l, model, found);
			sen_learner_say(l, SEN_LOG_NOTICE,
					"takes over with model %u, in force already", production);
			return 0;
		}
	}
	sen_model_id_text(found, text);
	if (!restore_production(l, text, &why))
		return 0;
	sen_learner_say(l, SEN_LOG_WARNING, "production version %u is of no use: %s", production,
			why.text);
	return -EINVAL;
}

/* When the last training from scratch was, whatever became of it; now if there has been none. */
static int64_t last_full(const struct sen_learner *l, int64_t now_ms)
{
	const struct sen_registry_entry *e = NULL;
	size_t n = l->registry ? sen_registry_entries(l->registry, &e) : 0;
	int64_t age = 0;

	while (n > 0 &&
	       (!*e[n - 1].kind || !strcmp(e[n - 1].kind, sen_training_name(SEN_TRAINING_UPDATE))))
		n--;
	if (n)
		age = time(NULL) - e[n - 1].created_s;
	return now_ms - (age > 0 ? 1000 * age : 0);
}

int sen_learner_start(struct sen_learner *l, int64_t now_ms, struct sen_why *why)
{
	bool paused = l->status.state == SEN_LEARNER_PAUSED;
	struct model_id found;
	char text[32];
	int err = sen_learner_read_active(l, &found);

	if (err)
		return sen_why(why, err, NULL, "model in force: read: %s", strerror(-err));
	if (!l->started)
		l->trigger.last_full_ms = last_full(l, now_ms);
	l->started = true;
	l->active = found;
	l->foreign = false;
	l->checked_ms = now_ms;
	l->epoch_ms = sen_clock_ms(CLOCK_REALTIME) - now_ms;
	sen_learner_record_roll_back(l);
	err = take_over(l, &found);
	if (err)
		sen_learner_disown(l);
	/* What could not be written down is no longer so. */
	if (l->unrecorded == l->status.version)
		l->unrecorded = 0;
	sen_learner_rebase_marks(l, now_ms);
	sen_learner_rebase_drift(l, now_ms);
	sen_learner_resume_candidate(l);
	sen_learner_resume_watch(l, now_ms);
	if (!l->config.learn_enabled) {
		l->status.state = SEN_LEARNER_OFF;
		sen_learner_say(l, SEN_LOG_NOTICE, "learning is switched off");
		return 0;
	}
	if (!err) {
		if (!paused)
			sen_learner_begin_active(l, now_ms);
		sen_learner_resume_rest(l, now_ms);
		return 0;
	}
	sen_model_id_text(&found, text);
	sen_learner_begin_baseline(l, now_ms);
	sen_learner_say(
		l, SEN_LOG_NOTICE,
		"baseline: learns what is normal for %u s; model %s, not trained here, is in "
		"force meanwhile",
		l->config.baseline_seconds, found.version ? text : "none");
	return 0;
}

/* Somebody has put a version of this registry in force: the learner goes on from there. */
static void follow(struct sen_learner *l, struct sen_model *model, const struct model_id *now,
		   int64_t now_ms)
{
	if (l->candidate && l->candidate->model->version == model->version)
		sen_learner_forget_candidate(l);
	sen_learner_abandon(l, "another model was put in force by an operator");
	sen_learner_adopt(l, model, now);
	l->watch.state = SEN_WATCH_OFF;
	l->unrecorded = l->condemned = 0;
	sen_learner_end_rest_after(l);
	if (l->status.state != SEN_LEARNER_OFF)
		sen_learner_begin_active(l, now_ms);
	/* A pause is over when an operator says so. */
	if (l->status.state != SEN_LEARNER_OFF && l->paused)
		l->status.state = SEN_LEARNER_PAUSED;
	sen_learner_say(l, SEN_LOG_NOTICE,
			"model %u was put in force by somebody else: goes on from it",
			model->version);
}

void sen_learner_check_active(struct sen_learner *l, int64_t now_ms)
{
	struct model_id now;
	struct sen_model *model;
	char text[32];

	/* Operators have their own way to it. If it cannot be read now, that shows when it is written to. */
	if (l->registry)
		sen_registry_update(l->registry, NULL);
	sen_learner_check_reference(l);
	if (sen_learner_read_active(l, &now) || sen_model_id_equal(&now, &l->active))
		return;
	model = find_own(l, &now);
	if (model) {
		follow(l, model, &now, now_ms);
		return;
	}
	sen_learner_abandon(l, "a model that is not of this registry was put in force");
	l->active = now;
	l->foreign = true;
	l->condemned = 0;
	sen_model_id_text(&now, text);
	l->watch.state = SEN_WATCH_OFF;
	if (l->status.state == SEN_LEARNER_ACTIVE || l->status.state == SEN_LEARNER_PAUSED)
		l->status.state = SEN_LEARNER_HELD;
	sen_learner_say(l, SEN_LOG_WARNING, "model %s was put in force by somebody else%s",
			now.version ? text : "none",
			l->status.state == SEN_LEARNER_HELD ?
				": learning rests until one of this registry is in force again" :
				"");
}
