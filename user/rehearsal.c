// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "loader.h"
#include "rehearsal.h"

#define SECOND_NS 1000000000ull

struct sen_rehearsal {
	struct sen_rehearsal_options options;
	struct sen_model_flat model; /* in force, for words */
	struct sen_alerts *alerts;
	struct sen_beacons *beacons;
	struct sen_learner *learner;   /* NULL: it does not learn */
	struct sen_training *training; /* waiting to be run */
	bool started;
	uint64_t first_ns, second;
	unsigned int left[SEN_SAMPLE_KINDS]; /* samples in this second */
};

static int64_t now_ms(const struct sen_rehearsal *r)
{
	return (int64_t)r->second * 1000;
}

static void say(const struct sen_rehearsal *r, const char *line)
{
	double seconds = (double)r->second - (double)r->first_ns / 1e9;

	if (r->options.on_line)
		r->options.on_line(r->options.ctx, seconds > 0 ? seconds : 0, line);
}

/* ---- what the learner asks for ---- */

static int op_push(void *ctx, enum sen_slot slot, const struct sen_model_flat *model,
		   struct sen_why *why)
{
	struct sen_rehearsal *r = ctx;
	int err = sen_offline_push(r->options.program, slot, model);

	if (err)
		return sen_why(why, err, NULL, "push: %s", strerror(-err));
	if (slot == SEN_SLOT_ACTIVE)
		r->model = *model;
	return 0;
}

static int op_model(void *ctx, enum sen_slot slot, struct sen_model_flat *out)
{
	const struct sen_rehearsal *r = ctx;

	return sen_offline_model(r->options.program, slot, out);
}

static int op_clear(void *ctx, enum sen_slot slot)
{
	const struct sen_rehearsal *r = ctx;

	return sen_offline_clear(r->options.program, slot);
}

static int op_stats(void *ctx, struct sen_stats *out)
{
	const struct sen_rehearsal *r = ctx;

	return sen_offline_stats(r->options.program, out);
}

static int op_feature_hist(void *ctx, struct sen_feature_hist *out)
{
	const struct sen_rehearsal *r = ctx;

	return sen_offline_feature_hist(r->options.program, out);
}

static int op_score_hist(void *ctx, struct sen_score_hist *out)
{
	const struct sen_rehearsal *r = ctx;

	return sen_offline_score_hist(r->options.program, out);
}

static int op_train(void *ctx, struct sen_training *training)
{
	struct sen_rehearsal *r = ctx;

	if (r->training)
		return -EBUSY;
	r->training = training;
	return 0;
}

static void op_say(void *ctx, enum sen_log_level level, const char *line)
{
	(void)level;
	say(ctx, line);
}

static const struct sen_learner_ops learner_ops = {
	.push = op_push,
	.model = op_model,
	.clear = op_clear,
	.stats = op_stats,
	.feature_hist = op_feature_hist,
	.score_hist = op_score_hist,
	.train = op_train,
	.say = op_say,
};

/* ---- alerts ---- */

static void on_alert(void *ctx, enum sen_alert_phase phase, const struct sen_alert *alert)
{
	char line[512], text[560];

	if (phase != SEN_ALERT_OPENED)
		return;
	sen_alert_line(alert, line, sizeof(line));
	snprintf(text, sizeof(text), "alert %llu: %s", (unsigned long long)alert->id, line);
	say(ctx, text);
}

static bool withholds_novelties(const struct sen_rehearsal *r)
{
	return r->learner && sen_learner_withholds_novelties(r->learner);
}

void sen_rehearsal_event(struct sen_rehearsal *r, const struct sen_event *event)
{
	char reason[SEN_ANNOUNCE_TEXT];
	unsigned int class_id;

	if (event->kind >= SEN_SAMPLE_KINDS || !r->left[event->kind])
		return;
	r->left[event->kind]--;
	class_id = sen_announce(r->alerts, &r->model, event, !withholds_novelties(r), now_ms(r),
				reason);
	if (!class_id)
		class_id = sen_announce_beacon(r->alerts, r->beacons, event, withholds_novelties(r),
					       now_ms(r), reason);
	if (r->learner)
		sen_learner_sample(r->learner, event, class_id, reason,
				   sen_alerts_explain(r->alerts, event, now_ms(r)));
}

/* ---- time ---- */

bool sen_rehearsal_due(const struct sen_rehearsal *r, uint64_t clock_ns)
{
	return !r->started || clock_ns / SECOND_NS != r->second;
}

static void live_second(struct sen_rehearsal *r)
{
	struct sen_training *training;

	memcpy(r->left, sen_policy_defaults.rate, sizeof(r->left));
	if (withholds_novelties(r))
		sen_alerts_forget_novelties(r->alerts);
	sen_alerts_tick(r->alerts, now_ms(r));
	if (!r->learner)
		return;
	training = r->training;
	r->training = NULL;
	if (training) {
		sen_training_run(training, NULL);
		sen_learner_trained(r->learner, training, now_ms(r));
	}
	sen_learner_tick(r->learner, now_ms(r));
}

int sen_rehearsal_tick(struct sen_rehearsal *r, uint64_t clock_ns, struct sen_why *why)
{
	uint64_t second = clock_ns / SECOND_NS;
	int err;

	if (!r->started) {
		r->started = true;
		r->first_ns = clock_ns;
		r->second = second;
		memcpy(r->left, sen_policy_defaults.rate, sizeof(r->left));
		err = r->learner ? sen_learner_start(r->learner, now_ms(r), why) : 0;
		return err;
	}
	while (r->second < second) {
		r->second++;
		live_second(r);
	}
	return 0;
}

/* ---- life ---- */

int sen_rehearsal_new(const struct sen_rehearsal_options *options, struct sen_rehearsal **out,
		      struct sen_why *why)
{
	struct sen_alerts_settings settings = sen_announce_settings(options->config);
	struct sen_rehearsal *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return sen_why(why, -ENOMEM, NULL, "rehearsing: out of memory");
	r->options = *options;
	r->model = *options->model;
	err = sen_alerts_new(&settings, on_alert, r, &r->alerts);
	if (!err)
		err = sen_beacons_new(&r->beacons);
	if (!err && options->learn)
		err = sen_learner_new(options->config, &learner_ops, r, NULL, &r->learner);
	if (!err && r->learner && options->shipped)
		err = sen_learner_hold_out(r->learner, options->shipped);
	if (err) {
		sen_rehearsal_free(r);
		return sen_why(why, err, NULL, "rehearsing: %s", strerror(-err));
	}
	*out = r;
	return 0;
}

void sen_rehearsal_free(struct sen_rehearsal *r)
{
	if (!r)
		return;
	sen_training_free(r->training);
	sen_learner_free(r->learner);
	sen_beacons_free(r->beacons);
	sen_alerts_free(r->alerts);
	free(r);
}

const struct sen_alerts *sen_rehearsal_alerts(const struct sen_rehearsal *r)
{
	return r->alerts;
}

const struct sen_learner_status *sen_rehearsal_learner(struct sen_rehearsal *r)
{
	return r->learner ? sen_learner_status(r->learner) : NULL;
}
