/* SPDX-License-Identifier: BSD-2-Clause */
/* Link types of captures that are not Ethernet, and the Ethernet header that takes their place. */
#ifndef SENTROID_LINK_H
#define SENTROID_LINK_H

#include <stdbool.h>
#include <stdint.h>

#define SEN_ETH_BYTES 14u
#define SEN_LINK_TEXT 64 /* room for the name of a link type */

struct sen_link;

/* By libpcap's number; NULL for Ethernet itself, and where frames of this type cannot be made Ethernet. */
const struct sen_link *sen_link_find(int dlt);
/* Whether frames of this type are Ethernet, or can be made that. */
bool sen_link_known(int dlt);
/* "link type 105 (IEEE802_11)"; returns `text`. */
const char *sen_link_text(int dlt, char text[SEN_LINK_TEXT]);
/* The Ethernet header for a frame, and how many of its bytes that replaces: all of them where it is
 * cut inside its own header. */
uint32_t sen_link_read(const struct sen_link *link, const uint8_t *data, uint32_t len,
		       uint8_t eth[SEN_ETH_BYTES]);

#endif
