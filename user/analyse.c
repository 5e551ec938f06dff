// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyse.h"
#include "harvest.h"
#include "kmeans.h"
#include "rules.h"

#define RECORDS_MAX 20000

struct session {
	struct sen_analysis *analysis;
	struct sen_rng rng;
};

static void label_by_operator(struct sen_record *r, const struct sen_analysis *a)
{
	r->sample.label = (uint8_t)a->label;
	r->sample.class_id = a->label == SEN_LABEL_ATTACK ? (uint8_t)a->class_id : SEN_CLASS_NONE;
	r->sample.origin = SEN_ORIGIN_UPLOAD;
	r->confidence = 1;
	r->teaches = a->label == SEN_LABEL_BENIGN;
	snprintf(r->reason, sizeof(r->reason), "upload labelled so");
}

static void label_by_itself(struct sen_record *r, struct sen_analysis *a,
			    const struct sen_event *ev)
{
	char reason[160];
	unsigned int rule = sen_rules_classify(ev, reason, sizeof(reason));

	a->attacks += rule != SEN_CLASS_NONE;
	sen_label_record(r, rule, reason, &a->marks);
	r->teaches = r->sample.label == SEN_LABEL_BENIGN ||
		     (r->sample.label == SEN_LABEL_NONE && r->sample.score < a->margin * SEN_ONE);
}

/* Algorithm R (Vitter 1985). */
static void on_event(void *ctx, const struct sen_event *ev)
{
	struct session *s = ctx;
	struct sen_analysis *a = s->analysis;
	size_t at = a->n;

	a->evaluations++;
	a->flagged += ev->score >= SEN_ONE;
	if (a->n < RECORDS_MAX)
		a->n++;
	else
		at = sen_rng_below(&s->rng, a->evaluations);
	if (at >= RECORDS_MAX)
		return;
	a->records[at] = sen_record_of(ev);
	if (a->label == SEN_LABEL_NONE)
		label_by_itself(&a->records[at], a, ev);
	else
		label_by_operator(&a->records[at], a);
}

int sen_analyse(struct sen_analysis *a, const char *path, const atomic_bool *cancel,
		struct sen_why *why)
{
	struct session session = { .analysis = a };
	struct sen_harvest unused = { 0 };
	struct sen_harvest_options options = {
		.model = &a->model, .cancel = cancel, .on_event = on_event, .ctx = &session
	};
	int err;

	a->records = calloc(RECORDS_MAX, sizeof(*a->records));
	if (!a->records)
		return sen_why(why, -ENOMEM, NULL, "analysing: out of memory");
	sen_rng_seed(&session.rng, 1);
	err = sen_harvest_capture(&unused, path, &options, why);
	if (!err && !a->n)
		err = sen_why(why, -ENODATA, NULL, "no packet of it can be evaluated");
	return err;
}
