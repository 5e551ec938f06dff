/* SPDX-License-Identifier: GPL-2.0-only */
/* IPv4 and IPv6 headers, options and extension headers. */
#ifndef SENTROID_IP_BPF_H
#define SENTROID_IP_BPF_H

#include "cursor.bpf.h"
#include "maps.bpf.h"

/* IPv6 next headers that the kernel has as macros only (RFC 8200, 6275). */
#define IPPROTO_HOPOPTS  0
#define IPPROTO_ROUTING  43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_DSTOPTS  60
#define IPPROTO_MH       135

#define SEN_EXTENSION_DEPTH 8

/* Network-layer length: what the header states, or what the frame holds where that is less, or where
 * the header says 0 as segmentation offload does. */
static __always_inline __u32 l3_length(const struct cursor *c, const struct sen_packet *p, void *l3,
				       __u32 stated)
{
	__u32 held = p->wire_len - (__u32)((long)l3 - (long)c->start);

	return stated && stated < held ? stated : held;
}

/* What an IP header leaves to be done. */
struct sen_ip {
	__u32 len;    /* bytes of network layer */
	__u32 header; /* of these, before the transport header */
	__u32 later;  /* not 0: a later fragment, without a transport header */
	__u32 id;     /* of the fragments of one packet */
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
	out->id = ip->id;
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
			out->id = header->identification;
		}
		offset += extension_length(*next, header->reserved);
		offset = forget(&s->forget, offset);
		if (offset > SEN_HEADERS_MAX)
			return SEN_NOT_TRANSPORT;
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
	addr_from_ipv6(&e->from, &ip->saddr);
	addr_from_ipv6(&e->to, &ip->daddr);
	next = ip->nexthdr;
	outcome = parse_extensions(c, p, ip, &next, out);
	p->key.proto = next;
	c->pos = (void *)ip + out->header;
	return outcome;
}

#endif
