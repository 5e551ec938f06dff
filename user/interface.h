/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that the agent does for one interface: events to rules, alerts and learning. */
#ifndef SENTROID_INTERFACE_H
#define SENTROID_INTERFACE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "loop.h"
#include "metrics.h"
#include "worker.h"

struct sen_interface_env {
	struct sen_loop *loop;
	struct sen_worker *worker;
	const struct sen_config *config; /* outlives the interface */
};

struct sen_interface;

/* Attach if nothing is attached, claim the interface for this agent, open its state, take over its
 * model. All or nothing: what was attached here is detached again on failure. */
int sen_interface_open(const char *ifname, const struct sen_interface_env *env,
		       struct sen_interface **out, struct sen_why *why);
/* Alerts are closed, the program stays attached and the model in force. The worker must have been
 * stopped. */
void sen_interface_close(struct sen_interface *i);
/* Undo an attachment made by sen_interface_open(), as the start has failed elsewhere; then close. */
void sen_interface_abandon(struct sen_interface *i);

/* Read the events ring; ten times a second. */
void sen_interface_drain(struct sen_interface *i);
/* Everything that is due by time; once a second. */
void sen_interface_tick(struct sen_interface *i);
/* The configuration has changed. */
void sen_interface_configure(struct sen_interface *i);

const char *sen_interface_name(const struct sen_interface *i);
/* True if packets are watched and events read; otherwise why not. */
bool sen_interface_ready(struct sen_interface *i, char *reason, size_t size);
void sen_interface_view(struct sen_interface *i, struct sen_metrics_interface *out);
cJSON *sen_interface_alerts(const struct sen_interface *i);

#endif
