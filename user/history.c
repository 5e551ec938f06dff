// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "json_reader.h"
#include "model_internal.h"

#define PRODUCTION "Production"
#define ARCHIVED   "Archived"

/* What a stage is called when a version enters it; the order is that of `stages`. */
static const char *const stages[] = { "Development", "Staging", PRODUCTION, ARCHIVED };
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

void sen_history_clear(struct sen_history *h)
{
	free(h->entry);
	free(h->promoted);
	memset(h, 0, sizeof(*h));
}

static int grow(void **array, size_t used, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 16;
	void *more;

	if (used < *room)
		return 0;
	more = reallocarray(*array, wanted, size);
	if (!more)
		return -ENOMEM;
	*array = more;
	*room = wanted;
	return 0;
}

int sen_history_reserve(struct sen_history *h)
{
	int err = grow((void **)&h->entry, h->entries, &h->room, sizeof(*h->entry));

	return err ? err :
		     grow((void **)&h->promoted, h->promotions, &h->promoted_room,
			  sizeof(*h->promoted));
}

static struct sen_registry_entry *find(const struct sen_history *h, unsigned int version)
{
	/* Versions only increase. */
	for (size_t low = 0, high = h->entries; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (h->entry[middle].version == version)
			return &h->entry[middle];
		if (h->entry[middle].version < version)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct sen_registry_entry *sen_history_find(const struct sen_history *h, unsigned int version)
{
	return find(h, version);
}

unsigned int sen_history_production(const struct sen_history *h)
{
	for (size_t i = 0; i < h->entries; i++)
		if (!strcmp(h->entry[i].stage, PRODUCTION))
			return h->entry[i].version;
	return 0;
}

unsigned int sen_history_previous(const struct sen_history *h)
{
	unsigned int production = sen_history_production(h);

	for (size_t i = h->promotions; i-- > 0;)
		if (h->promoted[i] != production)
			return h->promoted[i];
	return 0;
}

/* Forget a version and what came after it as a place to roll back to. */
static void take_off(struct sen_history *h, unsigned int version)
{
	for (size_t i = 0; i < h->promotions; i++)
		if (h->promoted[i] == version) {
			h->promotions = i;
			return;
		}
}

/* A version taken out of service by itself was not good enough; those before it still are. */
static void retire(struct sen_history *h, unsigned int version)
{
	for (size_t i = 0; i < h->promotions; i++)
		if (h->promoted[i] == version) {
			memmove(&h->promoted[i], &h->promoted[i + 1],
				(h->promotions - i - 1) * sizeof(*h->promoted));
			h->promotions--;
			return;
		}
}

static void apply_created(struct sen_history *h, const struct sen_history_event *event)
{
	struct sen_registry_entry *entry = &h->entry[h->entries++];

	memset(entry, 0, sizeof(*entry));
	entry->version = event->version;
	entry->parent = event->parent;
	entry->created_s = event->created_s;
	memcpy(entry->digest, event->digest, sizeof(entry->digest));
	strcpy(entry->stage, stages[0]);
	memcpy(entry->reason, event->reason, sizeof(entry->reason));
	memcpy(entry->kind, event->origin, sizeof(entry->kind));
	entry->params = event->facts;
	if (event->version > h->last)
		h->last = event->version;
}

static void apply_stage(struct sen_history *h, struct sen_registry_entry *entry,
			const struct sen_history_event *event)
{
	struct sen_registry_entry *was = find(h, sen_history_production(h));

	if (!strcmp(event->stage, PRODUCTION)) {
		if (was && was != entry)
			strcpy(was->stage, ARCHIVED);
		take_off(h, event->version);
		h->promoted[h->promotions++] = event->version;
	} else if (was == entry) {
		retire(h, event->version);
	}
	strcpy(entry->stage, event->stage);
	memcpy(entry->reason, event->reason, sizeof(entry->reason));
	entry->approved |= event->approved;
}

int sen_history_apply(struct sen_history *h, const struct sen_history_event *event)
{
	struct sen_registry_entry *entry;
	int err = sen_history_reserve(h);

	if (err)
		return err;
	if (event->kind == SEN_HISTORY_CREATED) {
		if (!event->version ||
		    (h->entries && event->version <= h->entry[h->entries - 1].version))
			return -EBADMSG;
		apply_created(h, event);
		return 0;
	}
	entry = find(h, event->version);
	if (!entry)
		return -EBADMSG;
	if (event->kind == SEN_HISTORY_MEASURED)
		sen_facts_merge(&entry->metrics, &event->facts);
	else if (event->kind == SEN_HISTORY_PRUNED)
		entry->pruned = true;
	else
		apply_stage(h, entry, event);
	return 0;
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
	       sen_facts_add_json(root, "parameters", &event->facts);
}

static bool print_stage(cJSON *root, const struct sen_history_event *event)
{
	return cJSON_AddStringToObject(root, "stage", event->stage) &&
	       cJSON_AddStringToObject(root, "reason", event->reason) &&
	       (!event->approved || cJSON_AddTrueToObject(root, "approved"));
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
	if (ok && event->kind == SEN_HISTORY_CREATED)
		ok = print_creation(root, event);
	if (ok && event->kind == SEN_HISTORY_MEASURED)
		ok = sen_facts_add_json(root, "metrics", &event->facts);
	else if (ok && event->kind != SEN_HISTORY_PRUNED)
		ok = print_stage(root, event);
	if (ok)
		line = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return line;
}

static int read_creation(const struct sen_reader *r, const cJSON *root,
			 struct sen_history_event *event)
{
	char text[SEN_RFC3339_SIZE];
	uint64_t parent;
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
	if (err || sen_time_parse(text, &event->created_s))
		return -EBADMSG;
	event->parent = parent;
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

int sen_history_replay(struct sen_history *h, const char *text, size_t len, size_t *good,
		       struct sen_why *why)
{
	unsigned int number = 1;
	int err;

	for (*good = 0; *good < len; number++) {
		const char *line = text + *good, *end = memchr(line, '\n', len - *good);

		/* A line is written with its end in one go: without one it is not whole. */
		if (!end)
			return 0;
		err = replay_line(h, line, end - line);
		if (err == -EBADMSG && end + 1 == text + len)
			return 0;
		if (err)
			return sen_why(why, err,
				       "restore history.jsonl from a backup or correct it",
				       "registry: line %u of the history: %s", number,
				       strerror(-err));
		*good = end + 1 - text;
	}
	return 0;
}

void sen_history_each(const char *text, size_t len,
		      void (*fn)(void *ctx, const struct sen_history_event *event), void *ctx)
{
	const char *end;

	for (; (end = memchr(text, '\n', len)); len -= end + 1 - text, text = end + 1) {
		cJSON *root = cJSON_ParseWithLength(text, end - text);
		struct sen_history_event event;

		if (root && !read_event(root, &event))
			fn(ctx, &event);
		cJSON_Delete(root);
	}
}
