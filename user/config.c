// SPDX-License-Identifier: BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "loader.h"
#include "log.h"

#define WEIGHT_ONE(id, name, help) [SEN_CLASS_##id] = 1,
const struct sen_config sen_config_defaults = {
	.listen = "127.0.0.1:9966",
	.state_dir = "/var/lib/sentroid",
	.log_level = SEN_LOG_INFO,
	.attach_mode = SEN_ATTACH_AUTO,
	.policy = SEN_MODE_ALERT,
	.attach_flows = 131072,
	.baseline_seconds = 300,
	.baseline_samples = 50000,
	.learn_enabled = 1,
	.label_low_mark = 0.30,
	.label_high_mark = 0.95,
	.learn_margin = 0.95,
	.learn_uncertain = 1,
	.learn_samples = 5000,
	.learn_interval = 900,
	.learn_full_interval = 86400,
	.learn_min_interval = 60,
	.learn_uploads = 10,
	.store_samples = 60000,
	.store_days = 30,
	.uploads_keep = 200,
	.uploads_days = 90,
	.weights = { SEN_ATTACK_CLASSES(WEIGHT_ONE) },
	.train_members = 3,
	.train_centroids = 32,
	.train_target_fpr = 0.001,
	.train_threshold_margin = 1.0,
	.drift_window = 60,
	.drift_windows = 3,
	.drift_psi = 0.25,
	.drift_shift = 0.25,
	.drift_significance = 0.05,
	.canary_evaluations = 2000,
	.canary_seconds = 30,
	.canary_extra = 0.02,
	.canary_agreement = 0.9,
	.canary_shift = 4,
	.watch_seconds = 30,
	.watch_share = 0.05,
	.watch_factor = 20,
	.watch_shift = 4,
	.watch_pause = 3600,
	.registry_keep = 50,
	.alerts_capacity = 1024,
	.alerts_update = 10,
	.alerts_idle = 60,
	.alerts_novelty_samples = 3,
	.alerts_novelty_window = 10,
	.alerts_novelty_hold = 1,
	.alerts_novelty_score = 4.0,
};

enum option_type {
	OPTION_TEXT,
	OPTION_COUNT,
	OPTION_REAL,
	OPTION_WORD,
	OPTION_PREFIXES /* more with each line */
};

struct option_word {
	const char *word;
	unsigned int value;
};

struct option {
	const char *section;
	const char *key;
	enum option_type type;
	size_t offset;
	double min; /* of a number; least length of a text */
	double max; /* of a number; room for a text */
	const struct option_word *words;
	const char *help;
};

static const struct option_word level_words[] = {
	{ "error", SEN_LOG_ERROR }, { "warning", SEN_LOG_WARNING }, { "notice", SEN_LOG_NOTICE },
	{ "info", SEN_LOG_INFO },   { "debug", SEN_LOG_DEBUG },     { NULL, 0 }
};
static const struct option_word attach_words[] = { { "auto", SEN_ATTACH_AUTO },
						   { "native", SEN_ATTACH_NATIVE },
						   { "skb", SEN_ATTACH_SKB },
						   { NULL, 0 } };
#define POLICIES(X)                    \
	X(SEN_MODE_OBSERVE, "observe") \
	X(SEN_MODE_ALERT, "alert")     \
	X(SEN_MODE_ENFORCE, "enforce") \
	X(SEN_MODE_ENFORCE_LEARNED, "enforce-learned")
#define POLICY_NAME(mode, word)   [mode] = word,
#define POLICY_OPTION(mode, word) { word, mode },

const char *const sen_policy_words[] = { POLICIES(POLICY_NAME) NULL };
static const struct option_word policy_words[] = { POLICIES(POLICY_OPTION){ NULL, 0 } };

const char *sen_policy_word(unsigned int mode)
{
	return mode <= SEN_MODE_ENFORCE_LEARNED ? sen_policy_words[mode] : "unknown";
}

static const struct option_word switch_words[] = { { "no", 0 }, { "yes", 1 }, { NULL, 0 } };

#define AT(field) offsetof(struct sen_config, field)
#define TEXT(section, key, field, help)                                                           \
	{                                                                                         \
		section, key, OPTION_TEXT, AT(field), 1, sizeof(sen_config_defaults.field), NULL, \
			help                                                                      \
	}
#define COUNT(section, key, field, min, max, help)                          \
	{                                                                   \
		section, key, OPTION_COUNT, AT(field), min, max, NULL, help \
	}
#define REAL(section, key, field, min, max, help)                          \
	{                                                                  \
		section, key, OPTION_REAL, AT(field), min, max, NULL, help \
	}
