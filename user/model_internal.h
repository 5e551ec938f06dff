/* SPDX-License-Identifier: BSD-2-Clause */
/* What the modules that make, check and write models share beneath model.h. */
#ifndef SENTROID_MODEL_INTERNAL_H
#define SENTROID_MODEL_INTERNAL_H

#include <stddef.h>

#include "model.h"

struct cJSON;

/* Largest model file read; one with every member and centroid in use has about 100 kB. */
#define SEN_MODEL_FILE_MAX (4u << 20)

#define SEN_RADIUS_MIN    1.0   /* steps; the inverse still fits 32 bits */
#define SEN_RADIUS_MAX    600.0 /* the corners of the space are 568 steps apart */
#define SEN_THRESHOLD_MIN (1.0 / 1024)
#define SEN_THRESHOLD_MAX 4096.0
#define SEN_MASS_MAX      1e12
#define SEN_SCALE_MAX     (1 << 26)
#define SEN_BIAS_MAX      (1 << 30)

/* Bring every number to the grid that files keep, so that print, parse and print again agree to the
 * last bit, and so do the flat forms. Idempotent; training ends with it, printing begins with it. */
void sen_model_round(struct sen_model *model);

/* Every count and number within what the flat form can hold. 0 or -ERANGE. */
int sen_model_check(const struct sen_model *model, struct sen_why *why);

/* Index of a feature name, or -1. */
int sen_feature_index(enum sen_feature_set set, const char *name);
const char *sen_feature_name(unsigned int index);
/* The same of any set; NULL for dimensions that it leaves unused. */
const char *sen_feature_name_in(enum sen_feature_set set, unsigned int index);

/* Id of a class name that is built in or the model's own already; -ENOENT. */
int sen_class_find(const struct sen_model *model, const char *name);

/* SHA-256 over an object printed without white space and without its members `created`
 * and `digest`. */
int sen_json_digest(const struct cJSON *object, char hex[2 * SEN_DIGEST_BYTES + 1]);

/* RFC 3339 in UTC. */
#define SEN_RFC3339_SIZE 32
void sen_time_print(int64_t seconds, char out[SEN_RFC3339_SIZE]);
int sen_time_parse(const char *text, int64_t *seconds);

#endif
