/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame to a flow key: Ethernet and tags, then network layers down through tunnels, then the
 * transport. The innermost flow is the flow.
 */
#ifndef SENTROID_PARSE_BPF_H
#define SENTROID_PARSE_BPF_H

#include "quote.bpf.h"
#include "tunnel.bpf.h"

#define SEN_VLAN_DEPTH   4
#define SEN_TUNNEL_DEPTH 2 /* tunnels in tunnels */

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
 * the sender's own address, is about the sender's, which is left in *from either way.
 */
static __always_inline enum sen_outcome parse_arp(struct cursor *c, struct sen_packet *p,
						  union sen_addr *from)
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
	__builtin_memset(p->key.port, 0, sizeof(p->key.port));
	__builtin_memset(&out[0], 0, sizeof(out[0]));
	__builtin_memcpy(out[0].b, arp->sender_mac, 6);
	addr_from_ipv4(&out[1], p->arp == SEN_ARP_QUESTION ? target : sender);
	addr_from_ipv4(from, sender);
	return SEN_PARSED;
}

/* Ethernet and VLAN tags, of which the outermost that has an id is the VLAN; the network protocol in host
 * order, negative where the frame ends first. */
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
		if (!p->key.vlan)
			p->key.vlan = bpf_ntohs(tag->h_vlan_TCI) & 0xfff;
		proto = bpf_ntohs(tag->h_vlan_encapsulated_proto);
	}
	return proto;
}

/* One network layer and what it carries; *proto is its EtherType, and that of the next one where the
 * outcome is SEN_ENCAPSULATED. */
static __always_inline enum sen_outcome parse_network(struct cursor *c, struct sen_packet *p,
						      struct sen_endpoints *e, int *proto,
						      bool last)
{
	enum sen_outcome outcome = SEN_NOT_IP;
	struct sen_ip ip = { 0 };

	if (!cursor_settle(c))
		return SEN_NOT_TRANSPORT;
	if (*proto == SEN_ETH_P_IP)
		outcome = parse_ipv4(c, p, e, &ip);
	else if (*proto == SEN_ETH_P_IPV6)
		outcome = parse_ipv6(c, p, e, &ip);
	if (outcome != SEN_PARSED)
		return outcome;
	if (!cursor_settle(c))
		return SEN_NOT_TRANSPORT;
	if (!last && !p->fragment && tunnel_by_protocol(c, p->key.proto, proto))
		return SEN_ENCAPSULATED;
	outcome = parse_transport(c, p, e, &ip);
	if (outcome == SEN_PARSED && !last && !p->fragment && p->key.proto == IPPROTO_UDP &&
	    tunnel_by_port(c, e->dport, proto))
		return SEN_ENCAPSULATED;
	return outcome;
}

/* Ports, addresses and side in order; and what the packet is about where it is an ICMP error. */
static __always_inline enum sen_outcome parse_finish(struct cursor *c, struct sen_scratch *s)
{
	struct sen_packet *p = &s->packet;

	key_canonical(p, &s->endpoints);
	if (!p->icmp_error)
		return SEN_PARSED;
	p->icmp_error = cursor_save(c, s) && parse_quote(c, s);
	return SEN_PARSED;
}

/* The layers inside a tunnel, from the place and EtherType that are saved in the scratch. */
static __always_inline enum sen_outcome parse_inner_layers(struct cursor *c, struct sen_scratch *s)
{
	enum sen_outcome outcome = SEN_ENCAPSULATED;
	int proto = s->inner_proto;

	cursor_restore(c, s);
	for (int depth = 1; depth <= SEN_TUNNEL_DEPTH && outcome == SEN_ENCAPSULATED; depth++)
		outcome = parse_network(c, &s->packet, &s->endpoints, &proto,
					depth == SEN_TUNNEL_DEPTH);
	return cursor_save(c, s) ? outcome : SEN_NOT_TRANSPORT;
}

SEN_BY_CONTEXT(parse_inner, parse_inner_layers, SEN_NOT_TRANSPORT)

/*
 * The packet in the scratch must have been through packet_begin(). It lies there, and not on the stack,
 * since the verifier does not follow the scratch's contents: on the stack every flag would double its
 * paths. What few packets need is in functions of their own, which the verifier checks once.
 */
static __always_inline enum sen_outcome parse(struct cursor *c, struct sen_scratch *s)
{
	struct sen_packet *p = &s->packet;
	int proto = parse_ethernet(c, p);
	enum sen_outcome outcome;

	if (proto == SEN_ETH_P_ARP)
		return parse_arp(c, p, &s->endpoints.from);
	if (proto >= 0)
		proto = skip_labels(c, proto);
	if (proto < 0)
		return SEN_TRUNCATED;
	outcome = parse_network(c, p, &s->endpoints, &proto, false);
	if (outcome == SEN_ENCAPSULATED) {
		s->inner_proto = proto;
		outcome = cursor_save(c, s) ? parse_inner(c, s) : SEN_NOT_TRANSPORT;
		cursor_restore(c, s);
	}
	return outcome == SEN_PARSED ? parse_finish(c, s) : outcome;
}

#endif
