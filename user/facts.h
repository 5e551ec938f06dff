/* SPDX-License-Identifier: BSD-2-Clause */
/* Named numbers: the parameters that a model was trained with, what was measured of it. */
#ifndef SENTROID_FACTS_H
#define SENTROID_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#define SEN_FACTS_MAX 64
#define SEN_FACT_NAME 28

struct cJSON;

struct sen_fact {
	char name[SEN_FACT_NAME]; /* [a-z0-9_]: also a file name, see mlflow.c */
	double value;
};

struct sen_facts {
	size_t n;
	struct sen_fact at[SEN_FACTS_MAX];
};

/* Add or replace. What is not finite was not measured, and is left out; so is what finds no room. */
void sen_facts_set(struct sen_facts *f, const char *name, double value);
void sen_facts_merge(struct sen_facts *to, const struct sen_facts *from);
/* NULL: there is none of that name. */
const double *sen_facts_get(const struct sen_facts *f, const char *name);

/* As an object under a key; nothing where there are no facts. False when out of memory. */
bool sen_facts_add_json(struct cJSON *object, const char *key, const struct sen_facts *f);
/* -EBADMSG: not an object of numbers under fair names, or too many. A missing one is empty. */
int sen_facts_read_json(const struct cJSON *object, const char *key, struct sen_facts *out);

#endif
