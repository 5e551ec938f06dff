// SPDX-License-Identifier: BSD-2-Clause
/* sentroid replay: what the detector would have said about a capture. The packet program itself says
 * it, by test_run; nothing is attached. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "captures.h"
#include "clock.h"
#include "command.h"
#include "loader.h"
#include "offline.h"
#include "paths.h"
#include "replay_summary.h"
#include "rules.h"

struct options {
	const char *model;
	const char *flows;
	const char *packets;
	bool json;
};

enum {
	KEY_MODEL = 0x100,
	KEY_FLOWS,
	KEY_PACKETS,
	KEY_JSON
};

static const struct argp_option option_list[] = {
	{ "model", KEY_MODEL, "FILE", 0, "Model instead of the shipped one", 0 },
	{ "flows", KEY_FLOWS, "OUT.csv", 0, "Write a line for every flow", 0 },
	{ "packets", KEY_PACKETS, "OUT.csv", 0, "Write a line for every frame", 0 },
	{ "json", KEY_JSON, 0, 0, "Print the summary as JSON", 0 },
	{ 0 },
};

static int on_option(int key, const char *value, void *input)
{
	struct options *o = input;

	switch (key) {
	case KEY_MODEL:
		o->model = value;
		return 0;
	case KEY_FLOWS:
		o->flows = value;
		return 0;
	case KEY_PACKETS:
		o->packets = value;
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
	struct sen_csv *packets;
	struct sen_alerts *alerts;
	struct sen_model_flat flat;
	struct replay_summary summary;
	int64_t second;            /* of the capture, for the alerts */
	unsigned int samples_left; /* in it */
};

static void write_packet(const struct replay *r, uint32_t score)
{
	sen_csv_number(r->packets, r->summary.packets);
	sen_csv_decimal(r->packets, score, SEN_ONE, 4);
	sen_csv_number(r->packets, score >= SEN_ONE);
	sen_csv_end_line(r->packets);
}

static int on_result(void *ctx, const struct sen_frame *frame,
		     const struct sen_replay_result *result)
{
	struct replay *r = ctx;
	struct replay_summary *s = &r->summary;

	if (!s->packets || frame->time_ns < s->first_ns)
		s->first_ns = frame->time_ns;
	if (frame->time_ns > s->last_ns)
		s->last_ns = frame->time_ns;
	s->packets++;
	s->bytes += frame->wire_len;
	s->no_flow += !result->parsed;
	s->evaluations += result->evaluated;
	s->flagged_evaluations += result->evaluated && result->score >= SEN_ONE;
	show_progress(r->summary.packets, false);
	if (r->packets)
		write_packet(r, result->score);
	return sen_flowlog_add(r->flows, frame, result, NULL);
}

/* A moment of the capture as the alerts' clock, which only goes forward. */
static int64_t alert_clock(struct replay *r, uint64_t time_ns)
{
	int64_t ms = (int64_t)(time_ns / 1000000), second = ms / 1000;

	if (second > r->second) {
		r->second = second;
		r->samples_left = sen_policy_defaults.rate[SEN_SAMPLE_FLAGGED];
		sen_alerts_tick(r->alerts, ms);
	}
	return second < r->second ? r->second * 1000 : ms;
}

/* Flows are named by every sample; the alerts get no more than those of an agent. */
static void on_event(void *ctx, const struct sen_event *event)
{
	struct replay *r = ctx;
	int64_t now_ms = alert_clock(r, event->time_ns);
	char reason[SEN_ANNOUNCE_TEXT];

	sen_flowlog_name(r->flows, event, sen_rules_classify(event, NULL, 0));
	if (!r->samples_left)
		return;
	if (event->score >= SEN_ONE)
		r->samples_left--;
	sen_announce(r->alerts, &r->flat, event, true, now_ms, reason);
}

static void ignore_alert(void *ctx, enum sen_alert_phase phase, const struct sen_alert *alert)
{
	(void)ctx, (void)phase, (void)alert;
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

static int run(struct replay *r, struct sen_captures *captures, struct sen_why *why)
{
	struct sen_frame frame;
	int err;

	while (sen_captures_next(captures, &frame)) {
		err = sen_offline_add(r->program, &frame);
		if (err)
			return sen_why(why, err, NULL, "replaying: %s: frame %llu: %s", frame.file,
				       (unsigned long long)frame.number, strerror(-err));
	}
	err = sen_offline_flush(r->program);
	return err ? sen_why(why, err, NULL, "replaying: %s", strerror(-err)) : 0;
}

static int open_replay(struct replay *r, const struct options *o, const struct sen_model *model,
		       struct sen_why *why)
{
	struct sen_alerts_settings alerts = sen_announce_settings(&sen_config_defaults);
	struct sen_policy policy = sen_policy_defaults;
	struct sen_offline_options offline = {
		.model = &r->flat,
		.policy = &policy,
		.on_result = on_result,
		.on_event = on_event,
		.on_clock = on_clock,
		.ctx = r,
	};
	int err = sen_model_flatten(model, &r->flat, why);

	sen_offline_sample_all(&policy);
	if (!err)
		err = sen_offline_open(&offline, &r->program, why);
	if (err)
		return err;
	r->flows = sen_flowlog_new();
	if (!r->flows || sen_alerts_new(&alerts, ignore_alert, NULL, &r->alerts))
		return sen_why(why, -ENOMEM, NULL, "replaying: out of memory");
	r->summary.flows = r->flows;
	r->summary.alerts = r->alerts;
	r->summary.model = model;
	return o->packets ? sen_csv_open(o->packets, "frame,score,flagged", &r->packets, why) : 0;
}

static void close_replay(struct replay *r)
{
	struct sen_why ignored;

	sen_csv_close(r->packets, &ignored);
	sen_alerts_free(r->alerts);
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
	int err = o->flows ? sen_flowlog_write(r->flows, r->summary.model, o->flows, why) : 0;

	if (!err)
		err = sen_csv_close(r->packets, why);
	r->packets = NULL;
	show_progress(r->summary.packets, true);
	r->summary.seconds = (double)(sen_now_ms() - began_ms) / 1000;
	tell_clock(r);
	return err ? err : replay_summary_print(&r->summary, o->json, why);
}

static int replay_files(const struct options *o, const char *const *files,
			const struct sen_model *model, struct sen_why *why)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct sen_captures *captures = NULL;
	int64_t began_ms;
	int err;

	if (!r)
		return sen_why(why, -ENOMEM, NULL, "replaying: out of memory");
	err = sen_captures_open(files, on_damage, r, &captures, why);
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

int cmd_replay(int argc, char **argv)
{
	const char *files[SYNTAX_ARGS + 1] = { 0 };
	struct options o = { 0 };
	struct sen_why why = { 0 };
	struct sen_model *model;
	char shipped[PATH_MAX];
	int err = parse_line(&syntax, argc, argv, &o, files);

	if (err)
		return err;
	if (!is_root("replaying", files[0]))
		return EXIT_FAILED;
	if (!o.model) {
		if (sen_default_model_path(shipped, sizeof(shipped), &why))
			return fail(&why);
		o.model = shipped;
	}
	if (sen_model_load(o.model, &model, &why))
		return fail(&why);
	err = replay_files(&o, files, model, &why);
	sen_model_free(model);
	return err ? fail(&why) : EXIT_DONE;
}
