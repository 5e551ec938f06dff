/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an ICMP error quotes: the head of the packet that could not be delivered. The error is credited
 * to that packet's flow, as coming from its receiver's side, if there is such a flow and it was sent to
 * whom the packet came from; else it is a packet of its own between the hosts that sent and got it.
 */
#ifndef SENTROID_QUOTE_BPF_H
#define SENTROID_QUOTE_BPF_H

#include "transport.bpf.h"

/* Endpoints of a quoted IPv4 packet that has its ports (RFC 792: at least eight bytes behind the header). */
static __always_inline bool quote_ipv4(struct cursor *c, struct sen_endpoints *e, __u8 *proto)
{
	struct iphdr *ip = cursor_take(c, struct iphdr);

	if (!ip || *(__u8 *)ip >> 4 != 4 || bpf_ntohs(ip->frag_off) & 0x1fff)
		return false;
	addr_from_ipv4(&e->from, ip->saddr);
	addr_from_ipv4(&e->to, ip->daddr);
	*proto = ip->protocol;
	c->pos = (void *)ip + (*(__u8 *)ip & 15) * 4;
	return true;
}

/* Past its extension headers; whether the error itself is a fragment is not for the quote to say. */
static __always_inline bool quote_ipv6(struct cursor *c, struct sen_packet *p,
				       struct sen_endpoints *e, __u8 *proto)
{
	struct ipv6hdr *ip = cursor_take(c, struct ipv6hdr);
	__u8 fragment = p->fragment;
	struct sen_ip out = { 0 };
	enum sen_outcome outcome;

	if (!ip || *(__u8 *)ip >> 4 != 6)
		return false;
	addr_from_ipv6(&e->from, &ip->saddr);
	addr_from_ipv6(&e->to, &ip->daddr);
	*proto = ip->nexthdr;
	outcome = parse_extensions(c, p, ip, proto, &out);
	p->fragment = fragment;
	c->pos = (void *)ip + out.header;
	return outcome == SEN_PARSED && !out.later;
}

static __always_inline bool quote_ports(struct cursor *c, struct sen_endpoints *e, __u8 proto)
{
	__be16 *port = c->pos;

	e->sport = 0;
	e->dport = 0;
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return true;
	if (!is_transport(proto) || (void *)(port + 2) > c->end)
		return false;
	e->sport = bpf_ntohs(port[0]);
	e->dport = bpf_ntohs(port[1]);
	return true;
}

/* An error goes to whom the packet came from. Anyone else who is sent it is being told of a flow of others,
 * and that flow is not to suffer for it. */
static __always_inline bool quote_returns(const struct sen_packet *p, const struct sen_endpoints *e)
{
	const __u64 *to = (const __u64 *)(p->side ? p->key.addr[0] : p->key.addr[1]);

	return !((to[0] ^ e->from.d[0]) | (to[1] ^ e->from.d[1]));
}

/* Give the packet the key of what it quotes and put its own aside; false where nothing can be read. */
static __always_inline bool quote_follow(struct cursor *c, struct sen_scratch *s)
{
	struct sen_packet *p = &s->packet;
	struct sen_endpoints *e = &s->endpoints;
	bool ipv6 = p->key.proto == IPPROTO_ICMPV6;
	__u8 proto = 0;

	cursor_restore(c, s);
	if (!cursor_settle(c) || !(ipv6 ? quote_ipv6(c, p, e, &proto) : quote_ipv4(c, e, &proto)) ||
	    !quote_returns(p, e) || !cursor_settle(c) || !quote_ports(c, e, proto))
		return false;
	s->carrier = p->key;
	s->carrier_side = p->side;
	p->key.proto = proto;
	key_canonical(p, e);
	/* The quoted packet went the other way. */
	p->side = !p->side;
	return true;
}

SEN_BY_CONTEXT(parse_quote, quote_follow, 0)

/* No such flow: the error is a packet of its own again. */
static __always_inline void quote_drop(struct sen_scratch *s)
{
	s->packet.key = s->carrier;
	s->packet.side = s->carrier_side;
	s->packet.icmp_error = 0;
}

#endif
