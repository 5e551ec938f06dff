/* SPDX-License-Identifier: BSD-2-Clause */
/* Who talks to whom in an event: the canonical key of a flow, turned back into source and target. */
#ifndef SENTROID_ENDPOINT_H
#define SENTROID_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

#define SEN_ADDR_TEXT 46 /* room for the longest address and a NUL */

/* Address of the initiator, of the responder: 16 bytes inside the event. */
const __u8 *sen_event_source(const struct sen_event *ev);
const __u8 *sen_event_target(const struct sen_event *ev);
/* Port of the responder, of the initiator, host order. */
unsigned int sen_event_service(const struct sen_event *ev);
unsigned int sen_event_client_port(const struct sen_event *ev);

/* TCP of which answers were seen and no SYN: either side may have begun it, the flow's initiator is a guess
 * by port. */
bool sen_event_is_answer(const struct sen_event *ev);

/* An address as people write it: IPv4, IPv6, or the MAC of an ARP sender. */
void sen_addr_format(const __u8 addr[SEN_ADDR_BYTES], char text[SEN_ADDR_TEXT]);
/* Well mixed, for tables and for counting distinct ones. */
uint64_t sen_addr_hash(const __u8 addr[SEN_ADDR_BYTES]);

#endif
