/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into tunnels: IPIP, 6in4, GRE and ERSPAN by protocol number; VXLAN, Geneve and GTP-U by port, and only
 * where what follows looks like them, since a port alone proves nothing; MPLS labels and PPPoE between
 * Ethernet and IP. A tunnel over UDP that cannot be entered, or lies too deep, is a flow like any other over
 * UDP; one that is a protocol of its own has no ports, and is counted as another transport.
 */
#ifndef SENTROID_TUNNEL_BPF_H
#define SENTROID_TUNNEL_BPF_H

#include "cursor.bpf.h"

#define SEN_ETH_P_IP      0x0800
#define SEN_ETH_P_ARP     0x0806
#define SEN_ETH_P_TEB     0x6558 /* Ethernet in GRE, RFC 7637 */
#define SEN_ETH_P_8021Q   0x8100
#define SEN_ETH_P_IPV6    0x86dd
#define SEN_ETH_P_MPLS    0x8847 /* RFC 5332; 0x8848: multicast */
#define SEN_ETH_P_PPPOE   0x8864 /* RFC 2516, session stage */
#define SEN_ETH_P_ERSPAN  0x88be
#define SEN_ETH_P_ERSPAN3 0x22eb
#define SEN_ETH_P_8021AD  0x88a8

#define SEN_LABEL_DEPTH 4

/* The IP version that the cursor stands on, as an EtherType; 0: neither. */
static __always_inline int ip_ethertype(const struct cursor *c)
{
	__u8 *first = c->pos;

	if ((void *)(first + 1) > c->end)
		return 0;
	if (*first >> 4 == 4)
		return SEN_ETH_P_IP;
	return *first >> 4 == 6 ? SEN_ETH_P_IPV6 : 0;
}

/* An inner Ethernet header and at most one tag, in front of IP. */
static __always_inline bool inner_ethernet(struct cursor *c, int *proto)
{
	struct ethhdr *eth = cursor_take(c, struct ethhdr);
	struct vlan_hdr *tag;
	__u16 type;

	if (!eth)
		return false;
	type = bpf_ntohs(eth->h_proto);
	if (type == SEN_ETH_P_8021Q) {
		tag = cursor_take(c, struct vlan_hdr);
		if (!tag)
			return false;
		type = bpf_ntohs(tag->h_vlan_encapsulated_proto);
	}
	*proto = type;
	return (type == SEN_ETH_P_IP || type == SEN_ETH_P_IPV6) && ip_ethertype(c) == type;
}

/* What a tunnel header says that it carries. */
static __always_inline bool inner_by_ethertype(struct cursor *c, __u16 type, int *proto)
{
	if (type == SEN_ETH_P_TEB)
		return inner_ethernet(c, proto);
	*proto = type;
	return (type == SEN_ETH_P_IP || type == SEN_ETH_P_IPV6) && ip_ethertype(c) == type;
}

static __always_inline bool skip_bytes(struct cursor *c, __u32 n)
{
	c->pos += n;
	return c->pos <= c->end;
}

/* RFC 2784 and 2890: checksum, key and sequence number are there when their bits are. */
static __always_inline bool enter_gre(struct cursor *c, int *proto)
{
	__u8 *gre = c->pos, sequence;
	__u16 type;

	if ((void *)(gre + 4) > c->end || gre[1] & 7)
		return false;
	/* Bytes: up to 6.12 at least the verifier does not know the range of a word that was swapped, and
	 * lets nothing be read where a pointer has moved by it. */
	sequence = gre[0] >> 4 & 1;
	type = gre[2] << 8 | gre[3];
	if (!skip_bytes(c, 4 + 4 * ((gre[0] >> 7) + (gre[0] >> 5 & 1) + sequence)))
		return false;
	if (type == SEN_ETH_P_ERSPAN)
		return (!sequence || skip_bytes(c, 8)) && inner_ethernet(c, proto);
	if (type == SEN_ETH_P_ERSPAN3)
		return skip_bytes(c, 12) && inner_ethernet(c, proto);
	return inner_by_ethertype(c, type, proto);
}

/* Enter a tunnel that is a transport protocol of its own. The cursor moves only where it can be
 * entered. */
