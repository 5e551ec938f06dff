/* SPDX-License-Identifier: BSD-2-Clause */
/* Records for the sample store, built by hand. */
#ifndef SENTROID_TEST_RECORD_H
#define SENTROID_TEST_RECORD_H

#include "store.h"

/* Number n of a stream: `n` stands in its first feature's place and in its time in milliseconds. Benign
 * ones by score, attacks (class_id not NONE) by a rule, flagged by model 1. */
struct sen_record record_make(unsigned int n, enum sen_label label, unsigned int class_id);

#endif
