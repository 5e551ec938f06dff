// SPDX-License-Identifier: BSD-2-Clause
/* Samples in, trainings out: what a sample teaches, when a training is due, and what goes into it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "learner_internal.h"

/* Counters of the slow window still rise for so long after traffic has begun to be watched. A model of
 * a shorter baseline gets a wider threshold; updates narrow it as the counters settle. */
#define SETTLED_MS       180000
#define UNSETTLED_MARGIN 2

/* So many that every centroid still has four after the gate's and the threshold's share. */
size_t sen_learner_samples_needed(const struct sen_learner *l)
{
	return (size_t)(4 * l->config.train_centroids / (0.8 * (1 - sen_train_defaults.holdout))) +
	       l->config.train_centroids;
}

static void sample_from(const struct sen_event *ev, unsigned int rule_class, struct sen_sample *s)
{
	*s = (struct sen_sample){
		.vector = ev->vector,
		.time_ns = ev->time_ns,
		.source = sen_addr_hash(sen_event_source(ev)),
		.score = ev->score,
		.model_version = ev->model_version,
		.label = rule_class ? SEN_LABEL_ATTACK : SEN_LABEL_BENIGN,
		.origin = rule_class ? SEN_ORIGIN_RULE : SEN_ORIGIN_SCORE,
		.class_id = (uint8_t)rule_class,
	};
}

/* Only what lies well within the threshold of the very model in force may move it. */
static bool teaches(const struct sen_learner *l, const struct sen_event *ev)
{
	return ev->model_version == l->active.version &&
	       ev->score < l->config.learn_low_mark * SEN_ONE;
}

void sen_learner_sample(struct sen_learner *l, const struct sen_event *ev, unsigned int rule_class,
			bool explained)
{
	struct sen_sample s;

	explained = explained || rule_class;
	if (ev->score >= SEN_ONE)
		sen_watch_sample(&l->watch, explained);
	l->window_samples++;
	l->window_explained += explained;
	if (ev->kind == SEN_SAMPLE_RANDOM && !explained)
		sen_drift_count(&l->sampled, &ev->vector, ev->score);
	if (rule_class && ev->model_version == l->active.version)
		sen_learner_judge_labelled(l, true, ev->score >= SEN_ONE);
	sample_from(ev, rule_class, &s);
	if (rule_class) {
		/* A candidate must flag what the model in force flags; what rules alone can see is no
		 * fault of either. */
		l->status.attack++;
		if (l->status.state == SEN_LEARNER_BASELINE || ev->score >= SEN_ONE)
			sen_reservoir_add(l->attacks, &s);
	} else if (explained) {
		l->status.skipped++;
	} else if (l->status.state == SEN_LEARNER_BASELINE) {
		l->status.benign++;
		l->baseline_samples++;
		sen_reservoir_add(l->past, &s);
	} else if (l->status.state == SEN_LEARNER_ACTIVE && teaches(l, ev)) {
		l->status.benign++;
		l->fresh_seen++;
		sen_reservoir_add(l->fresh, &s);
	} else {
		l->status.skipped++;
	}
}

static void set_params(const struct sen_learner *l, struct sen_training *t, int64_t now_ms)
{
	t->params.members = l->config.train_members;
	t->params.centroids = l->config.train_centroids;
	t->params.target_fpr = l->config.train_target_fpr;
	t->params.threshold_margin = l->config.train_threshold_margin;
	t->params.seed = 1 + l->status.promoted + l->status.refused + l->status.failed;
	if (t->kind == SEN_TRAINING_BASELINE && now_ms - l->baseline_ms < SETTLED_MS)
		t->params.threshold_margin *= UNSETTLED_MARGIN;
}

/* Fresh samples, and of the past: all for a full training, as many again for an update. */
static void gather(struct sen_learner *l, struct sen_training *t)
{
	size_t fresh = sen_reservoir_size(l->fresh), least = sen_learner_samples_needed(l);
	size_t past = sen_reservoir_size(l->past);

	if (t->kind == SEN_TRAINING_UPDATE) {
		size_t wanted = fresh > least ? fresh : 2 * least - fresh;

		past = past < wanted ? past : wanted;
	}
	t->n = sen_reservoir_draw(l->past, t->samples, past);
	t->n += sen_reservoir_draw(l->fresh, t->samples + t->n, fresh);
	t->n += sen_reservoir_draw(l->attacks, t->samples + t->n, SEN_ATTACKS_KEPT);
}

/* From here on what was fresh is past: it trains one update, not two. */
static void settle_fresh(struct sen_learner *l)
{
	const struct sen_sample *s;
	size_t n = sen_reservoir_samples(l->fresh, &s);

	for (size_t i = 0; i < n; i++)
		sen_reservoir_add(l->past, &s[i]);
	sen_reservoir_clear(l->fresh);
	l->fresh_seen = 0;
}

static void start_training(struct sen_learner *l, enum sen_training_kind kind, const char *trigger,
			   int64_t now_ms)
{
	size_t room = sen_reservoir_size(l->past) + sen_reservoir_size(l->fresh) + SEN_ATTACKS_KEPT;
	struct sen_training *t = sen_training_new(kind, room);
	int err = -ENOMEM;

	l->last_training_ms = now_ms;
	if (t) {
		snprintf(t->trigger, sizeof(t->trigger), "%s", trigger);
		set_params(l, t, now_ms);
		gather(l, t);
		t->in_force = l->in_force ? sen_model_copy(l->in_force) : NULL;
		err = l->in_force && !t->in_force ? -ENOMEM : l->ops.train(l->ctx, t);
	}
	if (err) {
		sen_training_free(t);
		l->status.failed++;
		sen_learner_say(l, SEN_LOG_WARNING, "training not started: %s", strerror(-err));
		return;
	}
	settle_fresh(l);
	l->status.training = true;
	if (kind != SEN_TRAINING_UPDATE)
		l->last_full_ms = now_ms;
}

void sen_learner_tick_baseline(struct sen_learner *l, int64_t now_ms)
{
	bool time = now_ms - l->baseline_ms >= 1000ll * l->config.baseline_seconds;
	bool enough = l->baseline_samples >= l->config.baseline_samples;
	bool again = l->status.refused || l->status.failed;

	if ((!time && !enough) || sen_reservoir_size(l->past) < sen_learner_samples_needed(l))
		return;
	/* One that was refused is tried again with more, not at once. */
	if (again && now_ms - l->last_training_ms < 1000ll * l->config.learn_min_interval)
		return;
	start_training(l, SEN_TRAINING_BASELINE, time ? "time is up" : "enough samples", now_ms);
}

void sen_learner_tick_triggers(struct sen_learner *l, int64_t now_ms)
{
	int64_t since = (now_ms - l->last_training_ms) / 1000;

	if (since < l->config.learn_min_interval)
		return;
	if (l->drifted)
		start_training(l, SEN_TRAINING_FULL, l->drift_reason, now_ms);
	else if (now_ms - l->last_full_ms >= 1000ll * l->config.learn_full_interval)
		start_training(l, SEN_TRAINING_FULL, "schedule", now_ms);
	else if (l->fresh_seen >= l->config.learn_samples)
		start_training(l, SEN_TRAINING_UPDATE, "enough new samples", now_ms);
	else if (since >= l->config.learn_interval)
		start_training(l, SEN_TRAINING_UPDATE, "time is up", now_ms);
}
