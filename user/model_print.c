// SPDX-License-Identifier: BSD-2-Clause
/* A model as JSON text: a tree first, its digest, then a layout that a person can read. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsutil.h"
#include "flowtable.h"
#include "model_internal.h"

/* Hang a fresh item into an object; a failure anywhere is remembered in *ok. */
static cJSON *put(cJSON *object, const char *key, cJSON *item, bool *ok)
{
	if (item && object && cJSON_AddItemToObject(object, key, item))
		return item;
	cJSON_Delete(item);
	*ok = false;
	return NULL;
}

static cJSON *append(cJSON *array, cJSON *item, bool *ok)
{
	if (item && array && cJSON_AddItemToArray(array, item))
		return item;
	cJSON_Delete(item);
	*ok = false;
	return NULL;
}

static void put_number(cJSON *object, const char *key, double value, bool *ok)
{
	put(object, key, cJSON_CreateNumber(value), ok);
}

static void put_string(cJSON *object, const char *key, const char *value, bool *ok)
{
	put(object, key, cJSON_CreateString(value), ok);
}

static void put_features(cJSON *object, const bool mask[SEN_DIMS], enum sen_feature_set set,
			 bool *ok)
{
	cJSON *names = put(object, "features", cJSON_CreateArray(), ok);

	for (int d = 0; d < SEN_DIMS; d++) {
		const char *name = sen_feature_name_in(set, d);

		if (name && (!mask || mask[d]))
			append(names, cJSON_CreateString(name), ok);
	}
}

static void put_quantizer(cJSON *root, const struct sen_quantizer *q, bool *ok)
{
	cJSON *object = put(root, "quantizer", cJSON_CreateObject(), ok);
	int scale[SEN_DIMS], bias[SEN_DIMS];

	for (int d = 0; d < SEN_DIMS; d++) {
		scale[d] = q[d].scale;
		bias[d] = q[d].bias;
	}
	put(object, "scale", cJSON_CreateIntArray(scale, SEN_DIMS), ok);
	put(object, "bias", cJSON_CreateIntArray(bias, SEN_DIMS), ok);
}

static void append_member(cJSON *members, const struct sen_model *model, unsigned int e, bool *ok)
{
	const struct sen_model_member *m = &model->member[e];
	cJSON *object = append(members, cJSON_CreateObject(), ok);
	cJSON *centroids, *classes;

	put_number(object, "weight", m->weight, ok);
	put_features(object, m->mask, model->features, ok);
	centroids = put(object, "centroids", cJSON_CreateArray(), ok);
	for (unsigned int k = 0; k < m->count; k++)
		append(centroids, cJSON_CreateFloatArray(m->centroid[k], SEN_DIMS), ok);
	put(object, "radii", cJSON_CreateFloatArray(m->radius, m->count), ok);
	put(object, "mass", cJSON_CreateDoubleArray(m->mass, m->count), ok);
	classes = put(object, "classes", cJSON_CreateArray(), ok);
	for (unsigned int k = 0; k < m->count; k++)
		append(classes, cJSON_CreateString(sen_class_name(model, m->class_of[k])), ok);
}

static void put_classes(cJSON *root, const struct sen_model *model, bool *ok)
{
	cJSON *names = put(root, "classes", cJSON_CreateArray(), ok);

	for (int i = 0; i < SEN_CLASS_MAX - SEN_CLASS_CUSTOM && model->class_name[i][0]; i++)
		append(names, cJSON_CreateString(model->class_name[i]), ok);
}

