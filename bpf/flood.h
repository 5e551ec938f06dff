/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the flood program and the test that drives it share. */
#ifndef SENTROID_FLOOD_H
#define SENTROID_FLOOD_H

/* What the frames are. */
enum flood_shape {
	FLOOD_ESTABLISH,    /* three a connection: SYN, its answer, ACK */
	FLOOD_TALK,         /* one more of each client */
	FLOOD_ONE_TARGET,   /* SYNs from anywhere to one server */
	FLOOD_MANY_TARGETS, /* SYNs from anywhere to anywhere */
	FLOOD_ONE_SOURCE,   /* SYNs of one host, from any port to any port of one server */
};

/* IPv4 addresses, in host order. */
#define FLOOD_CLIENTS      0x0a000000u /* and up */
#define FLOOD_SERVERS      0x0b000000u /* and up, in turn */
#define FLOOD_SERVER_COUNT 16u
#define FLOOD_ATTACKER     0x0c000001u

#endif
