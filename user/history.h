/* SPDX-License-Identifier: BSD-2-Clause */
/* The history of a registry: lines of JSON, and the state that they add up to. No I/O. */
#ifndef SENTROID_HISTORY_H
#define SENTROID_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "registry.h"

enum sen_history_kind {
	SEN_HISTORY_CREATED,
	SEN_HISTORY_STAGE,
	SEN_HISTORY_MEASURED,
	SEN_HISTORY_PRUNED
};

struct sen_history_event {
	enum sen_history_kind kind;
	int64_t time_s;
	unsigned int version;
	unsigned int parent; /* the rest: of a creation */
	int64_t created_s;
	char digest[2 * SEN_DIGEST_BYTES + 1];
	char origin[16];
	char stage[16];
	char reason[160];
	bool approved;
	struct sen_facts facts; /* parameters of a creation, metrics of a measurement */
};

struct sen_history {
	struct sen_registry_entry *entry; /* oldest first */
	size_t entries, room;
	unsigned int *promoted; /* versions that were in Production, a rollback takes off the later */
	size_t promotions, promoted_room;
	unsigned int last; /* highest version number ever used */
};

/* Build the state from the whole text. *good: length of the part that is whole lines; what is behind
 * it is a line cut short. A bad line before the last is damage: -EBADMSG. */
int sen_history_replay(struct sen_history *h, const char *text, size_t len, size_t *good,
		       struct sen_why *why);
/* Make room for one event, so that sen_history_apply() cannot fail for memory. */
int sen_history_reserve(struct sen_history *h);
/* -EBADMSG: an event that cannot follow this state. */
int sen_history_apply(struct sen_history *h, const struct sen_history_event *event);
/* One line without its end, to free(). NULL when out of memory. */
char *sen_history_print(const struct sen_history_event *event);
void sen_history_clear(struct sen_history *h);
/* What an event is called in its line. */
const char *sen_history_event_name(const struct sen_history_event *event);
/* Call back for every whole line, in order, without keeping a state. */
void sen_history_each(const char *text, size_t len,
		      void (*fn)(void *ctx, const struct sen_history_event *event), void *ctx);

const struct sen_registry_entry *sen_history_find(const struct sen_history *h,
						  unsigned int version);
unsigned int sen_history_production(const struct sen_history *h);
unsigned int sen_history_previous(const struct sen_history *h);
bool sen_history_is_stage(const char *stage);

#endif
