/* SPDX-License-Identifier: BSD-2-Clause */
/* Long computations ask now and then whether to end early, by which they also show that they get on. */
#ifndef SENTROID_CANCEL_H
#define SENTROID_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* `cancel` may be NULL: never. */
bool sen_cancelled(const atomic_bool *cancel);
/* Where this thread notes the monotonic time at which it has asked last; nowhere unless said. */
void sen_cancel_note(_Atomic int64_t *asked_ms);

#endif
