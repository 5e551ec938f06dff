/* SPDX-License-Identifier: BSD-2-Clause */
/* pcapng files by hand, in either byte order. */
#ifndef SENTROID_TEST_PCAPNG_KIT_H
#define SENTROID_TEST_PCAPNG_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_ROOM 16384

struct pcapng {
	bool swapped; /* what is added from now on */
	size_t n;
	uint8_t bytes[PCAPNG_ROOM];
};

struct pcapng_options {
	int tsresol;      /* its byte; 0: without */
	int64_t tsoffset; /* 0: without */
};

void pcapng_section(struct pcapng *p);
void pcapng_interface(struct pcapng *p, uint16_t linktype, uint32_t snaplen,
		      const struct pcapng_options *options);
/* Type 6, an enhanced packet block, or the obsolete 2. */
void pcapng_packet(struct pcapng *p, uint32_t type, uint32_t interface, uint64_t stamp,
		   const void *data, uint32_t captured, uint32_t original);
void pcapng_simple(struct pcapng *p, const void *data, uint32_t captured, uint32_t original);
/* One of any type. */
void pcapng_block(struct pcapng *p, uint32_t type, const void *data, uint32_t size);
/* Overwrite a number within what is there. */
void pcapng_set32(struct pcapng *p, size_t at, uint32_t value);

#endif
