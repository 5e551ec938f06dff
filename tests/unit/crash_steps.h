/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that ends at a step: a system call that leaves a trace on disk, or one that is called so. */
#ifndef SENTROID_TEST_CRASH_STEPS_H
#define SENTROID_TEST_CRASH_STEPS_H

#define CRASHED 42 /* the exit code */

/* End at this step, counted from 1: before it, or amid what it writes. 0: at none. */
void crash_at(unsigned int step);
/* A step that is no system call. */
void crash_step(void);

#endif
