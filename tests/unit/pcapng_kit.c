// SPDX-License-Identifier: BSD-2-Clause
#include <byteswap.h>
#include <stdlib.h>
#include <string.h>

#include "pcapng_kit.h"

static void add(struct pcapng *p, const void *data, size_t size)
{
	if (size > sizeof(p->bytes) - p->n)
		abort();
	if (size)
		memcpy(p->bytes + p->n, data, size);
	p->n += size;
}

static void add16(struct pcapng *p, uint16_t value)
{
	if (p->swapped)
		value = bswap_16(value);
	add(p, &value, sizeof(value));
}

static void add32(struct pcapng *p, uint32_t value)
{
	if (p->swapped)
		value = bswap_32(value);
	add(p, &value, sizeof(value));
}

static void pad(struct pcapng *p)
{
	while (p->n % 4)
		add(p, "", 1);
}

static size_t begin(struct pcapng *p, uint32_t type)
{
	size_t at = p->n;

	add32(p, type);
	add32(p, 0);
	return at;
}

static void end(struct pcapng *p, size_t at)
{
	uint32_t length;

	pad(p);
	length = (uint32_t)(p->n - at) + 4;
	add32(p, length);
	pcapng_set32(p, at + 4, length);
}

void pcapng_set32(struct pcapng *p, size_t at, uint32_t value)
{
	if (p->swapped)
		value = bswap_32(value);
	memcpy(p->bytes + at, &value, sizeof(value));
}

void pcapng_block(struct pcapng *p, uint32_t type, const void *data, uint32_t size)
{
	size_t at = begin(p, type);

	add(p, data, size);
	end(p, at);
}

void pcapng_section(struct pcapng *p)
{
	size_t at = begin(p, 0x0a0d0d0a);

	add32(p, 0x1a2b3c4d);
	add16(p, 1);
	add16(p, 0);
	add32(p, ~0u);
	add32(p, ~0u);
	end(p, at);
}

static void add_options(struct pcapng *p, const struct pcapng_options *o)
{
	uint8_t tsresol = (uint8_t)o->tsresol;
	int64_t tsoffset = p->swapped ? (int64_t)bswap_64((uint64_t)o->tsoffset) : o->tsoffset;

	add16(p, 2);
	add16(p, 5);
	add(p, "eth0\0\0\0", 8);
	if (tsresol) {
		add16(p, 9);
		add16(p, 1);
		add(p, &tsresol, 1);
		pad(p);
	}
	if (tsoffset) {
		add16(p, 14);
		add16(p, 8);
		add(p, &tsoffset, sizeof(tsoffset));
	}
	add32(p, 0);
}

void pcapng_interface(struct pcapng *p, uint16_t linktype, uint32_t snaplen,
		      const struct pcapng_options *options)
{
	size_t at = begin(p, 1);

	add16(p, linktype);
	add16(p, 0);
	add32(p, snaplen);
	if (options)
		add_options(p, options);
	end(p, at);
}

void pcapng_packet(struct pcapng *p, uint32_t type, uint32_t interface, uint64_t stamp,
		   const void *data, uint32_t captured, uint32_t original)
{
	size_t at = begin(p, type);

	if (type == 2) {
		add16(p, (uint16_t)interface);
		add16(p, 7); /* drops */
	} else {
		add32(p, interface);
	}
	add32(p, (uint32_t)(stamp >> 32));
	add32(p, (uint32_t)stamp);
	add32(p, captured);
	add32(p, original);
	add(p, data, captured);
	end(p, at);
}

void pcapng_simple(struct pcapng *p, const void *data, uint32_t captured, uint32_t original)
{
	size_t at = begin(p, 3);

	add32(p, original);
	add(p, data, captured);
	end(p, at);
}
