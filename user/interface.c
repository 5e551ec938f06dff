// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "announce.h"
#include "clock.h"
#include "deadlines.h"
#include "interface_internal.h"
#include "journal.h"

#define STALE_MS     5000 /* a ring not drained for so long is not being read */
#define MODEL_AGE_MS 1000 /* between two looks at the model that events speak of */

/* A training on its way through the worker. */
struct train_job {
	struct sen_interface *owner;
	struct sen_training *training;
};

/* ---- events ---- */

static void refresh_model(struct sen_interface *i, unsigned int version, int64_t now_ms)
{
	if (i->model.version == version || now_ms - i->model_ms < MODEL_AGE_MS)
		return;
	i->model_ms = now_ms;
	sen_dataplane_model(i->dp, SEN_SLOT_ACTIVE, &i->model);
}

void sen_interface_event(void *ctx, const struct sen_event *ev)
{
	struct sen_interface *i = ctx;
	int64_t now_ms = sen_now_ms();
	char reason[SEN_ANNOUNCE_TEXT];
	unsigned int class_id;

	if (ev->score >= SEN_ONE)
		refresh_model(i, ev->model_version, now_ms);
	class_id = sen_announce(i->alerts, &i->model, ev,
				!sen_learner_withholds_novelties(i->learner), now_ms, reason);
	if (!class_id)
		class_id = sen_announce_beacon(i->alerts, i->beacons, ev,
					       sen_learner_withholds_novelties(i->learner), now_ms,
					       reason);
	sen_learner_sample(i->learner, ev, class_id, reason,
			   sen_alerts_explain(i->alerts, ev, now_ms));
}

/* ---- alerts ---- */

void sen_interface_open_journal(struct sen_interface *i)
{
	char path[PATH_MAX + 16];

	if (i->journal >= 0)
		close(i->journal);
	snprintf(path, sizeof(path), "%s/alerts.jsonl", i->state_dir);
	i->journal = sen_journal_open(path);
	if (i->journal < 0)
		sen_log(SEN_LOG_WARNING, "%s: alerts are not written down: %s: %s", i->name, path,
			strerror(-i->journal));
}

/* An id is one of its run only: the next one counts from 1 again. */
static void add_origin(const struct sen_interface *i, cJSON *alert)
{
	cJSON_AddStringToObject(alert, "interface", i->name);
	cJSON_AddNumberToObject(alert, "run", (double)i->run_ms);
}

static void write_journal(struct sen_interface *i, const char *what, const struct sen_alert *alert)
{
	cJSON *o = sen_alert_json(alert);
	int err;

	cJSON_AddStringToObject(o, "event", what);
	add_origin(i, o);
	err = i->journal < 0 ? 0 : sen_journal_write(i->journal, o);
	if (err)
		sen_log_limited(&i->journal_limit, SEN_LOG_WARNING,
				"%s: alert not written down: %s", i->name, strerror(-err));
	cJSON_Delete(o);
}

void sen_interface_alert(void *ctx, enum sen_alert_phase phase, const struct sen_alert *alert)
{
	static const char *const words[] = { "opened", "goes on", "closed" };
	struct sen_interface *i = ctx;
	char line[512];

	if (phase != SEN_ALERT_UPDATED)
		write_journal(i, phase == SEN_ALERT_OPENED ? "open" : "close", alert);
	sen_alert_line(alert, line, sizeof(line));
	sen_log_limited(&i->alert_limit, phase == SEN_ALERT_OPENED ? SEN_LOG_WARNING : SEN_LOG_INFO,
			"%s: alert %llu %s: %s", i->name, (unsigned long long)alert->id,
			words[phase], line);
}

/* ---- what the learner asks for ---- */

static int op_push(void *ctx, enum sen_slot slot, const struct sen_model_flat *model,
		   struct sen_why *why)
{
	struct sen_interface *i = ctx;

	if (!i->dp)
		return sen_why(why, -ENODEV, NULL, "push: %s: not attached", i->name);
	return sen_dataplane_push(i->dp, slot, model, why);
}

