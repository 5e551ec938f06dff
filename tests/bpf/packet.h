/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames as data: a list of layers behind Ethernet, outermost first. Ethertypes, next headers and
 * lengths follow from what comes behind, unless a layer is told to lie. Checksums stay 0.
 */
#ifndef SENTROID_TEST_PACKET_H
#define SENTROID_TEST_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

#define PACKET_MAX    3000 /* what test_run takes in one piece */
#define PACKET_LAYERS 14
#define PACKET_MIN    14 /* what test_run takes at least */

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10

/* IPv6 extension headers, and "none follows". */
#define EXT_HOP      0
#define EXT_ROUTING  43
#define EXT_FRAGMENT 44
#define EXT_AH       51
#define EXT_NONE     59
#define EXT_DEST     60
#define EXT_MOBILITY 135

enum layer_kind {
	LAYER_END,
	LAYER_VLAN,
	LAYER_OTHER, /* header bytes of what has no layer of its own here, or is not known at all */
	LAYER_ETHER, /* another Ethernet header, in a tunnel */
	LAYER_IP4,
	LAYER_IP6,
	LAYER_EXT,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_SCTP,
	LAYER_ICMP,
	LAYER_ICMP6,
	LAYER_ARP,
	LAYER_PAYLOAD,
	LAYER_PAD, /* Ethernet padding: no length counts it */
};

/* A statement that differs from the truth; 0 is "tell the truth". */
#define SAY(x) ((x) + 1)

struct layer {
	enum layer_kind kind;
	/* IPv4: low 32 bits; IPv6: see packet_addr(); ARP: MAC, see packet_mac() */
	uint64_t from, to;
	uint32_t claim, about; /* ARP: sender's and target's IPv4 */
	uint16_t id;           /* VLAN id, ethertype or protocol; extension: type; ARP: operation */
	uint16_t ident;        /* of the fragments of one packet */
	uint8_t bytes[26];     /* of an OTHER layer; behind them a filler */
	uint16_t tpid;
	uint16_t sport, dport;
	uint16_t size;   /* bytes: options of IPv4 or TCP, body of an extension, payload, padding */
	uint16_t offset; /* fragment, in units of 8 bytes */
	bool more;       /* more fragments */
	uint8_t flags;   /* TCP; ICMP: type, 0 is an echo */
	int next;        /* SAY(protocol that comes next) */
	int length;      /* SAY(total or payload length) */
	int header;      /* SAY(length of the header in its own unit) */
	int version;     /* SAY(IP version) */
};

#define VLAN(n, ...)                                                         \
	{                                                                    \
		.kind = LAYER_VLAN, .tpid = 0x8100, .id = (n), ##__VA_ARGS__ \
	}
#define QINQ(n)                                               \
	{                                                     \
		.kind = LAYER_VLAN, .tpid = 0x88a8, .id = (n) \
	}
/* An ethertype or a protocol, a size, and the first bytes. */
#define OTHER(n, len, ...)                                                              \
	{                                                                               \
		.kind = LAYER_OTHER, .id = (n), .size = (len), .bytes = { __VA_ARGS__ } \
	}
#define ETHER()                     \
	{                           \
		.kind = LAYER_ETHER \
	}
#define SCTP(a, b)                                             \
	{                                                      \
		.kind = LAYER_SCTP, .sport = (a), .dport = (b) \
	}
#define IP4(a, b, ...)                                                   \
	{                                                                \
		.kind = LAYER_IP4, .from = (a), .to = (b), ##__VA_ARGS__ \
	}
#define IP6(a, b, ...)                                                   \
	{                                                                \
		.kind = LAYER_IP6, .from = (a), .to = (b), ##__VA_ARGS__ \
	}
#define EXT(t, ...)                                         \
	{                                                   \
		.kind = LAYER_EXT, .id = (t), ##__VA_ARGS__ \
	}
#define TCP(a, b, f, ...)                                                                  \
	{                                                                                  \
		.kind = LAYER_TCP, .sport = (a), .dport = (b), .flags = (f), ##__VA_ARGS__ \
	}
#define UDP(a, b, ...)                                                       \
	{                                                                    \
		.kind = LAYER_UDP, .sport = (a), .dport = (b), ##__VA_ARGS__ \
	}
#define ICMP(...)                                 \
	{                                         \
		.kind = LAYER_ICMP, ##__VA_ARGS__ \
	}
#define ICMP6(...)                                 \
	{                                          \
		.kind = LAYER_ICMP6, ##__VA_ARGS__ \
	}
#define PAYLOAD(n)                                 \
	{                                          \
		.kind = LAYER_PAYLOAD, .size = (n) \
	}
#define PAD(n)                                 \
	{                                      \
		.kind = LAYER_PAD, .size = (n) \
	}
#define ARP(op, mac, ip, target)                                                               \
	{                                                                                      \
		.kind = LAYER_ARP, .id = (op), .from = (mac), .claim = (ip), .about = (target) \
	}

#define HOST(n)      (0x0a000000u + (n)) /* 10.0.0.n */
#define ARP_QUESTION 1
#define ARP_ANSWER   2

/* MACs of every frame. */
#define PACKET_TO   0x020000000002
#define PACKET_FROM 0x020000000001

struct packet {
	uint8_t data[PACKET_MAX];
	size_t len;
	size_t needed; /* bytes without which the parser cannot know the flow */
};

/* Build a frame from layers up to LAYER_END. Returns p. */
struct packet *packet_build(struct packet *p, const struct layer *layers);

/* The everyday frames of tests that are not about parsing, IPv4. Return p. */
struct packet *packet_tcp(struct packet *p, uint32_t from, uint16_t sport, uint32_t to,
			  uint16_t dport, uint8_t flags, uint16_t payload);
struct packet *packet_udp(struct packet *p, uint32_t from, uint16_t sport, uint32_t to,
			  uint16_t dport, uint16_t payload);
struct packet *packet_arp(struct packet *p, uint16_t op, uint64_t mac, uint32_t ip,
			  uint32_t target);

/* Addresses as a flow key holds them. IPv6 is made of a number: its upper half tells the subnet, the
 * lower the host, so that both halves of an address take part. */
void packet_addr(uint8_t out[SEN_ADDR_BYTES], enum layer_kind family, uint64_t number);
void packet_mac(uint8_t out[6], uint64_t number);

#endif
