/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A candidate on live traffic, in the shadow slot: the packet path scores every vector by it, too, and
 * counts where the two models disagree, but acts by the one in force. For a set number of evaluations
 * and a set time; without traffic it waits.
 */
#ifndef SENTROID_CANARY_H
#define SENTROID_CANARY_H

#include <stdbool.h>
#include <stdint.h>

#include "facts.h"
#include "sentroid/abi.h"

struct sen_canary_settings {
	uint64_t evaluations; /* at least so many ... */
	int64_t duration_ms;  /* ... and for so long */
	double max_extra;     /* share that it flags and the model in force does not, unexplained */
	double min_agreement; /* share on which the two agree, unless the one in force flags too much */
	double max_shift;     /* octaves between the distributions of their scores */
};

enum sen_canary_state {
	SEN_CANARY_ON,
	SEN_CANARY_PASSED,
	SEN_CANARY_FAILED
};

struct sen_canary {
	int64_t begun_ms;
	struct sen_stats before;
	struct sen_score_hist scores_before;
	/* Samples of what only the candidate flags, and how many of them a rule explains. */
	uint64_t extra_samples, extra_explained;
	/* Samples that a rule names and the model in force flags, and how many the candidate misses. */
	uint64_t attacks, missed;

	/* Measured at the last check. */
	uint64_t evaluations;
	double agreement;
	double extra;       /* share flagged by the candidate alone */
	double alert_rate;  /* of the candidate */
	double active_rate; /* of the model in force */
	double shift;       /* octaves by which its scores lie higher (or lower: negative) */
	char reason[160];   /* why it failed */
};

void sen_canary_begin(struct sen_canary *c, const struct sen_stats *stats,
		      const struct sen_score_hist *scores, int64_t now_ms);
/* A sample, as both models see it. `named`: by a rule; `explained`: by that or an attack under way. */
void sen_canary_sample(struct sen_canary *c, bool active_flags, bool candidate_flags, bool named,
		       bool explained);
enum sen_canary_state sen_canary_check(struct sen_canary *c,
				       const struct sen_canary_settings *settings,
				       const struct sen_stats *stats,
				       const struct sen_score_hist *scores, int64_t now_ms);
/* What was measured, for the record. */
void sen_canary_facts(const struct sen_canary *c, struct sen_facts *out);

/* Mean octaves by which the scores counted in `b` lie above those in `a`; 0 if either is empty. */
double sen_score_shift(const __u64 *a, const __u64 *b);

#endif
