/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table behind the alerts: a fixed number of slots, each for an alert or for a candidate that waits
 * for confirmation, found by what it is one of. It knows nothing of what opens an alert (alerts.c).
 */
#ifndef SENTROID_ALERT_SLOTS_H
#define SENTROID_ALERT_SLOTS_H

#include "alerts.h"

/* What an alert is one of: its key has the other address zeroed. */
enum sen_alert_scope {
	SCOPE_PAIR,
	SCOPE_SOURCE,
	SCOPE_TARGET
};

struct sen_alert_key {
	__u8 source[SEN_ADDR_BYTES];
	__u8 target[SEN_ADDR_BYTES];
	uint32_t class_id;
	uint32_t scope; /* enum sen_alert_scope */
};

struct sen_alert_slot {
	struct sen_alert alert; /* id 0: a candidate */
	struct sen_alert_key key;
	bool used;
	bool by_signs; /* what was counted on it has told its name */
	int next;      /* in the chain of its bucket */
	int64_t updated_ms;
	int64_t window_ms;      /* start of the novelty window */
	unsigned int in_window; /* samples in it */
};

struct sen_alert_slots;

/* NULL: out of memory. */
struct sen_alert_slots *sen_alert_slots_new(size_t capacity);
void sen_alert_slots_free(struct sen_alert_slots *table);

/* The slot of a key, NULL where it has none. */
struct sen_alert_slot *sen_alert_slots_find(struct sen_alert_slots *table,
					    const struct sen_alert_key *key);
/* A free slot; where there is none, the used one that is to be removed first. It looks at all of them. */
struct sen_alert_slot *sen_alert_slots_room(struct sen_alert_slots *table);
/* Give the free slot to a key, which must have none yet: all zero but for that. */
void sen_alert_slots_put(struct sen_alert_slots *table, struct sen_alert_slot *slot,
			 const struct sen_alert_key *key);
/* Its contents stay readable until the next one is put. */
void sen_alert_slots_remove(struct sen_alert_slots *table, struct sen_alert_slot *slot);
/* Remove all candidates. */
void sen_alert_slots_drop_candidates(struct sen_alert_slots *table);

/* Slot by number, below the capacity; many are not used. */
struct sen_alert_slot *sen_alert_slots_at(struct sen_alert_slots *table, size_t number);
size_t sen_alert_slots_number(const struct sen_alert_slots *table,
			      const struct sen_alert_slot *slot);

#endif
