/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by interface.c (events, alerts, time, views) and interface_attach.c (how it all comes up). */
#ifndef SENTROID_INTERFACE_INTERNAL_H
#define SENTROID_INTERFACE_INTERNAL_H

#include <limits.h>
#include <sys/types.h>

#include "alerts.h"
#include "beacon.h"
#include "dataplane.h"
#include "http.h"
#include "interface.h"
#include "learner.h"
#include "loader.h"
#include "log.h"
#include "registry.h"
#include "ring.h"
#include "uploads.h"

struct sen_interface {
	char name[32];
	struct sen_interface_env env;
	char state_dir[PATH_MAX];
	bool state_made, root_made; /* these folders were not there before this start */
	bool store_made;            /* nor was the file of samples */
	bool attached_here;
	bool connected;
	ino_t pin;       /* of the program, to notice another in its place */
	int failed_with; /* the last try to take it over; so often in a row */
	unsigned int failed;
	bool owes; /* pins were removed to attach it again like this, which is still to be done */
	struct sen_attach_options owed;
	struct sen_prefixes allow; /* what the configuration has put on the allow list */
	uint32_t top; /* what the interface named when it was last looked at, see attachment.h */

	struct sen_dataplane *dp;
	struct sen_ring *ring;
	struct sen_registry *registry;
	struct sen_alerts *alerts;
	struct sen_beacons *beacons;
	struct sen_learner *learner;
	struct sen_uploads *uploads; /* NULL where its folders could not be made */
	struct sen_http *control;    /* NULL where it could not be opened */
	int journal;                 /* alerts.jsonl; negative where it cannot be written */
	int64_t run_ms; /* Unix time of the start, which tells alerts of one id apart */

	struct sen_model_flat model; /* that events speak of, for words */
	int64_t model_ms;
	int64_t refresh_ms; /* of the tables, the next time */
	struct sen_log_limit alert_limit;
	struct sen_log_limit journal_limit;
};

extern const struct sen_learner_ops sen_interface_learner_ops;
extern const struct sen_uploads_ops sen_interface_uploads_ops;

/* Callbacks of the ring and of the alerts. */
void sen_interface_event(void *ctx, const struct sen_event *ev);
void sen_interface_alert(void *ctx, enum sen_alert_phase phase, const struct sen_alert *alert);

/* Bring the allow list in line with the configuration: what has come is added, what has gone removed, what others have
 * added stays. */
void sen_interface_allow(struct sen_interface *i);
/* Uploaded files are kept as the configuration says. */
void sen_interface_limit_uploads(struct sen_interface *i);
void sen_interface_open_journal(struct sen_interface *i);
/* Listen to commands; without that everything else works. */
void sen_interface_open_control(struct sen_interface *i);
/* Let go of the pinned maps; everything learned stays in memory. */
void sen_interface_disconnect(struct sen_interface *i);
/* Notice that the program is gone, or back again; attach it to an interface that was made anew. */
void sen_interface_check(struct sen_interface *i);
/* Whether the program that it is connected to is pinned and on the interface. */
bool sen_interface_attached(struct sen_interface *i);

#endif
