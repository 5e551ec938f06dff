// SPDX-License-Identifier: BSD-2-Clause
/* sentroid learn: what the agent learns, seen and steered. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_call.h"
#include "config.h"
#include "control.h"
#include "learn_command.h"

enum {
	KEY_JSON = 0x100,
	KEY_FULL,
	KEY_SECONDS
};

struct learn {
	const char *state_dir;
	bool json, full;
	unsigned int seconds;
	const char *path; /* to ask the agent for */
	bool post;
	const char *done; /* what to say of an interface that it was done for */
	cJSON *array;     /* of status --json */
	struct sen_why why;
};

static int on_option(int key, const char *value, void *input)
{
	struct learn *l = input;

	switch (key) {
	case KEY_STATE_DIR:
		l->state_dir = value;
		return 0;
	case KEY_JSON:
		l->json = true;
		return 0;
	case KEY_FULL:
		l->full = true;
		return 0;
	case KEY_SECONDS:
		return parse_count("--seconds", value, 1, 31536000, &l->seconds);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- status ---- */

static double number(const cJSON *o, const char *key)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static const char *text(const cJSON *o, const char *key)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

	return value ? value : "";
}

static bool flag(const cJSON *o, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key));
}

/* Of a model in force that the agent has not learned it answers for none. */
static void print_model(const char *ifname, const cJSON *o)
{
	if (number(o, "version") > 0)
		printf("  model     version %.0f\n", number(o, "version"));
	else
		printf("  model     none of its own; sentroid model show %s shows what is in force\n",
		       ifname);
}

static void print_candidate(const cJSON *c)
{
	if (*text(c, "waits"))
		printf("  candidate version %.0f waits: %s\n", number(c, "version"),
		       text(c, "waits"));
	else
		printf("  candidate version %.0f on trial, %.0f evaluations so far\n",
		       number(c, "version"), number(c, "evaluations"));
}

/* What the first model lacks; nothing where there are samples enough. */
static void print_needed(const cJSON *o)
{
	double kept = number(o, "fresh") + number(o, "reservoir"), needed = number(o, "needed");

	if (!strcmp(text(o, "state"), "baseline") && kept < needed)
		printf("  needed    %.0f of %.0f samples for the first model\n", kept, needed);
}

static void print_status(const char *ifname, const cJSON *o)
{
	const cJSON *candidate = cJSON_GetObjectItemCaseSensitive(o, "candidate");

	printf("%s: %s%s%s\n", ifname, text(o, "state"), flag(o, "training") ? ", training" : "",
	       flag(o, "asked") ? ", another training was asked for" : "");
	print_model(ifname, o);
	printf("  samples   %.0f new, %.0f trained on before, %.0f of attacks, %.0f between the marks\n",
	       number(o, "fresh"), number(o, "reservoir"), number(o, "attacks"),
	       number(o, "unlabelled"));
	printf("  uploads   %.0f not trained on yet\n", number(o, "uploads"));
	printf("  trainings %.0f promoted, %.0f refused, %.0f failed, %.0f rolled back\n",
	       number(o, "promoted"), number(o, "refused"), number(o, "failed"),
	       number(o, "rolled_back"));
	if (!strcmp(text(o, "state"), "active"))
		printf("  next      in %.0f s at the latest\n", number(o, "next_s"));
	if (cJSON_IsObject(candidate))
		print_candidate(candidate);
	else
		print_needed(o);
	printf("  latest    %s\n", text(o, "note"));
}

static int show(struct learn *l, const char *ifname, const char *body)
{
	cJSON *o = cJSON_Parse(body);

	if (!o)
		return sen_why(&l->why, -EBADMSG, NULL, "status: %s: not understood", ifname);
	if (!l->json) {
		print_status(ifname, o);
		cJSON_Delete(o);
		return 0;
	}
	cJSON_AddStringToObject(o, "interface", ifname);
	cJSON_AddItemToArray(l->array, o);
	return 0;
}

/* ---- all of them ---- */

