// SPDX-License-Identifier: BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "paths.h"
#include "sentroid/abi.h"

#define PROGRESS_EVERY 65536

static const char version[] = "sentroid " SENTROID_VERSION;

/* Command being parsed or run, for messages; empty for `sentroid` itself. */
static const char *command_name = "";

struct line {
	const struct syntax *syntax;
	void *input;
	const char **arg;
	unsigned int args;
};

/* Names of files and interfaces come from anywhere: nothing in them may make a second line. */
static void print_line(const char *prefix, const char *text)
{
	fputs(prefix, stderr);
	for (; *text; text++)
		fputc(iscntrl((unsigned char)*text) ? '?' : *text, stderr);
	fputc('\n', stderr);
}

int fail(const struct sen_why *why)
{
	fflush(stdout);
	print_line("sentroid: ", why->text);
	if (*why->hint)
		print_line("hint: ", why->hint);
	return EXIT_FAILED;
}

void note(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fflush(stdout);
	print_line("note: ", text);
}

void note_text(void *ctx, const char *text)
{
	(void)ctx;
	note("%s", text);
}

void note_damage(void *ctx, const struct sen_why *why)
{
	(void)ctx;
	note("%s; what came before is used", why->text);
}

static void usage_hint(void)
{
	fprintf(stderr, "hint: sentroid %s%s--help\n", command_name, *command_name ? " " : "");
}

int usage_error(const char *fmt, ...)
{
	char text[256], prefix[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(prefix, sizeof(prefix),
		 "sentroid: %s: ", *command_name ? command_name : "command line");
	print_line(prefix, text);
	usage_hint();
	return EXIT_USAGE;
}

int path_error(struct sen_why *why, int err, const char *doing, const char *path)
{
	bool rights = err == -EACCES || err == -EPERM;

	return sen_why(why, err, rights ? "run it as root" : NULL, "%s: %s: %s", doing, path,
		       rights ? "not permitted" : strerror(-err));
}

bool is_root(const char *doing, const char *on)
{
	struct sen_why why = { 0 };

	if (!geteuid())
		return true;
	path_error(&why, -EPERM, doing, on);
	fail(&why);
	return false;
}

static error_t on_key(int key, char *value, struct argp_state *state)
{
	struct line *line = state->input;
	const struct syntax *s = line->syntax;

	switch (key) {
	case ARGP_KEY_INIT:
		/* What is wrong is said by usage_error() or getopt; argp shall not add to it. */
		state->err_stream = NULL;
		return 0;
	case ARGP_KEY_ARG:
		if (line->args == s->most)
			return usage_error("extra argument '%s'", value);
		line->arg[line->args++] = value;
		return 0;
	case ARGP_KEY_END:
		return line->args < s->least ? usage_error("missing argument: %s", s->args) : 0;
	case ARGP_KEY_NO_ARGS:
	case ARGP_KEY_FINI:
	case ARGP_KEY_SUCCESS:
	case ARGP_KEY_ERROR:
		return 0;
	default:
		return s->option ? s->option(key, value, line->input) : ARGP_ERR_UNKNOWN;
	}
}

/* As argp's own would be, but under the name of the command, not under what getopt's messages begin
 * with. */
// NOLINTNEXTLINE(readability-non-const-parameter): the type is argp's
static error_t on_common_key(int key, char *value, struct argp_state *state)
{
	char name[64];

	(void)value;
	switch (key) {
	case '?':
		snprintf(name, sizeof(name), "sentroid %s", command_name);
		state->name = name;
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0; /* not reached */
	case 'V':
		puts(version);
		exit(EXIT_DONE);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int parse_line(const struct syntax *syntax, int argc, char **argv, void *input,
	       const char *arg[SYNTAX_ARGS])
{
	static const struct argp_option common_options[] = {
		{ "help", '?', NULL, 0, "Give this help list", -1 },
		{ "version", 'V', NULL, 0, "Print program version", -1 },
		{ 0 },
	};
	static const struct argp common = { .options = common_options, .parser = on_common_key };
	static const struct argp_child children[] = { { .argp = &common }, { 0 } };
	struct line line = { .syntax = syntax, .input = input, .arg = arg };
	const struct argp argp = { .options = syntax->options,
				   .parser = on_key,
				   .args_doc = syntax->args,
				   .doc = syntax->doc,
				   .children = children };
	char name[64];
	int err;

	command_name = syntax->name;
	memset(arg, 0, SYNTAX_ARGS * sizeof(*arg));
	snprintf(name, sizeof(name), "sentroid: %s", command_name);
	argv[0] = name;
	err = argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, &line);
	if (err == EINVAL)
		usage_hint();
	return err ? EXIT_USAGE : 0;
}

enum {
	KEY_JSON = 0x100
};

const struct argp_option json_options[] = {
	{ "json", KEY_JSON, NULL, 0, "Print JSON", 0 },
	{ 0 },
};

int on_json_option(int key, const char *value, void *input)
{
	(void)value;
	if (key != KEY_JSON)
		return ARGP_ERR_UNKNOWN;
	*(bool *)input = true;
	return 0;
}

int parse_choice(const char *option, const char *value, const char *const *names,
		 unsigned int *choice)
{
	char list[96] = "";

	for (unsigned int i = 0; names[i]; i++) {
		if (!strcmp(value, names[i])) {
			*choice = i;
			return 0;
		}
		if (i)
			strncat(list, names[i + 1] ? ", " : " or ",
				sizeof(list) - strlen(list) - 1);
		strncat(list, names[i], sizeof(list) - strlen(list) - 1);
	}
	return usage_error("%s: '%s' is not %s", option, value, list);
}

int parse_count(const char *option, const char *value, unsigned int least, unsigned int most,
		unsigned int *count)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || n < least || n > most)
		return usage_error("%s: '%s' is not a number from %u to %u", option, value, least,
				   most);
	*count = n;
	return 0;
}

