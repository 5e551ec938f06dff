// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "harvest.h"
#include "label.h"
#include "naming.h"
#include "rules.h"
#include "sentroid/score.h"

#define LEAST_EVALUATIONS 1000 /* that quantiles are taken of */
#define BIN_STEPS         8    /* of sen_lg() in a bin */

const char *sen_label_name(unsigned int label)
{
	static const char *const names[] = { "none", "benign", "attack" };

	return label < sizeof(names) / sizeof(names[0]) ? names[label] : "?";
}

const char *sen_origin_name(unsigned int origin)
{
	static const char *const names[] = { "none", "score", "rule", "operator", "upload" };

	return origin < sizeof(names) / sizeof(names[0]) ? names[origin] : "?";
}

#define CLASS_NAME(id, name, help) [SEN_CLASS_##id] = name,
static const char *const class_names[] = { SEN_CLASSES(CLASS_NAME) };

struct sen_class_names sen_class_names_of(const struct sen_model_flat *model)
{
	struct sen_class_names names;

	memcpy(names.own, model->class_name, sizeof(names.own));
	for (unsigned int i = 0; i < SEN_CLASS_MAX - SEN_CLASS_CUSTOM; i++)
		names.own[i][SEN_CLASS_NAME_MAX - 1] = '\0';
	return names;
}

/* As sen_flat_class_name() writes it. */
static int parse_number(const char *text, unsigned int *class_id)
{
	char written[SEN_CLASS_NAME_MAX];

	for (*class_id = SEN_CLASS_CUSTOM; *class_id < SEN_CLASS_MAX; (*class_id)++) {
		snprintf(written, sizeof(written), "custom_%u", *class_id);
		if (!strcmp(text, written))
			return 0;
	}
	return -EINVAL;
}

static int parse_class(const char *text, const struct sen_class_names *names,
		       unsigned int *class_id)
{
	for (*class_id = SEN_CLASS_UNKNOWN; *class_id < SEN_CLASS_BUILTIN_COUNT; (*class_id)++)
		if (!strcmp(text, class_names[*class_id]))
			return 0;
	for (*class_id = SEN_CLASS_CUSTOM; names && *class_id < SEN_CLASS_MAX; (*class_id)++)
		if (*text && !strcmp(text, names->own[*class_id - SEN_CLASS_CUSTOM]))
			return 0;
	return parse_number(text, class_id);
}

int sen_label_parse(const char *text, const struct sen_class_names *names, unsigned int *label,
		    unsigned int *class_id)
{
	*class_id = SEN_CLASS_NONE;
	for (*label = SEN_LABEL_NONE; *label <= SEN_LABEL_ATTACK; (*label)++)
		if (!strcmp(text, sen_label_name(*label))) {
			*class_id = *label == SEN_LABEL_ATTACK ? SEN_CLASS_UNKNOWN : SEN_CLASS_NONE;
			return 0;
		}
	*label = SEN_LABEL_ATTACK;
	return parse_class(text, names, class_id);
}

/* A name that would be read as something else is of no use. */
static const char *own_name(const struct sen_class_names *names, unsigned int class_id)
{
	unsigned int label, read;
	const char *name;

	if (!names || class_id < SEN_CLASS_CUSTOM)
		return NULL;
	name = names->own[class_id - SEN_CLASS_CUSTOM];
	return sen_label_parse(name, names, &label, &read) || read != class_id ? NULL : name;
}

const char *sen_label_text(unsigned int label, unsigned int class_id,
			   const struct sen_class_names *names, char text[SEN_CLASS_NAME_MAX])
{
	const char *name = sen_label_name(label);

	class_id %= SEN_CLASS_MAX;
	if (label == SEN_LABEL_ATTACK && class_id >= SEN_CLASS_CUSTOM)
		name = own_name(names, class_id);
	else if (label == SEN_LABEL_ATTACK && class_id && class_id < SEN_CLASS_BUILTIN_COUNT)
		name = class_names[class_id];
	if (name)
		snprintf(text, SEN_CLASS_NAME_MAX, "%s", name);
	else
		snprintf(text, SEN_CLASS_NAME_MAX, "custom_%u", class_id);
	return text;
}

