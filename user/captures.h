/* SPDX-License-Identifier: BSD-2-Clause */
/* Several captures as one, in the order of their time stamps; frames of one file stay in its order. */
#ifndef SENTROID_CAPTURES_H
#define SENTROID_CAPTURES_H

#include "capture.h"

struct sen_captures;

/* Told of what could not be read to its end, or held no packets; what came before that counts. */
typedef void (*sen_captures_damage_fn)(void *ctx, const struct sen_why *why);

/* Open `files`, which NULL ends and which must outlive it. An error where one of them is no capture. */
int sen_captures_open(const char *const *files, sen_captures_damage_fn damage, void *ctx,
		      struct sen_captures **out, struct sen_why *why);
/* False at the end. The frame is valid until the next call. */
bool sen_captures_next(struct sen_captures *c, struct sen_frame *frame);
void sen_captures_close(struct sen_captures *c);

#endif
