/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sizes that the BPF programs, the agent and the model files agree on. */
#ifndef SENTROID_LIMITS_H
#define SENTROID_LIMITS_H

#define SEN_ABI_MAGIC   0x534e5452u /* "SNTR" */
#define SEN_ABI_VERSION 5
#define SEN_ABI_NETNS   4 /* since which the network namespace of an interface is written down */

#define SEN_DIMS     16  /* features that a model sees */
#define SEN_MEASURES 28  /* values measured at a decision point, those included */
#define SEN_LANES    4   /* features in a 64-bit word, 16 bits each */
#define SEN_WORDS    4   /* words in a quantized vector */
#define SEN_QMAX     127 /* largest quantized value: 4 * 127 * 127 fits a 16-bit lane */

#define SEN_MEMBERS_MAX   8  /* ensemble members of a model */
#define SEN_CENTROIDS_MAX 64 /* centroids of a member */

#define SEN_ONE 65536u /* 1.0 in Q16; as a score: the threshold in force */

/* The clock of windows, deadlines and decision points: one tick is 2^20 ns, about 1.05 ms.
 * Kept in 32 bits it wraps after 52 days; all arithmetic on it is modular. */
#define SEN_TICK_SHIFT    20
#define SEN_TICKS_PER_SEC 954

/* Half-lives of the decaying windows as powers of two of ticks: 1.07 s, 8.6 s, 69 s. */
#define SEN_WINDOW_FAST 10
#define SEN_WINDOW_MID  13
#define SEN_WINDOW_SLOW 16
/* One event in a decaying counter: 8 fractional bits survive 8 halvings. */
#define SEN_EVENT_UNIT 256u

/* A labelled centroid names what was flagged up to so many squared radii away, Q16: an attack on another
 * host than those it was learnt from has other neighbours in its context. */
#define SEN_NAME_RATIO (9 * SEN_ONE)

#define SEN_ALLOW_MAX 256 /* prefixes of an allow list */

#define SEN_WAYS 8 /* entries of a set, which then is one cache line */
#define SEN_DEADLINE_SHIFT \
	7 /* deadlines of entries are in units of 0.13 s; they wrap after 2.4 hours */
/* No deadline is set further ahead; one that seems to be is over for so long that the clock wrapped. */
#define SEN_LIFE_MAX (256 * SEN_TICKS_PER_SEC)

_Static_assert(SEN_DIMS == SEN_LANES * SEN_WORDS, "a vector fills its words");

#endif