static __always_inline bool tunnel_by_protocol(struct cursor *c, __u8 ip_proto, int *proto)
{
	struct cursor inner = *c;
	bool entered;

	if (ip_proto != IPPROTO_IPIP && ip_proto != IPPROTO_IPV6 && ip_proto != IPPROTO_GRE)
		return false;
	if (ip_proto == IPPROTO_GRE) {
		entered = enter_gre(&inner, proto);
	} else {
		*proto = ip_proto == IPPROTO_IPIP ? SEN_ETH_P_IP : SEN_ETH_P_IPV6;
		entered = ip_ethertype(c) == *proto;
	}
	if (entered)
		c->pos = inner.pos;
	return entered;
}

/* RFC 7348: flags with the VNI bit alone, then an Ethernet frame. */
static __always_inline bool enter_vxlan(struct cursor *c, int *proto)
{
	__u8 *vxlan = c->pos;

	return skip_bytes(c, 8) && vxlan[0] == 8 && !vxlan[7] && inner_ethernet(c, proto);
}

/* RFC 8926: version 0, options in units of four bytes. */
static __always_inline bool enter_geneve(struct cursor *c, int *proto)
{
	__u8 *geneve = c->pos;
	__u16 type;

	if ((void *)(geneve + 8) > c->end || geneve[0] >> 6)
		return false;
	type = geneve[2] << 8 | geneve[3];
	return skip_bytes(c, 8 + (geneve[0] & 63) * 4) && inner_by_ethertype(c, type, proto);
}

/* Past one extension header of any length, in units of four bytes, if no other follows: its last byte says
 * so. */
static __always_inline bool skip_gtp_extension(struct cursor *c)
{
	__u8 *extension = c->pos, *next;

	if ((void *)(extension + 1) > c->end)
		return false;
	next = extension + ((extension[0] * 4 - 1) & 1023);
	if ((void *)(next + 1) > c->end || *next | !extension[0])
		return false;
	c->pos = next + 1;
	return true;
}

/* 3GPP TS 29.281: version 1, a G-PDU; optional fields, and one extension header. */
static __always_inline bool enter_gtp(struct cursor *c, int *proto)
{
	__u8 *gtp = c->pos;

	if ((void *)(gtp + 12) > c->end || (gtp[0] & 0xf0) != 0x30 || gtp[1] != 255)
		return false;
	c->pos = gtp + (gtp[0] & 7 ? 12 : 8);
	if (gtp[0] & 4 && gtp[11] && !skip_gtp_extension(c))
		return false;
	*proto = ip_ethertype(c);
	return *proto;
}

/* Enter a tunnel over UDP, by the port that it is sent to. */
static __always_inline bool tunnel_by_port(struct cursor *c, __u16 port, int *proto)
{
	struct cursor inner = *c;
	bool entered;

	if (port == 4789 || port == 8472)
		entered = enter_vxlan(&inner, proto);
	else if (port == 6081)
		entered = enter_geneve(&inner, proto);
	else if (port == 2152)
		entered = enter_gtp(&inner, proto);
	else
		return false;
	if (entered)
		c->pos = inner.pos;
	return entered;
}

static __always_inline int skip_mpls(struct cursor *c)
{
	__be32 *label;

	for (int i = 0; i < SEN_LABEL_DEPTH; i++) {
		label = cursor_take(c, __be32);
		if (!label)
			return -1;
		if (*label & bpf_htonl(0x100))
			return ip_ethertype(c);
	}
	return 0;
}

/* RFC 2516 and 1661: six bytes of session, two of PPP protocol. */
static __always_inline int skip_pppoe(struct cursor *c)
{
	__be16 *session = c->pos;

	if (!skip_bytes(c, 8))
		return -1;
	if (session[3] == bpf_htons(0x21))
		return SEN_ETH_P_IP;
	return session[3] == bpf_htons(0x57) ? SEN_ETH_P_IPV6 : 0;
}

/* From labels or a PPPoE session to the EtherType of what they carry: 0 where it is not IP, negative
 * where the frame ends first. */
static __always_inline int skip_labels(struct cursor *c, int proto)
{
	if (proto == SEN_ETH_P_MPLS || proto == SEN_ETH_P_MPLS + 1)
		return skip_mpls(c);
	if (proto == SEN_ETH_P_PPPOE)
		return skip_pppoe(c);
	return proto;
}

#endif
