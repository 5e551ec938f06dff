// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history.h"

#define DEVELOPMENT "Development"
#define PRODUCTION  "Production"
#define ARCHIVED    "Archived"

void sen_history_clear(struct sen_history *h)
{
	free(h->entry);
	free(h->promoted);
	memset(h, 0, sizeof(*h));
}

static int grow(void **array, size_t used, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : SEN_HISTORY_PROMOTED;
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

/* A version that one could go back to. */
static bool is_kept(const struct sen_history *h, unsigned int version)
{
	const struct sen_registry_entry *e = find(h, version);

	return e && !e->pruned;
}

unsigned int sen_history_previous(const struct sen_history *h)
{
	for (size_t i = h->promotions; i-- > 0;)
		if (h->promoted[i] != h->production && is_kept(h, h->promoted[i]))
			return h->promoted[i];
	return 0;
}

static const struct sen_registry_entry *parent_of(const struct sen_history *h,
						  const struct sen_registry_entry *e)
{
	/* Parents have lower numbers: going from one to the next ends. */
	return e->parent < e->version ? find(h, e->parent) : NULL;
}

static bool is_bounded(const struct sen_registry_entry *e)
{
	return !e->approved && !strcmp(e->kind, "update");
}

unsigned int sen_history_reference(const struct sen_history *h, unsigned int version)
{
	const struct sen_registry_entry *e = find(h, version), *parent;

	for (; e && is_bounded(e); e = parent) {
		parent = parent_of(h, e);
		if (!parent)
			return e->reference;
	}
	return e ? e->version : 0;
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
	entry->reference = event->reference;
	entry->created_s = event->created_s;
	memcpy(entry->digest, event->digest, sizeof(entry->digest));
	strcpy(entry->stage, DEVELOPMENT);
	memcpy(entry->reason, event->reason, sizeof(entry->reason));
	memcpy(entry->kind, event->origin, sizeof(entry->kind));
	entry->params = event->facts;
	if (event->version > h->last)
		h->last = event->version;
}

static void apply_stage(struct sen_history *h, struct sen_registry_entry *entry,
			const struct sen_history_event *event)
{
	struct sen_registry_entry *was = find(h, h->production);

	if (!strcmp(event->stage, PRODUCTION)) {
		if (was && was != entry) {
			strcpy(was->stage, ARCHIVED);
			was->staged_s = event->time_s;
		}
		take_off(h, event->version);
		h->promoted[h->promotions++] = event->version;
		h->production = event->version;
	} else if (was == entry) {
		retire(h, event->version);
		h->production = 0;
	}
	entry->staged_s = event->time_s;
	strcpy(entry->stage, event->stage);
	memcpy(entry->reason, event->reason, sizeof(entry->reason));
	entry->approved |= event->approved;
}

/* Promotions of versions that are forgotten are no longer there to archive others, or to take them off. */
static void apply_forgotten(struct sen_history *h, const struct sen_history_event *event)
{
	struct sen_registry_entry *was = find(h, h->production);

	if (was && h->production != event->production)
		strcpy(was->stage, ARCHIVED);
	h->production = event->production;
	h->promotions = 0;
	for (size_t i = 0; i < event->promotions; i++)
		h->promoted[h->promotions++] = event->promoted[i];
	h->forgotten = h->left_out = event->version;
	if (event->version > h->last)
		h->last = event->version;
}

static void apply_change(struct sen_history *h, struct sen_registry_entry *entry,
			 const struct sen_history_event *event)
{
	if (event->kind == SEN_HISTORY_MEASURED) {
		sen_facts_merge(&entry->metrics, &event->facts);
	} else if (event->kind == SEN_HISTORY_PRUNED) {
		h->pruned += !entry->pruned;
		entry->pruned = true;
	} else {
		apply_stage(h, entry, event);
	}
}

int sen_history_apply(struct sen_history *h, const struct sen_history_event *event)
{
	struct sen_registry_entry *entry;
	int err = sen_history_reserve(h);

	if (err)
		return err;
	if (event->kind == SEN_HISTORY_FORGOTTEN) {
		apply_forgotten(h, event);
		return 0;
	}
	if (event->kind == SEN_HISTORY_CREATED) {
		if (!event->version ||
		    (h->entries && event->version <= h->entry[h->entries - 1].version))
			return -EBADMSG;
		apply_created(h, event);
		return 0;
	}
	entry = find(h, event->version);
	if (!entry)
		return event->version && event->version <= h->forgotten ? 0 : -EBADMSG;
	apply_change(h, entry, event);
	return 0;
}

/* ---- what is forgotten ---- */

/* While the ancestors are still known. */
static void find_references(struct sen_history *h)
{
	for (size_t i = 0; i < h->entries; i++) {
		struct sen_registry_entry *e = &h->entry[i];
		const struct sen_registry_entry *parent = parent_of(h, e);

		if (!is_bounded(e))
			e->reference = e->version;
		else if (parent)
			e->reference = parent->reference;
	}
}

void sen_history_forget(struct sen_history *h)
{
	size_t surplus, kept = 0;

	if (h->pruned <= SEN_HISTORY_RECORDS + SEN_HISTORY_SLACK)
		return;
	surplus = h->pruned - SEN_HISTORY_RECORDS;
	find_references(h);
	for (size_t i = 0; i < h->entries; i++) {
		if (h->entry[i].pruned && surplus) {
			surplus--;
			h->pruned--;
			if (h->entry[i].version > h->forgotten)
				h->forgotten = h->entry[i].version;
		} else {
			h->entry[kept++] = h->entry[i];
		}
	}
	h->entries = kept;
}

void sen_history_forgotten(const struct sen_history *h, struct sen_history_event *event)
{
	size_t n = 0;

	*event = (struct sen_history_event){ .kind = SEN_HISTORY_FORGOTTEN,
					     .time_s = time(NULL),
					     .version = h->forgotten,
					     .production = h->production };
	for (size_t i = h->promotions; i-- > 0 && n < SEN_HISTORY_PROMOTED;)
		if (is_kept(h, h->promoted[i]))
			event->promoted[SEN_HISTORY_PROMOTED - ++n] = h->promoted[i];
	memmove(event->promoted, event->promoted + SEN_HISTORY_PROMOTED - n,
		n * sizeof(*event->promoted));
	event->promotions = n;
}
