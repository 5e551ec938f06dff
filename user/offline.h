/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet program, loaded but attached to nothing: frames go through it by test_run, with the clock
 * and the lengths of a capture. What it says is what the live program would have said.
 */
#ifndef SENTROID_OFFLINE_H
#define SENTROID_OFFLINE_H

#include "capture.h"
#include "sentroid/abi.h"
#include "why.h"

struct sen_offline;

struct sen_offline_options {
	unsigned int flows;                 /* capacity; 0: default */
	const struct sen_model_flat *model; /* NULL: none */
	const struct sen_policy *policy;
	void (*on_event)(void *ctx, const struct sen_event *event); /* every sample; may be NULL */
	void *ctx;
};

/* What the program made of a frame. */
struct sen_offline_result {
	bool parsed;
	bool opened; /* the frame began a flow */
	bool dropped;
	uint32_t flow;                /* index of its entry */
	uint8_t side;                 /* of the key, that sent it */
	const struct sen_flow *entry; /* NULL where the frame has no flow; read-only, live */
};

/* Have every evaluation handed to on_event. */
void sen_offline_sample_all(struct sen_policy *policy);

/* -EPERM without root; else from loading. Free with sen_offline_close(). */
int sen_offline_open(const struct sen_offline_options *options, struct sen_offline **out,
		     struct sen_why *why);
void sen_offline_close(struct sen_offline *o);

/* Run one frame. 0 or a negative errno. */
int sen_offline_run(struct sen_offline *o, const struct sen_frame *frame,
		    struct sen_offline_result *result);
/* Hand over the samples still in the ring. */
void sen_offline_drain(struct sen_offline *o);
int sen_offline_push(struct sen_offline *o, const struct sen_model_flat *model);
unsigned int sen_offline_capacity(const struct sen_offline *o);
int sen_offline_stats(const struct sen_offline *o, struct sen_stats *out);

#endif
