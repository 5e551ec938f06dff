/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture or a log of samples turned into labelled records, by the packet program and the model in
 * force. */
#ifndef SENTROID_ANALYSE_H
#define SENTROID_ANALYSE_H

#include <stdatomic.h>

#include "label.h"
#include "sentroid/model.h"

struct sen_analysis {
	/* Given. */
	struct sen_model_flat model;
	bool foreign; /* that model is not from here: its scores say little later on */
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

/* -ENODATA: nothing in it can be evaluated; -EINVAL, ...: neither a capture nor a log, or a table of flows, which
 * the reason then speaks of. `time_ns` of the records is the capture's. */
int sen_analyse(struct sen_analysis *a, const char *path, const atomic_bool *cancel,
		struct sen_why *why);

#endif
