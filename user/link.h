/* SPDX-License-Identifier: BSD-2-Clause */
/* Link types of captures that are not Ethernet, and the Ethernet header that takes their place. */
#ifndef SENTROID_LINK_H
#define SENTROID_LINK_H

#include <stdint.h>

#define SEN_ETH_BYTES 14u

struct sen_link;

/* By libpcap's number; NULL where frames of this type cannot be made Ethernet. */
const struct sen_link *sen_link_find(int dlt);
/* The Ethernet header for a frame, and how many of its bytes that replaces: all of them where it is
 * cut inside its own header. */
uint32_t sen_link_read(const struct sen_link *link, const uint8_t *data, uint32_t len,
		       uint8_t eth[SEN_ETH_BYTES]);

#endif
