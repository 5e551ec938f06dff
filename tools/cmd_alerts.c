// SPDX-License-Identifier: BSD-2-Clause
/* sentroid alerts: what agents have reported, from the files that they keep and from those that run. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent_call.h"
#include "alert_log.h"
#include "alerts_command.h"
#include "config.h"
#include "control.h"
#include "duration.h"
#include "learn_command.h"
#include "paths.h"

#define FOLLOWED_MS 250 /* from one look at what is new to the next */
#define FOLLOWED_N  10  /* alerts before those that come */

enum {
	KEY_JSON = 0x100,
	KEY_OPEN,
	KEY_SINCE,
	KEY_FOLLOW
};

struct watched {
	struct sen_alert_log *log; /* of one interface */
};

struct alerts {
	const char *state_dir;
	bool open, follow, json;
	int64_t since_s; /* 0: from the beginning of the file */
	unsigned int most;
	char cutoff[SEN_ALERT_TIME]; /* as records have times; empty: none */
	struct sen_alert_history history;
	struct alerts_view view;
	struct watched *watched;
	size_t n_watched;
	unsigned long bad; /* lines that are no alerts */
};

static volatile sig_atomic_t stopped;

static int parse_since(const char *value, int64_t *seconds)
{
	if (!sen_duration_parse(value, seconds) && *seconds)
		return 0;
	return usage_error("--since: '%s' is not a time like 90s, 10m, 2h, 1d or 2w", value);
}

