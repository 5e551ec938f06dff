// SPDX-License-Identifier: BSD-2-Clause
/* How an interface comes up: its state on disk, its pinned maps, its program where there is none. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "announce.h"
#include "attachment.h"
#include "clock.h"
#include "fsutil.h"
#include "interface_internal.h"
#include "loader.h"
#include "paths.h"

#define PROBE_BYTES 65536 /* what a model takes on disk */
#define TRIES_TOLD  5     /* after so many that fail alike it is said why; one a second */

static ino_t pin_inode(const struct sen_interface *i)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s/prog", sen_pin_root(), i->name);
	return stat(path, &st) ? 0 : st.st_ino;
}

/* Asked once a second and at every look from outside: the whole answer only where something changed. */
static bool on_interface(struct sen_interface *i)
{
	const struct sen_meta *meta = sen_dataplane_meta(i->dp);
	uint32_t top = sen_attachment_top(meta);

	if (top && top == i->top)
		return true;
	if (sen_attachment_look(meta, NULL) != SEN_ATTACHMENT_HOLDS)
		return false;
	i->top = top;
	return true;
}

bool sen_interface_attached(struct sen_interface *i)
{
	return i->connected && pin_inode(i) == i->pin && on_interface(i);
}

static void on_ring(void *ctx)
{
	sen_interface_drain(ctx);
}

void sen_interface_disconnect(struct sen_interface *i)
{
	if (i->ring && i->connected)
		sen_loop_remove(i->env.loop, sen_ring_fd(i->ring));
	sen_ring_close(i->ring);
	sen_dataplane_close(i->dp);
	i->ring = NULL;
	i->dp = NULL;
	i->connected = false;
	i->top = 0;
}

/* Which pin it is is asked before: pins that take its place meanwhile are then noticed as others. */
static int open_and_claim(struct sen_interface *i, struct sen_why *why)
{
	int err;

	i->pin = pin_inode(i);
	err = sen_dataplane_open(i->name, &i->dp, why);
	if (err)
		return err;
	err = sen_dataplane_claim(i->dp, why);
	if (err) {
		sen_dataplane_close(i->dp);
		i->dp = NULL;
	}
	return err;
}

/* Events flow from here on. */
static int connect_ring(struct sen_interface *i, struct sen_why *why)
{
	int err = sen_ring_open(i->dp, sen_interface_event, i, &i->ring, why);

	if (err)
		return err;
	err = sen_loop_add(i->env.loop, sen_ring_fd(i->ring), on_ring, i);
	if (err)
		return sen_why(why, err, NULL, "events ring: %s: %s", i->name, strerror(-err));
	i->connected = true;
	i->owes = false;
	sen_interface_allow(i);
	return 0;
}

static int flatten_shipped(struct sen_model_flat *flat, struct sen_why *why)
{
	struct sen_model *model = NULL;
	int err = sen_model_load_or_default(NULL, &model, why);

	if (!err)
		err = sen_model_flatten(model, flat, why);
	sen_model_free(model);
	return err;
}

/* Candidates are tried on the attacks that the shipped model knows. Without it, on local ones alone. */
static void hold_out_shipped(struct sen_interface *i)
{
	struct sen_model *model = NULL;
	struct sen_why why = { 0 };
	int err = sen_model_load_or_default(NULL, &model, &why);

	if (!err)
		err = sen_learner_hold_out(i->learner, model);
	sen_model_free(model);
	if (err)
		sen_log(SEN_LOG_WARNING, "%s: candidates are tried on local attacks alone: %s",
			i->name, *why.text ? why.text : strerror(-err));
}

static struct sen_attach_options configured(const struct sen_interface *i)
{
	const struct sen_config *config = i->env.config;

	return (struct sen_attach_options){ .mode = config->attach_mode,
					    .policy = config->policy,
					    .egress = config->attach_egress,
					    .allow = config->allow,
					    .flows = config->attach_flows };
}

static int attach(struct sen_interface *i, struct sen_attach_options options, struct sen_why *why)
{
	struct sen_attach_result result = { 0 };
	int err = flatten_shipped(&i->model, why);

	if (err)
		return err;
	options.model = &i->model;
	err = sen_loader_attach(i->name, &options, &result, why);
	if (err)
		return err;
	i->attached_here = true;
	sen_log(SEN_LOG_NOTICE, "%s: attached: %s mode, %s, program %u%s%s", i->name,
		result.native ? "native" : "generic (skb)",
		result.dispatcher ? "under the dispatcher" : "single program", result.prog_id,
		*result.note ? ": " : "", result.note);
	return open_and_claim(i, why);
}

/* What is pinned was attached like this, or has been told to be like this since. */
static struct sen_attach_options as_before(const struct sen_interface *i)
{
	const struct sen_meta *meta = sen_dataplane_meta(i->dp);
	struct sen_attach_options options = configured(i);
	const struct sen_allow allow = sen_dataplane_allow(i->dp);
	struct sen_policy policy;

