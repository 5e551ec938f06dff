/* SPDX-License-Identifier: BSD-2-Clause */
/* Captured frames in the order of their files: pcap and pcapng, also packed or from standard input ("-"). What
 * carries IP behind another header of known size than Ethernet's is given that instead. */
#ifndef SENTROID_CAPTURE_H
#define SENTROID_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "why.h"

struct sen_capture;

struct sen_frame {
	const uint8_t *data; /* valid until the next call; starts with an Ethernet header */
	uint32_t captured;   /* bytes in data */
	uint32_t wire_len;   /* bytes that it had on the wire */
	uint64_t time_ns;    /* of the capture */
	uint64_t clock_ns;   /* that the packet path goes by, see replay_clock.h; set by a replay */
	uint64_t number;     /* from 1 in each file */
	uint64_t place;      /* from 1 in all files together; set by captures.h */
	const char *file;    /* its name, shortened if it is long, as long as the capture is open */
	bool foreign; /* of a link type that cannot be made Ethernet: counted, but not to be run */
};

/* Told of what is odd about a capture and no reason not to use it, in words that name the file. */
typedef void (*sen_capture_note_fn)(void *ctx, const char *text);

/* Open a capture file; `note` may be NULL. -EINVAL: not a capture; -ENOTSUP: of a link type that cannot be
 * made Ethernet. */
int sen_capture_open(const char *path, sen_capture_note_fn note, void *ctx,
		     struct sen_capture **out, struct sen_why *why);
/* 1 and the next frame, 0 at the end, or a negative errno; `why` then names the file. -EIO: the rest cannot
 * be read, what came before stands. Nothing could be used: -EINVAL where it is damaged,
 * -ENOTSUP where all of it was foreign. -ENOMEM. */
int sen_capture_next(struct sen_capture *c, struct sen_frame *frame, struct sen_why *why);
void sen_capture_close(struct sen_capture *c);

#endif
