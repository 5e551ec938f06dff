/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet as its file has it, whatever the format of that is. */
#ifndef SENTROID_CAPTURED_H
#define SENTROID_CAPTURED_H

#include <stdbool.h>
#include <stdint.h>

enum sen_stamp {
	SEN_STAMP_FINE,
	SEN_STAMP_NONE, /* the format has none here */
	SEN_STAMP_WRONG, /* a second with too many parts, or one that 64 bits of nanoseconds cannot hold */
};

struct sen_captured {
	const uint8_t *data; /* valid until the next one is read */
	uint32_t captured;   /* bytes in data */
	uint32_t original;   /* that it had, as the file claims */
	uint32_t snaplen;    /* that none should be longer than, as the file claims; 0: no limit */
	uint32_t interface;
	int dlt; /* libpcap's number of its link type */
	enum sen_stamp stamp;
	uint64_t time_ns; /* 0 unless the stamp is fine */
	bool first;       /* of its interface */
};

#endif
