/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's tick counter as the packet path's clock. CLOCK_MONOTONIC_COARSE steps with the same timer
 * interrupt, but takes a call, and behind it returns, which on CPUs with a return mitigation cost more than
 * all the rest of a clock (docs/performance.md); bpf_jiffies64() is a load in the program itself.
 */
#ifndef SENTROID_JIFFIES_H
#define SENTROID_JIFFIES_H

#include <stdint.h>

struct sen_jiffies {
	uint64_t ns;      /* of a tick; 0: not to be used, read the coarse clock */
	uint64_t zero_ns; /* CLOCK_MONOTONIC at tick 0, modulo 2^64 */
};

/*
 * How jiffies become nanoseconds of CLOCK_MONOTONIC, right to within a tick, and alike whenever measured.
 * Takes some ticks, busy. `ns` is 0 where they do not follow that clock (a kernel without high-resolution
 * timers counts interrupts, and those may get lost), or where the kernel does not let it be found out.
 */
struct sen_jiffies sen_jiffies_measure(void);

#endif
