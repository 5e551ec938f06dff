// SPDX-License-Identifier: BSD-2-Clause
/* The state machine of learning: what happens when, and with a training that is back. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learner_internal.h"
#include "model_internal.h"

#define CHECK_MS 5000 /* between looks at what is in force */

const char *sen_learner_state_name(enum sen_learner_state state)
{
#define STATE_NAME(id, name) [SEN_LEARNER_##id] = name,
	static const char *const names[] = { SEN_LEARNER_STATES(STATE_NAME) };

	return names[state];
}

void sen_learner_say(struct sen_learner *l, enum sen_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(l->status.note, sizeof(l->status.note), fmt, args);
	va_end(args);
	l->ops.say(l->ctx, level, l->status.note);
}

int sen_learner_new(const struct sen_config *config, const struct sen_learner_ops *ops, void *ctx,
		    struct sen_registry *registry, struct sen_learner **out)
{
	struct sen_learner *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->config = *config;
	l->ops = *ops;
	l->ctx = ctx;
	l->registry = registry;
	l->status.drift_feature = "";
	l->status.candidate_waits = "";
	sen_performance_reset(&l->performance);
	memcpy(l->status.labelled_error, l->performance.error, sizeof(l->performance.error));
	l->marks = sen_marks_default(config->label_low_mark, config->label_high_mark);
	err = sen_learner_store_open(l, NULL);
	if (!err)
		err = sen_drift_new(1, &l->drift);
	if (!err)
		err = sen_drift_new(0.5, &l->sample_drift);
	if (err) {
		sen_learner_free(l);
		return err;
	}
	*out = l;
	return 0;
}

void sen_learner_free(struct sen_learner *l)
{
	if (!l)
		return;
	sen_model_free(l->in_force);
	sen_model_free(l->previous);
	sen_model_free(l->reference);
	sen_candidate_free(l->candidate);
	free(l->shipped);
	free(l->starting);
	free(l->judged);
	sen_store_close(l->store);
	free(l->store_path);
	sen_drift_free(l->drift);
	sen_drift_free(l->sample_drift);
	free(l);
}

int sen_learner_hold_out(struct sen_learner *l, const struct sen_model *shipped)
{
	struct sen_model_flat *flat = malloc(sizeof(*flat));
	int err = flat ? sen_model_flatten(shipped, flat, NULL) : -ENOMEM;
	struct sen_sample *samples;
	size_t n;

	samples = err ? NULL : sen_labelled_centroids(shipped, &n);
	if (!samples) {
		free(flat);
		return err ? err : -ENOMEM;
	}
	free(l->starting);
	free(l->shipped);
	l->starting = flat;
	l->shipped = samples;
	l->shipped_n = n;
	l->shipped_known = sen_validate_recall(shipped, samples, n);
	return 0;
}

void sen_learner_configure(struct sen_learner *l, const struct sen_config *config)
{
	bool was = l->config.learn_enabled;

	l->config = *config;
	sen_store_limit(l->store,
			&(struct sen_store_limits){ config->store_samples, config->store_days });
	if (was && !config->learn_enabled) {
		sen_learner_abandon(l, "learning is switched off");
		l->status.state = SEN_LEARNER_OFF;
	}
}

void sen_learner_set_epoch(struct sen_learner *l, int64_t epoch_ms)
{
	l->epoch_ms = epoch_ms;
}

void sen_learner_begin_baseline(struct sen_learner *l, int64_t now_ms)
{
	l->status.state = l->config.learn_enabled ? SEN_LEARNER_BASELINE : SEN_LEARNER_OFF;
	l->baseline_ms = now_ms;
	l->baseline_samples = 0;
	l->trigger.last_ms = now_ms - 1000ll * l->config.learn_min_interval;
	l->watch.state = SEN_WATCH_OFF;
	sen_learner_mark_drift(l, false, now_ms);
}

void sen_learner_begin_active(struct sen_learner *l, int64_t now_ms)
{
	l->status.state = SEN_LEARNER_ACTIVE;
	l->trigger.last_ms = now_ms;
	sen_learner_want_drift(l);
}

