// SPDX-License-Identifier: BSD-2-Clause
/* When the traffic, or how well it is judged, is no longer what the model in force was trained for. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learner_internal.h"

static int read_counts(struct sen_learner *l, struct sen_drift_counts *out)
{
	struct sen_feature_hist features;
	struct sen_score_hist scores;
	int err = l->ops.feature_hist(l->ctx, &features);

	if (!err)
		err = l->ops.score_hist(l->ctx, &scores);
	if (!err)
		sen_drift_counts_of(&features, &scores, out);
	return err;
}

void sen_learner_mark_drift(struct sen_learner *l, bool adopt, int64_t now_ms)
{
	void (*mark)(struct sen_drift *, const struct sen_drift_counts *,
		     int64_t) = adopt ? sen_drift_adopt : sen_drift_mark;
	struct sen_drift_counts total;

	l->drifted = false;
	l->window_samples = l->window_explained = 0;
	sen_performance_reset(&l->performance);
	mark(l->sample_drift, &l->sampled, now_ms);
	if (!read_counts(l, &total))
		mark(l->drift, &total, now_ms);
}

void sen_learner_want_drift(struct sen_learner *l)
{
	sen_drift_want(l->drift);
	sen_drift_want(l->sample_drift);
}

void sen_learner_rebase_drift(struct sen_learner *l, int64_t now_ms)
{
	struct sen_drift_counts total;

	l->window_samples = l->window_explained = 0;
	sen_drift_rebase(l->sample_drift, &l->sampled, now_ms);
	if (!read_counts(l, &total))
		sen_drift_rebase(l->drift, &total, now_ms);
}

void sen_learner_rescore_drift(struct sen_learner *l)
{
	struct sen_drift_counts total;

	sen_drift_rescore(l->sample_drift, &l->sampled);
	if (!read_counts(l, &total))
		sen_drift_rescore(l->drift, &total);
}

__attribute__((format(printf, 2, 3))) static void drifted(struct sen_learner *l, const char *fmt,
							  ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(l->drift_reason, sizeof(l->drift_reason), fmt, args);
	va_end(args);
	l->drifted = true;
	l->status.drifts++;
	sen_learner_say(l, SEN_LOG_NOTICE, "%s", l->drift_reason);
}

/* What is found out during a pause is answered after it. */
static bool takes_notice(const struct sen_learner *l)
{
	return !l->drifted &&
	       (l->status.state == SEN_LEARNER_ACTIVE || l->status.state == SEN_LEARNER_PAUSED);
}

/* What has moved, and how far. */
static void tell(struct sen_learner *l, const struct sen_drift_report *r, const char *where)
{
	const struct sen_drift_move *m = &r->dim[r->most];
	unsigned int others = 0;

	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++)
		others += dim != r->most && r->dim[dim].moved;
	drifted(l,
		"drift in %s: %s has moved by %.2f octaves, stability index %.2f, p %.1g, %u windows, "
		"and %u more",
		where, sen_drift_name(r->most), m->shift, m->psi, m->p, m->windows, others);
}

static struct sen_drift_settings settings_of(const struct sen_learner *l)
{
	return (struct sen_drift_settings){
		.window_ms = 1000ll * l->config.drift_window,
		.windows = l->config.drift_windows,
		.significance = l->config.drift_significance,
		.psi = l->config.drift_psi,
		.shift = l->config.drift_shift,
	};
}

/* Whichever of the two sees it first. */
static void feed(struct sen_learner *l, struct sen_drift *d, const struct sen_drift_counts *total,
		 struct sen_drift_report *report, const char *where, bool explained, int64_t now_ms)
{
	struct sen_drift_settings settings = settings_of(l);

	if (sen_drift_feed(d, &settings, total, explained, now_ms, report) && takes_notice(l))
		tell(l, report, where);
}

void sen_learner_tick_drift(struct sen_learner *l, int64_t now_ms)
{
	/* More than a tenth is of an attack: the slice does not show a change of habits. */
	bool explained = 10 * l->window_explained > l->window_samples;
	struct sen_drift_settings settings = settings_of(l);
	struct sen_learner_status *s = &l->status;
	struct sen_drift_counts total;

	if (!sen_drift_due(l->drift, &settings, now_ms) || read_counts(l, &total))
		return;
	feed(l, l->drift, &total, &s->drift, "all traffic", explained, now_ms);
	feed(l, l->sample_drift, &l->sampled, &s->sample_drift, "samples", explained, now_ms);
	l->window_samples = l->window_explained = 0;
	s->drift_psi = s->drift.dim[s->drift.most].psi;
	s->drift_feature = sen_drift_name(s->drift.most);
}

void sen_learner_judge_labelled(struct sen_learner *l, bool attack, bool flagged)
{
	bool worse = sen_performance_add(&l->performance, attack, flagged);
	double error =
		l->performance.error[attack ? SEN_PERFORMANCE_ATTACK : SEN_PERFORMANCE_BENIGN];

	memcpy(l->status.labelled_error, l->performance.error, sizeof(l->performance.error));
	if (worse && takes_notice(l))
		drifted(l, "drift in performance: %.0f%% of labelled %s samples are judged wrong",
			100 * error, attack ? "attack" : "benign");
}

/* ---- what operators say of samples afterwards ---- */

#define JUDGED_MOST 1000 /* the latest that operators have labelled */

struct judging {
	struct sen_learner *l;
	int64_t *ids;
	size_t n;
};

static int latest_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Models before the last training from scratch are not what is asked about. */
static bool scored_by_this_line(const struct sen_learner *l, const struct sen_record *r)
{
	return r->sample.model_version && r->sample.model_version >= l->status.reference &&
	       r->sample.model_version <= l->status.version;
}

static int judge(void *ctx, const struct sen_record *r)
{
	struct judging *j = ctx;
	struct sen_learner *l = j->l;
	bool known = l->judged_n &&
		     bsearch(&r->id, l->judged, l->judged_n, sizeof(*l->judged), latest_first);

	j->ids[j->n++] = r->id;
	if (!known && r->sample.label != SEN_LABEL_NONE && scored_by_this_line(l, r))
		sen_learner_judge_labelled(l, r->sample.label == SEN_LABEL_ATTACK,
					   r->sample.score >= SEN_ONE);
	return 0;
}

void sen_learner_judge_operators(struct sen_learner *l)
{
	struct sen_store_filter filter = { .order = SEN_LIST_LATEST,
					   .label = -1,
					   .class_id = -1,
					   .origin = SEN_ORIGIN_OPERATOR,
					   .most = JUDGED_MOST };
	struct judging j = { .l = l, .ids = calloc(JUDGED_MOST, sizeof(*j.ids)) };
	struct sen_why why = { 0 };
	int err = j.ids ? sen_store_list(l->store, &filter, judge, &j, &why) : -ENOMEM;

	if (err) {
		free(j.ids);
		return;
	}
	free(l->judged);
	l->judged = j.ids;
	l->judged_n = j.n;
}
