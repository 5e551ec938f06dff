/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One training with all that it needs, copied, so that it can run in another thread: samples in,
 * a candidate that has passed the gate out.
 */
#ifndef SENTROID_TRAINING_H
#define SENTROID_TRAINING_H

#include <stdatomic.h>

#include "model.h"
#include "sample.h"
#include "train.h"
#include "validate.h"

enum sen_training_kind {
	SEN_TRAINING_BASELINE,
	SEN_TRAINING_UPDATE,
	SEN_TRAINING_FULL
};

struct sen_training {
	enum sen_training_kind kind;
	char trigger[160];
	struct sen_sample *samples; /* owned; sorted by time when run */
	size_t n;
	struct sen_model *in_force;  /* owned; NULL: none to compare with */
	struct sen_model *reference; /* owned; of an update: bounds its drift */
	struct sen_sample *shipped; /* owned; attacks that come with the shipped model, NULL: none */
	size_t shipped_n;
	double shipped_known; /* share of them that the shipped model itself flags */
	struct sen_train_params params;
	struct sen_gate gate;

	/* Results. err: 0, -EKEYREJECTED (refused, see validation.reason), or as in train.h. */
	int err;
	struct sen_why why;
	struct sen_model *model; /* owned; also of a refused candidate */
	struct sen_validation validation;
	double seconds;
};

/* Room for `max` samples; NULL when out of memory. */
struct sen_training *sen_training_new(enum sen_training_kind kind, size_t max);
void sen_training_free(struct sen_training *t);
void sen_training_run(struct sen_training *t, const atomic_bool *cancel);
const char *sen_training_name(enum sen_training_kind kind);

#endif