/* Within a bin scores count as spread evenly over its logarithm. */
static uint32_t quantile(const __u64 bin[SEN_SCORE_BINS], uint64_t total, double q)
{
	double target = q * (double)total, below = 0;

	for (unsigned int b = 0; b < SEN_SCORE_BINS; b++) {
		if (bin[b] && below + (double)bin[b] >= target)
			return sen_lg_inverse(
				(uint32_t)(BIN_STEPS * (b + (target - below) / (double)bin[b])));
		below += (double)bin[b];
	}
	return UINT32_MAX;
}

bool sen_marks_find(const __u64 before[SEN_SCORE_BINS], const __u64 now[SEN_SCORE_BINS],
		    double low_q, double high_q, struct sen_marks *out)
{
	__u64 recent[SEN_SCORE_BINS];
	uint64_t total = 0;

	for (unsigned int b = 0; b < SEN_SCORE_BINS; b++) {
		recent[b] = now[b] - (before ? before[b] : 0);
		total += recent[b];
	}
	if (total < LEAST_EVALUATIONS)
		return false;
	*out = (struct sen_marks){
		.low = quantile(recent, total, low_q),
		.high = quantile(recent, total, high_q),
		.low_q = low_q,
		.high_q = high_q,
	};
	/* Amid a flood the lowest third may be flagged, too. */
	if (out->low >= SEN_ONE)
		out->low = SEN_ONE - 1;
	if (out->high < SEN_ONE)
		out->high = SEN_ONE;
	return true;
}

struct sen_marks sen_marks_default(double low_q, double high_q)
{
	return (struct sen_marks){
		.low = (uint32_t)(low_q * SEN_ONE),
		.high = SEN_ONE,
		.low_q = low_q,
		.high_q = high_q,
	};
}

static void label_attack(struct sen_record *r, const struct sen_marks *marks)
{
	struct sen_sample *x = &r->sample;

	x->label = SEN_LABEL_ATTACK;
	x->origin = SEN_ORIGIN_SCORE;
	x->class_id = x->class_id ? x->class_id : SEN_CLASS_UNKNOWN;
	/* One half at the mark, towards nine tenths far above it. */
	r->confidence = 0.9f - 0.4f * (float)marks->high / (float)x->score;
	snprintf(r->reason, sizeof(r->reason), "score %.2f, high mark %.2f (quantile %g)",
		 x->score / (double)SEN_ONE, marks->high / (double)SEN_ONE, marks->high_q);
}

static void label_benign(struct sen_record *r, const struct sen_marks *marks)
{
	struct sen_sample *x = &r->sample;

	x->label = SEN_LABEL_BENIGN;
	x->origin = SEN_ORIGIN_SCORE;
	x->class_id = SEN_CLASS_NONE;
	r->confidence = 0.95f - 0.15f * (float)x->score / (float)(marks->low + 1);
	snprintf(r->reason, sizeof(r->reason), "score %.2f, low mark %.2f (quantile %g)",
		 x->score / (double)SEN_ONE, marks->low / (double)SEN_ONE, marks->low_q);
}

void sen_label_record(struct sen_record *r, unsigned int rule_class, const char *rule_reason,
		      const struct sen_marks *marks)
{
	struct sen_sample *x = &r->sample;

	if (rule_class) {
		x->label = SEN_LABEL_ATTACK;
		x->origin = SEN_ORIGIN_RULE;
		x->class_id = (uint8_t)rule_class;
		r->confidence = 1;
		snprintf(r->reason, sizeof(r->reason), "%s", rule_reason ? rule_reason : "a rule");
	} else if (x->score >= marks->high) {
		label_attack(r, marks);
	} else if (x->score <= marks->low) {
		label_benign(r, marks);
	} else {
		x->label = SEN_LABEL_NONE;
		x->origin = SEN_ORIGIN_NONE;
		r->confidence = 0;
		snprintf(r->reason, sizeof(r->reason), "score %.2f, between the marks",
			 x->score / (double)SEN_ONE);
	}
}

struct sen_record sen_record_of(const struct sen_event *ev)
{
	struct sen_record r = {
		.sample = sen_sample_of(ev),
		.sport = (uint16_t)sen_event_client_port(ev),
		.dport = (uint16_t)sen_event_service(ev),
		.proto = ev->key.proto,
	};

	r.sample.class_id = (uint8_t)sen_name_of(ev, SEN_CLASS_NONE).class_id;
	memcpy(r.src, sen_event_source(ev), sizeof(r.src));
	memcpy(r.dst, sen_event_target(ev), sizeof(r.dst));
	return r;
}