#define WEIGHT_OPTION(id, name, help)                           \
	REAL("weights", name, weights[SEN_CLASS_##id], 0, 1000, \
	     "part of the class in what is learned of attacks: " help),
#define WORD(section, key, field, words, help)                          \
	{                                                               \
		section, key, OPTION_WORD, AT(field), 0, 0, words, help \
	}

#define PREFIXES(section, key, field, help)                                \
	{                                                                  \
		section, key, OPTION_PREFIXES, AT(field), 0, 0, NULL, help \
	}

static const struct option options[] = {
	TEXT("agent", "listen", listen,
	     "address and port of the HTTP interface; \"none\": no such interface"),
	TEXT("agent", "state_dir", state_dir,
	     "folder of models, history and alerts, one below it per interface"),
	WORD("agent", "log_level", log_level, level_words,
	     "least important lines that are written"),
	WORD("attach", "mode", attach_mode, attach_words,
	     "how to attach where nothing is attached yet"),
	WORD("attach", "policy", policy, policy_words,
	     "what flagged packets meet, set when attaching; `sentroid policy` changes it later"),
	WORD("attach", "egress", attach_egress, switch_words,
	     "see what leaves as well, so that answers count on an end host; set when attaching"),
	COUNT("attach", "flows", attach_flows, SEN_FLOWS_MIN, SEN_FLOWS_MAX,
	      "room for so many flows, rounded up to a power of two; set when attaching"),
	PREFIXES(
		"attach", "allow", allow,
		"what these hosts begin is not judged; on as many lines as it takes; `sentroid allow` adds others"),
	COUNT("baseline", "seconds", baseline_seconds, 1, 604800,
	      "the first model is trained after so many seconds ..."),
	COUNT("baseline", "samples", baseline_samples, 100, 10000000,
	      "... or so many benign samples, whichever is first"),
	WORD("learn", "enabled", learn_enabled, switch_words,
	     "no: the model in force stays as it is"),
	REAL("learn", "margin", learn_margin, 0.05, 1,
	     "only samples below this share of the threshold teach what is normal"),
	WORD("learn", "uncertain", learn_uncertain, switch_words,
	     "whether samples between the marks, yet below that, teach as well"),
	COUNT("learn", "samples", learn_samples, 100, 100000, "new samples that trigger an update"),
	COUNT("learn", "interval", learn_interval, 1, 604800,
	      "seconds after which an update is due, with new samples or without"),
	COUNT("learn", "uploads", learn_uploads, 1, 1000,
	      "unique uploads that trigger a training from scratch"),
	COUNT("learn", "full_interval", learn_full_interval, 60, 31536000,
	      "seconds between trainings from scratch"),
	COUNT("learn", "min_interval", learn_min_interval, 1, 86400,
	      "least seconds between two trainings"),
	REAL("label", "low_mark", label_low_mark, 0.01, 0.95,
	     "quantile of recent scores up to which a sample is labelled benign"),
	REAL("label", "high_mark", label_high_mark, 0.5, 0.9999,
	     "quantile from which one is an attack, if it is flagged; what lies between has no label"),
	COUNT("store", "samples", store_samples, 2000, 2000000,
	      "samples kept on disk, an interface"),
	COUNT("store", "days", store_days, 1, 3650, "days after which a sample goes"),
	COUNT("uploads", "keep", uploads_keep, 10, 100000,
	      "uploaded files that are kept, of each kind: waiting, trained on, rejected ..."),
	COUNT("uploads", "days", uploads_days, 1, 3650, "... and days for which they are"),
	SEN_ATTACK_CLASSES(WEIGHT_OPTION) COUNT("train", "members", train_members, 1,
						SEN_MEMBERS_MAX - 1, "size of the ensemble"),
	COUNT("train", "centroids", train_centroids, 2, SEN_CENTROIDS_MAX,
	      "centroids of each member"),
	REAL("train", "target_fpr", train_target_fpr, 0.00001, 0.1,
	     "share of benign flows that may reach the threshold"),
	REAL("train", "threshold_margin", train_threshold_margin, 1, 10,
	     "room above that share's quantile; doubled for a first model that is trained within "
	     "three minutes"),
	COUNT("drift", "window", drift_window, 5, 86400,
	      "seconds of traffic compared with the reference"),
	COUNT("drift", "windows", drift_windows, 1, 100,
	      "windows in a row that must differ to trigger a training from scratch"),
	REAL("drift", "psi", drift_psi, 0.05, 100,
	     "a feature counts as moved from this population stability index on ..."),
	REAL("drift", "shift", drift_shift, 0.01, 30,
	     "... if its values lie at least so many octaves elsewhere (Wasserstein distance) ..."),
	REAL("drift", "significance", drift_significance, 0.000001, 0.5,
	     "... and of the features that seem moved at most this share is so by chance"),
	COUNT("canary", "evaluations", canary_evaluations, 0, 100000000,
	      "evaluations that a candidate makes beside the model in force; 0: no canary ..."),
	COUNT("canary", "seconds", canary_seconds, 0, 86400, "... and for at least so long"),
	REAL("canary", "extra", canary_extra, 0.0001, 1,
	     "it is refused if it flags more than this share that the model in force passes ..."),
	REAL("canary", "agreement", canary_agreement, 0, 1,
	     "... or if they agree on less than this share ..."),
	REAL("canary", "shift", canary_shift, 0.1, 30,
	     "... or if its scores lie more than so many octaves away"),
	COUNT("watch", "seconds", watch_seconds, 1, 3600, "a new model is watched for so long"),
	REAL("watch", "share", watch_share, 0.0001, 1,
	     "it is rolled back if more than this share of evaluations is flagged ..."),
	REAL("watch", "factor", watch_factor, 1, 10000,
	     "... and more than so many times the target, and no rule explains it"),
	REAL("watch", "shift", watch_shift, 0.1, 30,
	     "... or if its scores lie so many octaves above those in its canary"),
	COUNT("watch", "pause", watch_pause, 1, 604800,
	      "seconds that learning rests after a roll-back"),
	COUNT("registry", "keep", registry_keep, 1, 100000,
	      "archived models that are kept beside those still needed"),
	COUNT("alerts", "capacity", alerts_capacity, 16, 4096,
	      "alerts kept in memory; the longest silent one makes room, for which all are looked at (read at start)"),
	COUNT("alerts", "update", alerts_update, 1, 3600,
	      "seconds between updates of an open alert"),
	COUNT("alerts", "idle", alerts_idle, 1, 86400, "seconds of silence that close an alert"),
	COUNT("alerts", "novelty_samples", alerts_novelty_samples, 1, 1000,
	      "a novelty is reported after so many flagged samples ..."),
	COUNT("alerts", "novelty_window", alerts_novelty_window, 1, 3600,
	      "... within so many seconds ..."),
	COUNT("alerts", "novelty_hold", alerts_novelty_hold, 0, 60,
	      "... and not sooner than so many seconds after the first: it may be part of what a rule names"),
	REAL("alerts", "novelty_score", alerts_novelty_score, 1, 60000,
	     "... or at once from this score on (1 is the threshold)"),
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* Where the reader and the handler of inih meet: the library passes no line numbers. */
struct parse {
	struct sen_config config;
	FILE *in;
	const char *name;
	sen_config_error_fn error;
	void *ctx;
	unsigned int line;
	bool whole;   /* the last piece read ended its line */
	bool pending; /* the line read last must turn out to be an option */
	bool failed;
	bool seen[OPTIONS];
};

__attribute__((format(printf, 2, 3))) static void parse_error(struct parse *p, const char *fmt, ...)
{
	char text[256];
	va_list args;

	p->failed = true;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (p->error)
		p->error(p->ctx, p->name, p->line, text);
}

static bool is_option_line(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return *text && !strchr(";#", *text) && !(*text == '[' && strchr(text, ']'));
}

/* A line that should have been an option but never reached the handler is no ini at all. */
static void parse_settle(struct parse *p)
{
	if (p->pending)
		parse_error(p, "not \"key = value\", nor \"[section]\"");
	p->pending = false;
}

static char *parse_reader(char *text, int room, void *ctx)
{
	struct parse *p = ctx;
	bool begins = p->whole;

	parse_settle(p);
	if (!fgets(text, room, p->in))
		return NULL;
	p->whole = strchr(text, '\n') != NULL;
	if (begins)
		p->line++;
	else
		parse_error(p, "line too long");
	p->pending = begins && is_option_line(text);
	return text;
}

static int set_word(const struct option *o, unsigned int *to, const char *value)
{
	for (const struct option_word *w = o->words; w->word; w++) {
		if (strcmp(w->word, value))
			continue;
		*to = w->value;
		return 0;
	}
	return -EINVAL;
}

static int set_number(const struct option *o, void *to, const char *value)
{
	char *end;
	double x;

	errno = 0;
	x = strtod(value, &end);
	if (errno || end == value || *end || !(x >= o->min && x <= o->max))
		return -EINVAL;
	if (o->type == OPTION_REAL) {
		*(double *)to = x;
		return 0;
	}
	if (x != (double)(unsigned int)x)
		return -EINVAL;
	*(unsigned int *)to = (unsigned int)x;
	return 0;
}

static int set_text(const struct option *o, char *to, const char *value)
{
	size_t len = strlen(value);

	if (len < o->min || len >= o->max)
		return -EINVAL;
	memcpy(to, value, len + 1);
	return 0;
}

static int set_option(const struct option *o, struct sen_config *config, const char *value)
{
	void *to = (char *)config + o->offset;

	switch (o->type) {
	case OPTION_TEXT:
		return set_text(o, to, value);
	case OPTION_WORD:
		return set_word(o, to, value);
	case OPTION_PREFIXES:
		return *value ? sen_prefixes_parse(value, to, NULL) : 0;
	default:
		return set_number(o, to, value);
	}
}

/* What the option takes, for messages and for the example file. */
static void describe_range(const struct option *o, char *text, size_t room)
{
	size_t at = 0;

	text[0] = 0;
	switch (o->type) {
	case OPTION_TEXT:
		snprintf(text, room, "a text of %.0f to %.0f characters", o->min, o->max - 1);
		return;
	case OPTION_PREFIXES:
		snprintf(text, room, "addresses or prefixes, separated by commas, %d at most",
			 SEN_ALLOW_MAX);
		return;
	case OPTION_WORD:
		for (const struct option_word *w = o->words; w->word && at < room; w++)
			at += snprintf(text + at, room - at, "%s%s", at ? " or " : "", w->word);
		return;
	default:
		snprintf(text, room, "%s %.15g to %.15g",
			 o->type == OPTION_COUNT ? "a whole number" : "a number", o->min, o->max);
	}
}

static int parse_handler(void *ctx, const char *section, const char *key, const char *value)
{
	struct parse *p = ctx;
	char range[128];

	p->pending = false;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];

		if (strcmp(o->section, section) || strcmp(o->key, key))
			continue;
		if (p->seen[i] && o->type != OPTION_PREFIXES)
			parse_error(p, "%s.%s is set twice", section, key);
		p->seen[i] = true;
		if (!set_option(o, &p->config, value))
			return 1;
		describe_range(o, range, sizeof(range));
		parse_error(p, "%s.%s = \"%s\": must be %s", section, key, value, range);
		return 1;
	}
	parse_error(p, "unknown option %s%s%s", section, *section ? "." : "", key);
	return 1;
}

