/* SPDX-License-Identifier: BSD-2-Clause */
/* A second opinion on the plainest packets: UDP and TCP right behind IPv4 without options or fragments,
 * or right behind IPv6, untagged, in no tunnel. Shares nothing with the parser that it is held against. */
#ifndef SENTROID_FUZZ_PLAIN_H
#define SENTROID_FUZZ_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain {
	uint8_t from[16], to[16];
	uint16_t sport, dport;
	uint8_t proto;
	uint32_t length;  /* network layer */
	uint32_t payload; /* behind the transport header */
};

/* False where a frame is not that plain. */
bool plain_read(const uint8_t *frame, size_t len, uint32_t wire_len, struct plain *out);

#endif
