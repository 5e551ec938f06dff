/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture as libpcap alone reads it; apart, since its header and the kernel's do not go together. */
#ifndef SENTROID_TEST_BY_LIBPCAP_H
#define SENTROID_TEST_BY_LIBPCAP_H

#include <stdbool.h>
#include <stdint.h>

struct by_libpcap {
	int err; /* that it must be refused with; 0: it can be read, and has a link type that is known */
	bool broken; /* it cannot be read on */
	/* What it gives up on need not stop others: interfaces or sections that differ, what is longer than its
	 * snapshot length, no interface at all, link types of some of the interfaces. */
	bool timid;
	void *pcap;
	const unsigned char *data;
	uint32_t captured;
	bool cut; /* to the snapshot length, or just as long */
	uint64_t seconds, nanoseconds;
};

void by_libpcap_open(const char *path, struct by_libpcap *b);
/* False at the end, or where it cannot be read on. */
bool by_libpcap_next(struct by_libpcap *b);
void by_libpcap_close(struct by_libpcap *b);

#endif
