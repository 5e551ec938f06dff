/* SPDX-License-Identifier: BSD-2-Clause */
/* Several captures as one, in the order of their time stamps; frames of one file stay in its order. */
#ifndef SENTROID_CAPTURES_H
#define SENTROID_CAPTURES_H

#include "capture.h"

struct sen_captures;

/* Told of what could not be read to its end, or held no packets; what came before that counts. */
typedef void (*sen_captures_damage_fn)(void *ctx, const struct sen_why *why);

struct sen_captures_options {
	const char *const *files; /* NULL ends them; must outlive the captures */
	sen_captures_damage_fn damage;
	sen_capture_note_fn note;
	void *ctx;
};

/* An error where one of the files is no capture, or is damaged before its first frame. */
int sen_captures_open(const struct sen_captures_options *options, struct sen_captures **out,
		      struct sen_why *why);
/* 1 and the next frame, which is valid until the next call, or 0 at the end. Foreign frames are left out, but
 * have their place. An error where nothing of a file could be used, see sen_capture_next(). */
int sen_captures_next(struct sen_captures *c, struct sen_frame *frame, struct sen_why *why);
/* How many there were so far, with those left out. */
uint64_t sen_captures_count(const struct sen_captures *c);
void sen_captures_close(struct sen_captures *c);

#endif
