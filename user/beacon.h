/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beaconing: a host that calls the same service outside again and again, small exchanges at a steady
 * interval, as implants do that ask for orders (MITRE ATT&CK T1071, T1029). Unlike the rules on one
 * sample this needs memory: intervals between new flows of a pair and service, their mean and deviation
 * by Welford's method (1962), in a table of fixed size. What was there while the baseline was learned
 * is the network's own clockwork and never reported.
 */
#ifndef SENTROID_BEACON_H
#define SENTROID_BEACON_H

#include <stdbool.h>
#include <stddef.h>

#include "sentroid/abi.h"

struct sen_beacons;

int sen_beacons_new(struct sen_beacons **out);
void sen_beacons_free(struct sen_beacons *b);

/* Whether this sample is of a beacon; why goes to `reason`. `known`: whoever calls now is taken for
 * normal from here on. */
bool sen_beacons_event(struct sen_beacons *b, const struct sen_event *ev, bool known, char *reason,
		       size_t size);

#endif