static void put_training(cJSON *root, const struct sen_provenance *t, bool *ok)
{
	cJSON *object = put(root, "training", cJSON_CreateObject(), ok);
	char inputs[sizeof(t->inputs)], seed[24], *save = NULL;
	cJSON *list;

	put_string(object, "command", t->command, ok);
	list = put(object, "inputs", cJSON_CreateArray(), ok);
	memcpy(inputs, t->inputs, sizeof(inputs));
	inputs[sizeof(inputs) - 1] = '\0';
	for (char *line = strtok_r(inputs, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		append(list, cJSON_CreateString(line), ok);
	put_number(object, "samples", t->samples, ok);
	/* As a string: 64 bits do not fit the numbers of JSON readers. */
	snprintf(seed, sizeof(seed), "%" PRIu64, t->seed);
	put_string(object, "seed", seed, ok);
	put_number(object, "target_fpr", t->target_fpr, ok);
	put_number(object, "holdout_fpr", t->holdout_fpr, ok);
	put_number(object, "inertia", t->inertia, ok);
}

/* The whole model but its digest; NULL when out of memory. */
static cJSON *tree_of(const struct sen_model *model)
{
	cJSON *root = cJSON_CreateObject(), *object;
	char created[SEN_RFC3339_SIZE];
	bool ok = true;

	sen_time_print(model->created_s, created);
	put_number(root, "format", SEN_MODEL_FORMAT, &ok);
	put_number(root, "version", model->version, &ok);
	put_number(root, "parent", model->parent, &ok);
	put_string(root, "created", created, &ok);
	if (model->features == SEN_TABLE_FEATURES) {
		put_string(root, "features_version", SEN_TABLE_VERSION, &ok);
		put_string(root, "flow_table", model->table, &ok);
	} else {
		put_number(root, "features_version", SEN_FEATURES_VERSION, &ok);
	}
	put_features(root, NULL, model->features, &ok);
	put_quantizer(root, model->quantizer, &ok);
	object = put(root, "thresholds", cJSON_CreateObject(), &ok);
	put_number(object, "alert", model->threshold, &ok);
	put_classes(root, model, &ok);
	put_training(root, &model->training, &ok);
	object = put(root, "members", cJSON_CreateArray(), &ok);
	for (unsigned int e = 0; e < model->members; e++)
		append_member(object, model, e, &ok);
	if (!ok) {
		cJSON_Delete(root);
		return NULL;
	}
	return root;
}

int sen_json_digest(const struct cJSON *object, char hex[2 * SEN_DIGEST_BYTES + 1])
{
	cJSON *body = cJSON_Duplicate(object, true);
	char *text = NULL;
	int err = -ENOMEM;

	if (!body)
		return err;
	/* Made again from the same input, a model is the same. */
	cJSON_DeleteItemFromObjectCaseSensitive(body, "created");
	cJSON_DeleteItemFromObjectCaseSensitive(body, "digest");
	text = cJSON_PrintUnformatted(body);
	if (text)
		err = sen_sha256_hex(text, strlen(text), hex);
	cJSON_free(text);
	cJSON_Delete(body);
	return err;
}

static bool holds_containers(const cJSON *item)
{
	return cJSON_IsObject(item) ||
	       (cJSON_IsArray(item) && (cJSON_IsArray(item->child) || cJSON_IsObject(item->child)));
}

/* A line for each member of an object and each element of an array of containers; arrays of plain
 * values stay on one line. */
static void write_item(FILE *f, const cJSON *item, int depth)
{
	bool object = cJSON_IsObject(item);
	char *text;

	if (!holds_containers(item)) {
		text = cJSON_PrintUnformatted(item);
		fputs(text ? text : "", f);
		cJSON_free(text);
		return;
	}
	fputc(object ? '{' : '[', f);
	for (const cJSON *child = item->child; child; child = child->next) {
		fprintf(f, "\n%*s", 2 * (depth + 1), "");
		if (object)
			fprintf(f, "\"%s\": ", child->string); /* keys here need no escapes */
		write_item(f, child, depth + 1);
		if (child->next)
			fputc(',', f);
	}
	fprintf(f, "\n%*s%c", 2 * depth, "", object ? '}' : ']');
}

char *sen_model_print(struct sen_model *model)
{
	cJSON *root = NULL;
	char *text = NULL;
	size_t size;
	FILE *f;

	sen_model_round(model);
	root = tree_of(model);
	if (!root || sen_json_digest(root, model->digest) ||
	    !cJSON_AddStringToObject(root, "digest", model->digest))
		goto out;
	f = open_memstream(&text, &size);
	if (!f)
		goto out;
	write_item(f, root, 0);
	fputc('\n', f);
	if (fclose(f)) {
		free(text);
		text = NULL;
	}
out:
	cJSON_Delete(root);
	return text;
}

int sen_model_save(struct sen_model *model, const char *path, struct sen_why *why)
{
	char *text;
	int err;

	/* A file that no one could load again is not written. */
	err = sen_model_check(model, why);
	if (err)
		return err;
	text = sen_model_print(model);
	if (!text)
		return sen_why(why, -ENOMEM, NULL, "write: %s: out of memory", path);
	err = sen_write_atomic(path, text, strlen(text), why);
	free(text);
	return err;
}
