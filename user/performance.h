/* SPDX-License-Identifier: BSD-2-Clause */
/* Does the model in force still flag what is known to be an attack, and pass what is known to be benign?
 * Judged on samples that rules or operators have labelled, in batches, against the first batches. */
#ifndef SENTROID_PERFORMANCE_H
#define SENTROID_PERFORMANCE_H

#include <stdbool.h>

/* Of attacks: those missed are wrong; of benign samples: those flagged. */
enum sen_performance_kind {
	SEN_PERFORMANCE_ATTACK,
	SEN_PERFORMANCE_BENIGN,
	SEN_PERFORMANCE_KINDS
};

struct sen_performance_counts {
	unsigned int n, wrong;
};

struct sen_performance {
	struct sen_performance_counts reference[SEN_PERFORMANCE_KINDS];
	struct sen_performance_counts batch[SEN_PERFORMANCE_KINDS];
	double error[SEN_PERFORMANCE_KINDS]; /* share wrong in the last whole batch; NAN before */
};

/* Another model is in force. */
void sen_performance_reset(struct sen_performance *p);
/* One labelled sample. True if it ends a batch that is worse than the reference by more than chance (one
 * in a thousand) and by at least a tenth. */
bool sen_performance_add(struct sen_performance *p, bool attack, bool flagged);

#endif
