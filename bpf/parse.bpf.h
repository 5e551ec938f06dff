/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame to a flow key. Cursor parsers: each checks the bounds, advances and leaves what comes
 * next; none trusts a length that the packet states beyond the bytes that are there.
 */
#ifndef SENTROID_PARSE_BPF_H
#define SENTROID_PARSE_BPF_H

#include "maps.bpf.h"

#define SEN_ETH_P_IP     0x0800
#define SEN_ETH_P_ARP    0x0806
#define SEN_ETH_P_8021Q  0x8100
#define SEN_ETH_P_IPV6   0x86dd
#define SEN_ETH_P_8021AD 0x88a8

/* IPv6 next headers that the kernel has as macros only (RFC 8200, 6275, 4443). */
#define IPPROTO_HOPOPTS  0
#define IPPROTO_ROUTING  43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_ICMPV6   58
#define IPPROTO_DSTOPTS  60
#define IPPROTO_MH       135

#define SEN_VLAN_DEPTH      4
#define SEN_EXTENSION_DEPTH 8

#define SEN_TCP_FIN 0x01
#define SEN_TCP_SYN 0x02
#define SEN_TCP_RST 0x04
#define SEN_TCP_ACK 0x10

struct cursor {
	void *start;
	void *pos;
	void *end;
};

/* The next n bytes, or NULL where the frame ends before them. */
#define cursor_take(c, type)                                                            \
	({                                                                              \
		type *taken = (c)->pos;                                                 \
		(void *)(taken + 1) <= (c)->end ? ((c)->pos = taken + 1, taken) : NULL; \
	})

union sen_addr {
	__u8 b[SEN_ADDR_BYTES];
	__u32 w[4];
	__u64 d[2];
};

/* A packet before its endpoints are put in order: as sent. */
struct sen_endpoints {
	union sen_addr from, to;
	__u16 sport, dport;
};

static __always_inline void addr_from_ipv4(union sen_addr *a, __be32 ip)
{
	a->d[0] = 0;
	a->w[2] = bpf_htonl(0xffff);
	a->w[3] = ip;
}

/* Sort (address, port) pairs together, by masks: a branch here would be taken at random. */
static __always_inline void key_canonical(struct sen_packet *p, struct sen_endpoints *e)
{
	union sen_addr *out = (union sen_addr *)p->key.addr;
	bool same = e->from.d[0] == e->to.d[0] && e->from.d[1] == e->to.d[1];
	bool above = e->from.d[0] > e->to.d[0] ||
		     (e->from.d[0] == e->to.d[0] && e->from.d[1] > e->to.d[1]);
	__u64 swap = above || (same && e->sport > e->dport);
	__u64 mask = -swap;
	__u64 d0 = (e->from.d[0] ^ e->to.d[0]) & mask;
	__u64 d1 = (e->from.d[1] ^ e->to.d[1]) & mask;
	__u16 port = (e->sport ^ e->dport) & mask;

	out[0].d[0] = e->from.d[0] ^ d0;
	out[0].d[1] = e->from.d[1] ^ d1;
	out[1].d[0] = e->to.d[0] ^ d0;
	out[1].d[1] = e->to.d[1] ^ d1;
	p->key.port[0] = e->sport ^ port;
	p->key.port[1] = e->dport ^ port;
	p->side = swap;
}

static __always_inline enum sen_outcome parse_tcp(struct cursor *c, struct sen_packet *p,
						  struct sen_endpoints *e, __u32 l4_len)
{
	struct tcphdr *tcp = cursor_take(c, struct tcphdr);
	__u32 header;

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

/* ICMP and ICMPv6 have no ports: a flow is what two hosts say to each other. */
static __always_inline enum sen_outcome parse_icmp(struct cursor *c, struct sen_packet *p,
						   __u32 l4_len)
{
	struct icmphdr *icmp = cursor_take(c, struct icmphdr);

	if (!icmp)
		return SEN_TRUNCATED;
	p->payload = l4_len > sizeof(*icmp) ? l4_len - sizeof(*icmp) : 0;
	return SEN_PARSED;
}

static __always_inline bool is_transport(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_ICMP ||
	       proto == IPPROTO_ICMPV6;
}

static __always_inline enum sen_outcome parse_transport(struct cursor *c, struct sen_packet *p,
							struct sen_endpoints *e, __u32 l4_len)
{
	switch (p->key.proto) {
	case IPPROTO_TCP:
		return parse_tcp(c, p, e, l4_len);
	case IPPROTO_UDP:
		return parse_udp(c, p, e, l4_len);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return parse_icmp(c, p, l4_len);
	default:
		return SEN_NOT_TRANSPORT;
	}
}

/* Network-layer length: what the header states, or what the frame holds where that is less, or where
 * the header says 0 as segmentation offload does. */
static __always_inline __u32 l3_length(const struct cursor *c, const struct sen_packet *p, void *l3,
				       __u32 stated)
{
	__u32 held = p->wire_len - (__u32)((long)l3 - (long)c->start);

	return stated && stated < held ? stated : held;
}

static __always_inline __u16 length16(__u32 len)
{
	return len > 0xffff ? 0xffff : len;
}

/* What an IP header leaves to be done. */
struct sen_ip {
	__u32 len;    /* bytes of network layer */
	__u32 header; /* of these, before the transport header */
	__u32 later;  /* not 0: a later fragment, without a transport header */
};

static __always_inline enum sen_outcome parse_ipv4(struct cursor *c, struct sen_packet *p,
						   struct sen_endpoints *e, struct sen_ip *out)
{
	struct iphdr *ip = cursor_take(c, struct iphdr);
	__u32 offset;

