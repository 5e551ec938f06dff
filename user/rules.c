// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "endpoint.h"
#include "rule_table.h"
#include "rules.h"

uint32_t sen_lg_inverse(uint32_t lg)
{
	uint32_t top = lg / SEN_LG_OCTAVE, steps = SEN_LG_OCTAVE + lg % SEN_LG_OCTAVE;
	uint64_t y;

	if (lg >= SEN_LG_MAX)
		return UINT32_MAX;
	/* Below 16 not every step is a whole number: the least one not under it. */
	y = (((uint64_t)steps << top) + SEN_LG_OCTAVE - 1) / SEN_LG_OCTAVE;
	return (uint32_t)(y - 1);
}

uint32_t sen_feature_count(const struct sen_vector *x, enum sen_feature feature)
{
	return sen_lg_inverse(x->v[feature]);
}

/* FTP, SSH, Telnet, RDP, VNC: a person or a job logs in, then works. */
static bool is_interactive_login(const struct sen_event *ev)
{
	static const uint16_t ports[] = { 21, 22, 23, 3389, 5900 };

	return LISTED(sen_event_service(ev), ports);
}

/* Mail boxes, directories, file shares and databases, where programs may log in often. */
static bool is_program_login(const struct sen_event *ev)
{
	static const uint16_t ports[] = { 110, 143, 389, 445, 993, 995, 1433, 3306, 5432 };

	return LISTED(sen_event_service(ev), ports);
}

static bool is_chatty_udp(const struct sen_event *ev)
{
	return !rule_is_quiet_udp(ev);
}

static bool from_dns(const struct sen_event *ev)
{
	return sen_event_client_port(ev) == 53;
}

/* Services that answer a small question with much: qotd, chargen, TFTP, portmap, NTP, NetBIOS, SNMP,
 * CLDAP, RIP, SSDP, ARD, WS-Discovery, mDNS, memcached. */
static bool from_reflector(const struct sen_event *ev)
{
	static const uint16_t ports[] = { 17,  19,  69,   111,  123,  137,  161,
					  389, 520, 1900, 3283, 3702, 5353, 11211 };

	return LISTED(sen_event_client_port(ev), ports);
}

/*
 * More than 100 packets from one evaluation to the next. These come with powers of two of packets
 * and about once a second, so this is a rate: it tells a flood from a ping that runs for days.
 */
static bool is_rapid(const struct sen_event *ev)
{
	return ev->packets / (ev->evaluations ? ev->evaluations : 1) >= 100;
}

/*
 * A connection to a web server that lives on a few bytes now and then. Evaluations beyond those at
 * powers of two and at changes of state were due to time: there is one a second at most.
 */
static bool is_trickle(const struct sen_event *ev)
{
	uint32_t regular = ev->packets ? sen_top_bit(ev->packets) + 3 : 3;
	uint32_t timed = ev->evaluations > regular ? ev->evaluations - regular : 0;

	return (rule_is_web(ev) || sen_event_service(ev) == 8000) &&
	       !(ev->flow_flags & SEN_FLOW_CLOSED) && timed >= 3 && ev->packets <= 4 * timed &&
	       ev->bytes <= 150ull * ev->packets;
}

/* The target's sources and packets are those of a SYN flood: they say nothing of other protocols. */
#define NO_SYN_FLOOD BELOW(DST_EMPTY_8, 200)

/*
 * In order: the first that holds, wins. Counters of 8 s stand between 8.6 and 17.2 times a steady
 * rate in events a second, those of 64 s between 69 and 138 times.
 */
