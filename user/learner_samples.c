// SPDX-License-Identifier: BSD-2-Clause
/* Samples in, trainings out: what a sample teaches, when a training is due, and what goes into it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* What is flagged, or doubtful, or scored by another model than that in force never moves it. */
static bool teaches(const struct sen_learner *l, const struct sen_record *r, bool by_rule)
{
	if (by_rule)
		return false;
	if (l->status.state == SEN_LEARNER_BASELINE)
		return true;
	return l->status.state == SEN_LEARNER_ACTIVE &&
	       r->sample.model_version == l->active.version &&
	       r->sample.score < l->config.learn_margin * SEN_ONE &&
	       (r->sample.label == SEN_LABEL_BENIGN || l->config.learn_uncertain);
}

/* There is no model of this network yet: what no rule names counts as normal. */
static void label_baseline(struct sen_record *r)
{
	r->sample.label = SEN_LABEL_BENIGN;
	r->sample.origin = SEN_ORIGIN_SCORE;
	r->sample.class_id = SEN_CLASS_NONE;
	r->confidence = 0.5f;
	snprintf(r->reason, sizeof(r->reason), "baseline: no rule names it");
}

static void count(struct sen_learner *l, const struct sen_record *r)
{
	if (r->teaches) {
		l->status.benign++;
		l->baseline_samples++;
		l->trigger.samples++;
		l->trigger.known++;
	} else if (r->sample.origin == SEN_ORIGIN_RULE) {
		l->status.attack++;
	} else {
		l->status.skipped++;
	}
}

