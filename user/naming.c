// SPDX-License-Identifier: BSD-2-Clause
#include "endpoint.h"
#include "naming.h"
#include "rule_table.h"

/*
 * UDP services that answer strangers, and with more than they were asked: every port that is assigned by
 * standard, and those above it of the lists of known amplifiers (CISA alert TA14-017A and later reports): MS SQL,
 * SSDP, ARD, WS-Discovery, IPsec behind NAT, SIP, mDNS, CoAP, Ubiquiti, memcached, Source and Quake engine games, Plex,
 * DVRs, BACnet.
 */
static bool is_service(unsigned int port)
{
	static const uint16_t ports[] = { 1434,  1900,  3283,  3702,  4500,  5060,  5353, 5683,
					  10001, 11211, 27015, 27960, 32414, 37810, 47808 };

	return port < 1024 || LISTED(port, ports);
}

/* From such a service, and not to its like (time servers, tunnels), nor to what all of a network reports to:
 * DHCP servers, SNMP traps, logs. */
static bool is_service_answer(const struct sen_event *ev)
{
	static const uint16_t collectors[] = { 67, 162, 514 };
	unsigned int from = sen_event_client_port(ev), to = sen_event_service(ev);

	return is_service(from) && from != to && !LISTED(to, collectors);
}

/* Hardly anything in it but headers, beyond the handshake. */
static bool is_thin(const struct sen_event *ev)
{
	return ev->packets >= 4 && ev->bytes <= 150ull * ev->packets;
}

static bool is_thin_web(const struct sen_event *ev)
{
	return rule_is_web(ev) && !(ev->flow_flags & SEN_FLOW_CLOSED) && ev->packets >= 8 &&
	       is_thin(ev);
}

#define ANY                 (TCP | UDP | ICMP | ARP)
#define SEVERAL(feature, n) LEAST(feature, n, NULL)

/* In order: the first that holds, wins. */
static const struct rule signs[] = {
	{ SEN_CLASS_ARP_SPOOF,
	  ARP,
	  PAYLOAD_ANY,
	  NULL,
	  "claims an address unasked",
	  { SEVERAL(SRC_UNSOLICITED_64, 2) } },
	{ SEN_CLASS_REFLECTION_TCP,
	  TCP,
	  PAYLOAD_NONE,
	  sen_event_is_answer,
	  "answers to connections not seen",
	  { SEVERAL(SRC_EMPTY_8, 20) } },
	{ SEN_CLASS_SYN_FLOOD,
	  TCP,
	  PAYLOAD_NONE,
	  NULL,
	  "half-open connections of several sources",
	  { SEVERAL(DST_EMPTY_8, 50), SEVERAL(DST_SOURCES_8, 20), BELOW(SRC_EMPTY_8, 20) } },
	{ SEN_CLASS_SYN_FLOOD,
	  TCP,
	  PAYLOAD_NONE,
	  NULL,
	  "half-open connections to one service",
	  { SEVERAL(DST_EMPTY_8, 50), SEVERAL(PAIR_EMPTY_64, 50) } },
	{ SEN_CLASS_SCAN,
	  TCP | UDP,
	  PAYLOAD_NONE,
	  NULL,
	  "several ports tried in silence",
	  { SEVERAL(SRC_PORTS_8, 6), SEVERAL(SRC_EMPTY_8, 5) } },
	{ SEN_CLASS_SCAN,
	  TCP | UDP,
	  PAYLOAD_NONE,
	  rule_is_no_web,
	  "several hosts tried in silence",
	  { SEVERAL(SRC_HOSTS_64, 6), SEVERAL(SRC_EMPTY_8, 5), BELOW(FLOW_PACKETS, 5),
	    BELOW(SRC_PACKETS_PER_FLOW, 4) } },
	{ SEN_CLASS_SCAN,
	  ICMP,
	  PAYLOAD_ANY,
	  NULL,
	  "several hosts pinged",
	  { SEVERAL(SRC_HOSTS_64, 6), SEVERAL(SRC_ICMP_8, 5), BELOW(SRC_PACKETS_PER_FLOW, 4) } },
	{ SEN_CLASS_AMPLIFICATION,
	  UDP,
	  PAYLOAD_SOME,
	  is_service_answer,
	  "several services answer at once",
	  { SEVERAL(DST_SOURCES_8, 16) } },
	{ SEN_CLASS_UDP_FLOOD,
	  UDP,
	  PAYLOAD_ANY,
	  rule_is_quiet_udp,
	  "short flows to one service",
	  { SEVERAL(PAIR_FLOWS_8, 150) } },
	{ SEN_CLASS_UDP_FLOOD,
	  UDP,
	  PAYLOAD_NONE,
	  NULL,
	  "empty packets of several sources",
	  { SEVERAL(DST_SOURCES_8, 64), SEVERAL(DST_EMPTY_8, 100) } },
	{ SEN_CLASS_SLOWLORIS,
	  TCP,
	  PAYLOAD_SOME,
	  is_thin_web,
	  "thin connections to a web server",
	  { SEVERAL(PAIR_FLOWS_64, 30) } },
	{ SEN_CLASS_BRUTE_FORCE,
	  TCP,
	  PAYLOAD_SOME,
	  rule_is_no_web,
	  "one connection after another",
	  { SEVERAL(PAIR_FLOWS_64, 6) } },
};

