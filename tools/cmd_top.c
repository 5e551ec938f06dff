// SPDX-License-Identifier: BSD-2-Clause
/* sentroid top: what goes on now, from the pinned maps. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "top.h"

#define ROWS_MOST 1000
#define ROWS_ONCE 20 /* where nothing says how many fit */

enum {
	KEY_JSON = 0x100,
	KEY_INTERVAL,
	KEY_ONCE
};

struct top_options {
	double interval;
	unsigned int rows; /* 0: as many as fit */
	bool once, json;
};

static volatile sig_atomic_t stopped;

static int on_option(int key, const char *value, void *input)
{
	struct top_options *o = input;

	switch (key) {
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_ONCE:
		o->once = true;
		return 0;
	case KEY_INTERVAL:
		return parse_number("--interval", value, 0.1, 3600, &o->interval);
	case 'n':
		return parse_count("-n", value, 1, ROWS_MOST, &o->rows);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- reading ---- */

static int read_maps(struct top *t, const struct sen_dataplane *dp)
{
	struct sen_stats stats;
	int err = sen_dataplane_stats(dp, &stats);

	if (err)
		return err;
	sen_rates_begin(t->rates, &stats, sen_now_ms());
	err = sen_dataplane_each_flow(dp, sen_rates_flow, t->rates);
	if (!err)
		err = sen_dataplane_flow_usage(dp, &t->usage);
	if (!err)
		err = sen_dataplane_policy(dp, &t->policy);
	if (err)
		return err;
	err = sen_dataplane_model(dp, SEN_SLOT_ACTIVE, &t->model);
	t->has_model = !err;
	return err == -ENOENT ? 0 : err;
}

/* For the tables as they are: another attachment counts from 0 again, and may have other sizes. */
static int take_over(struct top *t, const struct sen_meta *meta)
{
	if (t->rates && !memcmp(&t->meta, meta, sizeof(*meta)))
		return 0;
	sen_rates_free(t->rates);
	t->meta = *meta;
	t->rates = sen_rates_new(meta->flow_capacity, ROWS_MOST);
	return t->rates ? 0 : -ENOMEM;
}

/* Opened anew each time, so that a detach is noticed. */
static int read_once(struct top *t, struct sen_why *why)
{
	struct sen_dataplane *dp = NULL;
	int err = sen_dataplane_open(t->ifname, &dp, why);

	if (err)
		return err;
	err = take_over(t, sen_dataplane_meta(dp));
	if (!err)
		err = read_maps(t, dp);
	sen_dataplane_close(dp);
	return err ? sen_why(why, err, NULL, "top: %s: %s", t->ifname, strerror(-err)) : 0;
}

/* ---- the terminal ---- */

static void on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

/* Keys come one by one and are not shown; Ctrl-Z would leave the terminal as it is now. */
static void terminal_enter(struct termios *old)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct termios own;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (!tcgetattr(STDIN_FILENO, old)) {
		own = *old;
		own.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		own.c_cc[VSUSP] = _POSIX_VDISABLE;
		tcsetattr(STDIN_FILENO, TCSANOW, &own);
	}
	fputs("\033[?1049h\033[?25l", stdout); /* another screen, no cursor */
	fflush(stdout);
}

static void terminal_leave(const struct termios *old)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (isatty(STDIN_FILENO))
		tcsetattr(STDIN_FILENO, TCSANOW, old);
}

/* False once somebody wants to leave. */
static bool pause_for(double seconds)
{
	struct pollfd input = { .fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN };
	int64_t end = sen_now_ms() + (int64_t)(seconds * 1000), left;
	char key;

	while (!stopped && (left = end - sen_now_ms()) > 0)
		if (poll(&input, 1, (int)left) > 0 &&
		    (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q'))
			return false;
	return !stopped;
}

/* Lines are cut where the screen ends. */
static void put_lines(const char *text, int width)
{
	fputs("\033[H", stdout);
	while (*text) {
		int n = (int)strcspn(text, "\n");

		printf("%.*s\033[K", n < width ? n : width, text);
		text += n + (text[n] == '\n');
		fputs(*text ? "\r\n" : "\033[J", stdout);
	}
	fflush(stdout);
}

static int draw(const struct top *t, unsigned int most)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	size_t rows, len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	rows = size.ws_row > TOP_HEAD ? size.ws_row - TOP_HEAD : 0;
	top_print(t, most && most < rows ? most : rows, out);
	fclose(out);
	put_lines(text, size.ws_col);
	free(text);
	return 0;
}

static int watch(struct top *t, const struct top_options *o, struct sen_why *why)
{
	struct termios old;
	int err = 0;

	terminal_enter(&old);
	while (!err && pause_for(o->interval)) {
		err = read_once(t, why);
		if (!err && draw(t, o->rows))
			err = sen_why(why, -ENOMEM, NULL, "top: %s: out of memory", t->ifname);
	}
	terminal_leave(&old);
	return err;
}

static int snapshot(struct top *t, const struct top_options *o, struct sen_why *why)
{
	size_t rows = o->rows ? o->rows : ROWS_ONCE;
	int err;

	usleep((useconds_t)(o->interval * 1000000));
	err = read_once(t, why);
	if (err)
		return err;
	if (!o->json)
		top_print(t, rows, stdout);
	else if (top_print_json(t, rows))
		return sen_why(why, -ENOMEM, NULL, "top: %s: out of memory", t->ifname);
	return 0;
}

static const struct argp_option options[] = {
	{ "interval", KEY_INTERVAL, "SECONDS", 0, "From one read to the next (1)", 0 },
	{ "rows", 'n', "ROWS", 0, "At most so many flows (what fits on the screen; else 20)", 0 },
	{ "once", KEY_ONCE, NULL, 0, "One snapshot, after one interval", 0 },
	{ "json", KEY_JSON, NULL, 0, "The same as JSON", 0 },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "top",
	.args = "IFACE",
	.doc = "Show what goes on now on an interface, with an agent or without one: on a terminal a screen that is "
	       "drawn anew until q or Ctrl-C, elsewhere one snapshot.\v"
	       "Flows that had packets in the last interval: those that the model in force flags first, by their "
	       "scores (1 is the threshold), then those of most packets. CLASS is what the packet path takes a flow "
	       "for; rules, which know better, speak in `sentroid alerts`.",
	.least = 1,
	.most = 1,
	.options = options,
	.option = on_option,
};

int cmd_top(int argc, char **argv)
{
	static struct top t; /* a model is large */
	struct top_options o = { .interval = 1 };
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	if (!is_root("top", arg[0]))
		return EXIT_FAILED;
	t.ifname = arg[0];
	err = read_once(&t, &why); /* what the next one is compared with */
	if (!err)
		err = o.once || o.json || !isatty(STDOUT_FILENO) ? snapshot(&t, &o, &why) :
								   watch(&t, &o, &why);
	sen_rates_free(t.rates);
	return err ? fail(&why) : EXIT_DONE;
}
