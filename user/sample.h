/* SPDX-License-Identifier: BSD-2-Clause */
/* A feature vector with what is known about it: what training works on. */
#ifndef SENTROID_SAMPLE_H
#define SENTROID_SAMPLE_H

#include <stdint.h>

#include "sentroid/feature.h"

enum sen_label {
	SEN_LABEL_NONE,
	SEN_LABEL_BENIGN,
	SEN_LABEL_ATTACK
};
enum sen_label_origin {
	SEN_ORIGIN_NONE,
	SEN_ORIGIN_SCORE,
	SEN_ORIGIN_RULE,
	SEN_ORIGIN_OPERATOR,
	SEN_ORIGIN_UPLOAD
};

struct sen_sample {
	struct sen_vector vector;
	uint64_t time_ns;
	uint64_t source; /* hash of the initiator: quotas per source, never a feature */
	uint64_t flow;  /* hash of the flow's key: evaluations that belong together; 0: not known */
	uint32_t score; /* Q16, by model_version */
	uint32_t model_version;
	uint8_t label;    /* enum sen_label */
	uint8_t origin;   /* enum sen_label_origin */
	uint8_t class_id; /* of an attack */
	uint8_t pad[5];
};

#endif
