/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts that talk over IPv4, and what is remembered of them. */
#ifndef SENTROID_TEST_HOSTS_H
#define SENTROID_TEST_HOSTS_H

#include "harness.h"

#define SERVER      HOST(200)
#define E(n)        ((n)*SEN_EVENT_UNIT)      /* a counter after n events */
#define TEN_MINUTES (600 * SEN_TICKS_PER_SEC) /* a pair that was silent for longer is new again */

void tcp(struct rig *rig, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport, uint8_t flags,
	 uint16_t payload);
void udp(struct rig *rig, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport,
	 uint16_t payload);
/* A feature of the last vector. */
uint32_t feature(struct rig *rig, enum sen_feature which);
/* Entries of a host, which must be there. */
struct sen_source *source(struct rig *rig, uint32_t host);
struct sen_target *target(struct rig *rig, uint32_t host);

#endif