void sen_learner_sample(struct sen_learner *l, const struct sen_event *ev, unsigned int rule_class,
			const char *rule_reason, bool explained)
{
	bool baseline = l->status.state == SEN_LEARNER_BASELINE;
	struct sen_record r;

	explained = explained || rule_class;
	sen_watch_sample(&l->watch, ev->score >= SEN_ONE, explained);
	l->window_samples++;
	l->window_explained += explained;
	sen_learner_try_candidate(l, ev, rule_class, explained);
	if (ev->kind == SEN_SAMPLE_RANDOM && !explained)
		sen_drift_count(&l->sampled, &ev->vector, ev->score);
	if (rule_class && ev->model_version == l->active.version)
		sen_learner_judge_labelled(l, true, ev->score >= SEN_ONE);
	if (explained && !rule_class) {
		l->status.skipped++;
		return;
	}
	r = sen_record_of(ev);
	sen_label_record(&r, rule_class, rule_reason, &l->marks);
	if (baseline && !rule_class)
		label_baseline(&r);
	r.teaches = teaches(l, &r, rule_class);
	r.sample.time_ns += l->epoch_ms * 1000000;
	/* Scored by a model that is not from here: its score says little. */
	if (baseline)
		r.sample.model_version = 0;
	count(l, &r);
	/* A store that is held is tried again by the next tick, not by each event. */
	if (sen_store_full(l->store) && !l->store_busy)
		sen_learner_store_flush(l, (int64_t)(ev->time_ns / 1000000));
	sen_store_add(l->store, &r);
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

/* Fresh samples, and of the past: all for a full training, as many again for an update. An attack that only
 * a rule can see is no fault of a candidate, nor one that no model from here has scored. */
static struct sen_store_wish wish_for(const struct sen_learner *l, enum sen_training_kind kind)
{
	struct sen_store_counts kept = sen_store_counts(l->store);
	struct sen_store_wish wish = {
		.fresh = kept.fresh,
		.past = kept.past,
		.attacks = SEN_ATTACKS_KEPT,
		.weights = l->config.weights,
		.least_score = kind == SEN_TRAINING_BASELINE ? 0 : SEN_ONE,
	};
	size_t least = sen_learner_samples_needed(l), wanted;

	if (kind == SEN_TRAINING_UPDATE) {
		wanted = kept.fresh > least ? kept.fresh : 2 * least - kept.fresh;
		wish.past = kept.past < wanted ? kept.past : wanted;
	}
	return wish;
}

/* From here on what was fresh is past: it trains one update, not two. */
static int gather(struct sen_learner *l, const struct sen_store_wish *wish, struct sen_training *t,
		  struct sen_why *why)
{
	long n = sen_store_draw(l->store, wish, t->samples, why);

	if (n < 0)
		return (int)n;
	t->n = (size_t)n;
	return sen_store_settle(l->store, why);
}

static int hand_over(struct sen_learner *l, struct sen_training *t, struct sen_why *why)
{
	int err;

	t->in_force = l->in_force ? sen_model_copy(l->in_force) : NULL;
	t->reference = l->reference ? sen_model_copy(l->reference) : NULL;
	err = (l->in_force && !t->in_force) || (l->reference && !t->reference) ? -ENOMEM : 0;
	if (!err && l->shipped_n) {
		t->shipped = malloc(l->shipped_n * sizeof(*t->shipped));
		if (t->shipped)
			memcpy(t->shipped, l->shipped, l->shipped_n * sizeof(*t->shipped));
		t->shipped_n = t->shipped ? l->shipped_n : 0;
	}
	t->shipped_known = l->shipped_known;
	t->gate.standard = sen_learner_standard(l);
	if (!err)
		err = l->ops.train(l->ctx, t);
	return err ? sen_why(why, err, NULL, "trainer: %s", strerror(-err)) : 0;
}

static void start_training(struct sen_learner *l, enum sen_training_kind kind, const char *trigger,
			   int64_t now_ms)
{
	struct sen_store_wish wish = wish_for(l, kind);
	struct sen_why why = { .text = "out of memory" };
	struct sen_training *t;
	int err = -ENOMEM;

	/* What it draws could not be settled: it is due again in the next tick. */
	if (l->store_busy)
		return;
	t = sen_training_new(kind, wish.fresh + wish.past + wish.attacks);
	sen_learner_judge_operators(l);
	sen_trigger_begin(&l->trigger, kind != SEN_TRAINING_UPDATE, now_ms);
	if (t) {
		snprintf(t->trigger, sizeof(t->trigger), "%s", trigger);
		set_params(l, t, now_ms);
		err = gather(l, &wish, t, &why);
		if (!err)
			err = hand_over(l, t, &why);
	}
	if (err) {
		sen_training_free(t);
		l->status.failed++;
		sen_learner_say(l, SEN_LOG_WARNING, "training not started: %s", why.text);
		if (err == -EUCLEAN)
			sen_learner_store_result(l, err, &why);
		return;
	}
	l->status.training = true;
}

void sen_learner_tick_baseline(struct sen_learner *l, int64_t now_ms)
{
	struct sen_store_counts kept = sen_store_counts(l->store);
	bool time = now_ms - l->baseline_ms >= 1000ll * l->config.baseline_seconds;
	bool enough = l->baseline_samples >= l->config.baseline_samples;
	bool again = l->status.refused || l->status.failed;

	if ((!time && !enough) || kept.fresh + kept.past < sen_learner_samples_needed(l))
		return;
	/* One that was refused is tried again with more, not at once. */
	if (again && now_ms - l->trigger.last_ms < 1000ll * l->config.learn_min_interval)
		return;
	start_training(l, SEN_TRAINING_BASELINE, time ? "time is up" : "enough samples", now_ms);
}

static struct sen_trigger_settings trigger_settings(const struct sen_learner *l)
{
	return (struct sen_trigger_settings){
		.samples = l->config.learn_samples,
		.uploads = l->config.learn_uploads,
		.min_ms = 1000ll * l->config.learn_min_interval,
		.max_ms = 1000ll * l->config.learn_interval,
		.full_ms = 1000ll * l->config.learn_full_interval,
	};
}

void sen_learner_tick_triggers(struct sen_learner *l, int64_t now_ms)
{
	struct sen_trigger_settings settings = trigger_settings(l);
	struct sen_due due;

	l->trigger.drift = l->drifted ? l->drift_reason : NULL;
	l->status.next_s = sen_trigger_left(&l->trigger, &settings, now_ms) / 1000;
	if (sen_trigger_due(&l->trigger, &settings, now_ms, &due))
		start_training(l, due.full ? SEN_TRAINING_FULL : SEN_TRAINING_UPDATE, due.why,
			       now_ms);
}
