// SPDX-License-Identifier: BSD-2-Clause
/* The watch over a model that has just come into force, and the way back from one that goes bad. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "learner_internal.h"

/* What the history says of a watch: a version without it has not been watched to its end. */
#define WATCHED "watch_evaluations"

static void begin(struct sen_learner *l, const struct sen_stats *stats, const __u64 *scores,
		  const __u64 *expected, int64_t until_ms)
{
	struct sen_watch_settings settings = {
		.limit = l->config.watch_factor * l->config.train_target_fpr,
		.max_shift = l->config.watch_shift,
		.until_ms = until_ms,
	};

	if (settings.limit < l->config.watch_share)
		settings.limit = l->config.watch_share;
	sen_watch_begin(&l->watch, &settings, stats, scores, expected);
}

void sen_learner_begin_watch(struct sen_learner *l, const struct sen_candidate *c, int64_t now_ms)
{
	__u64 expected[SEN_SCORE_BINS];
	struct sen_score_hist scores;
	struct sen_stats stats;

	if (l->ops.stats(l->ctx, &stats) || l->ops.score_hist(l->ctx, &scores))
		return;
	for (int i = 0; i < SEN_SCORE_BINS; i++)
		expected[i] = scores.bin[SEN_SLOT_SHADOW][i] -
			      c->canary.scores_before.bin[SEN_SLOT_SHADOW][i];
	begin(l, &stats, scores.bin[SEN_SLOT_ACTIVE], c->in_shadow ? expected : NULL,
	      now_ms + 1000ll * l->config.watch_seconds);
}

/* What operators have approved is theirs to judge. */
static bool is_unwatched(const struct sen_registry_entry *e)
{
	return e && !e->approved && !strcmp(e->stage, "Production") &&
	       !sen_facts_get(&e->metrics, WATCHED);
}

void sen_learner_resume_watch(struct sen_learner *l, int64_t now_ms)
{
	const struct sen_registry_entry *e =
		l->registry ? sen_registry_find(l->registry, l->status.version) : NULL;
	struct sen_score_hist scores;
	struct sen_stats stats;

	l->watch.state = SEN_WATCH_OFF;
	if (!is_unwatched(e) || l->ops.stats(l->ctx, &stats) || l->ops.score_hist(l->ctx, &scores))
		return;
	begin(l, &stats, scores.bin[SEN_SLOT_ACTIVE], NULL,
	      now_ms + sen_learner_left_ms(e->staged_s, l->config.watch_seconds));
}

static void settled(struct sen_learner *l)
{
	const struct sen_watch *w = &l->watch;
	struct sen_facts facts = { 0 };
	struct sen_why why = { 0 };

	sen_facts_set(&facts, WATCHED, (double)w->watched);
	sen_facts_set(&facts, "watch_flagged", w->share);
	if (l->registry && sen_registry_measure(l->registry, l->status.version, &facts, &why))
		sen_learner_history_failed(l, &why);
	sen_learner_say(l, SEN_LOG_INFO, "model %u has settled: %.2f%% of evaluations flagged%s",
			l->status.version, 100 * w->share,
			w->share > w->settings.limit ? ", by attacks that are known" : "");
}

/* ---- the way back ---- */

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

static int record(struct sen_learner *l, struct sen_why *why)
{
	unsigned int good = l->status.version;
	int err = 0;

	if (good && sen_registry_production(l->registry) != good)
		err = sen_registry_stage(l->registry, good, "Production", l->roll_back_reason, why);
	return err ? err :
		     sen_registry_stage(l->registry, l->unrecorded, "Archived", l->roll_back_reason,
					why);
}

void sen_learner_record_roll_back(struct sen_learner *l)
{
	struct sen_why why = { 0 };

	if (!l->unrecorded)
		return;
	if (l->registry && record(l, &why)) {
		if (!l->unrecorded_told)
			sen_learner_history_failed(l, &why);
		l->unrecorded_told = true;
		return;
	}
	l->unrecorded = 0;
	l->unrecorded_told = false;
}

