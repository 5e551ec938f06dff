// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "agent_internal.h"
#include "clock.h"
#include "log.h"

#define DRAIN_MS 100 /* the kernel side batches its wake-ups */
#define TICK_MS  1000
#define RETRY_MS 30000 /* after an interface that has appeared could not be opened */

/* A training and an upload of each interface may wait. */
_Static_assert(SEN_WORKER_JOBS >= 2 * SEN_AGENT_INTERFACES, "every interface finds room");

/* ---- configuration ---- */

static void on_config_error(void *ctx, const char *file, unsigned int line, const char *what)
{
	(void)ctx;
	sen_log(SEN_LOG_ERROR, "configuration: %s:%u: %s", file, line, what);
}

static void override(struct sen_agent *a, struct sen_config *config)
{
	if (a->options.listen)
		snprintf(config->listen, sizeof(config->listen), "%s", a->options.listen);
	if (a->options.state_dir)
		snprintf(config->state_dir, sizeof(config->state_dir), "%s", a->options.state_dir);
}

static int check_length(const char *what, const char *text, size_t room, struct sen_why *why)
{
	if (!text || strlen(text) < room)
		return 0;
	return sen_why(why, -EINVAL, NULL, "%s: %.64s...: longer than %zu characters", what, text,
		       room - 1);
}

static int read_config(struct sen_agent *a, struct sen_config *config, struct sen_why *why)
{
	const char *path = a->options.config ? a->options.config : SEN_CONFIG_PATH;
	int err;

	*config = sen_config_defaults;
	err = sen_config_load(config, path, on_config_error, NULL);
	if (err == -ENOENT && !a->options.config)
		err = 0;
	if (err == -EINVAL)
		return sen_why(why, err, "sentroidd --print-config shows all options",
			       "configuration: %s: not read, see the lines above", path);
	if (err)
		return sen_why(why, err, NULL, "configuration: %s: %s", path, strerror(-err));
	err = check_length("listen", a->options.listen, sizeof(config->listen), why);
	if (!err)
		err = check_length("state folder", a->options.state_dir, sizeof(config->state_dir),
				   why);
	if (!err)
		override(a, config);
	return err;
}

/* What was bound or opened at start stays until the next one. */
static void keep_fixed(const struct sen_config *now, struct sen_config *fresh)
{
	if (strcmp(now->listen, fresh->listen) || strcmp(now->state_dir, fresh->state_dir))
		sen_log(SEN_LOG_WARNING,
			"configuration: listen and state_dir take effect at the next start");
	memcpy(fresh->listen, now->listen, sizeof(fresh->listen));
	memcpy(fresh->state_dir, now->state_dir, sizeof(fresh->state_dir));
}

/* What is attached stays as it is; what is attached from now on goes by the new ones. */
static void tell_attach(const struct sen_config *now, const struct sen_config *fresh)
{
	if (now->attach_mode != fresh->attach_mode || now->policy != fresh->policy ||
	    now->attach_egress != fresh->attach_egress || now->attach_flows != fresh->attach_flows)
		sen_log(SEN_LOG_WARNING,
			"configuration: [attach] takes effect at the next attaching; `sentroid "
			"policy IFACE POLICY` changes the policy now");
}

