// SPDX-License-Identifier: BSD-2-Clause
#include "packet.h"

#include <assert.h>
#include <string.h>

static uint8_t *append(struct packet *p, size_t bytes)
{
	uint8_t *at = p->data + p->len;

	assert(p->len + bytes <= PACKET_MAX);
	p->len += bytes;
	return at;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* What a layer says where it was told to lie, else the truth. */
static uint32_t said(int statement, uint32_t truth)
{
	return statement ? (uint32_t)statement - 1 : truth;
}

void packet_mac(uint8_t out[6], uint64_t number)
{
	for (int i = 0; i < 6; i++)
		out[i] = number >> (40 - 8 * i);
}

static void addr6(uint8_t *out, uint64_t number)
{
	memset(out, 0, SEN_ADDR_BYTES);
	out[0] = 0xfd;
	put32(out + 4, number >> 32);
	put32(out + 12, number);
}

void packet_addr(uint8_t out[SEN_ADDR_BYTES], enum layer_kind family, uint64_t number)
{
	memset(out, 0, SEN_ADDR_BYTES);
	switch (family) {
	case LAYER_IP6:
		addr6(out, number);
		break;
	case LAYER_ARP:
		packet_mac(out, number);
		break;
	default:
		out[10] = out[11] = 0xff;
		put32(out + 12, number);
	}
}

static size_t layer_size(const struct layer *l)
{
	switch (l->kind) {
	case LAYER_VLAN:
		return 4;
	case LAYER_IP4:
	case LAYER_TCP:
		return 20 + l->size;
	case LAYER_IP6:
		return 40;
	case LAYER_EXT:
	case LAYER_UDP:
	case LAYER_ICMP:
	case LAYER_ICMP6:
		return 8 + l->size;
	case LAYER_ARP:
		return 28;
	case LAYER_ETHER:
		return 14;
	case LAYER_SCTP:
		return 12;
	case LAYER_OTHER:
	case LAYER_PAYLOAD:
		return l->size;
	default:
		return 0;
	}
}

/* Bytes from this layer on, as its length field counts them. */
static uint32_t size_from(const struct layer *l)
{
	uint32_t sum = 0;

	for (; l->kind != LAYER_END; l++)
		sum += layer_size(l);
	return sum;
}

static uint16_t ethertype_of(const struct layer *l)
{
	switch (l->kind) {
	case LAYER_VLAN:
		return l->tpid;
	case LAYER_IP4:
		return 0x0800;
	case LAYER_IP6:
		return 0x86dd;
	case LAYER_ARP:
		return 0x0806;
	default:
		return l->id;
	}
}

static uint8_t protocol_of(const struct layer *l)
{
	switch (l->kind) {
	case LAYER_TCP:
		return 6;
	case LAYER_UDP:
		return 17;
	case LAYER_SCTP:
		return 132;
	case LAYER_IP4:
		return 4;
	case LAYER_IP6:
		return 41;
	case LAYER_ICMP:
		return 1;
	case LAYER_ICMP6:
		return 58;
	case LAYER_END:
		return EXT_NONE;
	default:
		return l->id;
	}
}

static void put_ip4(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));

	at[0] = said(l->version, 4) << 4 | said(l->header, (20 + l->size) / 4);
	put16(at + 2, said(l->length, size_from(l)));
	put16(at + 4, l->ident);
	put16(at + 6, l->offset | (l->more ? 0x2000 : 0));
	at[8] = 64;
	at[9] = said(l->next, protocol_of(l + 1));
	put32(at + 12, l->from);
	put32(at + 16, l->to);
	memset(at + 20, 1, l->size); /* no-operation options */
}

static void put_ip6(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));

	at[0] = said(l->version, 6) << 4;
	put16(at + 4, said(l->length, size_from(l) - 40));
	at[6] = said(l->next, protocol_of(l + 1));
	at[7] = 64;
	addr6(at + 8, l->from);
	addr6(at + 24, l->to);
}

/* The authentication header counts in words of 4 bytes less two, the fragment header not at all. */
static void put_ext(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));
	uint32_t units = l->id == EXT_AH ? (8 + l->size) / 4 - 2 : l->size / 8;

	at[0] = said(l->next, protocol_of(l + 1));
	at[1] = said(l->header, l->id == EXT_FRAGMENT ? 0 : units);
	if (l->id != EXT_FRAGMENT)
		return;
	put16(at + 2, l->offset << 3 | l->more);
	put32(at + 4, l->ident);
}

