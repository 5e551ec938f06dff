// SPDX-License-Identifier: BSD-2-Clause
/* Lineage: which version bounds which, what is still needed, and what may go. */
#include <string.h>
#include <time.h>
#include <unistd.h>

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
	return sen_history_reference(&r->history, version);
}

/* Where a roll-back goes, and what bounds the versions that are in use. */
struct needed {
	unsigned int previous, of_production, of_previous, of_staged;
};

static struct needed find_needed(const struct sen_registry *r)
{
	unsigned int previous = sen_registry_previous(r);

	return (struct needed){
		.previous = previous,
		.of_production = sen_registry_reference(r, sen_registry_production(r)),
		.of_previous = sen_registry_reference(r, previous),
		.of_staged = sen_registry_reference(r, sen_registry_staged(r)),
	};
}

static bool may_go(const struct sen_registry_entry *e, const struct needed *n)
{
	return !e->pruned && !strcmp(e->stage, "Archived") && e->version != n->previous &&
	       e->version != n->of_production && e->version != n->of_previous &&
	       e->version != n->of_staged;
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
	struct needed needed;
	int err = sen_registry_refresh(r, why);

	needed = find_needed(r);
	for (size_t i = r->history.entries; !err && i-- > 0;) {
		const struct sen_registry_entry *e = &r->history.entry[i];

		if (!may_go(e, &needed) || archived++ < keep)
			continue;
		err = prune_one(r, e->version, why);
		*pruned += !err;
	}
	if (err)
		return err;
	sen_history_forget(&r->history);
	return sen_registry_compact(r, why);
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

static int list_lines(void *ctx, const char *text, size_t len, bool last, size_t *taken,
		      struct sen_why *why)
{
	(void)last;
	(void)why;
	*taken = sen_history_each(text, len, list_event, ctx);
	return 0;
}

int sen_registry_events(struct sen_registry *r, unsigned int version,
			void (*event)(void *ctx, const struct sen_registry_event *ev), void *ctx,
			struct sen_why *why)
{
	struct listing l = { version, event, ctx };

	return sen_registry_read(r, 0, list_lines, &l, why);
}