	options.mode = meta->native || meta->no_native ? SEN_ATTACH_AUTO : SEN_ATTACH_SKB;
	options.egress = meta->egress;
	options.flows = meta->flow_capacity;
	if (!sen_dataplane_policy(i->dp, &policy))
		options.policy = policy.mode;
	sen_allow_list(&allow, &options.allow);
	return options;
}

static void let_go(struct sen_interface *i)
{
	sen_dataplane_close(i->dp);
	i->dp = NULL;
}

/* The pins are of a program that is gone: put it where it was. */
static int attach_again(struct sen_interface *i, struct sen_why *why)
{
	struct sen_attach_options options = as_before(i);
	int err;

	sen_log(SEN_LOG_WARNING, "%s: pins were left of program %u, which is gone", i->name,
		sen_dataplane_meta(i->dp)->prog_id);
	let_go(i);
	err = sen_loader_detach(i->name, why);
	if (err)
		return err;
	/* Should this fail, nothing is left to read it from. */
	i->owed = options;
	i->owes = true;
	return attach(i, options, why);
}

/* Take over what is attached; -ENOENT: nothing is. Where the interface has lost its program, it is
 * attached again if the interface is another one than it was on, or `anyway`; else -ENODEV. */
static int take_over(struct sen_interface *i, bool anyway, struct sen_why *why)
{
	unsigned int now = if_nametoindex(i->name);
	enum sen_attachment where;
	int err = open_and_claim(i, why);

	if (err == -ENOENT && i->owes && now)
		return attach(i, i->owed, why);
	if (err)
		return err;
	where = sen_attachment_look(sen_dataplane_meta(i->dp), NULL);
	if (where == SEN_ATTACHMENT_HOLDS)
		return 0;
	if (where == SEN_ATTACHMENT_GONE && now &&
	    (anyway || now != sen_dataplane_meta(i->dp)->ifindex))
		return attach_again(i, why);
	let_go(i);
	if (where == SEN_ATTACHMENT_ELSEWHERE)
		return sen_why(
			why, -EXDEV,
			"run an agent there, or sentroid detach if that namespace is no more",
			"interface: %s: attached in another network namespace", i->name);
	return sen_why(why, -ENODEV, "ip link shows the interfaces that there are",
		       "interface: %s: no such interface", i->name);
}

/* An attached program without a model judges nothing. */
static int fill_empty_slot(struct sen_interface *i, struct sen_why *why)
{
	int err = sen_dataplane_model(i->dp, SEN_SLOT_ACTIVE, &i->model);

	if (err != -ENOENT)
		return err ? sen_why(why, err, NULL, "model in force: %s: %s", i->name,
				     strerror(-err)) :
			     0;
	err = flatten_shipped(&i->model, why);
	if (!err)
		err = sen_dataplane_push(i->dp, SEN_SLOT_ACTIVE, &i->model, why);
	if (!err)
		sen_log(SEN_LOG_NOTICE, "%s: no model was in force: the shipped one is now",
			i->name);
	return err;
}

/* A model's worth of disk must be writable now; later a full disk costs the history only. */
static int probe_state(const struct sen_interface *i, struct sen_why *why)
{
	static const char zeros[PROBE_BYTES];
	char path[PATH_MAX + 16];
	int err;

	snprintf(path, sizeof(path), "%s/.probe", i->state_dir);
	err = sen_write_atomic(path, zeros, sizeof(zeros), why);
	if (!err)
		unlink(path);
	return err;
}

static int open_state(struct sen_interface *i, struct sen_why *why)
{
	char models[PATH_MAX + 16];
	int err;

	snprintf(i->state_dir, sizeof(i->state_dir), "%s/%s", i->env.config->state_dir, i->name);
	snprintf(models, sizeof(models), "%s/models", i->state_dir);
	i->root_made = access(i->env.config->state_dir, F_OK);
	i->state_made = access(i->state_dir, F_OK);
	err = sen_make_dirs(models, why);
	if (!err)
		err = probe_state(i, why);
	if (!err)
		err = sen_registry_open(models, &i->registry, why);
	if (!err)
		sen_interface_open_journal(i);
	return err;
}

/* What a failed start has made for itself; a folder that holds something by now stays. */
static void unmake_state(const struct sen_interface *i)
{
	char path[PATH_MAX + 16];
	struct stat st;

	if (i->store_made) {
		snprintf(path, sizeof(path), "%s/" SEN_STORE_FILE, i->state_dir);
		unlink(path);
	}
	if (!i->state_made)
		return;
	sen_uploads_unmake(i->state_dir);
	snprintf(path, sizeof(path), "%s/alerts.jsonl", i->state_dir);
	if (!stat(path, &st) && !st.st_size)
		unlink(path);
	snprintf(path, sizeof(path), "%s/models", i->state_dir);
	rmdir(path);
	rmdir(i->state_dir);
	if (i->root_made)
		rmdir(i->env.config->state_dir);
}

static void keep_samples(struct sen_interface *i)
{
	struct sen_why why = { 0 };
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/" SEN_STORE_FILE, i->state_dir);
	i->store_made = access(path, F_OK);
	if (sen_learner_keep(i->learner, path, &why))
		sen_log(SEN_LOG_WARNING, "%s: samples are kept in memory only: %s", i->name,
			why.text);
}

