/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When to train. What was asked for while a training runs waits, and comes down to one: a full training
 * absorbs an update. Pure: no clock of its own, times in milliseconds of any one clock.
 */
#ifndef SENTROID_TRIGGER_H
#define SENTROID_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

struct sen_trigger_settings {
	uint64_t samples;     /* new ones that make an update due */
	unsigned int uploads; /* unique ones that make a full training due */
	int64_t min_ms;       /* least time between two trainings, but for an operator's word */
	int64_t max_ms;       /* longest time without one, whether samples are new or not */
	int64_t full_ms;      /* time between full ones */
};

struct sen_trigger {
	int64_t last_ms;        /* start of the last training */
	int64_t last_full_ms;   /* of the last full one */
	uint64_t samples;       /* new since the last training */
	uint64_t known;         /* that there have been, new or not, */
	uint64_t known_full;    /* and had been when the last full training began; 0: none has */
	unsigned int uploads;   /* unique ones that no training has seen */
	const char *drift;      /* what has drifted, NULL: nothing */
	bool asked, asked_full; /* by an operator */
};

struct sen_due {
	bool full;
	const char *why; /* drift: what was given */
};

/* Whether a training is due, and which. */
bool sen_trigger_due(const struct sen_trigger *t, const struct sen_trigger_settings *s,
		     int64_t now_ms, struct sen_due *due);
/* An operator's word. */
void sen_trigger_ask(struct sen_trigger *t, bool full);
/* A training begins: it answers all that asked for it or for less. Uploads and drift are answered when
 * it has ended well, by the caller. */
void sen_trigger_begin(struct sen_trigger *t, bool full, int64_t now_ms);
/* Time left until the next by time alone, at least 0. */
int64_t sen_trigger_left(const struct sen_trigger *t, const struct sen_trigger_settings *s,
			 int64_t now_ms);

#endif
