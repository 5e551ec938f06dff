/* SPDX-License-Identifier: BSD-2-Clause */
/* Traffic of any kind: everyday packets, odd ones, damaged ones, at odd times. */
#ifndef SENTROID_TEST_WILD_H
#define SENTROID_TEST_WILD_H

#include <stdint.h>

#include "packet.h"

/* A packet between few hosts, so that there are flows, or one of the fixtures; of some a part is changed or
 * cut off. *wire: the length that it says it had. */
void wild_packet(struct packet *p, uint32_t *wire, uint64_t *random);
/* The time of the next: mostly microseconds later, sometimes back a little, sometimes hours later. */
uint64_t wild_time(uint64_t now_ns, uint64_t *random);

#endif