static void tick_enabled(struct sen_learner *l, int64_t now_ms)
{
	if (l->status.state != SEN_LEARNER_OFF || !l->config.learn_enabled)
		return;
	if (l->in_force && l->foreign) {
		l->status.state = SEN_LEARNER_HELD;
	} else if (l->in_force) {
		sen_learner_begin_active(l, now_ms);
		sen_learner_resume_rest(l, now_ms);
	} else {
		sen_learner_begin_baseline(l, now_ms);
	}
	sen_learner_say(l, SEN_LOG_NOTICE, "learning is switched on: %s",
			sen_learner_state_name(l->status.state));
}

static void tick_pause(struct sen_learner *l, int64_t now_ms)
{
	if (l->status.state != SEN_LEARNER_PAUSED || now_ms < l->paused_until_ms)
		return;
	sen_learner_end_rest(l);
	sen_learner_begin_active(l, now_ms);
	sen_learner_say(l, SEN_LOG_NOTICE, "learning goes on");
}

void sen_learner_tick(struct sen_learner *l, int64_t now_ms)
{
	if (now_ms - l->checked_ms >= CHECK_MS) {
		l->checked_ms = now_ms;
		sen_learner_check_active(l, now_ms);
		sen_learner_record_roll_back(l);
		if (l->rest_stale && l->status.state != SEN_LEARNER_PAUSED)
			sen_learner_end_rest(l);
	}
	tick_enabled(l, now_ms);
	sen_learner_tick_watch(l, now_ms);
	sen_learner_tick_marks(l, now_ms);
	sen_learner_store_flush(l, now_ms);
	sen_learner_tick_drift(l, now_ms);
	sen_learner_tick_candidate(l, now_ms);
	tick_pause(l, now_ms);
	if (l->status.training || l->candidate || l->condemned)
		return;
	if (l->status.state == SEN_LEARNER_BASELINE)
		sen_learner_tick_baseline(l, now_ms);
	if (l->status.state != SEN_LEARNER_ACTIVE)
		return;
	sen_learner_tick_triggers(l, now_ms);
}

/* The state may have changed while the training ran: then its result is of no use. */
static bool still_wanted(const struct sen_learner *l, const struct sen_training *t)
{
	if (l->condemned)
		return false;
	if (t->kind == SEN_TRAINING_BASELINE)
		return l->status.state == SEN_LEARNER_BASELINE;
	return l->status.state == SEN_LEARNER_ACTIVE && t->in_force->version == l->status.version;
}

bool sen_learner_trained(struct sen_learner *l, struct sen_training *t, int64_t now_ms)
{
	bool scratch = t->kind != SEN_TRAINING_UPDATE, used = false;
	int err = t->err;

	l->status.training = false;
	l->status.last_seconds = t->seconds;
	sen_learner_check_active(l, now_ms);
	if (err == -ECANCELED || !still_wanted(l, t)) {
		sen_learner_say(l, SEN_LOG_INFO, "training given up: no longer wanted");
	} else if (err == -EKEYREJECTED) {
		sen_learner_refuse(l, t);
		used = scratch;
	} else if (err == -ENODATA) {
		sen_learner_say(l, SEN_LOG_INFO, "training put off (%s): %s",
				sen_training_name(t->kind), t->why.text);
	} else if (err) {
		l->status.failed++;
		sen_learner_say(l, SEN_LOG_WARNING, "training failed (%s): %s",
				sen_training_name(t->kind), t->why.text);
	} else {
		used = !sen_learner_stage(l, t, now_ms) && scratch;
	}
	sen_training_free(t);
	return used;
}

bool sen_learner_withholds_novelties(const struct sen_learner *l)
{
	return l->status.state == SEN_LEARNER_BASELINE;
}

const struct sen_learner_status *sen_learner_status(struct sen_learner *l)
{
	struct sen_store_counts kept = sen_store_counts(l->store);

	l->status.history = l->registry != NULL;
	l->status.candidate = l->candidate ? l->candidate->model->version : 0;
	l->status.canary_evaluations = l->candidate ? l->candidate->canary.evaluations : 0;
	l->status.canary_agreement = l->candidate ? l->candidate->canary.agreement : 0;
	l->status.candidate_waits = l->candidate ? l->candidate->waits : "";
	l->status.reservoir = kept.past;
	l->status.fresh = kept.fresh;
	l->status.unlabelled = kept.unlabelled;
	l->status.attacks = kept.attack;
	l->status.uploads = l->trigger.uploads;
	l->status.asked = l->trigger.asked || l->trigger.asked_full;
	l->status.needed = sen_learner_samples_needed(l);
	return &l->status;
}
