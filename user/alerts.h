/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From thousands of flagged samples to a handful of alerts: one by source for a scan, one by target
 * for a flood however many sources it pretends to have, one by source and target otherwise. Memory is
 * fixed. All times are milliseconds of the monotonic clock, given by the caller.
 */
#ifndef SENTROID_ALERTS_H
#define SENTROID_ALERTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

#define SEN_ALERT_PORTS     8
#define SEN_ALERT_SET_WORDS 16 /* distinct addresses are counted in bitmaps of 1024 bits */

struct sen_alerts_settings {
	unsigned int capacity; /* alerts and candidates together; fixed once made */
	int64_t update_ms;
	int64_t idle_ms;
	unsigned int novelty_samples; /* a novelty opens an alert after so many samples ... */
	int64_t novelty_window_ms;    /* ... within so long ... */
	int64_t novelty_hold_ms; /* ... and not sooner, for it may be the first sign of what gets a name */
	uint32_t novelty_score; /* ... or at once from this score, Q16 */
};

/* What a sample was found to be. */
struct sen_finding {
	unsigned int class_id;
	const char *class_name;
	const char *reason;
	bool certain;  /* by a rule: needs no confirmation */
	bool by_signs; /* not so, but its class says whom it is about (naming.h) */
};

struct sen_alert {
	uint64_t id; /* counts up from 1; 0: not opened yet */
	unsigned int class_id;
	char class_name[SEN_CLASS_NAME_MAX];
	char reason[160];
	__u8 source[SEN_ADDR_BYTES]; /* the first seen; the only one if sources == 1 */
	__u8 target[SEN_ADDR_BYTES];
	bool certain;
	int64_t first_ms;
	int64_t last_ms;
	int64_t first_wall_ms; /* Unix time of both, as it was then: it may be set, or go on in suspend */
	int64_t last_wall_ms;
	uint64_t events;
	uint64_t folded;    /* novelties of others that it explains: they talk to its target */
	uint32_t score_max; /* Q16 */
	uint32_t model_version;
	unsigned int ports; /* in example_ports */
	uint16_t example_ports[SEN_ALERT_PORTS];
	uint64_t source_set[SEN_ALERT_SET_WORDS];
	uint64_t target_set[SEN_ALERT_SET_WORDS];
};

enum sen_alert_phase {
	SEN_ALERT_OPENED,
	SEN_ALERT_UPDATED,
	SEN_ALERT_CLOSED
};

typedef void (*sen_alert_fn)(void *ctx, enum sen_alert_phase phase, const struct sen_alert *alert);

struct sen_alerts;

int sen_alerts_new(const struct sen_alerts_settings *settings, sen_alert_fn fn, void *ctx,
		   struct sen_alerts **out);
/* Forgets what is open without closing it: sen_alerts_close_all() before, if that matters. */
void sen_alerts_free(struct sen_alerts *alerts);
void sen_alerts_configure(struct sen_alerts *alerts, const struct sen_alerts_settings *settings);

void sen_alerts_event(struct sen_alerts *alerts, const struct sen_event *ev,
		      const struct sen_finding *finding, int64_t now_ms);
/* Whether a certain alert explains that this sample may look odd: its source is the culprit, or its
 * target was attacked and has not got over it. */
bool sen_alerts_explain(struct sen_alerts *alerts, const struct sen_event *ev, int64_t now_ms);
/* Updates and closings that are due. */
void sen_alerts_tick(struct sen_alerts *alerts, int64_t now_ms);
void sen_alerts_close_all(struct sen_alerts *alerts);
/* Novelties that have not become alerts yet come to nothing. */
void sen_alerts_forget_novelties(struct sen_alerts *alerts);

size_t sen_alerts_open(const struct sen_alerts *alerts);
/* Alerts of a class ever opened. */
uint64_t sen_alerts_total(const struct sen_alerts *alerts, unsigned int class_id);
/* Open ones, then the latest closed ones, newest first; an array to cJSON_Delete(). */
cJSON *sen_alerts_json(const struct sen_alerts *alerts);

/* Views of one alert (alert_view.c): object to cJSON_Delete(), line for the log. */
cJSON *sen_alert_json(const struct sen_alert *alert);
void sen_alert_line(const struct sen_alert *alert, char *line, size_t size);
/* Distinct sources and targets, estimated. */
unsigned int sen_alert_sources(const struct sen_alert *alert);
unsigned int sen_alert_targets(const struct sen_alert *alert);

#endif
