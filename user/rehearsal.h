/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An agent's life over a capture: what it would have reported, and with `learn` what it would have learned,
 * put in force and taken back, by the clock of the capture. Its parts are the agent's own: rules, alerts,
 * beacons, learner. Trainings take no time: what is asked for in one second is there in the next.
 */
#ifndef SENTROID_REHEARSAL_H
#define SENTROID_REHEARSAL_H

#include "alerts.h"
#include "config.h"
#include "learner.h"
#include "offline.h"

struct sen_rehearsal;

struct sen_rehearsal_options {
	const struct sen_config *config;
	struct sen_offline *program;        /* outlives it */
	const struct sen_model_flat *model; /* in force at first, not trained here */
	bool learn;
	const struct sen_model *shipped; /* whose attacks candidates are tried on; NULL: none */
	/* Alerts opened, and what the learner has to say, at a moment of the capture. May be NULL. */
	void (*on_line)(void *ctx, double seconds, const char *line);
	void *ctx;
};

int sen_rehearsal_new(const struct sen_rehearsal_options *options, struct sen_rehearsal **out,
		      struct sen_why *why);
void sen_rehearsal_free(struct sen_rehearsal *r);

/* Whether the clock of a frame begins another second: what was handed to the program has to be flushed
 * first, and sen_rehearsal_tick() called. */
bool sen_rehearsal_due(const struct sen_rehearsal *r, uint64_t clock_ns);
/* Live through the seconds up to this one. */
int sen_rehearsal_tick(struct sen_rehearsal *r, uint64_t clock_ns, struct sen_why *why);
/* A sample; passed over once a second has as many of its kind as an agent gets. */
void sen_rehearsal_event(struct sen_rehearsal *r, const struct sen_event *event);

const struct sen_alerts *sen_rehearsal_alerts(const struct sen_rehearsal *r);
/* NULL without `learn`. */
const struct sen_learner_status *sen_rehearsal_learner(struct sen_rehearsal *r);

#endif
