/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the probe program and the tests that drive it share. */
#ifndef SENTROID_PROBE_H
#define SENTROID_PROBE_H

#include "sentroid/abi.h"
#include "sentroid/score.h"

#define PROBE_VECTORS 512 /* scored in a run, a power of two */
#define PROBE_CLAIMS  64  /* entries claimed in a run */
#define PROBE_TAG     7   /* VLAN put beside a frame */
#define PROBE_NO_TAG  ~0u /* it could not be put there */
#define PROBE_CPUS    2   /* that race, the first ones; a power of two */

/* A vector and what the two slots make of it. */
struct probe_score {
	struct sen_vector vector;
	__s32 known; /* of score_active(): 1 from the memo, 0 computed, negative without a model */
	__s32 shadowed;
	__u32 version;
	struct sen_score active;
	struct sen_score shadow;
	__u32 pad;
};

/* A CPU that races for the flow table, and what it got. */
struct probe_racer {
	__u64 random;
	__u64 claims[8]; /* by enum claim */
	__u64 pad[7];    /* a cache line of its own */
};

#endif
