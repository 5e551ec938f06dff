/* SPDX-License-Identifier: BSD-2-Clause */
/* What is odd about a sample, in words. */
#ifndef SENTROID_NOVELTY_H
#define SENTROID_NOVELTY_H

#include <stddef.h>

#include "sentroid/feature.h"
#include "sentroid/model.h"

/* The features farthest from the middle of what the model calls normal. */
void sen_novelty_explain(const struct sen_model_flat *model, const struct sen_vector *x,
			 char *reason, size_t size);
/* Name of a class of a model in the packet path: built in, its own, or "custom_N". */
void sen_flat_class_name(const struct sen_model_flat *model, unsigned int class_id,
			 char name[SEN_CLASS_NAME_MAX]);

#endif
