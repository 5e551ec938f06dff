// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "fixture.h"
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

const struct sen_store_limits record_limits = { .samples = 800, .days = 30 };

struct sen_store *record_store(const char *path)
{
	struct sen_store *s = NULL;
	struct sen_why why = { 0 };

	if (sen_store_open(path, &record_limits, NULL, &s, &why))
		fail_msg("%s", why.text);
	return s;
}

void record_add(struct sen_store *s, unsigned int from, unsigned int n, enum sen_label label,
		unsigned int class_id)
{
	for (unsigned int i = from; i < from + n; i++) {
		struct sen_record r = record_make(i, label, class_id);

		sen_store_add(s, &r);
		if (i % 1000 == 999)
			assert_int_equal(sen_store_flush(s, i, NULL), 0);
	}
	assert_int_equal(sen_store_flush(s, from + n, NULL), 0);
}