	if (!ip)
		return SEN_TRUNCATED;
	out->header = (*(__u8 *)ip & 15) * 4;
	if (*(__u8 *)ip >> 4 != 4 || out->header < sizeof(*ip))
		return SEN_NOT_IP;
	c->pos = (void *)ip + out->header;
	out->len = l3_length(c, p, ip, bpf_ntohs(ip->tot_len));
	offset = bpf_ntohs(ip->frag_off) & 0x3fff;
	out->later = offset & 0x1fff;
	p->fragment = !!offset;
	p->key.proto = ip->protocol;
	addr_from_ipv4(&e->from, ip->saddr);
	addr_from_ipv4(&e->to, ip->daddr);
	return SEN_PARSED;
}

static __always_inline bool is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_AH || next == IPPROTO_MH;
}

/* Bytes of an extension header; its second byte counts in units of its own. */
static __always_inline __u32 extension_length(__u8 type, __u8 units)
{
	if (type == IPPROTO_FRAGMENT)
		return 8;
	return type == IPPROTO_AH ? (units + 2) * 4 : (units + 1) * 8;
}

/* Walk the extension headers, in any order; *next becomes the transport protocol. Works on an offset,
 * not a pointer: the verifier then sees one state a round, not one for every order of headers. */
static __always_inline enum sen_outcome parse_extensions(struct cursor *c, struct sen_packet *p,
							 void *ip, __u8 *next, struct sen_ip *out)
{
	__u32 offset = sizeof(struct ipv6hdr);
	struct sen_scratch *s;

	out->header = offset;
	if (!is_extension(*next))
		return SEN_PARSED;
	s = scratch_of_cpu();
	if (!s)
		return SEN_NOT_TRANSPORT;
	for (int i = 0; i < SEN_EXTENSION_DEPTH; i++) {
		struct frag_hdr *header = ip + offset;

		if (!is_extension(*next) || out->later)
			break;
		if ((void *)(header + 1) > c->end)
			return SEN_TRUNCATED;
		if (*next == IPPROTO_FRAGMENT) {
			p->fragment = 1;
			out->later = bpf_ntohs(header->frag_off) >> 3;
		}
		offset += extension_length(*next, header->reserved);
		offset = forget(&s->forget, offset) & 0x7fff; /* 8 x 2048 + 40 fit */
		*next = header->nexthdr;
	}
	out->header = offset;
	return SEN_PARSED;
}

static __always_inline enum sen_outcome parse_ipv6(struct cursor *c, struct sen_packet *p,
						   struct sen_endpoints *e, struct sen_ip *out)
{
	struct ipv6hdr *ip = cursor_take(c, struct ipv6hdr);
	enum sen_outcome outcome;
	__u32 stated;
	__u8 next;

	if (!ip)
		return SEN_TRUNCATED;
	if (*(__u8 *)ip >> 4 != 6)
		return SEN_NOT_IP;
	stated = bpf_ntohs(ip->payload_len);
	out->len = l3_length(c, p, ip, stated ? stated + sizeof(*ip) : 0);
	__builtin_memcpy(&e->from, &ip->saddr, SEN_ADDR_BYTES);
	__builtin_memcpy(&e->to, &ip->daddr, SEN_ADDR_BYTES);
	next = ip->nexthdr;
	outcome = parse_extensions(c, p, ip, &next, out);
	p->key.proto = next;
	c->pos = (void *)ip + out->header;
	return outcome;
}

/* Behind the network header; a later fragment has no ports, and joins no one's flow but that of the
 * other fragments between its hosts. */