static void reload(struct sen_agent *a)
{
	struct sen_why why = { 0 };
	struct sen_config fresh;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
		   (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	if (read_config(a, &fresh, &why)) {
		sen_log(SEN_LOG_ERROR, "%s; goes on as before", why.text);
	} else {
		keep_fixed(&a->config, &fresh);
		tell_attach(&a->config, &fresh);
		a->config = fresh;
		sen_log_set_level(a->config.log_level);
		sen_log(SEN_LOG_NOTICE, "configuration read again");
	}
	/* In any case, for files that have been renamed are opened anew. */
	for (size_t i = 0; i < a->count; i++)
		sen_interface_configure(a->interfaces[i]);
	sd_notify(0, "READY=1");
}

/* ---- interfaces, those that are not there yet, too ---- */

static int open_interface(struct sen_agent *a, const char *name, struct sen_why *why)
{
	const struct sen_interface_env env = { .loop = a->loop,
					       .worker = a->worker,
					       .config = &a->config };
	int err = sen_interface_open(name, &env, &a->interfaces[a->count], why);

	if (!err)
		a->count++;
	return err;
}

/* True if it has come, and is watched from now on. */
static bool has_come(struct sen_agent *a, struct sen_agent_awaited *w)
{
	struct sen_why why = { 0 };
	int err;

	if (!if_nametoindex(w->name)) {
		*w = (struct sen_agent_awaited){ .name = w->name, .err = -ENODEV };
		return false;
	}
	if (sen_now_ms() < w->retry_ms)
		return false;
	err = open_interface(a, w->name, &why);
	if (!err) {
		sen_log(SEN_LOG_NOTICE, "%s: has appeared, watched from now on", w->name);
		return true;
	}
	if (err != w->err)
		sen_log(SEN_LOG_WARNING, "%s: has appeared, but is not watched: %s", w->name,
			why.text);
	w->err = err;
	w->retry_ms = sen_now_ms() + RETRY_MS;
	return false;
}

static void try_awaited(struct sen_agent *a)
{
	size_t still = 0;

	for (size_t i = 0; i < a->awaited_n; i++)
		if (!has_come(a, &a->awaited[i]))
			a->awaited[still++] = a->awaited[i];
	a->awaited_n = still;
}

/* One that comes late is no reason to leave the others unwatched; but where there is none, something is wrong. */
static int start_interfaces(struct sen_agent *a, struct sen_why *why)
{
	for (size_t i = 0; i < a->options.count; i++) {
		const char *name = a->options.interfaces[i];
		int err = open_interface(a, name, why);

		if (err == -ENODEV && !if_nametoindex(name))
			a->awaited[a->awaited_n++] = (struct sen_agent_awaited){ .name = name,
										 .err = err };
		else if (err)
			return err;
	}
	if (!a->count)
		return -ENODEV;
	for (size_t i = 0; i < a->awaited_n; i++)
		sen_log(SEN_LOG_WARNING, "%s: no such interface; waits for it to appear",
			a->awaited[i].name);
	return 0;
}

/* ---- what the loop calls ---- */

static void on_signal(void *ctx, int signo)
{
	struct sen_agent *a = ctx;

	if (signo == SIGHUP) {
		reload(a);
		return;
	}
	sen_log(SEN_LOG_NOTICE, "stops on signal %d; detection goes on without it", signo);
	sen_loop_stop(a->loop);
}

static void on_drain(void *ctx)
{
	struct sen_agent *a = ctx;

	for (size_t i = 0; i < a->count; i++)
		sen_interface_drain(a->interfaces[i]);
}

static void on_tick(void *ctx)
{
	struct sen_agent *a = ctx;

	for (size_t i = 0; i < a->count; i++)
		sen_interface_tick(a->interfaces[i]);
	try_awaited(a);
}

static void on_trained(void *ctx)
{
	struct sen_agent *a = ctx;

	sen_worker_collect(a->worker);
}

/* Not while the trainer is stuck, idle or amid a job; an interface that somebody has detached is no reason to restart. */
static void on_watchdog(void *ctx)
{
	struct sen_agent *a = ctx;

	if (sen_worker_alive(a->worker, a->watchdog_ms * 2 + 5000, SEN_AGENT_JOB_STALE_MS))
		sd_notify(0, "WATCHDOG=1");
}

/* In the trainer thread. */
static void wake_loop(void *ctx)
{
	const struct sen_agent *a = ctx;

	sen_loop_wake(a->wakeup);
}

/* ---- life ---- */

static int start_loop(struct sen_agent *a)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	err = sen_loop_new(&a->loop);
	if (!err)
		err = sen_loop_signals(a->loop, &set, on_signal, a);
	if (err)
		return err;
	a->wakeup = sen_loop_wakeup(a->loop, on_trained, a);
	return a->wakeup < 0 ? a->wakeup : sen_worker_start(wake_loop, a, &a->worker);
}

static int add_timer(struct sen_agent *a, sen_loop_fn fn, int64_t every_ms)
{
	int timer = sen_loop_timer(a->loop, fn, a);

	return timer < 0 ? timer : sen_loop_timer_set(timer, every_ms, every_ms);
}

static int start_timers(struct sen_agent *a)
{
	uint64_t watchdog_us = 0;
	int err = add_timer(a, on_drain, DRAIN_MS);

	if (!err)
		err = add_timer(a, on_tick, TICK_MS);
	if (err || sd_watchdog_enabled(0, &watchdog_us) <= 0)
		return err;
	a->watchdog_ms = (int64_t)watchdog_us / 2000;
	return add_timer(a, on_watchdog, a->watchdog_ms > 0 ? a->watchdog_ms : 1);
}

static int start_all(struct sen_agent *a, struct sen_why *why)
{
	int err = read_config(a, &a->config, why);

	if (err)
		return err;
	sen_log_set_level(a->config.log_level);
	err = start_loop(a);
	if (!err)
		err = start_timers(a);
	if (err)
		return sen_why(why, err, NULL, "event loop: %s", strerror(-err));
	if (strcmp(a->config.listen, "none"))
		err = sen_http_start(a->loop, a->config.listen, sen_agent_routes, a, &a->http, why);
	return err ? err : start_interfaces(a, why);
}

int sen_agent_start(const struct sen_agent_options *options, struct sen_agent **out,
		    struct sen_why *why)
{
	struct sen_agent *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return sen_why(why, -ENOMEM, NULL, "agent: out of memory");
	a->options = *options;
	a->started_s = time(NULL);
	err = start_all(a, why);
	if (!err) {
		*out = a;
		return 0;
	}
	/* What was attached for this start is taken off again: a failed start changes nothing. */
	for (size_t i = 0; i < a->count; i++)
		sen_interface_abandon(a->interfaces[i]);
	a->count = 0;
	sen_agent_stop(a);
	return err;
}

int sen_agent_run(struct sen_agent *a, struct sen_why *why)
{
	int err;

	sen_log(SEN_LOG_NOTICE, "version %s, %zu interface%s, http %s", SENTROID_VERSION, a->count,
		a->count == 1 ? "" : "s", a->config.listen);
	sd_notify(0, "READY=1");
	err = sen_loop_run(a->loop);
	sd_notify(0, "STOPPING=1");
	return err ? sen_why(why, err, NULL, "event loop: %s", strerror(-err)) : 0;
}

void sen_agent_stop(struct sen_agent *a)
{
	if (!a)
		return;
	sen_http_stop(a->http);
	sen_worker_stop(a->worker);
	for (size_t i = 0; i < a->count; i++)
		sen_interface_close(a->interfaces[i]);
	sen_loop_free(a->loop);
	free(a);
}
