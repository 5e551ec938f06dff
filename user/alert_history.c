// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert_history.h"

#define WHOLE_MOST 9007199254740992.0 /* 2^53: doubles tell whole numbers apart up to here */

const char *sen_alert_state_word(enum sen_alert_state state)
{
	static const char *const words[] = { "open", "closed", "lost" };

	return words[state];
}

static const char *text_of(const cJSON *o, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

	return text ? text : "";
}

/* False: it is missing, or too long. */
static bool take_text(const cJSON *o, const char *key, char *out, size_t size)
{
	const char *text = text_of(o, key);

	snprintf(out, size, "%s", text);
	return *text && strlen(text) < size;
}

static bool take_whole(const cJSON *o, const char *key, uint64_t *out)
{
	double value = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(o, key));

	if (!(value >= 0 && value <= WHOLE_MOST))
		return false;
	*out = (uint64_t)value;
	return true;
}

static bool take_state(const cJSON *o, struct sen_alert_record *out)
{
	const char *event = text_of(o, "event"), *state = text_of(o, "state");
	bool open = !strcmp(event, "open") || !strcmp(state, "open");

	out->live = *state;
	out->state = open ? SEN_ALERT_IS_OPEN : SEN_ALERT_IS_CLOSED;
	return open || !strcmp(event, "close") || !strcmp(state, "closed");
}

int sen_alert_record_read(const char *text, struct sen_alert_record *out)
{
	cJSON *o = cJSON_Parse(text);
	bool good;

	memset(out, 0, sizeof(*out));
	good = take_state(o, out) &&
	       take_text(o, "interface", out->interface, sizeof(out->interface)) &&
	       take_whole(o, "run", &out->run) && take_whole(o, "id", &out->id) &&
	       take_text(o, "first", out->first, sizeof(out->first)) &&
	       take_text(o, "last", out->last, sizeof(out->last));
	cJSON_Delete(o);
	if (!good)
		return -EBADMSG;
	out->text = strdup(text);
	return out->text ? 0 : -ENOMEM;
}

void sen_alert_record_free(struct sen_alert_record *r)
{
	free(r->text);
	r->text = NULL;
}

cJSON *sen_alert_record_json(const struct sen_alert_record *r)
{
	cJSON *o = cJSON_Parse(r->text);

	cJSON_DeleteItemFromObjectCaseSensitive(o, "event");
	cJSON_DeleteItemFromObjectCaseSensitive(o, "state");
	cJSON_AddStringToObject(o, "state", sen_alert_state_word(r->state));
	return o;
}

int sen_alert_history_add(struct sen_alert_history *h, const char *text)
{
	struct sen_alert_record *grown;
	size_t room = h->room ? 2 * h->room : 64;
	int err;

	if (h->n == h->room) {
		grown = reallocarray(h->records, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		h->records = grown;
		h->room = room;
	}
	err = sen_alert_record_read(text, &h->records[h->n]);
	h->n += !err;
	return err;
}

static int compare_whole(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* 0: both are of one alert. */
static int compare_alerts(const struct sen_alert_record *a, const struct sen_alert_record *b)
{
	int order = strcmp(a->interface, b->interface);

	if (!order)
		order = compare_whole(a->run, b->run);
	return order ? order : compare_whole(a->id, b->id);
}

static int weight(const struct sen_alert_record *r)
{
	return 2 * (r->state == SEN_ALERT_IS_CLOSED) + r->live;
}

static int by_alert(const void *a, const void *b)
{
	int order = compare_alerts(a, b);

	return order ? order : weight(b) - weight(a);
}

static int by_time(const void *a, const void *b)
{
	int order = strcmp(((const struct sen_alert_record *)a)->first,
			   ((const struct sen_alert_record *)b)->first);

	return order ? order : compare_alerts(a, b);
}

void sen_alert_history_join(struct sen_alert_history *h)
{
	struct sen_alert_record *r = h->records;
	size_t n = 0;

	if (!h->n)
		return;
	qsort(r, h->n, sizeof(*r), by_alert);
	for (size_t i = 0; i < h->n; i++) {
		if (n && !compare_alerts(&r[n - 1], &r[i])) {
			sen_alert_record_free(&r[i]);
			continue;
		}
		r[n] = r[i];
		if (!r[n].live && r[n].state == SEN_ALERT_IS_OPEN)
			r[n].state = SEN_ALERT_IS_LOST;
		n++;
	}
	h->n = n;
	qsort(r, n, sizeof(*r), by_time);
}

bool sen_alert_history_has(const struct sen_alert_history *h, const struct sen_alert_record *r)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->records[i].state == r->state && !compare_alerts(&h->records[i], r))
			return true;
	return false;
}

void sen_alert_history_free(struct sen_alert_history *h)
{
	for (size_t i = 0; i < h->n; i++)
		sen_alert_record_free(&h->records[i]);
	free(h->records);
	memset(h, 0, sizeof(*h));
}
