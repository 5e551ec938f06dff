/* SPDX-License-Identifier: BSD-2-Clause */
/* From a sample to the alerts: what a rule names is certain, what only the model finds odd is not. */
#ifndef SENTROID_ANNOUNCE_H
#define SENTROID_ANNOUNCE_H

#include <stdbool.h>

#include "alerts.h"
#include "beacon.h"
#include "config.h"
#include "sentroid/model.h"

#define SEN_ANNOUNCE_TEXT 160

/* Hand a sample to the alerts if there is anything to say of it. `model` names classes and explains;
 * `novelties`: what no rule names is news, too. Class that a rule is certain of, or SEN_CLASS_NONE; why
 * goes to `reason`. */
unsigned int sen_announce(struct sen_alerts *alerts, const struct sen_model_flat *model,
			  const struct sen_event *ev, bool novelties, int64_t now_ms,
			  char reason[SEN_ANNOUNCE_TEXT]);
/* What one sample alone does not tell: whether it is of a beacon. `known`: whoever calls now is taken for
 * normal from here on. SEN_CLASS_BEACON and why, or SEN_CLASS_NONE. */
unsigned int sen_announce_beacon(struct sen_alerts *alerts, struct sen_beacons *beacons,
				 const struct sen_event *ev, bool known, int64_t now_ms,
				 char reason[SEN_ANNOUNCE_TEXT]);
/* The [alerts] section of the configuration. */
struct sen_alerts_settings sen_announce_settings(const struct sen_config *c);

#endif