static int ask(void *ctx, const char *ifname)
{
	struct learn *l = ctx;
	char *body;
	int err = agent_call(l->state_dir, ifname, l->post, l->path, &body, &l->why);

	if (!err && l->post)
		printf("%s: %s\n", ifname, l->done);
	else if (!err)
		err = show(l, ifname, body);
	free(body);
	return err;
}

static int ask_one_or_all(struct learn *l, const char *ifname)
{
	int found = ifname ? ask(l, ifname) : agent_each(l->state_dir, ask, l, &l->why);

	if (!ifname && !found)
		found = sen_why(&l->why, -ENOENT, "sentroidd -i IFACE starts one",
				"asking the agent: none runs under %s", l->state_dir);
	return found < 0 ? found : 0;
}

static int learn(const struct syntax *syntax, int argc, char **argv, struct learn *l)
{
	const char *arg[SYNTAX_ARGS];
	char path[64];

	l->state_dir = sen_config_defaults.state_dir;
	if (parse_line(syntax, argc, argv, l, arg))
		return EXIT_USAGE;
	snprintf(path, sizeof(path), "%s%s", l->path, l->full ? "?full=1" : "");
	if (l->seconds)
		snprintf(path, sizeof(path), "%s?seconds=%u", l->path, l->seconds);
	l->path = path;
	return ask_one_or_all(l, arg[0]) ? fail(&l->why) : EXIT_DONE;
}

static int learn_now(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "full", KEY_FULL, NULL, 0, "From scratch, from all samples that are kept", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "learn now",
		.args = "[IFACE]",
		.doc = "Train as soon as nothing else is being trained, without waiting for new samples or "
		       "for the least interval. Asked for twice, it is done once.",
		.most = 1,
		.options = options,
		.option = on_option,
	};
	struct learn l = { .path = SEN_CONTROL_NOW,
			   .post = true,
			   .done = "a training is asked for" };

	return learn(&syntax, argc, argv, &l);
}

static int learn_pause(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "seconds", KEY_SECONDS, "N", 0, "Go on by itself after so long", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "learn pause",
		.args = "[IFACE]",
		.doc = "Learn nothing until `sentroid learn resume`. What is being trained is cancelled; "
		       "detection goes on with the model in force.",
		.most = 1,
		.options = options,
		.option = on_option,
	};
	struct learn l = { .path = SEN_CONTROL_PAUSE, .post = true, .done = "learning rests" };

	return learn(&syntax, argc, argv, &l);
}

static int learn_resume(int argc, char **argv)
{
	static const struct argp_option options[] = { STATE_DIR_OPTION, { 0 } };
	static const struct syntax syntax = {
		.name = "learn resume",
		.args = "[IFACE]",
		.doc = "Go on learning after a pause, or before the rest that follows a roll-back is over.",
		.most = 1,
		.options = options,
		.option = on_option,
	};
	struct learn l = { .path = SEN_CONTROL_RESUME, .post = true, .done = "learning goes on" };

	return learn(&syntax, argc, argv, &l);
}

static int learn_status(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", KEY_JSON, NULL, 0, "Print JSON", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "learn status",
		.args = "[IFACE]",
		.doc = "Show what the agent has learned from and when it will next.",
		.most = 1,
		.options = options,
		.option = on_option,
	};
	struct learn l = { .path = SEN_CONTROL_LEARNER };
	char *out;
	int code;

	l.array = cJSON_CreateArray();
	code = learn(&syntax, argc, argv, &l);
	if (l.json && code == EXIT_DONE) {
		out = cJSON_PrintUnformatted(l.array);
		puts(out ? out : "[]");
		cJSON_free(out);
	}
	cJSON_Delete(l.array);
	return code;
}

int cmd_learn(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "now", "[IFACE] [--full]", "train now", learn_now },
		{ "status", "[IFACE] [--json]", "what has been learned from, and what is next",
		  learn_status },
		{ "pause", "[IFACE] [--seconds N]", "learn nothing for a while", learn_pause },
		{ "resume", "[IFACE]", "go on", learn_resume },
		{ "upload", "FILE... --interface IFACE [--label LABEL]",
		  "give it captures to learn from", learn_upload },
		{ 0 },
	};

	return run_command("learn", "See and steer what the agent learns.", commands, argc, argv);
}
