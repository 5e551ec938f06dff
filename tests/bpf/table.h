/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be true of a table whatever has been done to it. */
#ifndef SENTROID_TEST_TABLE_H
#define SENTROID_TEST_TABLE_H

#include "harness.h"

/* Tag of a key in the table, calculated here once more. */
__u16 table_tag(const void *key, size_t key_size, const __u64 seed[6]);

/* What is wrong with a table, or NULL: a set that stayed locked, a key that occurs twice in a set, a key
 * that lies elsewhere, or under another tag, than its hash says, which is calculated here once more, or
 * an entry that two ways share. */
const char *table_fault(const struct rig_table *table, size_t key_size, const __u64 seed[6]);
/* Fails the test where there is a fault. */
void table_assert(const struct rig_table *table, size_t key_size, const __u64 seed[6]);

#endif
