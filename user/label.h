/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Labels that need nobody: a rule is certain; a score at or above the high mark is an attack, but not
 * surely; one at or below the low mark is benign; what lies between has no label. The marks are
 * quantiles of the scores that the packet path has given lately. Pure functions.
 */
#ifndef SENTROID_LABEL_H
#define SENTROID_LABEL_H

#include "sentroid/model.h"
#include "store.h"

struct sen_marks {
	uint32_t low, high;   /* scores, Q16 */
	double low_q, high_q; /* the quantiles that they are */
};

/* Marks from histograms of scores at two moments (`before` may be NULL: nothing yet). False, *out
 * unchanged: too few evaluations between them to tell. The high mark is never below the threshold: what
 * is not flagged is no attack. */
bool sen_marks_find(const __u64 before[SEN_SCORE_BINS], const __u64 now[SEN_SCORE_BINS],
		    double low_q, double high_q, struct sen_marks *out);
/* Until there are enough: the same shares of the threshold itself. */
struct sen_marks sen_marks_default(double low_q, double high_q);

/* Label a record by its score and what a rule says: class, and why (SEN_CLASS_NONE, NULL: nothing).
 * An attack by score has the class that it is taken for (naming.h), or SEN_CLASS_UNKNOWN. */
void sen_label_record(struct sen_record *record, unsigned int rule_class, const char *rule_reason,
		      const struct sen_marks *marks);
/* A record of an event: vector, score, flow; no label. */
struct sen_record sen_record_of(const struct sen_event *ev);

/* "benign", "attack", "none"; "score", "rule", "operator", "upload". */
const char *sen_label_name(unsigned int label);
const char *sen_origin_name(unsigned int origin);

/* What a model calls the classes that are its own. */
struct sen_class_names {
	char own[SEN_CLASS_MAX - SEN_CLASS_CUSTOM][SEN_CLASS_NAME_MAX];
};

struct sen_class_names sen_class_names_of(const struct sen_model_flat *model);

/* "benign", "attack" (of unknown class), "none", or a class: a built-in one, one that is in `names` (NULL:
 * there are none), or custom_N for one without a name. 0 or -EINVAL. */
int sen_label_parse(const char *text, const struct sen_class_names *names, unsigned int *label,
		    unsigned int *class_id);
/* The other way round; returns `text`. */
const char *sen_label_text(unsigned int label, unsigned int class_id,
			   const struct sen_class_names *names, char text[SEN_CLASS_NAME_MAX]);

#endif
