/* SPDX-License-Identifier: BSD-2-Clause */
/* One frame of every kind, and what the parser owes it. */
#ifndef SENTROID_TEST_FIXTURES_H
#define SENTROID_TEST_FIXTURES_H

#include "harness.h"

struct fixture {
	const char *name;
	struct layer layers[PACKET_LAYERS];
	enum outcome outcome;
	/* Of the flow, where there is one. Its ends are those of the network layer. */
	uint8_t proto;
	uint16_t sport, dport;
	uint16_t vlan;
	uint16_t length;  /* network layer */
	uint16_t payload; /* first */
	bool fragment;
	bool tunnel; /* cut short it is another frame, not necessarily a truncated one */
};

/* Up to one without a name. */
extern const struct fixture fixtures[];

#endif