static int enforce_starting(struct sen_learner *l, struct sen_why *why)
{
	int err;

	if (!l->starting)
		return sen_why(why, -ENOENT, NULL, "there is no shipped model");
	err = l->ops.push(l->ctx, SEN_SLOT_ACTIVE, l->starting, why);
	if (err)
		return err;
	l->active.version = l->starting->version;
	memcpy(l->active.digest, l->starting->digest, sizeof(l->active.digest));
	return 0;
}

/* There is none trained here to go back to: what is normal must be found out anew. */
static void start_over(struct sen_learner *l, int64_t now_ms)
{
	struct sen_why why = { 0 };
	int err = enforce_starting(l, &why);

	l->unrecorded = l->status.version;
	/* What this model has led to is what it is to get away from. */
	sen_learner_forget_normal(l);
	sen_learner_disown(l);
	sen_learner_end_rest(l);
	sen_learner_record_roll_back(l);
	sen_learner_begin_baseline(l, now_ms);
	l->status.rolled_back++;
	sen_learner_say(l, SEN_LOG_WARNING,
			"%s and there is none before it: %s%s, the baseline begins again",
			l->roll_back_reason,
			err ? "it stays in force, for the shipped model cannot be: " :
			      "the shipped model is in force",
			err ? why.text : "");
}

static void tell_roll_back(struct sen_learner *l, unsigned int bad)
{
	bool off = l->status.state == SEN_LEARNER_OFF;
	char then[32] = "is switched off";

	if (!off) {
		sen_learner_record_rest(l, bad);
		snprintf(then, sizeof(then), "rests for %u s", l->config.watch_pause);
	}
	sen_learner_say(l, SEN_LOG_WARNING, "rolled back to model %u: %s; learning %s",
			l->status.version, l->roll_back_reason, then);
}

static void go_back(struct sen_learner *l, int64_t now_ms)
{
	struct sen_model *model = take_previous(l);
	unsigned int bad = l->status.version;
	struct sen_why why = { 0 };
	bool first = !l->condemned;

	l->condemned = 0;
	if (!model) {
		start_over(l, now_ms);
		return;
	}
	sen_learner_rest(l, now_ms + 1000ll * l->config.watch_pause);
	if (sen_learner_enforce(l, model, &why)) {
		l->condemned = bad;
		l->previous = model;
		if (first)
			sen_learner_say(l, SEN_LOG_ERROR,
					"%s, and could not be rolled back yet: %s",
					l->roll_back_reason, why.text);
		return;
	}
	l->unrecorded = bad;
	sen_learner_record_roll_back(l);
	l->status.rolled_back++;
	tell_roll_back(l, bad);
}

static void roll_back(struct sen_learner *l, int64_t now_ms)
{
	sen_learner_abandon(l, "the model that it was trained beside is rolled back");
	snprintf(l->roll_back_reason, sizeof(l->roll_back_reason), "version %u %s",
		 l->status.version, l->watch.reason);
	go_back(l, now_ms);
}

void sen_learner_tick_watch(struct sen_learner *l, int64_t now_ms)
{
	struct sen_score_hist scores;
	struct sen_stats stats;

	/* It is still in force: that could not be changed so far. */
	if (l->condemned) {
		go_back(l, now_ms);
		return;
	}
	if (l->watch.state != SEN_WATCH_ON || l->ops.stats(l->ctx, &stats) ||
	    l->ops.score_hist(l->ctx, &scores))
		return;
	switch (sen_watch_check(&l->watch, &stats, scores.bin[SEN_SLOT_ACTIVE], now_ms)) {
	case SEN_WATCH_EXCURSION:
		roll_back(l, now_ms);
		return;
	case SEN_WATCH_PASSED:
		settled(l);
		return;
	default:
		return;
	}
}
