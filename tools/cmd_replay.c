// SPDX-License-Identifier: BSD-2-Clause
/* sentroid replay: what the detector would have said about a capture. The packet program itself says
 * it, by test_run; nothing is attached. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "clock.h"
#include "command.h"
#include "loader.h"
#include "offline.h"
#include "output.h"
#include "paths.h"
#include "rehearsal.h"
#include "replay_summary.h"

struct options {
	const char *model;
	const char *flows;
	const char *packets;
	unsigned int policy;      /* enum sen_mode */
	const char *config_path;  /* NULL: the defaults */
	struct sen_config config; /* of the agent that is rehearsed */
	bool learn;
	bool json;
};

enum {
	KEY_MODEL = 0x100,
	KEY_POLICY,
	KEY_ALLOW,
	KEY_FLOWS,
	KEY_PACKETS,
	KEY_LEARN,
	KEY_JSON
};

static const struct argp_option option_list[] = {
	{ "model", KEY_MODEL, "FILE", 0, "Model instead of the shipped one", 0 },
	{ "policy", KEY_POLICY, "POLICY", 0,
	  "observe, alert (the default), enforce or enforce-learned, to count what that would have dropped",
	  0 },
	{ "allow", KEY_ALLOW, "PREFIX", 0,
	  "What this host or network begins is not judged; may be given more than once", 0 },
	{ "flows", KEY_FLOWS, "OUT.csv", 0, "Write a line for every flow", 0 },
	{ "packets", KEY_PACKETS, "OUT.csv", 0, "Write a line for every frame", 0 },
	{ "learn", KEY_LEARN, 0, 0,
	  "Learn as an agent would, and score by what has been learned so far", 0 },
	{ "config", 'c', "FILE", 0, "Configuration of that agent instead of the defaults", 0 },
	{ "json", KEY_JSON, 0, 0, "Print the summary as JSON", 0 },
	{ 0 },
};

static void on_bad_line(void *ctx, const char *file, unsigned int line, const char *what)
{
	(void)ctx;
	note("%s: line %u: %s", file, line, what);
}

static int read_config(struct options *o, struct sen_why *why)
{
	int err = o->config_path ? sen_config_load(&o->config, o->config_path, on_bad_line, NULL) :
				   0;

	return err ? sen_why(why, err, NULL, "configuration: %s: %s", o->config_path,
			     err == -EINVAL ? "not read, see the lines above" : strerror(-err)) :
		     0;
}

/* As a capture it is standard input. */
static int check_output(const char *option, const char *path)
{
	return strcmp(path, "-") ?
		       0 :
		       usage_error("%s: - is no file: /dev/stdout is standard output", option);
}