static int open_parts(struct sen_interface *i, struct sen_why *why)
{
	struct sen_alerts_settings settings = sen_announce_settings(i->env.config);
	int err = sen_alerts_new(&settings, sen_interface_alert, i, &i->alerts);

	if (!err)
		err = sen_beacons_new(&i->beacons);
	if (!err)
		err = sen_learner_new(i->env.config, &sen_interface_learner_ops, i, i->registry,
				      &i->learner);
	if (err)
		return sen_why(why, err, NULL, "interface %s: %s", i->name, strerror(-err));
	keep_samples(i);
	return 0;
}

/* Ways in for operators: without them everything else works. */
static void open_doors(struct sen_interface *i)
{
	struct sen_why why = { 0 };

	if (sen_uploads_open(i->state_dir, i->env.worker, &sen_interface_uploads_ops, i,
			     &i->uploads, &why))
		sen_log(SEN_LOG_WARNING, "%s: no uploads: %s", i->name, why.text);
	sen_interface_limit_uploads(i);
	sen_interface_open_control(i);
}

static int open_interface(struct sen_interface *i, struct sen_why *why)
{
	int err = take_over(i, true, why);
	bool absent = err == -ENOENT;

	if (err && !absent)
		return err;
	/* Before a folder is made for it. */
	if (absent && !if_nametoindex(i->name))
		return sen_why(why, -ENODEV, "ip link shows the interfaces that there are",
			       "interface: %s: no such interface", i->name);
	err = open_state(i, why);
	if (!err && absent)
		err = attach(i, configured(i), why);
	if (!err)
		err = fill_empty_slot(i, why);
	if (!err)
		err = open_parts(i, why);
	if (!err)
		hold_out_shipped(i);
	if (!err)
		err = sen_learner_start(i->learner, sen_now_ms(), why);
	if (!err)
		err = connect_ring(i, why);
	if (!err)
		open_doors(i);
	return err;
}

int sen_interface_open(const char *ifname, const struct sen_interface_env *env,
		       struct sen_interface **out, struct sen_why *why)
{
	struct sen_interface *i;
	int err = sen_check_ifname(ifname, why);

	if (err)
		return err;
	i = calloc(1, sizeof(*i));
	if (!i)
		return sen_why(why, -ENOMEM, NULL, "interface %s: out of memory", ifname);
	snprintf(i->name, sizeof(i->name), "%s", ifname);
	i->env = *env;
	i->journal = -1;
	i->run_ms = sen_clock_ms(CLOCK_REALTIME);
	i->alert_limit = (struct sen_log_limit){ .burst = 60, .window_ms = 60000 };
	i->journal_limit = (struct sen_log_limit){ .burst = 1, .window_ms = 60000 };
	err = open_interface(i, why);
	if (err) {
		sen_interface_abandon(i);
		return err;
	}
	*out = i;
	return 0;
}

/* Nothing to take over is what is waited for, and an attachment that is being made is not yet whole: told is
 * what stays so, once. */
static void tell_if_it_lasts(struct sen_interface *i, int err, const struct sen_why *why)
{
	i->failed = err == i->failed_with ? i->failed + 1 : 1;
	i->failed_with = err;
	if (i->failed == TRIES_TOLD && err != -ENOENT && err != -ENODEV)
		sen_log(SEN_LOG_WARNING, "%s: not taken over: %s", i->name, why->text);
}

/* The program has gone: wait for it to come back, and take it over again then. */
static void reconnect(struct sen_interface *i)
{
	struct sen_why why = { 0 };

	int err;

	i->attached_here = false;
	err = take_over(i, false, &why);
	if (err) {
		tell_if_it_lasts(i, err, &why);
		return;
	}
	i->failed = 0;
	if (fill_empty_slot(i, &why) || sen_learner_start(i->learner, sen_now_ms(), &why) ||
	    connect_ring(i, &why)) {
		sen_log(SEN_LOG_WARNING, "%s: not taken over: %s", i->name, why.text);
		sen_interface_disconnect(i);
		return;
	}
	if (!i->attached_here)
		sen_log(SEN_LOG_NOTICE, "%s: attached again by somebody else, taken over", i->name);
}

void sen_interface_check(struct sen_interface *i)
{
	if (i->connected && !sen_interface_attached(i)) {
		sen_log(SEN_LOG_WARNING,
			pin_inode(i) == i->pin ?
				"%s: the program is no longer on the interface: taken off by another "
				"tool, or the interface was removed; waits for it to come back" :
				"%s: detached by somebody else; waits for it to come back",
			i->name);
		sen_worker_cancel(i->env.worker, i);
		sen_interface_disconnect(i);
	}
	if (!i->connected)
		reconnect(i);
}

void sen_interface_abandon(struct sen_interface *i)
{
	if (!i)
		return;
	sen_interface_disconnect(i);
	if (i->attached_here)
		sen_loader_detach(i->name, NULL);
	sen_http_stop(i->control);
	i->control = NULL;
	/* The store writes when it is closed. */
	sen_learner_free(i->learner);
	i->learner = NULL;
	unmake_state(i);
	sen_interface_close(i);
}
