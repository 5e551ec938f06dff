/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of rules over one sample: protocol, payload, thresholds on its measured values, and what else must
 * hold. For rules.c, which is certain of what it says, and naming.c, which guesses.
 */
#ifndef SENTROID_RULE_TABLE_H
#define SENTROID_RULE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

/* The packet path may see one direction only: nothing here asks whether a flow was answered. */
enum payload {
	PAYLOAD_ANY,
	PAYLOAD_NONE,
	PAYLOAD_SOME
};

#define TCP  (1 << 0)
#define UDP  (1 << 1)
#define ICMP (1 << 2)
#define ARP  (1 << 3)

struct condition {
	enum sen_feature feature;
	uint32_t least;
	uint32_t below;   /* 0: no upper limit */
	const char *what; /* NULL: not worth telling */
};

#define LEAST(feature, n, what)                   \
	{                                         \
		SEN_FEATURE_##feature, n, 0, what \
	}
#define BELOW(feature, n)                         \
	{                                         \
		SEN_FEATURE_##feature, 0, n, NULL \
	}

#define CONDITIONS_MAX 4

struct rule {
	unsigned int class_id;
	unsigned int protocols;
	enum payload payload;
	bool (*extra)(const struct sen_event *ev);   /* NULL: nothing else */
	const char *text;                            /* NULL: it gives no reason */
	struct condition conditions[CONDITIONS_MAX]; /* ends at `least` and `below` of 0 */
};

/* TCP, UDP, ICMP (of either version) or ARP, by a flow's key; 0: something else. */
unsigned int rule_protocol(const struct sen_event *ev);
/* The first of n rules that holds, NULL: none does. */
const struct rule *rule_first(const struct rule *rules, size_t n, const struct sen_event *ev);

bool port_listed(unsigned int port, const uint16_t *ports, size_t n);
#define LISTED(port, ports) port_listed(port, ports, sizeof(ports) / sizeof((ports)[0]))

/* To a web server: HTTP and HTTPS, at their usual ports and at those of proxies and application servers. */
bool rule_is_web(const struct sen_event *ev);
bool rule_is_no_web(const struct sen_event *ev);
/* Not DNS, NTP or QUIC, which live on short flows in numbers. */
bool rule_is_quiet_udp(const struct sen_event *ev);

#endif
