/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as the packet path would send them, built by hand. */
#ifndef SENTROID_TEST_EVENT_H
#define SENTROID_TEST_EVENT_H

#include "sentroid/abi.h"

/* A flow from `source` to `target` (last octets of 10.0.0.0/24), new, without payload. */
struct sen_event event_make(__u8 proto, unsigned int source, unsigned int sport,
			    unsigned int target, unsigned int dport);
/* Set a feature to what the packet path would measure for a count: windows of events, or plain. */
void event_window(struct sen_event *ev, enum sen_feature feature, unsigned int events);
void event_plain(struct sen_event *ev, enum sen_feature feature, unsigned int value);
/* The source's address anywhere in 10.0.0.0/8. */
void event_spoof(struct sen_event *ev, unsigned int host);

#endif