static __always_inline enum sen_outcome parse_ip_payload(struct cursor *c, struct sen_packet *p,
							 struct sen_endpoints *e,
							 const struct sen_ip *ip)
{
	__u32 rest = length16(ip->len > ip->header ? ip->len - ip->header : 0);

	p->l3_len = length16(ip->len);
	if (!ip->later)
		return parse_transport(c, p, e, rest);
	if (!is_transport(p->key.proto))
		return SEN_NOT_TRANSPORT;
	if (c->pos > c->end)
		return SEN_TRUNCATED;
	p->payload = rest;
	return SEN_PARSED;
}

struct sen_arp {
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 op;
	__u8 sender_mac[6];
	__u8 sender_ip[4];
	__u8 target_mac[6];
	__u8 target_ip[4];
} __attribute__((packed));

static __always_inline __u64 mac_value(const __u8 *mac)
{
	__u64 v = 0;

#pragma unroll
	for (int i = 0; i < 6; i++)
		v = v << 8 | mac[i];
	return v;
}

static __always_inline enum sen_arp_kind arp_kind(const struct ethhdr *eth, bool question)
{
	if (question)
		return SEN_ARP_QUESTION;
	return sen_own_mac && mac_value(eth->h_dest) == sen_own_mac ? SEN_ARP_CLAIM_TO_US :
								      SEN_ARP_CLAIM;
}

/*
 * A question is about the target's address; a claim, be it an answer or a gratuitous question for
 * the sender's own address, is about the sender's.
 */
static __always_inline enum sen_outcome parse_arp(struct cursor *c, struct sen_packet *p)
{
	struct sen_arp *arp = cursor_take(c, struct sen_arp);
	struct ethhdr *eth = c->start;
	union sen_addr *out = (union sen_addr *)p->key.addr;
	__u32 sender, target;

	if (!arp || (void *)(eth + 1) > c->end)
		return SEN_TRUNCATED;
	if (arp->hardware != bpf_htons(1) || arp->protocol != bpf_htons(SEN_ETH_P_IP))
		return SEN_NOT_IP;
	__builtin_memcpy(&sender, arp->sender_ip, 4);
	__builtin_memcpy(&target, arp->target_ip, 4);
	p->arp = arp_kind(eth, arp->op == bpf_htons(1) && sender != target);
	p->key.proto = SEN_PROTO_ARP;
	p->l3_len = sizeof(*arp);
	__builtin_memcpy(p->mac, arp->sender_mac, 6);
	__builtin_memcpy(out[0].b, arp->sender_mac, 6);
	addr_from_ipv4(&out[1], p->arp == SEN_ARP_QUESTION ? target : sender);
	return SEN_PARSED;
}

/* Ethernet and VLAN tags; the network protocol in host order, negative where the frame ends first. */
static __always_inline int parse_ethernet(struct cursor *c, struct sen_packet *p)
{
	struct ethhdr *eth = cursor_take(c, struct ethhdr);
	struct vlan_hdr *tag;
	__u16 proto;

	if (!eth)
		return -1;
	proto = bpf_ntohs(eth->h_proto);
	for (int i = 0; i < SEN_VLAN_DEPTH; i++) {
		if (proto != SEN_ETH_P_8021Q && proto != SEN_ETH_P_8021AD)
			break;
		tag = cursor_take(c, struct vlan_hdr);
		if (!tag)
			return -1;
		if (i == 0)
			p->key.vlan = bpf_ntohs(tag->h_vlan_TCI) & 0xfff;
		proto = bpf_ntohs(tag->h_vlan_encapsulated_proto);
	}
	return proto;
}

/* p must be zeroed but for its wire_len. */
static __always_inline enum sen_outcome parse(struct cursor *c, struct sen_packet *p)
{
	struct sen_endpoints e = { 0 };
	struct sen_ip ip = { 0 };
	enum sen_outcome outcome = SEN_NOT_IP;
	int proto = parse_ethernet(c, p);

	if (proto == SEN_ETH_P_IP)
		outcome = parse_ipv4(c, p, &e, &ip);
	else if (proto == SEN_ETH_P_IPV6)
		outcome = parse_ipv6(c, p, &e, &ip);
	else if (proto == SEN_ETH_P_ARP)
		return parse_arp(c, p);
	else if (proto < 0)
		return SEN_TRUNCATED;
	if (outcome == SEN_PARSED)
		outcome = parse_ip_payload(c, p, &e, &ip);
	if (outcome == SEN_PARSED)
		key_canonical(p, &e);
	return outcome;
}

#endif
