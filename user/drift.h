/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has traffic moved away from what the model was trained on? Compares windows of the in-kernel feature
 * histograms, which count every evaluation, with those of the training time, by the population
 * stability index.
 */
#ifndef SENTROID_DRIFT_H
#define SENTROID_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "sentroid/abi.h"

struct sen_drift_settings {
	int64_t window_ms;
	unsigned int windows; /* in a row that must differ */
	double psi;           /* from which a feature counts as moved */
};

struct sen_drift_report {
	enum sen_feature feature; /* that moved most in the last window */
	double psi;
};

struct sen_drift;

int sen_drift_new(struct sen_drift **out);
void sen_drift_free(struct sen_drift *d);

/* Histograms only grow: `total` is what they hold now. A window begins here. */
void sen_drift_mark(struct sen_drift *d, const struct sen_feature_hist *total, int64_t now_ms);
/* What was counted since the mark is the reference from now on; with too little of it, the next whole
 * window is. */
void sen_drift_adopt(struct sen_drift *d, const struct sen_feature_hist *total, int64_t now_ms);
/* True if enough windows in a row have left the reference. `explained`: attacks that rules name fill
 * the window, which then says nothing. *report (may be NULL) is filled when a window ends. */
bool sen_drift_feed(struct sen_drift *d, const struct sen_drift_settings *settings,
		    const struct sen_feature_hist *total, bool explained, int64_t now_ms,
		    struct sen_drift_report *report);
/* True if feeding now would end a window: reading the histograms costs. */
bool sen_drift_due(const struct sen_drift *d, const struct sen_drift_settings *settings,
		   int64_t now_ms);

/* Population stability index of two histograms. */
double sen_psi(const __u64 *a, const __u64 *b, unsigned int bins);

#endif
