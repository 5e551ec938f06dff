/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A labelled replay: captures go through the packet program as in `sentroid replay`, and what it says of
 * each flow, frame and evaluation is put beside what is known of it. Figures are made of it in
 * evaluation.h.
 */
#ifndef SENTROID_TRIAL_H
#define SENTROID_TRIAL_H

#include "captures.h"
#include "float_score.h"
#include "labels.h"
#include "model.h"
#include "ranking.h"
#include "sentroid/abi.h"

struct sen_trial_options {
	const struct sen_model *model;
	const struct sen_labels *labels;
	/* NULL ends them; frames are numbered as they are run: several files by their stamps. */
	const char *const *files;
	double from_s; /* leave out what begins earlier, counted from the first frame; 0: nothing */
	sen_captures_damage_fn damage;
	sen_capture_note_fn note;
	void (*progress)(void *ctx, uint64_t frames); /* after each frame; may be NULL */
	void *ctx;
};

/* A flow of the replay: malicious if any of its frames is. Class and source are those of its first
 * malicious frame, else of its first labelled one. */
struct sen_trial_flow {
	uint64_t first_ns;
	uint32_t score; /* highest of its evaluations, Q16 */
	uint32_t evaluations;
	float in_float[SEN_FLOAT_KINDS]; /* the same in float32; negative: no vector was seen */
	uint8_t class_id;                /* that a flagged flow is taken for */
	bool inherited; /* some of its frames had the standing verdict of their target */
	bool left_out;  /* it began too early */
	bool labelled;  /* one of its frames has a label */
	struct sen_frame_label label;
};

/* The malicious frames of one class and source. */
struct sen_trial_attack {
	struct sen_frame_label label;
	uint64_t frames;
	uint64_t first_ns, last_ns;
	bool detected;          /* one of the frames was flagged; the rest is of the first such */
	uint64_t delay_packets; /* malicious frames before it */
	uint64_t detected_ns;
};

struct sen_trial_counts {
	uint64_t frames;
	uint64_t damaged;                   /* captures that ended early; what came before counts */
	uint64_t frames_missing;            /* that have a label, behind the end of one */
	uint64_t frames_before;             /* left out: earlier than from_s */
	uint64_t frames_unlabelled;         /* left out */
	uint64_t frames_unparsed;           /* scored 0: the program found no flow in them */
	uint64_t frames_untracked;          /* scored 0: of no entry in the flow table */
	uint64_t frames_unscored_malicious; /* of these two */
	uint64_t evaluations_lost;          /* no vector of them came: not in the float32 figures */
};

enum sen_trial_kind {
	SEN_TRIAL_BENIGN,
	SEN_TRIAL_MALICIOUS,
	SEN_TRIAL_KINDS
};

struct sen_trial {
	struct sen_trial_flow *flows;
	size_t n_flows, flow_room;
	struct sen_trial_attack *attacks; /* in the order of their first frames */
	size_t n_attacks;
	struct sen_ranking *packets;
	struct sen_ranking *evaluations;               /* each by the label of its frame */
	struct sen_ranking *in_float[SEN_FLOAT_KINDS]; /* the same ones */
	struct sen_trial_counts counts;
	/* Of the capture, by the clock of the replay, as all times here. */
	uint64_t first_ns, last_ns;
	/* Values of the vectors by sen_lg() / 16. */
	uint64_t feature[SEN_TRIAL_KINDS][SEN_DIMS][SEN_FEATURE_BINS];
};

/* -ERANGE: labels for frames that the captures do not have; else as replaying. Free with
 * sen_trial_free(). */
int sen_trial_run(const struct sen_trial_options *options, struct sen_trial **out,
		  struct sen_why *why);
void sen_trial_free(struct sen_trial *t);

#endif
