/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines of table entries as the packet path keeps them: 16 bits, which come round after 2.4 hours. What
 * nobody has touched for so long would look alive again for some minutes, and a table full of such entries
 * would have no room for new flows; so the agent winds them back now and then. `now` is the packet path's
 * clock in units of deadlines.
 */
#ifndef SENTROID_DEADLINES_H
#define SENTROID_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

#define SEN_DEADLINES_ROUND_S 600 /* from one refresh to the next */

/* Entries whose time is not over. */
uint64_t sen_deadlines_alive(const struct sen_set *sets, size_t count, __u16 now);
/* Make those that are over for long look so for another while. Safe while packets go through: whoever
 * touches an entry meanwhile wins. Returns how many there were. */
uint64_t sen_deadlines_refresh(struct sen_set *sets, size_t count, __u16 now);

#endif
