/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by registry.c, registry_file.c (lines on disk), registry_recover.c (what is on disk) and
 * registry_prune.c (what may go). */
#ifndef SENTROID_REGISTRY_INTERNAL_H
#define SENTROID_REGISTRY_INTERNAL_H

#include <limits.h>
#include <sys/types.h>

#include "history.h"
#include "registry.h"

#define SEN_HISTORY_NAME "history.jsonl"

struct sen_registry {
	unsigned int above; /* new versions get higher numbers */
	char dir[PATH_MAX - 64];
	int dir_fd; /* locked while the folder is being changed */
	bool reads_only;
	struct sen_history history;
	dev_t dev; /* the file of the history, and how much of it has taken effect here */
	ino_t ino;
	off_t read;
};

void sen_registry_path_of(const struct sen_registry *r, const char *name, char out[PATH_MAX]);
void sen_registry_model_path(const struct sen_registry *r, unsigned int version,
			     char out[PATH_MAX]);

int sen_registry_lock(struct sen_registry *r, struct sen_why *why);
void sen_registry_unlock(struct sen_registry *r);
/* Bring the folder and this process to the same state, the folder as it is if it is only read; the lock is
 * held. */
int sen_registry_refresh(struct sen_registry *r, struct sen_why *why);
/* Write a line, then let it take effect here as it will for the next reader. */
int sen_registry_append(struct sen_registry *r, const struct sen_history_event *event,
			struct sen_why *why);
/* Lock, refresh, and append an event of a version, which must exist. */
int sen_registry_record(struct sen_registry *r, const struct sen_history_event *event,
			struct sen_why *why);

/* Read the history from an offset on, in pieces. `lines` says how much it has taken; `last`: nothing comes
 * behind this piece. No file is an empty one. */
int sen_registry_read(struct sen_registry *r, off_t from,
		      int (*lines)(void *ctx, const char *text, size_t len, bool last,
				   size_t *taken, struct sen_why *why),
		      void *ctx, struct sen_why *why);
/* Leave out what is forgotten, in one step; the lock is held. */
int sen_registry_compact(struct sen_registry *r, struct sen_why *why);
/* Whether this process knows all that is in the file. */
bool sen_registry_current(const struct sen_registry *r);

void sen_registry_created(const struct sen_model *model, const struct sen_registry_origin *origin,
			  const char *reason, struct sen_history_event *event);

#endif
