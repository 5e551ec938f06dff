/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Alerts as they are on record: lines of alerts.jsonl, two for each alert, and what the agent says of those that
 * it has in memory, joined to one record each. Interface, run and id tell an alert from all others.
 */
#ifndef SENTROID_ALERT_HISTORY_H
#define SENTROID_ALERT_HISTORY_H

#include <cjson/cJSON.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sen_alert_state {
	SEN_ALERT_IS_OPEN,
	SEN_ALERT_IS_CLOSED,
	SEN_ALERT_IS_LOST /* its agent has ended without a word on it */
};

#define SEN_ALERT_TIME 32

struct sen_alert_record {
	char interface[IFNAMSIZ];
	uint64_t run, id;
	char first[SEN_ALERT_TIME],
		last[SEN_ALERT_TIME]; /* UTC, RFC 3339: earlier is less as text */
	enum sen_alert_state state;
	bool live;  /* by the agent's word */
	char *text; /* the object that it was read from */
};

struct sen_alert_history {
	struct sen_alert_record *records;
	size_t n, room;
};

/* "open", "closed" or "lost". */
const char *sen_alert_state_word(enum sen_alert_state state);

/* From one object: a line of alerts.jsonl (it has an `event`), or the agent's (a `state`). Free with
 * sen_alert_record_free(). -EBADMSG: it is neither; -ENOMEM. */
int sen_alert_record_read(const char *text, struct sen_alert_record *out);
void sen_alert_record_free(struct sen_alert_record *r);
/* The fields of GET /api/v1/alerts; to cJSON_Delete(). NULL: out of memory. */
cJSON *sen_alert_record_json(const struct sen_alert_record *r);

/* Add what an object says, in any order. Errors of sen_alert_record_read(). */
int sen_alert_history_add(struct sen_alert_history *h, const char *text);
/* One record of each alert, the latest last. A closing is final; else the agent's word is newer than the line of
 * the opening. What is open by that line alone is lost: the agent has been asked, or there is none. */
void sen_alert_history_join(struct sen_alert_history *h);
/* Whether there is a record of this alert in this state. */
bool sen_alert_history_has(const struct sen_alert_history *h, const struct sen_alert_record *r);
/* Empty it. */
void sen_alert_history_free(struct sen_alert_history *h);

#endif
