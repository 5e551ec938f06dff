// SPDX-License-Identifier: BSD-2-Clause
/* The history as text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "json_reader.h"
#include "model_internal.h"

/* What a stage is called when a version enters it; the order is that of `stages`. */
static const char *const stages[] = { "Development", "Staging", "Production", "Archived" };
static const char *const entering[] = { "returned", "staged", "promoted", "archived" };
#define STAGES (sizeof(stages) / sizeof(stages[0]))

static size_t stage_index(const char *stage)
{
	size_t i = 0;

	while (i < STAGES && strcmp(stages[i], stage))
		i++;
	return i;
}

bool sen_history_is_stage(const char *stage)
{
	return stage_index(stage) < STAGES;
}

const char *sen_history_event_name(const struct sen_history_event *event)
{
	switch (event->kind) {
	case SEN_HISTORY_CREATED:
		return "created";
	case SEN_HISTORY_MEASURED:
		return "measured";
	case SEN_HISTORY_PRUNED:
		return "pruned";
	case SEN_HISTORY_FORGOTTEN:
		return "forgotten";
	default:
		return entering[stage_index(event->stage)];
	}
}

static bool print_creation(cJSON *root, const struct sen_history_event *event)
{
	char created[SEN_RFC3339_SIZE];

	sen_time_print(event->created_s, created);
	return cJSON_AddNumberToObject(root, "parent", event->parent) &&
	       cJSON_AddStringToObject(root, "created", created) &&
	       cJSON_AddStringToObject(root, "digest", event->digest) &&
	       (!*event->origin || cJSON_AddStringToObject(root, "kind", event->origin)) &&
	       (!event->reference ||
		cJSON_AddNumberToObject(root, "reference", event->reference)) &&
	       sen_facts_add_json(root, "parameters", &event->facts);
}

static bool print_stage(cJSON *root, const struct sen_history_event *event)
{
	return cJSON_AddStringToObject(root, "stage", event->stage) &&
	       cJSON_AddStringToObject(root, "reason", event->reason) &&
	       (!event->approved || cJSON_AddTrueToObject(root, "approved"));
}

static bool print_forgotten(cJSON *root, const struct sen_history_event *event)
{
	cJSON *promoted = cJSON_AddArrayToObject(root, "promoted");
	bool ok = promoted && cJSON_AddNumberToObject(root, "production", event->production);

	for (size_t i = 0; ok && i < event->promotions; i++)
		ok = cJSON_AddItemToArray(promoted, cJSON_CreateNumber(event->promoted[i]));
	return ok;
}

static bool print_rest(cJSON *root, const struct sen_history_event *event)
{
	switch (event->kind) {
	case SEN_HISTORY_CREATED:
		return print_creation(root, event) && print_stage(root, event);
	case SEN_HISTORY_MEASURED:
		return sen_facts_add_json(root, "metrics", &event->facts);
	case SEN_HISTORY_PRUNED:
		return true;
	case SEN_HISTORY_FORGOTTEN:
		return print_forgotten(root, event);
	default:
		return print_stage(root, event);
	}
}

char *sen_history_print(const struct sen_history_event *event)
{
	char time[SEN_RFC3339_SIZE], *line = NULL;
	cJSON *root = cJSON_CreateObject();
	bool ok;

	sen_time_print(event->time_s, time);
	ok = cJSON_AddStringToObject(root, "time", time) &&
	     cJSON_AddStringToObject(root, "event", sen_history_event_name(event)) &&
	     cJSON_AddNumberToObject(root, "version", event->version);
	if (ok && print_rest(root, event))
		line = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return line;
}

static int read_creation(const struct sen_reader *r, const cJSON *root,
			 struct sen_history_event *event)
{
	char text[SEN_RFC3339_SIZE];
	uint64_t parent, reference = 0;
	int err;

	event->kind = SEN_HISTORY_CREATED;
	err = sen_read_unsigned(r, root, "", "parent", UINT32_MAX, &parent);
	if (!err)
		err = sen_read_string(r, root, "", "created", text, sizeof(text));
	if (!err)
		err = sen_read_string(r, root, "", "digest", event->digest, sizeof(event->digest));
	if (!err && sen_json_get(root, "kind"))
		err = sen_read_string(r, root, "", "kind", event->origin, sizeof(event->origin));
	if (!err)
		err = sen_facts_read_json(root, "parameters", &event->facts);
	if (!err && sen_json_get(root, "reference"))
		err = sen_read_unsigned(r, root, "", "reference", UINT32_MAX, &reference);
	if (err || sen_time_parse(text, &event->created_s))
		return -EBADMSG;
	event->parent = parent;
	event->reference = reference;
	return 0;
}

