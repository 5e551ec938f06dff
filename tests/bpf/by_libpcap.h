/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture as libpcap alone reads it; apart, since its header and the kernel's do not go together. */
#ifndef SENTROID_TEST_BY_LIBPCAP_H
#define SENTROID_TEST_BY_LIBPCAP_H

#include <stdbool.h>

struct by_libpcap {
	int err; /* that it must be refused with; 0: it can be read, and has a link type that is known */
	unsigned long long frames;
	bool broken; /* the file, behind these */
};

struct by_libpcap by_libpcap(const char *path);

#endif
