/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has traffic moved away from what the model was trained on? Compares windows of histograms, of every
 * feature and of the score, with those of the training time.
 *
 * Evaluations of one flow or host resemble each other: taken for independent, they would make chance
 * look certain. The window is therefore counted in slices, and how much more these differ than
 * independent draws would (the design effect, Kish 1965), or windows in quiet times did, is what the
 * number of evaluations is divided by. A feature has moved if chance does not explain it, the number of
 * features tested considered, and it has moved far enough to matter.
 */
#ifndef SENTROID_DRIFT_H
#define SENTROID_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "sentroid/abi.h"

#define SEN_DRIFT_SCORE SEN_DIMS /* the dimension behind the features */
#define SEN_DRIFT_DIMS  (SEN_DIMS + 1)
#define SEN_DRIFT_BINS  64

/* How often each bin has been counted; only grows. */
struct sen_drift_counts {
	uint64_t bin[SEN_DRIFT_DIMS][SEN_DRIFT_BINS];
};

struct sen_drift_settings {
	int64_t window_ms;
	unsigned int windows; /* in a row that one feature must be away */
	double significance;  /* share of false discoveries among the features found to differ */
	double psi;   /* least population stability index of a feature that counts as moved ... */
	double shift; /* ... and least Wasserstein distance, octaves */
};

/* Of one dimension, in the last whole window. */
struct sen_drift_move {
	double psi;
	double ks;    /* Kolmogorov-Smirnov statistic, 0..1 */
	double p;     /* of it by chance; NAN: not tested */
	double shift; /* Wasserstein-1, octaves */
	bool moved;
	unsigned int windows; /* in a row that it has moved */
};

struct sen_drift_report {
	struct sen_drift_move dim[SEN_DRIFT_DIMS];
	unsigned int most; /* dimension with the highest index among the moved, else among all */
};

struct sen_drift;

/* Width of a bin of the features in octaves; those of the score are half an octave. */
int sen_drift_new(double feature_width, struct sen_drift **out);
void sen_drift_free(struct sen_drift *d);

/* From the histograms in the kernel, or one vector more: bins of half an octave. */
void sen_drift_counts_of(const struct sen_feature_hist *features,
			 const struct sen_score_hist *scores, struct sen_drift_counts *out);
void sen_drift_count(struct sen_drift_counts *counts, const struct sen_vector *x, uint32_t score);

/* Forget the reference; what is counted from here on becomes it when adopted. */
void sen_drift_mark(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms);
/* The traffic of late is the reference from now on; with too little of it, the next window is. */
void sen_drift_adopt(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms);
/* Likewise, if there is none yet: the next windows that are large enough become it. */
void sen_drift_want(struct sen_drift *d);
/* The counters have begun anew, or nobody has looked for a while: what is between does not count. */
void sen_drift_rebase(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms);
/* Another model scores from now on: what scores are usual is found out anew. */
void sen_drift_rescore(struct sen_drift *d, const struct sen_drift_counts *total);

/* True if feeding now would end a slice: reading the histograms costs. */
bool sen_drift_due(const struct sen_drift *d, const struct sen_drift_settings *settings,
		   int64_t now_ms);
/* True if some dimension has been away for enough windows in a row; it then begins to count anew.
 * `explained`: attacks that rules name fill the slice, which then says nothing. *report is filled when
 * a window ends. */
bool sen_drift_feed(struct sen_drift *d, const struct sen_drift_settings *settings,
		    const struct sen_drift_counts *total, bool explained, int64_t now_ms,
		    struct sen_drift_report *report);

/* Name of a dimension: the feature's, or "score". */
const char *sen_drift_name(unsigned int dim);

#endif