static int on_option(int key, const char *value, void *input)
{
	struct alerts *a = input;

	switch (key) {
	case KEY_STATE_DIR:
		a->state_dir = value;
		return 0;
	case KEY_JSON:
		a->json = true;
		return 0;
	case KEY_OPEN:
		a->open = true;
		return 0;
	case KEY_FOLLOW:
		a->follow = true;
		return 0;
	case KEY_SINCE:
		return parse_since(value, &a->since_s);
	case 'n':
		return parse_count("-n", value, 0, 1000000, &a->most);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- what there is ---- */

static int add_line(void *ctx, const char *line)
{
	struct alerts *a = ctx;
	int err = sen_alert_history_add(&a->history, line);

	a->bad += err == -EBADMSG;
	return err == -EBADMSG ? 0 : err;
}

static void note_bad(struct alerts *a)
{
	if (a->bad)
		note("%lu line%s of alerts.jsonl %s skipped: not an alert", a->bad,
		     a->bad == 1 ? "" : "s", a->bad == 1 ? "is" : "are");
	a->bad = 0;
}

/* Behind the reading of its file: what the agent does not have is over then. */
static int ask_agent(struct alerts *a, const char *ifname, struct sen_why *why)
{
	char *body, *text;
	cJSON *list, *item;
	int err = agent_call(a->state_dir, ifname, false, SEN_CONTROL_ALERTS, &body, why);

	list = err ? NULL : cJSON_Parse(body);
	if (!err && !cJSON_IsArray(list))
		err = sen_why(why, -EBADMSG, NULL, "asking the agent: %s: not understood", ifname);
	cJSON_ArrayForEach(item, list) {
		text = cJSON_PrintUnformatted(item);
		err = text ? add_line(a, text) : -ENOMEM;
		cJSON_free(text);
		if (err)
			break;
	}
	if (err == -ENOMEM)
		sen_why(why, err, NULL, "asking the agent: %s: out of memory", ifname);
	cJSON_Delete(list);
	free(body);
	return err == -ENOENT ? 0 : err;
}

static int add_log(struct alerts *a, const char *folder)
{
	struct watched *grown = reallocarray(a->watched, a->n_watched + 1, sizeof(*grown));
	struct sen_alert_log *log;

	if (!grown)
		return -ENOMEM;
	a->watched = grown;
	log = sen_alert_log_new(folder);
	if (!log)
		return -ENOMEM;
	grown[a->n_watched++].log = log;
	return sen_alert_log_read(log, add_line, a);
}

static void add_older(struct alerts *a, const char *folder)
{
	struct sen_why why = { 0 };

	if (sen_alert_log_read_older(folder, time(NULL) - a->since_s, add_line, a, &why))
		note("%s", why.text);
}

static int add_interface(struct alerts *a, const char *ifname, struct sen_why *why)
{
	char folder[PATH_MAX];
	struct stat st;
	int err;

	snprintf(folder, sizeof(folder), "%s/%s", a->state_dir, ifname);
	if (stat(folder, &st))
		err = -errno;
	else
		err = S_ISDIR(st.st_mode) ? add_log(a, folder) : -ENOTDIR;
	if (err)
		return path_error(why, err, "alerts", folder);
	if (a->since_s)
		add_older(a, folder);
	return ask_agent(a, ifname, why);
}

static int none_kept(const char *ifname, const char *state_dir, struct sen_why *why)
{
	return sen_why(why, -ENOENT,
		       "sentroidd -i IFACE keeps them; --state-dir as it was given there",
		       "alerts: %s%snone are kept under %s", ifname ? ifname : "",
		       ifname ? ": " : "", state_dir);
}

static int is_interface(const struct dirent *entry)
{
	return entry->d_type != DT_REG && !sen_check_ifname(entry->d_name, NULL);
}

static int add_all(struct alerts *a, struct sen_why *why)
{
	struct dirent **names;
	int err = 0, n = scandir(a->state_dir, &names, is_interface, alphasort);

	if (n < 0 && errno != ENOENT)
		return path_error(why, -errno, "alerts", a->state_dir);
	if (n <= 0)
		return none_kept(NULL, a->state_dir, why);
	for (int i = 0; i < n; i++) {
		if (!err)
			err = add_interface(a, names[i]->d_name, why);
		free(names[i]);
	}
	free(names);
	return err;
}

static int add_one(struct alerts *a, const char *ifname, struct sen_why *why)
{
	int err = sen_check_ifname(ifname, why);

	if (!err)
		err = add_interface(a, ifname, why);
	return err == -ENOENT ? none_kept(ifname, a->state_dir, why) : err;
}

/* ---- what is shown of it ---- */

static void set_cutoff(struct alerts *a)
{
	time_t t = time(NULL) - a->since_s;
	struct tm tm;

	if (a->since_s && gmtime_r(&t, &tm))
		strftime(a->cutoff, sizeof(a->cutoff), "%Y-%m-%dT%H:%M:%S", &tm);
}

static bool is_wanted(const struct alerts *a, const struct sen_alert_record *r)
{
	return (!a->open || r->state == SEN_ALERT_IS_OPEN) && strcmp(r->last, a->cutoff) >= 0;
}

static void show_history(struct alerts *a)
{
	const struct sen_alert_history *h = &a->history;
	size_t wanted = 0, first = h->n;

	while (first && wanted < a->most)
		wanted += is_wanted(a, &h->records[--first]);
	for (size_t i = first; i < h->n; i++)
		if (is_wanted(a, &h->records[i]))
			alerts_show(&a->view, &h->records[i]);
}

/* ---- what comes ---- */

static void on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

static int show_new(void *ctx, const char *line)
{
	struct alerts *a = ctx;
	struct sen_alert_record r;
	int err = sen_alert_record_read(line, &r);

	if (err) {
		a->bad += err == -EBADMSG;
		return err == -EBADMSG ? 0 : err;
	}
	/* The agent may have told of it before its line was read. */
	if (is_wanted(a, &r) && !sen_alert_history_has(&a->history, &r))
		alerts_show(&a->view, &r);
	sen_alert_record_free(&r);
	return 0;
}

static int follow(struct alerts *a, struct sen_why *why)
{
	const struct timespec pause = { .tv_nsec = FOLLOWED_MS * 1000000l };
	const struct sigaction action = { .sa_handler = on_signal };
	int err = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (!stopped && !err && !ferror(stdout)) {
		for (size_t i = 0; !err && i < a->n_watched; i++)
			err = sen_alert_log_read(a->watched[i].log, show_new, a);
		alerts_flush(&a->view);
		note_bad(a);
		if (!err)
			nanosleep(&pause, NULL);
	}
	return err ? sen_why(why, err, NULL, "alerts: %s: %s", a->state_dir, strerror(-err)) : 0;
}

static int show(struct alerts *a, struct sen_why *why)
{
	sen_alert_history_join(&a->history);
	note_bad(a);
	alerts_begin(&a->view);
	show_history(a);
	if (a->follow)
		return follow(a, why);
	alerts_end(&a->view);
	return 0;
}

static const struct argp_option options[] = {
	{ "open", KEY_OPEN, NULL, 0, "Only those that are open", 0 },
	{ "since", KEY_SINCE, "DURATION", 0,
	  "Only those heard of within so long (90s, 10m, 2h, 1d, 2w), also from what logrotate has put away",
	  0 },
	{ "number", 'n', "N", 0, "The latest N (all; 10 with --follow)", 0 },
	{ "follow", KEY_FOLLOW, NULL, 0,
	  "Then go on: a line each time that one is opened or closed", 0 },
	{ "json", KEY_JSON, NULL, 0, "Print JSON; with --follow a line for each", 0 },
	STATE_DIR_OPTION,
	{ 0 },
};

static const struct syntax syntax = {
	.name = "alerts",
	.args = "[IFACE]",
	.doc = "Show what agents have reported, the latest last, whether or not they run: of one interface, or of "
	       "all that there is a folder of.\v"
	       "A class with ! is certain: a rule names it. Of others the model found that they are odd, and the "
	       "name is a guess. TIME is when it began, EVENTS how many samples were counted on it, SCORE the "
	       "highest of them, in thresholds. STATE is open, closed, or lost: its agent has ended without a word "
	       "on it.",
	.most = 1,
	.options = options,
	.option = on_option,
};

int cmd_alerts(int argc, char **argv)
{
	struct alerts a = { .state_dir = sen_config_defaults.state_dir, .most = UINT_MAX };
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };
	int err;

	if (parse_line(&syntax, argc, argv, &a, arg))
		return EXIT_USAGE;
	if (a.follow && a.most == UINT_MAX)
		a.most = FOLLOWED_N;
	a.view.interfaces = !arg[0];
	if (a.json)
		a.view.form = a.follow ? ALERTS_LINES : ALERTS_JSON;
	set_cutoff(&a);
	err = arg[0] ? add_one(&a, arg[0], &why) : add_all(&a, &why);
	if (!err)
		err = show(&a, &why);
	for (size_t i = 0; i < a.n_watched; i++)
		sen_alert_log_free(a.watched[i].log);
	free(a.watched);
	sen_alert_history_free(&a.history);
	return err ? fail(&why) : EXIT_DONE;
}
