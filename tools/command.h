/* SPDX-License-Identifier: BSD-2-Clause */
/* What the subcommands of `sentroid` share: their table, their command lines, their errors. */
#ifndef SENTROID_COMMAND_H
#define SENTROID_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "model.h"
#include "why.h"

enum {
	EXIT_DONE,
	EXIT_FAILED,
	EXIT_USAGE
};

struct command {
	const char *name;
	const char *args;                  /* as in a synopsis */
	const char *help;                  /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
};

int cmd_attach(int argc, char **argv);
int cmd_detach(int argc, char **argv);
int cmd_allow(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_alerts(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_label(int argc, char **argv);
int cmd_learn(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_bench(int argc, char **argv);

/* Run the command of a table (which ends with one without a name) that argv[1] names. `group` is what
 * stands before it on the command line after `sentroid`, or empty. */
int run_command(const char *group, const char *doc, const struct command *table, int argc,
		char **argv);

/* The command line of one command. */
struct syntax {
	const char *name; /* after `sentroid`: "attach", "model push" */
	const char *args; /* as in a synopsis */
	const char *doc;
	unsigned int least, most;          /* positional arguments, at most SYNTAX_ARGS */
	const struct argp_option *options; /* NULL: none but --help, --usage and --version */
	/* Takes one option: 0, or what usage_error() returns. */
	int (*option)(int key, const char *value, void *input);
};

#define SYNTAX_ARGS 64

/* Positional arguments go to arg, NULL for those not given. 0, or the exit code for wrong usage, which
 * has been explained then. */
int parse_line(const struct syntax *syntax, int argc, char **argv, void *input,
	       const char *arg[SYNTAX_ARGS]);

/* Of commands that have no option but --json; `input` is a bool. */
extern const struct argp_option json_options[];
int on_json_option(int key, const char *value, void *input);

/* For options: explain and return nonzero if the value is none of the `names` (NULL ends them). */
int parse_choice(const char *option, const char *value, const char *const *names,
		 unsigned int *choice);
int parse_count(const char *option, const char *value, unsigned int least, unsigned int most,
		unsigned int *count);
/* Adds to the list. */
int parse_prefixes(const char *option, const char *value, struct sen_prefixes *list);
int parse_number(const char *option, const char *value, double least, double most, double *out);

/* One line on stderr, and the hint if there is one. Return the exit code. */
int fail(const struct sen_why *why);
/* Of a path that cannot be used, by a negative errno, which is returned. Rights that are lacking are told as
 * is_root() tells it. */
int path_error(struct sen_why *why, int err, const char *doing, const char *path);
__attribute__((format(printf, 1, 2))) int usage_error(const char *fmt, ...);
/* What the user should know although nothing failed. */
__attribute__((format(printf, 1, 2))) void note(const char *fmt, ...);
/* The same for a library that has something to tell. */
void note_text(void *ctx, const char *text);
/* For captures that could not be read to their end. */
void note_damage(void *ctx, const struct sen_why *why);
/* On a terminal, now and then, how many packets have been read; at the end, how many they were. */
void show_progress(uint64_t packets, bool done);
/* True for root; else explains. `doing` is what root is needed for, `on` what it is done to. */
bool is_root(const char *doing, const char *on);

#define DIGEST_HEX   (2 * SEN_DIGEST_BYTES + 1)
#define DIGEST_SHORT 12 /* digits that tell digests apart for people */
#define TIME_TEXT    32

void digest_text(const __u8 *digest, char hex[DIGEST_HEX]);
/* RFC 3339 in UTC. */
void time_text(int64_t seconds, char text[TIME_TEXT]);

/* A model file (NULL: the shipped one), checked as a whole and brought into the form for the packet path. */
int load_model(const char *path, struct sen_model_flat *out, struct sen_why *why);

#endif
