// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"

static const __u8 mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static int initiator(const struct sen_event *ev)
{
	return ev->flow_flags & SEN_FLOW_INITIATOR_1 ? 1 : 0;
}

bool sen_event_is_answer(const struct sen_event *ev)
{
	return ev->key.proto == IPPROTO_TCP && ev->flow_flags & SEN_FLOW_ANSWERED &&
	       !(ev->flow_flags & SEN_FLOW_SYN);
}

const __u8 *sen_event_source(const struct sen_event *ev)
{
	return ev->key.addr[initiator(ev)];
}

const __u8 *sen_event_target(const struct sen_event *ev)
{
	return ev->key.addr[!initiator(ev)];
}

unsigned int sen_event_service(const struct sen_event *ev)
{
	return ev->key.port[!initiator(ev)];
}

unsigned int sen_event_client_port(const struct sen_event *ev)
{
	return ev->key.port[initiator(ev)];
}

/* The key holds a MAC as 6 bytes and 10 of zero. No IPv6 unicast address ends in ten of them but
 * the subnet-router anycast of a /48, which sends nothing. */
static bool is_mac(const __u8 *addr)
{
	static const __u8 zero[10];

	return !memcmp(addr + 6, zero, sizeof(zero)) && memcmp(addr, zero, 6) != 0;
}

void sen_addr_format(const __u8 addr[SEN_ADDR_BYTES], char text[SEN_ADDR_TEXT])
{
	if (!memcmp(addr, mapped_prefix, sizeof(mapped_prefix)))
		inet_ntop(AF_INET, addr + 12, text, SEN_ADDR_TEXT);
	else if (is_mac(addr))
		snprintf(text, SEN_ADDR_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", addr[0], addr[1],
			 addr[2], addr[3], addr[4], addr[5]);
	else
		inet_ntop(AF_INET6, addr, text, SEN_ADDR_TEXT);
}

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

uint64_t sen_addr_hash(const __u8 addr[SEN_ADDR_BYTES])
{
	uint64_t half[2];

	memcpy(half, addr, sizeof(half));
	return mix(mix(half[0] + 0x9e3779b97f4a7c15ull) ^ half[1]);
}
