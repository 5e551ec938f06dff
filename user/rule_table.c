// SPDX-License-Identifier: BSD-2-Clause
#include <netinet/in.h>

#include "endpoint.h"
#include "rule_table.h"

unsigned int rule_protocol(const struct sen_event *ev)
{
	switch (ev->key.proto) {
	case IPPROTO_TCP:
		return TCP;
	case IPPROTO_UDP:
		return UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return ICMP;
	case SEN_PROTO_ARP:
		return ARP;
	default:
		return 0;
	}
}

/* Thresholds are compared in the logarithm: what reaches them there has reached them before it. */
static bool reaches(const struct sen_vector *x, enum sen_feature feature, uint32_t count)
{
	return x->v[feature] >= sen_lg(count);
}

static bool condition_holds(const struct condition *c, const struct sen_vector *x)
{
	return (!c->least || reaches(x, c->feature, c->least)) &&
	       (!c->below || !reaches(x, c->feature, c->below));
}

static bool rule_holds(const struct rule *r, const struct sen_event *ev)
{
	bool payload = ev->flow_flags & SEN_FLOW_PAYLOAD;

	if (!(r->protocols & rule_protocol(ev)))
		return false;
	if (r->payload != PAYLOAD_ANY && payload != (r->payload == PAYLOAD_SOME))
		return false;
	for (int i = 0; i < CONDITIONS_MAX; i++)
		if (!condition_holds(&r->conditions[i], &ev->vector))
			return false;
	return !r->extra || r->extra(ev);
}

const struct rule *rule_first(const struct rule *rules, size_t n, const struct sen_event *ev)
{
	for (size_t i = 0; i < n; i++)
		if (rule_holds(&rules[i], ev))
			return &rules[i];
	return NULL;
}

bool port_listed(unsigned int port, const uint16_t *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i] == port)
			return true;
	return false;
}

bool rule_is_web(const struct sen_event *ev)
{
	static const uint16_t ports[] = { 80, 443, 8080, 8443 };

	return LISTED(sen_event_service(ev), ports);
}

bool rule_is_no_web(const struct sen_event *ev)
{
	return !rule_is_web(ev);
}

bool rule_is_quiet_udp(const struct sen_event *ev)
{
	static const uint16_t chatty[] = { 53, 123, 443 };

	return !LISTED(sen_event_service(ev), chatty);
}
