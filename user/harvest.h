/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples from captures: every evaluation that the packet program makes of them. */
#ifndef SENTROID_HARVEST_H
#define SENTROID_HARVEST_H

#include <stdatomic.h>
#include <stddef.h>

#include "capture.h"
#include "sample.h"
#include "sentroid/abi.h"
#include "why.h"

/* Grows as captures are added; free() the array. */
struct sen_harvest {
	struct sen_sample *samples;
	size_t n;
	size_t room;
};

struct sen_harvest_options {
	enum sen_label label;  /* that every sample gets */
	unsigned int class_id; /* of an attack */
	double until_s;        /* stop so many seconds after the first frame; 0: at the end */
	const struct sen_model_flat *model; /* that scores; NULL: none */
	const atomic_bool *cancel;          /* polled between frames; NULL: not cancellable */
	/* Gets every evaluation instead, and no sample is appended; may be NULL. */
	void (*on_event)(void *ctx, const struct sen_event *event);
	/* Told where a capture could not be read to its end. NULL: that is an error. */
	void (*on_damage)(void *ctx, const struct sen_why *why);
	sen_capture_note_fn on_note; /* of what is odd about a capture; may be NULL */
	void *ctx;
};

/* Run a capture through a freshly loaded program and append the samples. What could be read before an
 * error in the file counts; the error is returned all the same. -ECANCELED. */
int sen_harvest_capture(struct sen_harvest *h, const char *path,
			const struct sen_harvest_options *options, struct sen_why *why);
/* A sample from an event, unlabelled. */
struct sen_sample sen_sample_of(const struct sen_event *event);

#endif
