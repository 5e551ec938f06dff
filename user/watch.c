// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "canary.h"
#include "watch.h"

#define LEAST_EVALUATIONS 200 /* fewer are no rate */

void sen_watch_begin(struct sen_watch *w, const struct sen_watch_settings *settings,
		     const struct sen_stats *stats, const __u64 *scores, const __u64 *expected)
{
	*w = (struct sen_watch){
		.state = SEN_WATCH_ON,
		.settings = *settings,
		.evaluations = stats->evaluations,
		.flagged = stats->flagged,
		.expects = expected != NULL,
	};
	memcpy(w->scores, scores, sizeof(w->scores));
	if (expected)
		memcpy(w->expected, expected, sizeof(w->expected));
}

void sen_watch_sample(struct sen_watch *w, bool flagged, bool explained)
{
	w->all++;
	w->all_explained += explained;
	w->samples += flagged;
	w->explained += flagged && explained;
}

static void measure(struct sen_watch *w, const struct sen_stats *stats, const __u64 *scores,
		    uint64_t n)
{
	__u64 since[SEN_SCORE_BINS];

	for (int i = 0; i < SEN_SCORE_BINS; i++)
		since[i] = scores[i] - w->scores[i];
	w->watched = n;
	w->share = (double)(stats->flagged - w->flagged) / (double)n;
	w->shift = w->expects ? sen_score_shift(w->expected, since) : 0;
}

static bool excursion(struct sen_watch *w)
{
	/* An attack that began just now is not the model's fault: most of it has a name. */
	if (w->share > w->settings.limit && 2 * w->explained <= w->samples) {
		snprintf(w->reason, sizeof(w->reason), "flagged %.1f%% of evaluations",
			 100 * w->share);
		return true;
	}
	if (w->shift <= w->settings.max_shift || 10 * w->all_explained > w->all)
		return false;
	snprintf(w->reason, sizeof(w->reason), "scores %.1f octaves higher than in its canary",
		 w->shift);
	return true;
}

enum sen_watch_state sen_watch_check(struct sen_watch *w, const struct sen_stats *stats,
				     const __u64 *scores, int64_t now_ms)
{
	uint64_t n = stats->evaluations - w->evaluations;

	if (w->state != SEN_WATCH_ON)
		return SEN_WATCH_OFF;
	/* A quiet link: the watch goes on. */
	if (n < LEAST_EVALUATIONS)
		return SEN_WATCH_ON;
	measure(w, stats, scores, n);
	if (excursion(w)) {
		w->state = SEN_WATCH_OFF;
		return SEN_WATCH_EXCURSION;
	}
	if (now_ms < w->settings.until_ms)
		return SEN_WATCH_ON;
	w->state = SEN_WATCH_OFF;
	return SEN_WATCH_PASSED;
}
