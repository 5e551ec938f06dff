// SPDX-License-Identifier: BSD-2-Clause
/* sentroidd: the agent. Reads the command line, runs the agent, says what went wrong. */
#include <argp.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "http.h"
#include "log.h"

#define EXIT_USAGE 2

enum {
	KEY_LISTEN = 0x100,
	KEY_STATE_DIR,
	KEY_PRINT_CONFIG
};

const char *argp_program_version = "sentroidd " SENTROID_VERSION;

static const char doc[] =
	"Learn what is normal on network interfaces and report what is not.\n"
	"\v"
	"Takes over an interface to which Sentroid is attached, or attaches to it. When the agent "
	"ends, detection goes on; `sentroid detach IFACE` ends it. SIGHUP reads the configuration "
	"again.\n\n"
	"Exit codes: 0 stopped by a signal, 1 failed, 2 wrong usage.";

static const struct argp_option options[] = {
	{ "interface", 'i', "IFACE", 0, "Interface to watch; may be given several times", 0 },
	{ "config", 'c', "FILE", 0, "Configuration instead of " SEN_CONFIG_PATH, 0 },
	{ "listen", KEY_LISTEN, "ADDR:PORT", 0,
	  "Where to serve metrics and status (127.0.0.1:9966); none: nowhere", 0 },
	{ "state-dir", KEY_STATE_DIR, "DIR", 0, "Models, history and alerts (/var/lib/sentroid)",
	  0 },
	{ "print-config", KEY_PRINT_CONFIG, NULL, 0,
	  "Print a commented configuration with the defaults", 0 },
	{ 0 },
};

/* As of all that fails a line, and a hint. */
__attribute__((noreturn, format(printf, 1, 2))) static void usage_error(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sen_log(SEN_LOG_ERROR, "%s", text);
	sen_log(SEN_LOG_ERROR, "hint: sentroidd --help");
	exit(EXIT_USAGE);
}

static const char *check_listen(const char *where)
{
	if (strcmp(where, "none") && !sen_http_is_address(where))
		usage_error("--listen: '%s' is not an address and port, such as 127.0.0.1:9966",
			    where);
	return where;
}

/* The type of its pointers is argp's. NOLINTNEXTLINE(readability-non-const-parameter) */
static error_t on_option(int key, char *arg, struct argp_state *state)
{
	struct sen_agent_options *o = state->input;

	switch (key) {
	case 'i':
		if (o->count == SEN_AGENT_INTERFACES)
			usage_error("more than %d interfaces", SEN_AGENT_INTERFACES);
		o->interfaces[o->count++] = arg;
		return 0;
	case 'c':
		o->config = arg;
		return 0;
	case KEY_LISTEN:
		o->listen = check_listen(arg);
		return 0;
	case KEY_STATE_DIR:
		o->state_dir = arg;
		return 0;
	case KEY_PRINT_CONFIG:
		sen_config_print(stdout, &sen_config_defaults);
		exit(fflush(stdout) ? 1 : 0);
	case ARGP_KEY_END:
		if (!o->count)
			usage_error("no interface given: -i IFACE");
		return 0;
	case ARGP_KEY_ARG:
		usage_error("extra argument '%s': interfaces are given by -i IFACE", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* libbpf explains at length what callers say in one line. */
static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	sen_log(SEN_LOG_DEBUG, "libbpf: %s", line);
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = on_option, .doc = doc };
	struct sen_agent_options opts = { .count = 0 };
	struct sen_agent *agent = NULL;
	struct sen_why why = { 0 };
	int err;

	sen_log_init("sentroidd");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &opts);
	libbpf_set_print(on_libbpf);

	err = sen_agent_start(&opts, &agent, &why);
	if (!err)
		err = sen_agent_run(agent, &why);
	if (err)
		sen_log(SEN_LOG_ERROR, "%s", why.text);
	if (err && *why.hint)
		sen_log(SEN_LOG_ERROR, "hint: %s", why.hint);
	sen_agent_stop(agent);
	return err ? 1 : 0;
}