static int on_option(int key, const char *value, void *input)
{
	struct options *o = input;

	switch (key) {
	case KEY_MODEL:
		o->model = value;
		return 0;
	case KEY_POLICY:
		return parse_choice("--policy", value, sen_policy_words, &o->policy);
	case KEY_ALLOW:
		return parse_prefixes("--allow", value, &o->config.allow);
	case KEY_FLOWS:
		o->flows = value;
		return check_output("--flows", value);
	case KEY_PACKETS:
		o->packets = value;
		return check_output("--packets", value);
	case KEY_LEARN:
		o->learn = true;
		return 0;
	case 'c':
		o->config_path = value;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct syntax syntax = {
	.name = "replay",
	.args = "FILE...",
	.doc = "Run captures through the packet program with their own clock and original lengths, and "
	       "tell what it says. Attaches to nothing. Captures are pcap or pcapng, also packed by gzip "
	       "or zstd; - is standard input; several are put in the order of their time stamps.",
	.least = 1,
	.most = SYNTAX_ARGS,
	.options = option_list,
	.option = on_option,
};

struct replay {
	struct sen_offline *program;
	struct sen_flowlog *flows;
	struct sen_csv *packets;    /* NULL: not asked for */
	struct sen_csv *flow_lines; /* likewise */
	struct sen_rehearsal *agent;
	struct sen_replay_clock clock; /* as the program's own, ahead of it by what waits to be run */
	struct replay_summary summary;
	bool learn;
};

static void write_packet(const struct replay *r, uint64_t place, uint32_t score)
{
	sen_csv_number(r->packets, place);
	sen_csv_decimal(r->packets, score, SEN_ONE, 4);
	sen_csv_number(r->packets, score >= SEN_ONE);
	sen_csv_end_line(r->packets);
}

/* Zeros in the place of stamps, before the first one: the clock does not go on from them to that. */
static bool began_unstamped(const struct replay_summary *s, const struct sen_frame *frame)
{
	return !s->last_ns && frame->clock_ns != frame->time_ns;
}

static int on_result(void *ctx, const struct sen_frame *frame,
		     const struct sen_replay_result *result)
{
	struct replay *r = ctx;
	struct replay_summary *s = &r->summary;

	if (!s->packets || frame->time_ns < s->first_ns || began_unstamped(s, frame))
		s->first_ns = frame->time_ns;
	if (frame->time_ns > s->last_ns)
		s->last_ns = frame->time_ns;
	s->packets++;
	s->bytes += frame->wire_len;
	s->no_flow += !result->parsed;
	s->dropped += result->dropped;
	s->evaluations += result->evaluated;
	s->flagged_evaluations += result->evaluated && result->score >= SEN_ONE;
	show_progress(r->summary.packets, false);
	if (r->packets)
		write_packet(r, frame->place, result->score);
	return sen_flowlog_add(r->flows, frame, result, NULL);
}

static void on_event(void *ctx, const struct sen_event *event)
{
	struct replay *r = ctx;
	struct sen_why ignored; /* only a learner can fail, and that is not ticked here */

	sen_flowlog_name(r->flows, event);
	if (!r->learn && sen_rehearsal_due(r->agent, event->time_ns))
		sen_rehearsal_tick(r->agent, event->time_ns, &ignored);
	sen_rehearsal_event(r->agent, event);
}

/* What the agent says, as it says it; in the JSON, at the end. */
static void on_line(void *ctx, double seconds, const char *line)
{
	struct replay *r = ctx;
	cJSON *item;

	if (!r->summary.timeline) {
		printf("%12.0f s  %s\n", seconds, line);
		return;
	}
	item = cJSON_CreateObject();
	cJSON_AddNumberToObject(item, "seconds", seconds);
	cJSON_AddStringToObject(item, "line", line);
	cJSON_AddItemToArray(r->summary.timeline, item);
}

/* The first of a kind is told where it is; at the end, how many there were. */
static void on_clock(void *ctx, const struct sen_frame *frame, enum sen_clock_kind kind)
{
	struct replay *r = ctx;

	if (!r->summary.clock[kind]++)
		note("%s: frame %llu: %s", frame->file, (unsigned long long)frame->number,
		     sen_clock_text(kind));
}

static void on_damage(void *ctx, const struct sen_why *why)
{
	struct replay *r = ctx;

	r->summary.damaged++;
	note_damage(NULL, why);
}

/* A model that comes into force does so between two seconds: none before is scored by it. */
static int live_until(struct replay *r, const struct sen_frame *frame, struct sen_why *why)
{
	int err;

	sen_replay_clock_set(&r->clock, frame->time_ns);
	if (!sen_rehearsal_due(r->agent, r->clock.now_ns))
		return 0;
	err = sen_offline_flush(r->program);
	if (err)
		return sen_why(why, err, NULL, "replaying: %s", strerror(-err));
	return sen_rehearsal_tick(r->agent, r->clock.now_ns, why);
}

static int run(struct replay *r, struct sen_captures *captures, struct sen_why *why)
{
	struct sen_frame frame;
	int got, err;

	while ((got = sen_captures_next(captures, &frame, why)) == 1) {
		err = r->learn ? live_until(r, &frame, why) : 0;
		if (err)
			return err;
		err = sen_offline_add(r->program, &frame);
		if (err)
			return sen_why(why, err, NULL, "replaying: %s: frame %llu: %s", frame.file,
				       (unsigned long long)frame.number, strerror(-err));
	}
	if (got < 0)
		return got;
	err = sen_offline_flush(r->program);
	return err ? sen_why(why, err, NULL, "replaying: %s", strerror(-err)) : 0;
}

/* As an agent does, whatever model it begins with. */
static struct sen_model *load_shipped(void)
{
	struct sen_model *shipped = NULL;
	struct sen_why why = { 0 };

	if (sen_model_load_or_default(NULL, &shipped, &why))
		note("candidates are tried on no attacks but those of the capture: %s", why.text);
	return shipped;
}

static int open_agent(struct replay *r, const struct options *o, const struct sen_model_flat *flat,
		      struct sen_why *why)
{
	struct sen_model *shipped = o->learn ? load_shipped() : NULL;
	struct sen_rehearsal_options options = {
		.config = &o->config,
		.program = r->program,
		.model = flat,
		.learn = o->learn,
		.shipped = shipped,
		.on_line = o->learn ? on_line : NULL,
		.ctx = r,
	};
	int err = sen_rehearsal_new(&options, &r->agent, why);

	sen_model_free(shipped);
	if (err)
		return err;
	r->summary.alerts = sen_rehearsal_alerts(r->agent);
	if (o->learn && o->json)
		r->summary.timeline = cJSON_CreateArray();
	return 0;
}

static int open_program(struct replay *r, const struct options *o, const struct sen_model *model,
			struct sen_why *why)
{
	struct sen_model_flat *flat = calloc(1, sizeof(*flat));
	struct sen_policy policy = sen_policy_of(o->policy);
	struct sen_offline_options offline = {
		.model = flat,
		.policy = &policy,
		.allow = &o->config.allow,
		.on_result = on_result,
		.on_event = on_event,
		.on_clock = on_clock,
		.ctx = r,
		.in_step = o->learn,
	};
	int err = flat ? sen_model_flatten(model, flat, why) :
			 sen_why(why, -ENOMEM, NULL, "replaying: out of memory");

	sen_offline_sample_all(&policy);
	if (!err)
		err = sen_offline_open(&offline, &r->program, why);
	if (!err)
		err = open_agent(r, o, flat, why);
	free(flat);
	return err;
}

static int open_replay(struct replay *r, const struct options *o, const struct sen_model *model,
		       struct sen_why *why)
{
	int err;

	r->learn = o->learn;
	r->flows = sen_flowlog_new();
	if (!r->flows)
		return sen_why(why, -ENOMEM, NULL, "replaying: out of memory");
	r->summary.flows = r->flows;
	r->summary.model = model;
	r->summary.policy = o->policy;
	err = open_program(r, o, model, why);
	if (!err && o->packets)
		err = sen_csv_open(o->packets, "frame,score,flagged", &r->packets, why);
	if (!err && o->flows)
		err = sen_csv_open(o->flows, SEN_FLOWLOG_HEADER, &r->flow_lines, why);
	return err;
}

static void close_replay(struct replay *r)
{
	sen_csv_discard(r->packets);
	sen_csv_discard(r->flow_lines);
	cJSON_Delete(r->summary.timeline);
	sen_rehearsal_free(r->agent);
	sen_flowlog_free(r->flows);
	sen_offline_close(r->program);
	free(r);
}

static void tell_clock(const struct replay *r)
{
	const uint64_t *n = r->summary.clock;

	for (int kind = 0; kind < SEN_CLOCK_KIND_COUNT; kind++)
		if (n[kind] > 1)
			note("%llu frames in all: %s", (unsigned long long)n[kind],
			     sen_clock_text(kind));
}

static int finish(struct replay *r, const struct options *o, int64_t began_ms, struct sen_why *why)
{
	int err;

	if (r->flow_lines)
		sen_flowlog_write(r->flows, r->summary.model, r->flow_lines);
	err = sen_csv_close(r->flow_lines, why);
	r->flow_lines = NULL;
	if (!err) {
		err = sen_csv_close(r->packets, why);
		r->packets = NULL;
	}
	show_progress(r->summary.packets, true);
	r->summary.seconds = (double)(sen_now_ms() - began_ms) / 1000;
	tell_clock(r);
	r->summary.learner = sen_rehearsal_learner(r->agent);
	return err ? err : replay_summary_print(&r->summary, o->json, why);
}

static int replay_files(const struct options *o, const char *const *files,
			const struct sen_model *model, struct sen_why *why)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct sen_captures_options options = {
		.files = files,
		.damage = on_damage,
		.note = note_text,
		.ctx = r,
	};
	struct sen_captures *captures = NULL;
	int64_t began_ms;
	int err;

	if (!r)
		return sen_why(why, -ENOMEM, NULL, "replaying: out of memory");
	err = sen_captures_open(&options, &captures, why);
	if (!err)
		err = open_replay(r, o, model, why);
	began_ms = sen_now_ms();
	if (!err)
		err = run(r, captures, why);
	if (!err)
		err = finish(r, o, began_ms, why);
	sen_captures_close(captures);
	close_replay(r);
	return err;
}

static int check_outputs(const struct options *o, const char *const *files)
{
	const struct {
		const char *option, *path;
	} outputs[] = { { "--flows", o->flows }, { "--packets", o->packets } };
	const char *more[] = { o->model, o->config_path };
	int err = 0;

	if (o->flows && o->packets && is_same_file(o->flows, o->packets))
		return usage_error("--flows and --packets: %s: one would replace the other",
				   o->flows);
	for (int i = 0; !err && i < 2; i++) {
		err = check_no_input(outputs[i].option, outputs[i].path, files, SYNTAX_ARGS);
		if (!err)
			err = check_no_input(outputs[i].option, outputs[i].path, more, 2);
		if (!err)
			err = check_no_recording(outputs[i].option, outputs[i].path);
	}
	return err;
}

int cmd_replay(int argc, char **argv)
{
	const char *files[SYNTAX_ARGS + 1] = { 0 };
	struct options o = { .policy = sen_policy_defaults.mode, .config = sen_config_defaults };
	struct sen_why why = { 0 };
	struct sen_model *model;
	int err = parse_line(&syntax, argc, argv, &o, files);

	if (!err)
		err = check_outputs(&o, files);
	if (err)
		return err;
	if (!is_root("replaying", files[0]))
		return EXIT_FAILED;
	if (read_config(&o, &why) || sen_model_load_or_default(o.model, &model, &why))
		return fail(&why);
	err = replay_files(&o, files, model, &why);
	sen_model_free(model);
	return err ? fail(&why) : EXIT_DONE;
}