static int op_model(void *ctx, enum sen_slot slot, struct sen_model_flat *out)
{
	struct sen_interface *i = ctx;

	return i->dp ? sen_dataplane_model(i->dp, slot, out) : -ENODEV;
}

static int op_clear(void *ctx, enum sen_slot slot)
{
	struct sen_interface *i = ctx;

	return i->dp ? sen_dataplane_clear(i->dp, slot) : -ENODEV;
}

static int op_stats(void *ctx, struct sen_stats *out)
{
	struct sen_interface *i = ctx;

	return i->dp ? sen_dataplane_stats(i->dp, out) : -ENODEV;
}

static int op_feature_hist(void *ctx, struct sen_feature_hist *out)
{
	struct sen_interface *i = ctx;

	return i->dp ? sen_dataplane_feature_hist(i->dp, out) : -ENODEV;
}

static int op_score_hist(void *ctx, struct sen_score_hist *out)
{
	struct sen_interface *i = ctx;

	return i->dp ? sen_dataplane_score_hist(i->dp, out) : -ENODEV;
}

static void op_say(void *ctx, enum sen_log_level level, const char *line)
{
	struct sen_interface *i = ctx;

	sen_log(level, "%s: %s", i->name, line);
}

static void job_run(void *arg, const atomic_bool *cancel)
{
	struct train_job *job = arg;

	sen_training_run(job->training, cancel);
}

static void job_done(void *arg)
{
	struct train_job *job = arg;
	struct sen_interface *i = job->owner;

	if (sen_learner_trained(i->learner, job->training, sen_now_ms()) && i->uploads)
		sen_uploads_training_done(i->uploads);
	free(job);
}

static void job_dropped(void *arg)
{
	struct train_job *job = arg;

	job->training->err = -ECANCELED;
	job_done(job);
}

static int op_train(void *ctx, struct sen_training *training)
{
	struct sen_interface *i = ctx;
	struct train_job *job = malloc(sizeof(*job));
	int err;

	if (!job)
		return -ENOMEM;
	*job = (struct train_job){ .owner = i, .training = training };
	err = sen_worker_submit(i->env.worker, &(struct sen_job){ .key = i,
								  .arg = job,
								  .run = job_run,
								  .done = job_done,
								  .dropped = job_dropped });
	if (err)
		free(job);
	else if (i->uploads)
		sen_uploads_training_begins(i->uploads);
	return err;
}

const struct sen_learner_ops sen_interface_learner_ops = {
	.push = op_push,
	.model = op_model,
	.clear = op_clear,
	.stats = op_stats,
	.feature_hist = op_feature_hist,
	.score_hist = op_score_hist,
	.train = op_train,
	.say = op_say,
};

/* ---- what uploads ask for ---- */

static int op_judge(void *ctx, struct sen_analysis *out)
{
	struct sen_interface *i = ctx;
	int err = op_model(i, SEN_SLOT_ACTIVE, &out->model);

	out->marks = *sen_learner_marks(i->learner);
	out->margin = i->env.config->learn_uncertain ? i->env.config->learn_margin : 0;
	/* As for live samples: what another network's model made of them is no measure for later ones. */
	out->foreign = sen_learner_withholds_novelties(i->learner) ||
		       out->model.version != sen_learner_status(i->learner)->version;
	return err;
}

static struct sen_store *op_store(void *ctx)
{
	struct sen_interface *i = ctx;

	return sen_learner_store(i->learner);
}

const struct sen_uploads_ops sen_interface_uploads_ops = {
	.judge = op_judge,
	.store = op_store,
	.say = op_say,
};

void sen_interface_close(struct sen_interface *i)
{
	if (!i)
		return;
	if (i->alerts)
		sen_alerts_close_all(i->alerts);
	sen_http_stop(i->control);
	sen_interface_disconnect(i);
	sen_uploads_close(i->uploads);
	sen_learner_free(i->learner);
	sen_alerts_free(i->alerts);
	sen_beacons_free(i->beacons);
	sen_registry_close(i->registry);
	if (i->journal >= 0)
		close(i->journal);
	free(i);
}

/* ---- time ---- */

