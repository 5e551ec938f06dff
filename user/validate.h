/* SPDX-License-Identifier: BSD-2-Clause */
/* The gate that a candidate passes before it comes near the packet path. */
#ifndef SENTROID_VALIDATE_H
#define SENTROID_VALIDATE_H

#include <stddef.h>

#include "model.h"
#include "sample.h"

/* Of one kind of attack, against benign samples. */
struct sen_class_validation {
	size_t n;
	double recall; /* NAN without samples */
	double f1;
};

struct sen_validation {
	size_t benign, attack;    /* labelled samples it was tried on */
	double false_positives;   /* share of benign flagged */
	double recall;            /* share of attacks flagged; NAN without attacks */
	double balanced_accuracy; /* NAN where a class is missing */
	double f1;                /* of attack; NAN without attacks */
	double f1_benign;
	struct sen_class_validation class_of[SEN_CLASS_MAX];
	size_t shipped;        /* attack samples that come with the shipped model ... */
	double shipped_recall; /* ... and the share of them flagged; NAN without */
	char reason[160];      /* why it was refused, or empty */
};

/* A model that flags no more of the attacks misses everything; one that it replaces may be as blind. */
#define SEN_FLAGS_NONE 0.05

/* The best that models before this one have been measured at; NAN: not known. */
struct sen_standard {
	double balanced_accuracy;
	double shipped_recall;
	unsigned int accurate, sharp; /* versions that these are of */
};

struct sen_gate {
	double max_false_positives; /* refuse above this share of benign samples flagged */
	double min_recall;     /* refuse below this share of attacks flagged, where there are any */
	double max_regression; /* balanced accuracy may fall this much below the model in force */
	double max_class_regression; /* and so may the recall of each class, and of shipped attacks */
	/* However many steps: balanced accuracy and the recall of shipped attacks may fall this much below the
	 * reference, and below the standard. */
	double max_slide;
	double max_shipped_slide;
	struct sen_standard standard;
};

extern const struct sen_gate sen_gate_defaults;

/* Structure alone: centroids distinct and finite, radii in range, none empty, threshold positive.
 * 0 or -EINVAL with a reason. */
int sen_validate_structure(const struct sen_model *model, char *reason, size_t size);

/* Structure, then behaviour on labelled samples, in integers, as the packet path would score them:
 * refused (-EKEYREJECTED, reason filled) if it flags everything or nothing of what it must, or does
 * worse than `in_force` (may be NULL). Attacks that `in_force` misses as well are no fault: it would not be
 * better to stay with it. Measurements are filled either way. */
int sen_validate(const struct sen_model *candidate, const struct sen_model *in_force,
		 const struct sen_sample *held_out, size_t n, const struct sen_gate *gate,
		 struct sen_validation *out);

/* The same on attack samples that come with the shipped model, behind sen_validate() and into the same
 * record: refused if it misses all of them, or clearly more than `in_force` (may be NULL). */
int sen_validate_shipped(const struct sen_model *candidate, const struct sen_model *in_force,
			 const struct sen_sample *shipped, size_t n, const struct sen_gate *gate,
			 struct sen_validation *out);
/* Share of attack samples that a model flags; NAN where that cannot be measured. */
double sen_validate_recall(const struct sen_model *model, const struct sen_sample *attacks,
			   size_t n);
/* However little worse than the last one each of many models is, none is much worse than the `reference` (may
 * be NULL) on the same samples, nor than the gate's standard. Behind the two above. */
int sen_validate_slide(const struct sen_model *reference, const struct sen_sample *held_out,
		       size_t n, const struct sen_sample *shipped, size_t shipped_n,
		       const struct sen_gate *gate, struct sen_validation *v);
/* The labelled centroids of a model as attack samples, to free(): what the shipped model knows of attacks,
 * as raw features, which any model can be tried on. *n: how many. NULL when out of memory. */
struct sen_sample *sen_labelled_centroids(const struct sen_model *model, size_t *n);

#endif
