// SPDX-License-Identifier: BSD-2-Clause
#include "watch.h"

#define LEAST_EVALUATIONS 200 /* fewer are no rate */

void sen_watch_begin(struct sen_watch *w, const struct sen_stats *stats, double limit,
		     int64_t until_ms)
{
	*w = (struct sen_watch){
		.state = SEN_WATCH_ON,
		.until_ms = until_ms,
		.limit = limit,
		.evaluations = stats->evaluations,
		.flagged = stats->flagged,
	};
}

void sen_watch_sample(struct sen_watch *w, bool explained)
{
	w->samples++;
	w->explained += explained;
}

enum sen_watch_state sen_watch_check(struct sen_watch *w, const struct sen_stats *stats,
				     int64_t now_ms)
{
	uint64_t n = stats->evaluations - w->evaluations;
	enum sen_watch_state state = SEN_WATCH_ON;

	if (w->state != SEN_WATCH_ON)
		return SEN_WATCH_OFF;
	if (n >= LEAST_EVALUATIONS) {
		w->share = (double)(stats->flagged - w->flagged) / n;
		/* An attack that began just now is not the model's fault: most of it has a name. */
		if (w->share > w->limit && 2 * w->explained <= w->samples)
			state = SEN_WATCH_EXCURSION;
	}
	if (state == SEN_WATCH_ON && now_ms >= w->until_ms)
		state = SEN_WATCH_PASSED;
	w->state = state == SEN_WATCH_ON ? SEN_WATCH_ON : SEN_WATCH_OFF;
	return state;
}