void sen_interface_drain(struct sen_interface *i)
{
	if (i->connected)
		sen_ring_drain(i->ring, sen_now_ms());
}

static void refresh_tables(struct sen_interface *i, int64_t now_ms)
{
	if (now_ms < i->refresh_ms)
		return;
	i->refresh_ms = now_ms + 1000ll * SEN_DEADLINES_ROUND_S;
	sen_dataplane_refresh(i->dp);
}

void sen_interface_tick(struct sen_interface *i)
{
	int64_t now_ms = sen_now_ms();

	sen_interface_check(i);
	/* What a model that has been taken back since found odd is no news either. */
	if (sen_learner_withholds_novelties(i->learner))
		sen_alerts_forget_novelties(i->alerts);
	sen_alerts_tick(i->alerts, now_ms);
	if (!i->connected)
		return;
	refresh_tables(i, now_ms);
	if (i->uploads) {
		sen_uploads_tick(i->uploads);
		sen_learner_uploads(i->learner, sen_uploads_count(i->uploads));
	}
	/* The wall clock may have been set, or have gone on while the machine slept. */
	sen_learner_set_epoch(i->learner, sen_clock_ms(CLOCK_REALTIME) - now_ms);
	sen_learner_tick(i->learner, now_ms);
}

void sen_interface_limit_uploads(struct sen_interface *i)
{
	const struct sen_config *c = i->env.config;

	if (i->uploads)
		sen_uploads_limit(i->uploads,
				  &(struct sen_uploads_limits){ c->uploads_keep, c->uploads_days });
}

void sen_interface_configure(struct sen_interface *i)
{
	struct sen_alerts_settings settings = sen_announce_settings(i->env.config);

	sen_alerts_configure(i->alerts, &settings);
	sen_learner_configure(i->learner, i->env.config);
	sen_interface_allow(i);
	sen_interface_limit_uploads(i);
	sen_interface_open_journal(i);
}

/* ---- views ---- */

const char *sen_interface_name(const struct sen_interface *i)
{
	return i->name;
}

bool sen_interface_ready(struct sen_interface *i, char *reason, size_t size)
{
	int64_t idle;

	if (!sen_interface_attached(i)) {
		snprintf(reason, size, "%s: not attached", i->name);
		return false;
	}
	idle = sen_now_ms() - sen_ring_counts(i->ring)->drained_ms;
	if (idle <= STALE_MS)
		return true;
	snprintf(reason, size, "%s: events not read for %lld s", i->name, (long long)idle / 1000);
	return false;
}

static void view_dataplane(struct sen_interface *i, struct sen_metrics_interface *out)
{
	struct sen_policy policy;

	if (!sen_dataplane_policy(i->dp, &policy))
		out->policy = sen_policy_word(policy.mode);
	out->meta = *sen_dataplane_meta(i->dp);
	sen_dataplane_stats(i->dp, &out->stats);
	sen_dataplane_flow_usage(i->dp, &out->flows);
	out->ring = *sen_ring_counts(i->ring);
	if (sen_dataplane_model(i->dp, SEN_SLOT_ACTIVE, &i->model))
		return;
	out->active_version = i->model.version;
	for (int b = 0; b < SEN_DIGEST_BYTES; b++)
		sprintf(out->active_digest + 2 * b, "%02x", i->model.digest[b]);
}

void sen_interface_view(struct sen_interface *i, struct sen_metrics_interface *out)
{
	memset(out, 0, sizeof(*out));
	out->name = i->name;
	out->policy = "";
	out->attached = sen_interface_attached(i);
	if (i->connected)
		view_dataplane(i, out);
	out->learner = *sen_learner_status(i->learner);
	out->alerts_open = sen_alerts_open(i->alerts);
	for (unsigned int c = 0; c < SEN_CLASS_MAX; c++)
		out->alerts[c] = sen_alerts_total(i->alerts, c);
}

cJSON *sen_interface_alerts(const struct sen_interface *i)
{
	cJSON *list = sen_alerts_json(i->alerts), *item;

	cJSON_ArrayForEach(item, list)
		add_origin(i, item);
	return list;
}
