/* SPDX-License-Identifier: BSD-2-Clause */
/* What is odd about the frames of a capture: the first of a kind is told, and at the end how many there were. */
#ifndef SENTROID_CAPTURE_ODDITIES_H
#define SENTROID_CAPTURE_ODDITIES_H

#include "capture.h"
#include "captured.h"

#define SEN_ODDITIES(X)                                                                       \
	X(LENGTH, "an original length that cannot be right: the captured one is taken")       \
	X(SNAPLEN, "longer than the snapshot length that the file claims: all of it is used") \
	X(STAMP, "a time stamp that cannot be right: taken for none")                         \
	X(UNSTAMPED, "no time stamp in the file")                                             \
	X(FOREIGN, "of a link type that cannot be made Ethernet: left out")

#define SEN_ENUM_ODDITY(id, text) SEN_ODDITY_##id,
enum sen_oddity {
	SEN_ODDITIES(SEN_ENUM_ODDITY) SEN_ODDITY_COUNT
};

struct sen_oddities {
	sen_capture_note_fn note; /* NULL: nobody is told */
	void *ctx;
	const char *path;
	uint64_t n[SEN_ODDITY_COUNT];
	uint64_t frames, stamped; /* in all; and with another stamp than zero */
};

/* Whether a packet cannot have had that length: less than what is there of it, or out of all reason. */
bool sen_odd_length(const struct sen_captured *r);
/* Count a packet, and tell what has not been told yet; `frame` is what was made of it. */
void sen_oddities_look(struct sen_oddities *o, const struct sen_captured *r,
		       const struct sen_frame *frame);
/* Tell what there was in all. */
void sen_oddities_sum(const struct sen_oddities *o);

#endif