/* Whoever forges answers asks around first: labelled centroids may know better. */
static const struct rule questions = { SEN_CLASS_SCAN,
				       ARP,
				       PAYLOAD_ANY,
				       NULL,
				       "many addresses asked for",
				       { SEVERAL(SRC_HOSTS_64, 8) } };

/* What there must be at least for the word of a labelled centroid to be taken: a vector may be near it that
 * cannot be of its class. */
static const struct rule needs[] = {
	{ SEN_CLASS_SCAN, ANY, PAYLOAD_ANY, NULL, NULL, { SEVERAL(SRC_HOSTS_64, 2) } },
	{ SEN_CLASS_SCAN, ANY, PAYLOAD_ANY, NULL, NULL, { SEVERAL(SRC_PORTS_8, 2) } },
	{ SEN_CLASS_SYN_FLOOD, TCP, PAYLOAD_ANY, NULL, NULL, { SEVERAL(DST_EMPTY_8, 8) } },
	{ SEN_CLASS_UDP_FLOOD, UDP, PAYLOAD_ANY, NULL, NULL, { { 0 } } },
	{ SEN_CLASS_ICMP_FLOOD, ICMP, PAYLOAD_ANY, NULL, NULL, { { 0 } } },
	/* And the errors that it causes. */
	{ SEN_CLASS_AMPLIFICATION,
	  UDP | ICMP,
	  PAYLOAD_ANY,
	  NULL,
	  NULL,
	  { SEVERAL(DST_SOURCES_8, 4) } },
	{ SEN_CLASS_REFLECTION_TCP, TCP, PAYLOAD_ANY, NULL, NULL, { { 0 } } },
	{ SEN_CLASS_BRUTE_FORCE, TCP, PAYLOAD_ANY, NULL, NULL, { SEVERAL(PAIR_FLOWS_64, 3) } },
	{ SEN_CLASS_SLOWLORIS, TCP, PAYLOAD_ANY, is_thin, NULL, { SEVERAL(PAIR_FLOWS_64, 8) } },
	{ SEN_CLASS_ARP_SPOOF, ARP, PAYLOAD_ANY, NULL, NULL, { { 0 } } },
	{ SEN_CLASS_BEACON, ANY, PAYLOAD_ANY, NULL, NULL, { { 0 } } },
};

static bool is_plausible(const struct sen_event *ev)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].class_id == ev->class_id && rule_first(&needs[i], 1, ev))
			return true;
	return false;
}

static struct sen_name named(unsigned int class_id, enum sen_ground ground)
{
	return (struct sen_name){ .class_id = class_id, .ground = ground };
}

/* What a model and signs say of a flagged evaluation. */
static struct sen_name guess(const struct sen_event *ev)
{
	const struct rule *sign;

	if (ev->class_id >= SEN_CLASS_CUSTOM)
		return named(ev->class_id, SEN_GROUND_OWN);
	sign = rule_first(signs, sizeof(signs) / sizeof(signs[0]), ev);
	if (!sign && is_plausible(ev))
		return named(ev->class_id, SEN_GROUND_NEAREST);
	if (!sign)
		sign = rule_first(&questions, 1, ev);
	if (!sign)
		return named(SEN_CLASS_UNKNOWN, SEN_GROUND_NONE);
	return (struct sen_name){ sign->class_id, SEN_GROUND_SIGNS, sign->text };
}

struct sen_name sen_name_of(const struct sen_event *ev, unsigned int rule)
{
	if (rule != SEN_CLASS_NONE)
		return named(rule, SEN_GROUND_RULE);
	if (ev->score < SEN_ONE)
		return named(SEN_CLASS_NONE, SEN_GROUND_NONE);
	return guess(ev);
}
