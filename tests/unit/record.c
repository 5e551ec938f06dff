// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "record.h"

struct sen_record record_make(unsigned int n, enum sen_label label, unsigned int class_id)
{
	bool attack = label == SEN_LABEL_ATTACK;
	struct sen_record r = {
		.sample = { .time_ns = n * 1000000ull,
			    .score = attack ? 2 * SEN_ONE : SEN_ONE / 4,
			    .model_version = 1,
			    .label = (uint8_t)label,
			    .origin = attack ? SEN_ORIGIN_RULE : SEN_ORIGIN_SCORE,
			    .class_id = (uint8_t)class_id },
		.confidence = attack ? 1 : 0.9f,
		.src = { [10] = 0xff, 0xff, 10, 0, 0, 2 },
		.dst = { [10] = 0xff, 0xff, 10, 0, 0, 1 },
		.sport = 40000,
		.dport = 80,
		.proto = 6,
	};

	for (int d = 0; d < SEN_DIMS; d++)
		r.sample.vector.v[d] = (__u16)(10 * d);
	r.sample.vector.v[0] = (__u16)(n % 512);
	snprintf(r.reason, sizeof(r.reason), "number %u", n);
	return r;
}
