/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet program, loaded but attached to nothing: frames go through it by test_run, with the clock
 * and the lengths of a capture. What it says is what the live program would have said. Frames are put
 * in batches, so results come later than the frames, in their order.
 */
#ifndef SENTROID_OFFLINE_H
#define SENTROID_OFFLINE_H

#include "capture.h"
#include "prefix.h"
#include "replay_clock.h"
#include "sentroid/abi.h"
#include "why.h"

struct sen_offline;

struct sen_offline_options {
	unsigned int flows;                 /* capacity; 0: default */
	const struct sen_model_flat *model; /* NULL: none */
	const struct sen_policy *policy;
	const struct sen_prefixes *allow; /* NULL: nobody */
	/* What the program made of each frame; of its data as much as the program got. A frame without a
	 * stamp has that of the one before. An error ends the run and is handed on. May be NULL. */
	int (*on_result)(void *ctx, const struct sen_frame *frame,
			 const struct sen_replay_result *result);
	/* Every sample, after the results of its batch. May be NULL. */
	void (*on_event)(void *ctx, const struct sen_event *event);
	/* A frame whose time stamp cannot be right. May be NULL. */
	void (*on_clock)(void *ctx, const struct sen_frame *frame, enum sen_clock_kind kind);
	void *ctx;
	/* Nothing is run while on_result and on_event are told of what was: they may change models.
	 * Otherwise another thread runs other batches meanwhile. */
	bool in_step;
};

/* Have every evaluation handed to on_event. */
void sen_offline_sample_all(struct sen_policy *policy);

/* -EPERM without root; else from loading. Free with sen_offline_close(). */
int sen_offline_open(const struct sen_offline_options *options, struct sen_offline **out,
		     struct sen_why *why);
void sen_offline_close(struct sen_offline *o);

/* Hand over a frame, which is copied; a full batch is run. 0 or a negative errno. */
int sen_offline_add(struct sen_offline *o, const struct sen_frame *frame);
/* Run what is waiting: at the end, and before anything that frames to come shall not share with those
 * handed over, such as another model. 0 or a negative errno. */
int sen_offline_flush(struct sen_offline *o);
/* Its maps, as in dataplane.h. */
int sen_offline_push(struct sen_offline *o, enum sen_slot slot, const struct sen_model_flat *model);
int sen_offline_model(const struct sen_offline *o, enum sen_slot slot, struct sen_model_flat *out);
int sen_offline_clear(struct sen_offline *o, enum sen_slot slot);
int sen_offline_stats(const struct sen_offline *o, struct sen_stats *out);
int sen_offline_score_hist(const struct sen_offline *o, struct sen_score_hist *out);
int sen_offline_feature_hist(const struct sen_offline *o, struct sen_feature_hist *out);

#endif