static int read_forgotten(const struct sen_reader *r, const cJSON *root,
			  struct sen_history_event *event)
{
	const cJSON *promoted = sen_json_get(root, "promoted"), *item;
	uint64_t production;

	event->kind = SEN_HISTORY_FORGOTTEN;
	if (!cJSON_IsArray(promoted) ||
	    sen_read_unsigned(r, root, "", "production", UINT32_MAX, &production))
		return -EBADMSG;
	event->production = production;
	cJSON_ArrayForEach(item, promoted) {
		double version = cJSON_IsNumber(item) ? item->valuedouble : 0;

		if (version < 1 || version > UINT32_MAX ||
		    event->promotions == SEN_HISTORY_PROMOTED)
			return -EBADMSG;
		event->promoted[event->promotions++] = (unsigned int)version;
	}
	return 0;
}

static int read_stage(const struct sen_reader *r, const cJSON *root,
		      struct sen_history_event *event)
{
	int err = sen_read_string(r, root, "", "stage", event->stage, sizeof(event->stage));

	if (!err)
		err = sen_read_string(r, root, "", "reason", event->reason, sizeof(event->reason));
	if (err || !sen_history_is_stage(event->stage))
		return -EBADMSG;
	event->kind = SEN_HISTORY_STAGE;
	event->approved = cJSON_IsTrue(sen_json_get(root, "approved"));
	return 0;
}

static int read_event(const cJSON *root, struct sen_history_event *event)
{
	const struct sen_reader r = { .name = "" };
	char what[16], time[SEN_RFC3339_SIZE];
	uint64_t version;
	int err;

	memset(event, 0, sizeof(*event));
	err = sen_read_unsigned(&r, root, "", "version", UINT32_MAX, &version);
	if (!err)
		err = sen_read_string(&r, root, "", "event", what, sizeof(what));
	if (!err)
		err = sen_read_string(&r, root, "", "time", time, sizeof(time));
	if (err || sen_time_parse(time, &event->time_s))
		return -EBADMSG;
	event->version = version;
	if (!strcmp(what, "pruned")) {
		event->kind = SEN_HISTORY_PRUNED;
		return 0;
	}
	if (!strcmp(what, "measured")) {
		event->kind = SEN_HISTORY_MEASURED;
		return sen_facts_read_json(root, "metrics", &event->facts);
	}
	if (!strcmp(what, "forgotten"))
		return read_forgotten(&r, root, event);
	err = read_stage(&r, root, event);
	if (!err && !strcmp(what, "created"))
		err = read_creation(&r, root, event);
	return err;
}

static int replay_line(struct sen_history *h, const char *line, size_t len)
{
	struct sen_history_event event;
	cJSON *root = cJSON_ParseWithLength(line, len);
	int err = root ? read_event(root, &event) : -EBADMSG;

	cJSON_Delete(root);
	return err ? err : sen_history_apply(h, &event);
}

int sen_history_replay(struct sen_history *h, const char *text, size_t len, bool last, size_t *good,
		       struct sen_why *why)
{
	int err;

	for (*good = 0; *good < len; sen_history_forget(h)) {
		const char *line = text + *good, *end = memchr(line, '\n', len - *good);

		/* A line is written with its end in one go: without one it is not whole. */
		if (!end)
			return 0;
		err = replay_line(h, line, end - line);
		if (err == -EBADMSG && last && end + 1 == text + len)
			return 0;
		if (err)
			return sen_why(why, err,
				       "restore history.jsonl from a backup or correct it",
				       "registry: line %u of the history: %s", h->lines + 1,
				       strerror(-err));
		h->lines++;
		*good = end + 1 - text;
	}
	return 0;
}

size_t sen_history_each(const char *text, size_t len,
			void (*fn)(void *ctx, const struct sen_history_event *event), void *ctx)
{
	const char *line = text, *end;

	for (; (end = memchr(line, '\n', len - (line - text))); line = end + 1) {
		cJSON *root = cJSON_ParseWithLength(line, end - line);
		struct sen_history_event event;

		if (root && !read_event(root, &event))
			fn(ctx, &event);
		cJSON_Delete(root);
	}
	return line - text;
}
