/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP, UDP, SCTP, ICMP; fragments that come without a header; what an ICMP error quotes. */
#ifndef SENTROID_TRANSPORT_BPF_H
#define SENTROID_TRANSPORT_BPF_H

#include "ip.bpf.h"
#include "table.bpf.h"

#define SEN_TCP_FIN 0x01
#define SEN_TCP_SYN 0x02
#define SEN_TCP_RST 0x04
#define SEN_TCP_ACK 0x10

#define SEN_FRAGMENT_TICKS (30 * SEN_TICKS_PER_SEC) /* a packet's fragments come within so long */

/*
 * A first fragment that ends inside the TCP header (RFC 1858): no stack sends such, only who would hide what
 * the header says. Its ports are there; for the rest it is taken for what it is used for, an opening.
 */
static __always_inline enum sen_outcome parse_tcp_cut(struct cursor *c, struct sen_packet *p,
						      struct sen_endpoints *e)
{
	__be16 *port = c->pos;

	if ((void *)(port + 2) > c->end)
		return SEN_TRUNCATED;
	e->sport = bpf_ntohs(port[0]);
	e->dport = bpf_ntohs(port[1]);
	p->tcp_flags = SEN_TCP_SYN;
	return SEN_PARSED;
}

static __always_inline enum sen_outcome parse_tcp(struct cursor *c, struct sen_packet *p,
						  struct sen_endpoints *e, __u32 l4_len)
{
	struct tcphdr *tcp;
	__u32 header;

	if (p->fragment && l4_len < sizeof(*tcp))
		return parse_tcp_cut(c, p, e);
	tcp = cursor_take(c, struct tcphdr);
	if (!tcp)
		return SEN_TRUNCATED;
	e->sport = bpf_ntohs(tcp->source);
	e->dport = bpf_ntohs(tcp->dest);
	p->tcp_flags = ((__u8 *)tcp)[13];
	header = (((__u8 *)tcp)[12] >> 4) * 4;
	header = header < sizeof(*tcp) ? sizeof(*tcp) : header;
	p->payload = l4_len > header ? l4_len - header : 0;
	return SEN_PARSED;
}

static __always_inline enum sen_outcome parse_udp(struct cursor *c, struct sen_packet *p,
						  struct sen_endpoints *e, __u32 l4_len)
{
	struct udphdr *udp = cursor_take(c, struct udphdr);

	if (!udp)
		return SEN_TRUNCATED;
	e->sport = bpf_ntohs(udp->source);
	e->dport = bpf_ntohs(udp->dest);
	p->payload = l4_len > sizeof(*udp) ? l4_len - sizeof(*udp) : 0;
	return SEN_PARSED;
}

static __always_inline enum sen_outcome parse_sctp(struct cursor *c, struct sen_packet *p,
						   struct sen_endpoints *e, __u32 l4_len)
{
	struct sctphdr *sctp = cursor_take(c, struct sctphdr);

	if (!sctp)
		return SEN_TRUNCATED;
	e->sport = bpf_ntohs(sctp->source);
	e->dport = bpf_ntohs(sctp->dest);
	p->payload = l4_len > sizeof(*sctp) ? l4_len - sizeof(*sctp) : 0;
	return SEN_PARSED;
}

/* ICMP and ICMPv6 have no ports: a flow is what two hosts say to each other. */
static __always_inline enum sen_outcome parse_icmp(struct cursor *c, struct sen_packet *p,
						   struct sen_endpoints *e, __u32 l4_len)
{
	struct icmphdr *icmp = cursor_take(c, struct icmphdr);

	if (!icmp)
		return SEN_TRUNCATED;
	p->payload = l4_len > sizeof(*icmp) ? l4_len - sizeof(*icmp) : 0;
	e->sport = 0;
	e->dport = 0;
	p->icmp_error = p->key.proto == IPPROTO_ICMP ?
				icmp->type == 3 || icmp->type == 4 || icmp->type == 5 ||
					icmp->type == 11 || icmp->type == 12 :
				icmp->type >= 1 && icmp->type <= 4;
	return SEN_PARSED;
}

static __always_inline bool is_transport(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_ICMP ||
	       proto == IPPROTO_ICMPV6 || proto == IPPROTO_SCTP;
}

static __always_inline enum sen_outcome parse_header(struct cursor *c, struct sen_packet *p,
						     struct sen_endpoints *e, __u32 l4_len)
{
	switch (p->key.proto) {
	case IPPROTO_TCP:
		return parse_tcp(c, p, e, l4_len);
	case IPPROTO_UDP:
		return parse_udp(c, p, e, l4_len);
	case IPPROTO_SCTP:
		return parse_sctp(c, p, e, l4_len);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return parse_icmp(c, p, e, l4_len);
	default:
		return SEN_NOT_TRANSPORT;
	}
}

/*
 * The ports of a fragmented packet, remembered under its addresses, VLAN, protocol and id from the fragment
 * that has them for those that have not. Fixed memory, each entry for whoever came last: fragments of a
 * packet travel together.
 */
static __always_inline struct sen_fragment *fragment_of(const struct sen_packet *p,
							const struct sen_endpoints *e, __u32 id,
							__u64 *fingerprint)
{
	__u64 words[5] = { e->from.d[0], e->from.d[1], e->to.d[0], e->to.d[1],
			   (__u64)p->key.vlan << 40 | (__u64)p->key.proto << 32 | id };
	__u32 index;

	*fingerprint = table_hash(words);
	index = *fingerprint & (SEN_FRAGMENTS - 1);
	return bpf_map_lookup_elem(&fragments, &index);
}

static __always_inline void fragment_remember(const struct sen_packet *p,
					      const struct sen_endpoints *e, __u32 id)
{
	__u64 fingerprint;
	struct sen_fragment *f = fragment_of(p, e, id, &fingerprint);

	if (!f)
		return;
	f->fingerprint = fingerprint;
	f->tick = p->now;
	f->sport = e->sport;
	f->dport = e->dport;
}

/* Ports 0 where the first fragment has not come by: a flow of such fragments between two hosts. */
static __always_inline void fragment_join(struct sen_packet *p, struct sen_endpoints *e, __u32 id)
{
	__u64 fingerprint;
	struct sen_fragment *f = fragment_of(p, e, id, &fingerprint);

	e->sport = 0;
	e->dport = 0;
	p->unjoined = !f || f->fingerprint != fingerprint || p->now - f->tick > SEN_FRAGMENT_TICKS;
	if (p->unjoined)
		return;
	e->sport = f->sport;
	e->dport = f->dport;
}

/* Behind the network header. */
static __always_inline enum sen_outcome parse_transport(struct cursor *c, struct sen_packet *p,
							struct sen_endpoints *e,
							const struct sen_ip *ip)
{
	__u32 rest = length16(ip->len > ip->header ? ip->len - ip->header : 0);
	enum sen_outcome outcome;

	p->l3_len = length16(ip->len);
	if (!ip->later) {
		outcome = parse_header(c, p, e, rest);
		if (outcome == SEN_PARSED && p->fragment)
			fragment_remember(p, e, ip->id);
		return outcome;
	}
	if (!is_transport(p->key.proto))
		return SEN_NOT_TRANSPORT;
	if (c->pos > c->end)
		return SEN_TRUNCATED;
	p->payload = rest;
	fragment_join(p, e, ip->id);
	return SEN_PARSED;
}

#endif
