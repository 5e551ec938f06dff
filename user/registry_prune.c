// SPDX-License-Identifier: BSD-2-Clause
/* Lineage: which version bounds which, what is still needed, and what may go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fsutil.h"
#include "registry_internal.h"

unsigned int sen_registry_staged(const struct sen_registry *r)
{
	const struct sen_history *h = &r->history;

	for (size_t i = h->entries; i-- > 0;)
		if (!strcmp(h->entry[i].stage, "Staging"))
			return h->entry[i].version;
	return 0;
}

unsigned int sen_registry_reference(const struct sen_registry *r, unsigned int version)
{
	const struct sen_registry_entry *e = sen_history_find(&r->history, version);

	/* Parents have lower numbers: this ends. */
	while (e && !e->approved && !strcmp(e->kind, "update"))
		e = e->parent < e->version ? sen_history_find(&r->history, e->parent) : NULL;
	return e ? e->version : 0;
}

/* Archived, and neither where a roll-back goes nor what bounds a version that is in use. */
static bool may_go(const struct sen_registry *r, const struct sen_registry_entry *e)
{
	unsigned int production = sen_registry_production(r), previous = sen_registry_previous(r);

	return !e->pruned && !strcmp(e->stage, "Archived") && e->version != previous &&
	       e->version != sen_registry_reference(r, production) &&
	       e->version != sen_registry_reference(r, previous) &&
	       e->version != sen_registry_reference(r, sen_registry_staged(r));
}

static int prune_one(struct sen_registry *r, unsigned int version, struct sen_why *why)
{
	struct sen_history_event event = { .kind = SEN_HISTORY_PRUNED,
					   .time_s = time(NULL),
					   .version = version };
	char path[PATH_MAX];
	int err = sen_registry_append(r, &event, why);

	/* The line first: a crash before the file is gone is made good at the next open. */
	sen_registry_model_path(r, version, path);
	if (!err)
		unlink(path);
	return err;
}

static int prune_locked(struct sen_registry *r, unsigned int keep, unsigned int *pruned,
			struct sen_why *why)
{
	unsigned int archived = 0;
	int err = sen_registry_refresh(r, why);

	for (size_t i = r->history.entries; !err && i-- > 0;) {
		const struct sen_registry_entry *e = &r->history.entry[i];

		if (!may_go(r, e) || archived++ < keep)
			continue;
		err = prune_one(r, e->version, why);
		*pruned += !err;
	}
	return err;
}

int sen_registry_prune(struct sen_registry *r, unsigned int keep, unsigned int *pruned,
		       struct sen_why *why)
{
	unsigned int n = 0;
	int err = sen_registry_lock(r, why);

	if (err)
		return err;
	err = prune_locked(r, keep, &n, why);
	sen_registry_unlock(r);
	if (pruned)
		*pruned = n;
	return err;
}

struct listing {
	unsigned int version;
	void (*event)(void *ctx, const struct sen_registry_event *ev);
	void *ctx;
};

static void list_event(void *ctx, const struct sen_history_event *event)
{
	const struct listing *l = ctx;
	struct sen_registry_event ev = { .time_s = event->time_s,
					 .version = event->version,
					 .what = sen_history_event_name(event),
					 .reason = event->reason };

	if (!l->version || l->version == ev.version)
		l->event(l->ctx, &ev);
}

int sen_registry_events(struct sen_registry *r, unsigned int version,
			void (*event)(void *ctx, const struct sen_registry_event *ev), void *ctx,
			struct sen_why *why)
{
	struct listing l = { version, event, ctx };
	char path[PATH_MAX], *text = NULL;
	size_t len = 0;
	int err;

	sen_registry_path_of(r, SEN_HISTORY_NAME, path);
	err = sen_read_file(path, SEN_HISTORY_MAX, &text, &len, why);
	if (err == -ENOENT)
		return 0;
	if (!err)
		sen_history_each(text, len, list_event, &l);
	free(text);
	return err;
}
