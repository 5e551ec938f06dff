/* SPDX-License-Identifier: BSD-2-Clause */
/* Records for the sample store, built by hand, and a small store for them. */
#ifndef SENTROID_TEST_RECORD_H
#define SENTROID_TEST_RECORD_H

#include "store.h"

/* Number n of a stream: `n` stands in its first feature's place and in its time in milliseconds. Benign
 * ones by score, attacks (class_id not NONE) by a rule, flagged by model 1. */
struct sen_record record_make(unsigned int n, enum sen_label label, unsigned int class_id);

/* 800 samples at most, of 30 days. */
extern const struct sen_store_limits record_limits;
/* A store that must open; in memory where there is no path. */
struct sen_store *record_store(const char *path);
/* So many records, numbered upwards, flushed. */
void record_add(struct sen_store *s, unsigned int from, unsigned int n, enum sen_label label,
		unsigned int class_id);

#endif
