// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>

#include "performance.h"

#define BATCH     100
#define REFERENCE 200
#define LIMIT     3.09 /* standard deviations: one in a thousand, on one side */
#define LEAST     0.1

void sen_performance_reset(struct sen_performance *p)
{
	*p = (struct sen_performance){ .error = { NAN, NAN } };
}

static double share(const struct sen_performance_counts *c)
{
	return (double)c->wrong / c->n;
}

/* Two proportions, by the normal approximation. */
static bool worse(const struct sen_performance_counts *now,
		  const struct sen_performance_counts *then)
{
	double pooled = (double)(now->wrong + then->wrong) / (now->n + then->n);
	double sd = sqrt(pooled * (1 - pooled) * (1.0 / now->n + 1.0 / then->n));
	double gap = share(now) - share(then);

	return gap >= LEAST && gap > LIMIT * sd;
}

bool sen_performance_add(struct sen_performance *p, bool attack, bool flagged)
{
	int kind = attack ? SEN_PERFORMANCE_ATTACK : SEN_PERFORMANCE_BENIGN;
	struct sen_performance_counts *batch = &p->batch[kind], *reference = &p->reference[kind];
	bool bad = false;

	batch->n++;
	batch->wrong += attack != flagged;
	if (batch->n < BATCH)
		return false;
	p->error[kind] = share(batch);
	if (reference->n >= REFERENCE) {
		bad = worse(batch, reference);
	} else {
		reference->n += batch->n;
		reference->wrong += batch->wrong;
	}
	*batch = (struct sen_performance_counts){ 0 };
	return bad;
}
