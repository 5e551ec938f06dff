// SPDX-License-Identifier: BSD-2-Clause
/* Samples in, trainings out: the state machine of learning. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "learner_internal.h"
#include "model_internal.h"

#define ATTACKS_KEPT 2000
#define CHECK_MS     5000 /* between looks at what is in force */
/* Counters of the slow window still rise for so long after traffic has begun to be watched. A model of
 * a shorter baseline gets a wider threshold; updates narrow it as the counters settle. */
#define SETTLED_MS       180000
#define UNSETTLED_MARGIN 2

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
	err = sen_reservoir_new(config->learn_reservoir, 1, &l->past);
	if (!err)
		err = sen_reservoir_new(config->learn_samples, 2, &l->fresh);
	if (!err)
		err = sen_reservoir_new(ATTACKS_KEPT, 3, &l->attacks);
	if (!err)
		err = sen_drift_new(&l->drift);
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
	sen_reservoir_free(l->past);
	sen_reservoir_free(l->fresh);
	sen_reservoir_free(l->attacks);
	sen_drift_free(l->drift);
	free(l);
}

/* The reservoirs keep the sizes that they were made with. */
void sen_learner_configure(struct sen_learner *l, const struct sen_config *config)
{
	bool was = l->config.learn_enabled;

	l->config = *config;
	if (was && !config->learn_enabled)
		l->status.state = SEN_LEARNER_OFF;
}

/* So many that every centroid still has four after the gate's and the threshold's share. */
static size_t samples_needed(const struct sen_learner *l)
{
	return (size_t)(4 * l->config.train_centroids / (0.8 * (1 - sen_train_defaults.holdout))) +
	       l->config.train_centroids;
}

static void mark_drift(struct sen_learner *l, bool adopt, int64_t now_ms)
{
	struct sen_feature_hist total;

	if (l->ops.feature_hist(l->ctx, &total))
		return;
	if (adopt)
		sen_drift_adopt(l->drift, &total, now_ms);
	else
		sen_drift_mark(l->drift, &total, now_ms);
	l->drifted = false;
	l->window_samples = l->window_explained = 0;
}

void sen_learner_begin_baseline(struct sen_learner *l, int64_t now_ms)
{
	l->status.state = SEN_LEARNER_BASELINE;
	l->baseline_ms = now_ms;
	l->baseline_samples = 0;
	l->last_training_ms = now_ms - 1000ll * l->config.learn_min_interval;
	l->watch.state = SEN_WATCH_OFF;
	sen_reservoir_clear(l->past);
	sen_reservoir_clear(l->fresh);
	mark_drift(l, false, now_ms);
}

