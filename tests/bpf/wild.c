// SPDX-License-Identifier: BSD-2-Clause
#include "wild.h"
#include "fixtures.h"
#include "random.h"

static uint32_t below(uint64_t *random, uint32_t n)
{
	return random_next(random) % n;
}

/* Everyday packets between few hosts, so that there are flows, or one of the fixtures. */
static void make_packet(struct packet *p, uint64_t *random)
{
	static size_t count;
	uint32_t a = HOST(below(random, 200)), b = HOST(below(random, 12));
	uint16_t port = 1024 + below(random, 40);

	while (fixtures[count].name)
		count++;
	switch (below(random, 4)) {
	case 0:
		packet_build(p, fixtures[below(random, count)].layers);
		break;
	case 1:
		packet_udp(p, a, port, b, 53, below(random, 600));
		break;
	case 2:
		packet_arp(p, 1 + below(random, 2), PACKET_FROM + below(random, 9), a, b);
		break;
	default:
		packet_tcp(p, a, port, b, 80, random_next(random) & 0x1f, below(random, 3) * 500);
	}
}

/* Some of its bytes changed, some of it cut off, as long on the wire as it pleases. */
static void spoil_packet(struct packet *p, uint32_t *wire, uint64_t *random)
{
	if (!below(random, 3))
		for (uint32_t i = below(random, 4); i; i--)
			p->data[below(random, p->len < 120 ? p->len : 120)] = random_next(random);
	*wire = p->len;
	if (below(random, 8))
		return;
	p->len = PACKET_MIN + below(random, p->len - PACKET_MIN + 1);
	if (!below(random, 4))
		*wire = p->len + (random_next(random) >> (33 + below(random, 31)));
}

void wild_packet(struct packet *p, uint32_t *wire, uint64_t *random)
{
	make_packet(p, random);
	spoil_packet(p, wire, random);
}

uint64_t wild_time(uint64_t now_ns, uint64_t *random)
{
	switch (below(random, 64)) {
	case 0:
		return now_ns - below(random, 1 << 30);
	case 1:
		return now_ns + (random_next(random) >> (20 + below(random, 24)));
	default:
		return now_ns + below(random, 1 << 21);
	}
}