int parse_prefixes(const char *option, const char *value, struct sen_prefixes *list)
{
	struct sen_why why = { 0 };

	return sen_prefixes_parse(value, list, &why) ? usage_error("%s: %s", option, why.text) : 0;
}

int parse_number(const char *option, const char *value, double least, double most, double *out)
{
	char *end;

	*out = strtod(value, &end);
	if (*end || end == value || !(*out >= least && *out <= most))
		return usage_error("%s: %s: not a number from %g to %g", option, value, least,
				   most);
	return 0;
}

void show_progress(uint64_t packets, bool done)
{
	/* A system call: not for every packet. */
	if ((done || packets % PROGRESS_EVERY == 0) && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu packets%s", (unsigned long long)packets, done ? "\n" : "");
}

static void print_commands(const char *group, const char *doc, const struct command *table)
{
	const char *space = *group ? " " : "";

	printf("Usage: sentroid %s%sCOMMAND [ARGUMENT...]\n%s\n\n", group, space, doc);
	for (const struct command *c = table; c->name; c++)
		printf("  %s %s\n      %s\n", c->name, c->args, c->help);
	printf("\n`sentroid %s%sCOMMAND --help` tells more of each.\n", group, space);
}

int run_command(const char *group, const char *doc, const struct command *table, int argc,
		char **argv)
{
	command_name = group;
	if (argc < 2)
		return usage_error("no command given");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?")) {
		print_commands(group, doc, table);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(version);
		return EXIT_DONE;
	}
	for (const struct command *c = table; c->name; c++)
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	return usage_error("unknown %s '%s'", argv[1][0] == '-' ? "option" : "command", argv[1]);
}

void digest_text(const __u8 *digest, char hex[DIGEST_HEX])
{
	for (int i = 0; i < SEN_DIGEST_BYTES; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

void time_text(int64_t seconds, char text[TIME_TEXT])
{
	time_t t = seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(text, "?");
}

int load_model(const char *path, struct sen_model_flat *out, struct sen_why *why)
{
	struct sen_model *model = NULL;
	int err = sen_model_load_or_default(path, &model, why);

	if (err)
		return err;
	err = sen_model_flatten(model, out, why);
	sen_model_free(model);
	return err;
}