static const struct rule rules[] = {
	{ SEN_CLASS_ARP_SPOOF,
	  ARP,
	  PAYLOAD_ANY,
	  NULL,
	  "claims addresses that nobody asked for",
	  { LEAST(SRC_UNSOLICITED_64, 6, "unsolicited ARP answers") } },
	{ SEN_CLASS_REFLECTION_TCP,
	  TCP,
	  PAYLOAD_NONE,
	  sen_event_is_answer,
	  "answers to connections that were never opened",
	  { LEAST(SRC_EMPTY_8, 200, "flows") } },
	{ SEN_CLASS_SCAN,
	  TCP | UDP,
	  PAYLOAD_NONE,
	  NULL,
	  "tries many ports and says nothing",
	  { LEAST(SRC_PORTS_8, 16, "ports"), LEAST(SRC_EMPTY_8, 12, "flows without payload") } },
	{ SEN_CLASS_SCAN,
	  TCP | UDP | ICMP,
	  PAYLOAD_NONE,
	  rule_is_no_web,
	  "tries many hosts and says nothing",
	  { LEAST(SRC_HOSTS_64, 11, "hosts"), LEAST(SRC_EMPTY_8, 10, "flows without payload"),
	    BELOW(FLOW_PACKETS, 5), BELOW(SRC_PACKETS_PER_FLOW, 4) } },
	/* A browser opens dozens of connections to as many hosts before it says a word, and a telephone that has
	 * lost the Internet tries them all again and again. */
	{ SEN_CLASS_SCAN,
	  TCP | UDP,
	  PAYLOAD_NONE,
	  rule_is_web,
	  "tries many web servers and says nothing",
	  { LEAST(SRC_HOSTS_64, 45, "hosts"), LEAST(SRC_EMPTY_8, 80, "flows without payload"),
	    BELOW(FLOW_PACKETS, 5), BELOW(SRC_PACKETS_PER_FLOW, 4) } },
	{ SEN_CLASS_SYN_FLOOD,
	  TCP,
	  PAYLOAD_NONE,
	  NULL,
	  "half-open connections from many sources",
	  { LEAST(DST_EMPTY_8, 200, "flows without payload to the target"),
	    LEAST(DST_SOURCES_8, 64, "sources") } },
	{ SEN_CLASS_SYN_FLOOD,
	  TCP,
	  PAYLOAD_NONE,
	  NULL,
	  "half-open connections from one source",
	  { LEAST(DST_EMPTY_8, 200, "flows without payload to the target"),
	    LEAST(PAIR_EMPTY_64, 200, "of them to one service from this source") } },
	{ SEN_CLASS_ICMP_FLOOD,
	  ICMP,
	  PAYLOAD_ANY,
	  is_rapid,
	  "a stream of ICMP from one source",
	  { LEAST(FLOW_PACKETS, 1000, "packets") } },
	{ SEN_CLASS_ICMP_FLOOD,
	  ICMP,
	  PAYLOAD_SOME,
	  NULL,
	  "ICMP from many sources",
	  { LEAST(DST_SOURCES_8, 300, "sources"), LEAST(DST_PACKETS_64, 5000, "packets"),
	    BELOW(FLOW_PACKETS, 4), NO_SYN_FLOOD } },
	{ SEN_CLASS_AMPLIFICATION,
	  UDP,
	  PAYLOAD_SOME,
	  from_dns,
	  "large DNS answers never asked for",
	  { LEAST(FLOW_FIRST_PAYLOAD, 1000, "bytes of payload"),
	    LEAST(DST_SOURCES_8, 32, "sources"), LEAST(DST_PACKETS_64, 20000, "packets"),
	    NO_SYN_FLOOD } },
	{ SEN_CLASS_AMPLIFICATION,
	  UDP,
	  PAYLOAD_SOME,
	  from_reflector,
	  "large answers never asked for",
	  { LEAST(FLOW_FIRST_PAYLOAD, 200, "bytes of payload"), LEAST(DST_SOURCES_8, 8, "sources"),
	    LEAST(DST_PACKETS_64, 2000, "packets"), NO_SYN_FLOOD } },
	{ SEN_CLASS_UDP_FLOOD,
	  UDP,
	  PAYLOAD_ANY,
	  rule_is_quiet_udp,
	  "short UDP flows from one source",
	  { LEAST(PAIR_FLOWS_8, 1500, "flows"), BELOW(FLOW_PACKETS, 4) } },
	{ SEN_CLASS_UDP_FLOOD,
	  UDP,
	  PAYLOAD_ANY,
	  is_chatty_udp,
	  "short UDP flows from one source",
	  { LEAST(PAIR_FLOWS_8, 20000, "flows"), BELOW(FLOW_PACKETS, 4) } },
	{ SEN_CLASS_UDP_FLOOD,
	  UDP,
	  PAYLOAD_SOME,
	  rule_is_quiet_udp,
	  "short UDP flows from many sources",
	  { LEAST(DST_SOURCES_8, 300, "sources"), LEAST(DST_PACKETS_64, 20000, "packets"),
	    BELOW(FLOW_PACKETS, 4), NO_SYN_FLOOD } },
	{ SEN_CLASS_UDP_FLOOD,
	  UDP,
	  PAYLOAD_NONE,
	  NULL,
	  "empty UDP packets from many sources",
	  { LEAST(DST_SOURCES_8, 300, "sources"),
	    LEAST(DST_EMPTY_8, 1000, "flows without payload to the target") } },
	{ SEN_CLASS_BRUTE_FORCE,
	  TCP,
	  PAYLOAD_SOME,
	  is_interactive_login,
	  "one login after another",
	  { LEAST(PAIR_FLOWS_8, 7, "connections to the login service") } },
	{ SEN_CLASS_BRUTE_FORCE,
	  TCP,
	  PAYLOAD_SOME,
	  is_program_login,
	  "one login after another",
	  { LEAST(PAIR_FLOWS_8, 60, "connections to the login service") } },
	{ SEN_CLASS_SLOWLORIS,
	  TCP,
	  PAYLOAD_SOME,
	  is_trickle,
	  "connections held open by a trickle",
	  { LEAST(PAIR_FLOWS_64, 40, "connections to the web server") } },
};

static void explain(const struct rule *r, const struct sen_vector *x, char *reason, size_t size)
{
	int at = snprintf(reason, size, "%s", r->text);

	for (int i = 0; i < CONDITIONS_MAX && at > 0 && (size_t)at < size; i++)
		if (r->conditions[i].what)
			at += snprintf(reason + at, size - at, "%s about %u %s", i ? "," : ":",
				       sen_feature_count(x, r->conditions[i].feature),
				       r->conditions[i].what);
}

unsigned int sen_rules_classify(const struct sen_event *ev, char *reason, size_t size)
{
	const struct rule *r = rule_first(rules, sizeof(rules) / sizeof(rules[0]), ev);

	if (r) {
		if (reason && size)
			explain(r, &ev->vector, reason, size);
		return r->class_id;
	}
	if (reason && size)
		reason[0] = 0;
	return SEN_CLASS_NONE;
}
