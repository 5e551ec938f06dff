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
	SEN_HISTORY_PRUNED,
	SEN_HISTORY_FORGOTTEN /* lines of pruned versions up to this one have been left out before it */
};

#define SEN_HISTORY_PROMOTED 64 /* places to roll back to that outlast the lines left out */

/* Pruned versions whose record stays; the oldest others are forgotten, some at a time. */
#define SEN_HISTORY_RECORDS 1000
#define SEN_HISTORY_SLACK   250

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
	unsigned int reference; /* of a creation: what bounds it, if its parent is forgotten */
	/* What the lines left out would have led to: the version in Production, and those before it. */
	unsigned int production;
	unsigned int promoted[SEN_HISTORY_PROMOTED];
	size_t promotions;
};

struct sen_history {
	struct sen_registry_entry *entry; /* oldest first */
	size_t entries, room;
	unsigned int *promoted; /* versions that were in Production, a rollback takes off the later */
	size_t promotions, promoted_room;
	unsigned int last;       /* highest version number ever used */
	unsigned int production; /* 0: none */
	size_t pruned;           /* entries that are */
	unsigned int forgotten;  /* highest version number without a record any more ... */
	unsigned int left_out;   /* ... and whose lines are gone as well */
	unsigned int lines;
};

/* Let the lines of a text take effect; `last`: nothing comes behind it. *good: length of the part that is
 * whole lines; what is behind it is a line cut short. A bad line before the last is damage: -EBADMSG. */
int sen_history_replay(struct sen_history *h, const char *text, size_t len, bool last, size_t *good,
		       struct sen_why *why);
/* Forget the oldest pruned versions where more than the records and the slack are kept. */
void sen_history_forget(struct sen_history *h);
/* The line to stand for all that is forgotten. */
void sen_history_forgotten(const struct sen_history *h, struct sen_history_event *event);
/* Make room for one event, so that sen_history_apply() cannot fail for memory. */
int sen_history_reserve(struct sen_history *h);
/* -EBADMSG: an event that cannot follow this state. */
int sen_history_apply(struct sen_history *h, const struct sen_history_event *event);
/* One line without its end, to free(). NULL when out of memory. */
char *sen_history_print(const struct sen_history_event *event);
void sen_history_clear(struct sen_history *h);
/* What an event is called in its line. */
const char *sen_history_event_name(const struct sen_history_event *event);
/* Call back for every whole line, in order, without keeping a state. Returns their length. */
size_t sen_history_each(const char *text, size_t len,
			void (*fn)(void *ctx, const struct sen_history_event *event), void *ctx);

const struct sen_registry_entry *sen_history_find(const struct sen_history *h,
						  unsigned int version);
unsigned int sen_history_reference(const struct sen_history *h, unsigned int version);
unsigned int sen_history_previous(const struct sen_history *h);
bool sen_history_is_stage(const char *stage);

#endif