int sen_config_read(struct sen_config *config, FILE *in, const char *name,
		    sen_config_error_fn error, void *ctx)
{
	struct parse p = {
		.config = *config,
		.in = in,
		.name = name,
		.error = error,
		.ctx = ctx,
		.whole = true,
	};

	if (ini_parse_stream(parse_reader, &p, parse_handler, &p) < 0)
		return -ENOMEM;
	parse_settle(&p);
	if (ferror(in))
		return -EIO;
	if (p.failed)
		return -EINVAL;
	*config = p.config;
	return 0;
}

int sen_config_load(struct sen_config *config, const char *path, sen_config_error_fn error,
		    void *ctx)
{
	FILE *in = fopen(path, "re");
	int err;

	if (!in)
		return -errno;
	err = sen_config_read(config, in, path, error, ctx);
	fclose(in);
	return err;
}

static void print_value(FILE *out, const struct option *o, const struct sen_config *config)
{
	const void *from = (const char *)config + o->offset;

	switch (o->type) {
	case OPTION_PREFIXES: /* none by default */
		return;
	case OPTION_TEXT:
		fprintf(out, "%s", (const char *)from);
		return;
	case OPTION_REAL:
		fprintf(out, "%.15g", *(const double *)from);
		return;
	case OPTION_COUNT:
		fprintf(out, "%u", *(const unsigned int *)from);
		return;
	case OPTION_WORD:
		for (const struct option_word *w = o->words; w->word; w++)
			if (w->value == *(const unsigned int *)from)
				fprintf(out, "%s", w->word);
	}
}

void sen_config_print(FILE *out, const struct sen_config *config)
{
	const char *section = "";
	char range[128];

	fprintf(out, "# Settings of sentroidd, read at start and on SIGHUP. Every line that is\n"
		     "# commented out shows the default. Made by: sentroidd --print-config\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];

		if (strcmp(section, o->section))
			fprintf(out, "\n[%s]\n", o->section);
		section = o->section;
		describe_range(o, range, sizeof(range));
		fprintf(out, "# %s\n# (%s)\n#%s = ", o->help, range, o->key);
		print_value(out, o, config);
		fputc('\n', out);
	}
}