void sen_learner_begin_active(struct sen_learner *l, int64_t now_ms)
{
	l->status.state = SEN_LEARNER_ACTIVE;
	l->last_training_ms = now_ms;
	l->last_full_ms = now_ms;
	mark_drift(l, true, now_ms);
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
	size_t fresh = sen_reservoir_size(l->fresh), least = samples_needed(l);
	size_t past = sen_reservoir_size(l->past);

	if (t->kind == SEN_TRAINING_UPDATE) {
		size_t wanted = fresh > least ? fresh : 2 * least - fresh;

		past = past < wanted ? past : wanted;
	}
	t->n = sen_reservoir_draw(l->past, t->samples, past);
	t->n += sen_reservoir_draw(l->fresh, t->samples + t->n, fresh);
	t->n += sen_reservoir_draw(l->attacks, t->samples + t->n, ATTACKS_KEPT);
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
	size_t room = sen_reservoir_size(l->past) + sen_reservoir_size(l->fresh) + ATTACKS_KEPT;
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

static void tick_baseline(struct sen_learner *l, int64_t now_ms)
{
	bool time = now_ms - l->baseline_ms >= 1000ll * l->config.baseline_seconds;
	bool enough = l->baseline_samples >= l->config.baseline_samples;
	bool again = l->status.refused || l->status.failed;

	if ((!time && !enough) || sen_reservoir_size(l->past) < samples_needed(l))
		return;
	/* One that was refused is tried again with more, not at once. */
	if (again && now_ms - l->last_training_ms < 1000ll * l->config.learn_min_interval)
		return;
	start_training(l, SEN_TRAINING_BASELINE, time ? "time is up" : "enough samples", now_ms);
}

static void tick_triggers(struct sen_learner *l, int64_t now_ms)
{
	int64_t since = (now_ms - l->last_training_ms) / 1000;

	if (since < l->config.learn_min_interval)
		return;
	if (l->drifted)
		start_training(l, SEN_TRAINING_FULL, "drift", now_ms);
	else if (now_ms - l->last_full_ms >= 1000ll * l->config.learn_full_interval)
		start_training(l, SEN_TRAINING_FULL, "schedule", now_ms);
	else if (l->fresh_seen >= l->config.learn_samples)
		start_training(l, SEN_TRAINING_UPDATE, "enough new samples", now_ms);
	else if (since >= l->config.learn_interval)
		start_training(l, SEN_TRAINING_UPDATE, "time is up", now_ms);
}

static void tick_drift(struct sen_learner *l, int64_t now_ms)
{
	struct sen_drift_settings settings = {
		.window_ms = 1000ll * l->config.drift_window,
		.windows = l->config.drift_windows,
		.psi = l->config.drift_psi,
	};
	struct sen_drift_report report = { .psi = l->status.drift_psi };
	struct sen_feature_hist total;
	/* More than a tenth is of an attack: the window does not show a change of habits. */
	bool explained = 10 * l->window_explained > l->window_samples;

	if (l->drifted || !sen_drift_due(l->drift, &settings, now_ms) ||
	    l->ops.feature_hist(l->ctx, &total))
		return;
	l->drifted = sen_drift_feed(l->drift, &settings, &total, explained, now_ms, &report);
	l->window_samples = l->window_explained = 0;
	l->status.drift_psi = report.psi;
	l->status.drift_feature = sen_feature_name(report.feature);
	if (!l->drifted)
		return;
	l->status.drifts++;
	sen_learner_say(l, SEN_LOG_NOTICE,
			"drift: %s has moved, stability index %.2f over %u windows",
			l->status.drift_feature, report.psi, settings.windows);
}

static void tick_watch(struct sen_learner *l, int64_t now_ms)
{
	struct sen_stats stats;

	if (l->watch.state != SEN_WATCH_ON || l->ops.stats(l->ctx, &stats))
		return;
	switch (sen_watch_check(&l->watch, &stats, now_ms)) {
	case SEN_WATCH_EXCURSION:
		sen_learner_roll_back(l, now_ms);
		return;
	case SEN_WATCH_PASSED:
		sen_learner_say(
			l, SEN_LOG_INFO, "model %u has settled: %.2f%% of evaluations flagged%s",
			l->status.version, 100 * l->watch.share,
			l->watch.share > l->watch.limit ? ", by attacks that are known" : "");
		return;
	default:
		return;
	}
}

static void tick_enabled(struct sen_learner *l, int64_t now_ms)
{
	if (l->status.state != SEN_LEARNER_OFF || !l->config.learn_enabled)
		return;
	if (l->in_force)
		sen_learner_begin_active(l, now_ms);
	else
		sen_learner_begin_baseline(l, now_ms);
	sen_learner_say(l, SEN_LOG_NOTICE, "learning is switched on: %s",
			sen_learner_state_name(l->status.state));
}

void sen_learner_tick(struct sen_learner *l, int64_t now_ms)
{
	if (now_ms - l->checked_ms >= CHECK_MS) {
		l->checked_ms = now_ms;
		sen_learner_check_active(l, now_ms);
	}
	tick_enabled(l, now_ms);
	tick_watch(l, now_ms);
	if (l->status.training)
		return;
	if (l->status.state == SEN_LEARNER_PAUSED && now_ms >= l->paused_until_ms) {
		sen_learner_begin_active(l, now_ms);
		sen_learner_say(l, SEN_LOG_NOTICE, "learning goes on");
	}
	if (l->status.state == SEN_LEARNER_BASELINE)
		tick_baseline(l, now_ms);
	if (l->status.state != SEN_LEARNER_ACTIVE)
		return;
	tick_drift(l, now_ms);
	tick_triggers(l, now_ms);
}

/* The state may have changed while the training ran: then its result is of no use. */
static bool still_wanted(const struct sen_learner *l, const struct sen_training *t)
{
	if (t->kind == SEN_TRAINING_BASELINE)
		return l->status.state == SEN_LEARNER_BASELINE;
	return l->status.state == SEN_LEARNER_ACTIVE && t->in_force->version == l->status.version;
}

void sen_learner_trained(struct sen_learner *l, struct sen_training *t, int64_t now_ms)
{
	int err = t->err;

	l->status.training = false;
	l->status.last_seconds = t->seconds;
	sen_learner_check_active(l, now_ms);
	if (err == -ECANCELED || !still_wanted(l, t)) {
		sen_learner_say(l, SEN_LOG_INFO, "training given up: no longer wanted");
	} else if (err == -EKEYREJECTED) {
		sen_learner_refuse(l, t);
	} else if (err == -ENODATA) {
		sen_learner_say(l, SEN_LOG_INFO, "training put off (%s): %s",
				sen_training_name(t->kind), t->why.text);
	} else if (err) {
		l->status.failed++;
		sen_learner_say(l, SEN_LOG_WARNING, "training failed (%s): %s",
				sen_training_name(t->kind), t->why.text);
	} else if (!sen_learner_promote(l, t, now_ms)) {
		bool full = t->kind != SEN_TRAINING_UPDATE;

		if (l->status.state == SEN_LEARNER_BASELINE) {
			sen_reservoir_clear(l->attacks);
			sen_learner_begin_active(l, now_ms);
		} else if (full) {
			mark_drift(l, true, now_ms);
		}
	}
	sen_training_free(t);
}

bool sen_learner_withholds_novelties(const struct sen_learner *l)
{
	return l->status.state == SEN_LEARNER_BASELINE;
}

const struct sen_learner_status *sen_learner_status(struct sen_learner *l)
{
	l->status.history = l->registry != NULL;
	l->status.reservoir = sen_reservoir_size(l->past);
	l->status.fresh = sen_reservoir_size(l->fresh);
	l->status.needed = samples_needed(l);
	return &l->status;
}
