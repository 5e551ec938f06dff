/* SPDX-License-Identifier: BSD-2-Clause */
/* What `sentroid replay` prints at its end. */
#ifndef SENTROID_REPLAY_SUMMARY_H
#define SENTROID_REPLAY_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts.h"
#include "flowlog.h"
#include "learner.h"
#include "model.h"
#include "why.h"

struct replay_summary {
	uint64_t packets, bytes;
	uint64_t first_ns, last_ns; /* of the capture: earliest and latest */
	uint64_t no_flow;           /* packets without one */
	unsigned int policy;        /* enum sen_mode */
	uint64_t dropped;           /* packets that it would have held back */
	uint64_t evaluations, flagged_evaluations;
	uint64_t clock[SEN_CLOCK_KIND_COUNT]; /* frames with stamps that could not be right */
	unsigned int damaged;                 /* files that were not read to their end */
	double seconds;                       /* that the replay took */
	const struct sen_flowlog *flows;
	const struct sen_model *model;
	const struct sen_alerts *alerts;
	const struct sen_learner_status *learner; /* NULL: nothing was learned */
	cJSON *timeline;                          /* what the agent said, for JSON; else NULL */
};

int replay_summary_print(const struct replay_summary *s, bool json, struct sen_why *why);

#endif
