// SPDX-License-Identifier: BSD-2-Clause
/* sentroid replay: what the detector would have said about a capture. The packet program itself says
 * it, by test_run; nothing is attached. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "command.h"
#include "flowlog.h"
#include "loader.h"
#include "offline.h"
#include "paths.h"

#define PROGRESS_EVERY 65536

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
	       "tell what it says. Attaches to nothing.",
	.least = 1,
	.most = SYNTAX_ARGS,
	.options = option_list,
	.option = on_option,
};

struct replay {
	struct sen_offline *program;
	struct sen_flowlog *flows;
	FILE *packets;
	unsigned long long frames;
	double seconds;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + 1e-9 * ts.tv_nsec;
}

static void progress(const struct replay *r, bool done)
{
	if (isatty(STDERR_FILENO) && (done || r->frames % PROGRESS_EVERY == 0))
		fprintf(stderr, "\r%llu packets%s", r->frames, done ? "\n" : "");
}

static int replay_frame(struct replay *r, const struct sen_frame *frame)
{
	struct sen_offline_result result;
	uint32_t score;
	int err = sen_offline_run(r->program, frame, &result);

	if (err)
		return err;
	r->frames++;
	progress(r, false);
	if (r->packets) {
		score = result.entry ? result.entry->score : 0;
		fprintf(r->packets, "%llu,%.4f,%d\n", r->frames, score / 65536.0, score >= SEN_ONE);
	}
	return sen_flowlog_add(r->flows, frame, &result);
}

static int replay_file(struct replay *r, const char *path, struct sen_why *why)
{
	struct sen_capture *capture;
	struct sen_frame frame;
	int err = sen_capture_open(path, &capture, why);

	if (err)
		return err;
	while ((err = sen_capture_next(capture, &frame, why)) == 1) {
		err = replay_frame(r, &frame);
		if (err) {
			sen_why(why, err, NULL, "replaying: %s: frame %llu: %s", path,
				(unsigned long long)frame.number, strerror(-err));
			break;
		}
	}
	sen_capture_close(capture);
	return err;
}

static int print_summary(const struct replay *r, bool json, struct sen_why *why)
{
	struct sen_stats st;
	cJSON *root;
	char *text;
	int err = sen_offline_stats(r->program, &st);

	if (err)
		return sen_why(why, err, NULL, "reading statistics: test_run: %s", strerror(-err));
	if (!json) {
		printf("packets      %llu, %.0f a second\n", r->frames, r->frames / r->seconds);
		printf("flows        %zu, %zu flagged\n", sen_flowlog_count(r->flows),
		       sen_flowlog_flagged(r->flows));
		printf("evaluations  %llu, %llu flagged\n", (unsigned long long)st.evaluations,
		       (unsigned long long)st.flagged);
		return 0;
	}
	root = cJSON_CreateObject();
	cJSON_AddNumberToObject(root, "packets", r->frames);
	cJSON_AddNumberToObject(root, "seconds", r->seconds);
	cJSON_AddNumberToObject(root, "flows", sen_flowlog_count(r->flows));
	cJSON_AddNumberToObject(root, "flagged", sen_flowlog_flagged(r->flows));
	cJSON_AddNumberToObject(root, "evaluations", st.evaluations);
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text)
		return sen_why(why, -ENOMEM, NULL, "printing summary: out of memory");
	puts(text);
	free(text);
	return 0;
}

static int open_output(const char *path, FILE **out, struct sen_why *why)
{
	*out = fopen(path, "we");
	return *out ? 0 : sen_why(why, -errno, NULL, "writing: %s: %s", path, strerror(errno));
}

static int close_output(FILE *out, const char *path, struct sen_why *why)
{
	int failed = ferror(out);

	if (fclose(out) || failed)
		return sen_why(why, -EIO, NULL, "writing: %s: %s", path, strerror(errno));
	return 0;
}

static int write_flows(const struct replay *r, const char *path, const struct sen_model *model,
		       struct sen_why *why)
{
	FILE *out;
	int err = open_output(path, &out, why);

	if (err)
		return err;
	sen_flowlog_write(r->flows, model, out);
	return close_output(out, path, why);
}

static int open_replay(struct replay *r, const struct options *o, const struct sen_model *model,
		       struct sen_why *why)
{
	struct sen_policy policy = sen_policy_defaults;
	struct sen_model_flat *flat = calloc(1, sizeof(*flat));
	struct sen_offline_options offline = { .model = flat, .policy = &policy };
	int err = flat ? sen_model_flatten(model, flat, why) :
			 sen_why(why, -ENOMEM, NULL, "replaying: out of memory");

	/* Nobody reads samples here. */
	policy.sample_every = 0;
	memset(policy.rate, 0, sizeof(policy.rate));
	if (!err)
		err = sen_offline_open(&offline, &r->program, why);
	free(flat);
	if (err)
		return err;
	r->flows = sen_flowlog_new(sen_offline_capacity(r->program));
	if (!r->flows)
		return sen_why(why, -ENOMEM, NULL, "replaying: out of memory");
	if (o->packets) {
		err = open_output(o->packets, &r->packets, why);
		if (!err)
			fputs("frame,score,flagged\n", r->packets);
	}
	return err;
}

/* A damaged file ends early; what was read of it counts, and the error is told at the end. */
static int replay_files(const struct options *o, const char **files, const struct sen_model *model,
			struct sen_why *why)
{
	struct replay r = { 0 };
	int err = open_replay(&r, o, model, why), damaged = 0;

	if (err)
		goto cleanup;
	r.seconds = now_s();
	for (int i = 0; i < SYNTAX_ARGS && files[i]; i++) {
		err = replay_file(&r, files[i], why);
		if (err)
			damaged = fail(why);
	}
	r.seconds = now_s() - r.seconds;
	progress(&r, true);
	err = print_summary(&r, o->json, why);
	if (!err && o->flows)
		err = write_flows(&r, o->flows, model, why);
	if (r.packets) {
		int closed = close_output(r.packets, o->packets, why);

		err = err ? err : closed;
	}
cleanup:
	sen_flowlog_free(r.flows);
	sen_offline_close(r.program);
	return err ? fail(why) : damaged;
}

int cmd_replay(int argc, char **argv)
{
	const char *files[SYNTAX_ARGS] = { 0 };
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
	return err;
}
