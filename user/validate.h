/* SPDX-License-Identifier: BSD-2-Clause */
/* The gate that a candidate passes before it comes near the packet path. */
#ifndef SENTROID_VALIDATE_H
#define SENTROID_VALIDATE_H

#include <stddef.h>

#include "model.h"
#include "sample.h"

struct sen_validation {
	size_t benign, attack;    /* labelled samples it was tried on */
	double false_positives;   /* share of benign flagged */
	double recall;            /* share of attacks flagged; NAN without attacks */
	double balanced_accuracy; /* NAN where a class is missing */
	double f1;                /* of attack; NAN without attacks */
	char reason[160];         /* why it was refused, or empty */
};

struct sen_gate {
	double max_false_positives; /* refuse above this share of benign samples flagged */
	double min_recall;     /* refuse below this share of attacks flagged, where there are any */
	double max_regression; /* balanced accuracy may fall this much below the model in force */
};

extern const struct sen_gate sen_gate_defaults;

/* Structure alone: centroids distinct and finite, radii in range, none empty, threshold positive.
 * 0 or -EINVAL with a reason. */
int sen_validate_structure(const struct sen_model *model, char *reason, size_t size);

/* Structure, then behaviour on labelled samples, in integers, as the packet path would score them:
 * refused (-EKEYREJECTED, reason filled) if it flags everything or nothing of what it must, or does
 * worse than `in_force` (may be NULL). Measurements are filled either way. */
int sen_validate(const struct sen_model *candidate, const struct sen_model *in_force,
		 const struct sen_sample *held_out, size_t n, const struct sen_gate *gate,
		 struct sen_validation *out);

#endif
