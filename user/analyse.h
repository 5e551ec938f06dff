/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture turned into labelled records, by the packet program and the model in force. */
#ifndef SENTROID_ANALYSE_H
#define SENTROID_ANALYSE_H

#include <stdatomic.h>

#include "label.h"
#include "sentroid/model.h"

struct sen_analysis {
	/* Given. */
	struct sen_model_flat model;
	struct sen_marks marks;
	double margin; /* unlabelled samples below this share of the threshold teach */
	enum sen_label
		label; /* that an operator gave it; NONE: by rule and score, sample by sample */
	unsigned int class_id; /* of an attack */
	/* Found. */
	struct sen_record *records; /* a fair sample of all evaluations; free() it */
	size_t n;
	uint64_t evaluations;
	uint64_t flagged;
	uint64_t attacks; /* named by rules */
};

/* -ENODATA: no packet in it that can be evaluated; -EINVAL, ...: no capture. `time_ns` of the records is
 * the capture's. */
int sen_analyse(struct sen_analysis *a, const char *path, const atomic_bool *cancel,
		struct sen_why *why);

#endif