static void put_tcp(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));

	put16(at, l->sport);
	put16(at + 2, l->dport);
	at[12] = said(l->header, (20 + l->size) / 4) << 4;
	at[13] = l->flags;
	memset(at + 20, 1, l->size);
}

static void put_udp(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));

	put16(at, l->sport);
	put16(at + 2, l->dport);
	put16(at + 4, said(l->length, size_from(l)));
}

static void put_arp(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));

	put16(at, 1);
	put16(at + 2, 0x0800);
	at[4] = 6;
	at[5] = 4;
	put16(at + 6, l->id);
	packet_mac(at + 8, l->from);
	put32(at + 14, l->claim);
	packet_mac(at + 18, l->to);
	put32(at + 24, l->about);
}

static void put_vlan(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));

	put16(at, l->id);
	put16(at + 2, ethertype_of(l + 1));
}

static void put_bytes(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, l->size);

	memset(at, 0xa5, l->size);
	if (l->kind == LAYER_OTHER)
		memcpy(at, l->bytes, l->size < sizeof(l->bytes) ? l->size : sizeof(l->bytes));
}

static void ether_header(struct packet *p, uint16_t type)
{
	packet_mac(append(p, 6), PACKET_TO);
	packet_mac(append(p, 6), PACKET_FROM);
	put16(append(p, 2), type);
}

static void put_ether(struct packet *p, const struct layer *l)
{
	ether_header(p, ethertype_of(l + 1));
}

static void put_sctp(struct packet *p, const struct layer *l)
{
	uint8_t *at = append(p, layer_size(l));

	put16(at, l->sport);
	put16(at + 2, l->dport);
}

static void put_icmp(struct packet *p, const struct layer *l)
{
	uint8_t echo = l->kind == LAYER_ICMP ? 8 : 128;

	append(p, layer_size(l))[0] = l->flags ? l->flags : echo;
}

static void put_layer(struct packet *p, const struct layer *l)
{
	static void (*const put[])(struct packet *, const struct layer *) = {
		[LAYER_ETHER] = put_ether,   [LAYER_SCTP] = put_sctp,  [LAYER_VLAN] = put_vlan,
		[LAYER_OTHER] = put_bytes,   [LAYER_IP4] = put_ip4,    [LAYER_IP6] = put_ip6,
		[LAYER_EXT] = put_ext,       [LAYER_TCP] = put_tcp,    [LAYER_UDP] = put_udp,
		[LAYER_ICMP] = put_icmp,     [LAYER_ICMP6] = put_icmp, [LAYER_ARP] = put_arp,
		[LAYER_PAYLOAD] = put_bytes, [LAYER_PAD] = put_bytes,
	};

	put[l->kind](p, l);
}

/* Options of TCP are not looked at; those of IPv4 and all extensions are walked over. */
static bool is_needed(const struct layer *l)
{
	return l->kind != LAYER_PAYLOAD && l->kind != LAYER_PAD && l->kind != LAYER_OTHER;
}

struct packet *packet_build(struct packet *p, const struct layer *layers)
{
	memset(p, 0, sizeof(*p));
	ether_header(p, ethertype_of(layers));
	p->needed = p->len;
	for (const struct layer *l = layers; l->kind != LAYER_END; l++) {
		put_layer(p, l);
		if (is_needed(l))
			p->needed = p->len - (l->kind == LAYER_TCP ? l->size : 0);
	}
	return p;
}

struct packet *packet_tcp(struct packet *p, uint32_t from, uint16_t sport, uint32_t to,
			  uint16_t dport, uint8_t flags, uint16_t payload)
{
	const struct layer layers[] = {
		IP4(from, to), TCP(sport, dport, flags), PAYLOAD(payload), { 0 }
	};

	return packet_build(p, layers);
}

struct packet *packet_udp(struct packet *p, uint32_t from, uint16_t sport, uint32_t to,
			  uint16_t dport, uint16_t payload)
{
	const struct layer layers[] = { IP4(from, to), UDP(sport, dport), PAYLOAD(payload), { 0 } };

	return packet_build(p, layers);
}

struct packet *packet_arp(struct packet *p, uint16_t op, uint64_t mac, uint32_t ip, uint32_t target)
{
	const struct layer layers[] = { ARP(op, mac, ip, target), PAD(18), { 0 } };

	return packet_build(p, layers);
}
