// SPDX-License-Identifier: BSD-2-Clause
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "json_reader.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

void sen_facts_set(struct sen_facts *f, const char *name, double value)
{
	size_t i = 0;

	if (!isfinite(value))
		return;
	while (i < f->n && strcmp(f->at[i].name, name))
		i++;
	if (i == SEN_FACTS_MAX)
		return;
	snprintf(f->at[i].name, sizeof(f->at[i].name), "%s", name);
	f->at[i].value = value;
	f->n += i == f->n;
}

void sen_facts_merge(struct sen_facts *to, const struct sen_facts *from)
{
	for (size_t i = 0; i < from->n; i++)
		sen_facts_set(to, from->at[i].name, from->at[i].value);
}

const double *sen_facts_get(const struct sen_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->at[i].name, name))
			return &f->at[i].value;
	return NULL;
}

bool sen_facts_add_json(cJSON *object, const char *key, const struct sen_facts *f)
{
	cJSON *facts = f->n ? cJSON_AddObjectToObject(object, key) : NULL;

	for (size_t i = 0; i < f->n; i++)
		if (!cJSON_AddNumberToObject(facts, f->at[i].name, f->at[i].value))
			return false;
	return true;
}

int sen_facts_read_json(const cJSON *object, const char *key, struct sen_facts *out)
{
	const cJSON *facts = sen_json_get(object, key), *item;

	memset(out, 0, sizeof(*out));
	if (!facts)
		return 0;
	if (!cJSON_IsObject(facts) || cJSON_GetArraySize(facts) > SEN_FACTS_MAX)
		return -EBADMSG;
	cJSON_ArrayForEach(item, facts) {
		size_t len = strlen(item->string);

		if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || !len ||
		    len >= SEN_FACT_NAME || strspn(item->string, letters) != len)
			return -EBADMSG;
		sen_facts_set(out, item->string, item->valuedouble);
	}
	return 0;
}
