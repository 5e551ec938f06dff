// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "alert_slots.h"
#include "endpoint.h"

#define NONE (-1)

struct sen_alert_slots {
	size_t capacity;
	size_t buckets; /* a power of two */
	int *bucket;
	struct sen_alert_slot *slot;
};

struct sen_alert_slots *sen_alert_slots_new(size_t capacity)
{
	struct sen_alert_slots *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->capacity = capacity;
	for (t->buckets = 16; t->buckets < 2 * capacity;)
		t->buckets *= 2;
	t->bucket = malloc(t->buckets * sizeof(*t->bucket));
	t->slot = calloc(capacity, sizeof(*t->slot));
	if (!t->bucket || !t->slot) {
		sen_alert_slots_free(t);
		return NULL;
	}
	for (size_t i = 0; i < t->buckets; i++)
		t->bucket[i] = NONE;
	return t;
}

void sen_alert_slots_free(struct sen_alert_slots *t)
{
	if (!t)
		return;
	free(t->bucket);
	free(t->slot);
	free(t);
}

static int *bucket_of(struct sen_alert_slots *t, const struct sen_alert_key *key)
{
	uint64_t h = sen_addr_hash(key->source) * 3 + sen_addr_hash(key->target) + key->class_id +
		     key->scope * 0x9e37u;

	return &t->bucket[h & (t->buckets - 1)];
}

struct sen_alert_slot *sen_alert_slots_find(struct sen_alert_slots *t,
					    const struct sen_alert_key *key)
{
	for (int i = *bucket_of(t, key); i != NONE; i = t->slot[i].next)
		if (!memcmp(&t->slot[i].key, key, sizeof(*key)))
			return &t->slot[i];
	return NULL;
}

/* Candidates make room before alerts, those silent for longest first. */
static bool goes_before(const struct sen_alert_slot *x, const struct sen_alert_slot *y)
{
	if (!x->alert.id != !y->alert.id)
		return !x->alert.id;
	return x->alert.last_ms < y->alert.last_ms;
}

struct sen_alert_slot *sen_alert_slots_room(struct sen_alert_slots *t)
{
	struct sen_alert_slot *first = &t->slot[0];

	for (size_t i = 0; i < t->capacity && first->used; i++)
		if (!t->slot[i].used || goes_before(&t->slot[i], first))
			first = &t->slot[i];
	return first;
}

void sen_alert_slots_put(struct sen_alert_slots *t, struct sen_alert_slot *s,
			 const struct sen_alert_key *key)
{
	int *bucket = bucket_of(t, key);

	memset(s, 0, sizeof(*s));
	s->key = *key;
	s->used = true;
	s->next = *bucket;
	*bucket = (int)(s - t->slot);
}

void sen_alert_slots_remove(struct sen_alert_slots *t, struct sen_alert_slot *s)
{
	int index = (int)(s - t->slot);
	int *at = bucket_of(t, &s->key);

	while (*at != index)
		at = &t->slot[*at].next;
	*at = s->next;
	s->used = false;
}

void sen_alert_slots_drop_candidates(struct sen_alert_slots *t)
{
	for (size_t i = 0; i < t->capacity; i++)
		if (t->slot[i].used && !t->slot[i].alert.id)
			sen_alert_slots_remove(t, &t->slot[i]);
}

struct sen_alert_slot *sen_alert_slots_at(struct sen_alert_slots *t, size_t number)
{
	return &t->slot[number];
}

size_t sen_alert_slots_number(const struct sen_alert_slots *t, const struct sen_alert_slot *s)
{
	return s - t->slot;
}
