// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyse.h"
#include "cancel.h"
#include "flowtable.h"
#include "harvest.h"
#include "kmeans.h"
#include "rules.h"
#include "samplelog.h"
#include "sentroid/score.h"

#define RECORDS_MAX 20000

struct session {
	struct sen_analysis *analysis;
	struct sen_rng rng;
	const atomic_bool *cancel;
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

static bool may_teach(const struct sen_record *r, const struct sen_analysis *a)
{
	return r->sample.label == SEN_LABEL_BENIGN ||
	       (r->sample.label == SEN_LABEL_NONE && r->sample.score < a->margin * SEN_ONE);
}

static void label_by_itself(struct sen_record *r, struct sen_analysis *a,
			    const struct sen_event *ev)
{
	char reason[160];
	unsigned int rule = sen_rules_classify(ev, reason, sizeof(reason));

	a->attacks += rule != SEN_CLASS_NONE;
	sen_label_record(r, rule, reason, &a->marks);
	r->teaches = may_teach(r, a);
}

/* Where the next record goes, NULL: it is not kept. Algorithm R (Vitter 1985). */
static struct sen_record *next_place(struct session *s)
{
	struct sen_analysis *a = s->analysis;
	size_t at = a->n;

	a->evaluations++;
	if (a->n < RECORDS_MAX)
		a->n++;
	else
		at = sen_rng_below(&s->rng, a->evaluations);
	return at < RECORDS_MAX ? &a->records[at] : NULL;
}

static void on_event(void *ctx, const struct sen_event *ev)
{
	struct session *s = ctx;
	struct sen_analysis *a = s->analysis;
	struct sen_record *r = next_place(s);

	a->flagged += ev->score >= SEN_ONE;
	if (!r)
		return;
	*r = sen_record_of(ev);
	if (a->foreign)
		r->sample.model_version = 0;
	if (a->label == SEN_LABEL_NONE)
		label_by_itself(r, a, ev);
	else
		label_by_operator(r, a);
}

/* A sample that was an event elsewhere: what its rules and operators said of it stands. */
static int on_record(void *ctx, const struct sen_record *logged)
{
	struct session *s = ctx;
	struct sen_analysis *a = s->analysis;
	struct sen_record *r, scored = *logged;
	struct sen_sample *x = &scored.sample;
	struct sen_lanes q;

	if (sen_cancelled(s->cancel))
		return -ECANCELED;
	sen_quantize(a->model.quantizer, &x->vector, &q);
	x->score = sen_score(&a->model, &q).score;
	x->model_version = a->foreign ? 0 : a->model.version;
	a->flagged += x->score >= SEN_ONE;
	r = next_place(s);
	if (!r)
		return 0;
	if (a->label != SEN_LABEL_NONE) {
		label_by_operator(&scored, a);
	} else if (x->origin == SEN_ORIGIN_UPLOAD) {
		scored.confidence = 1;
		scored.teaches = x->label == SEN_LABEL_BENIGN;
		snprintf(scored.reason, sizeof(scored.reason), "labelled so where it was seen");
	} else {
		sen_label_record(&scored, SEN_CLASS_NONE, NULL, &a->marks);
		scored.teaches = may_teach(&scored, a);
	}
	*r = scored;
	return 0;
}

static int read_samples(struct session *s, const char *path, struct sen_why *why)
{
	struct sen_class_names names = sen_class_names_of(&s->analysis->model);

	return sen_samplelog_read(path, &names, on_record, s, why);
}

static int read_capture(struct session *s, const char *path, struct sen_why *why)
{
	struct sen_harvest unused = { 0 };
	struct sen_harvest_options options = {
		.model = &s->analysis->model, .cancel = s->cancel, .on_event = on_event, .ctx = s
	};
	const char *table = sen_flowtable_format(path);

	if (table)
		return sen_why(
			why, -EINVAL, NULL,
			"a table of flows (%s): it does not hold what a model of packets looks at; "
			"sentroid train --flow-table makes a model of its own from it",
			table);
	return sen_harvest_capture(&unused, path, &options, why);
}

int sen_analyse(struct sen_analysis *a, const char *path, const atomic_bool *cancel,
		struct sen_why *why)
{
	struct session session = { .analysis = a, .cancel = cancel };
	int err;

	a->records = calloc(RECORDS_MAX, sizeof(*a->records));
	if (!a->records)
		return sen_why(why, -ENOMEM, NULL, "analysing: out of memory");
	sen_rng_seed(&session.rng, 1);
	err = sen_samplelog_is(path) ? read_samples(&session, path, why) :
				       read_capture(&session, path, why);
	if (!err && !a->n)
		err = sen_why(why, -ENODATA, NULL, "nothing in it can be evaluated");
	return err;
}
