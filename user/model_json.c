// SPDX-License-Identifier: BSD-2-Clause
/* A model from JSON text. Files may come from anywhere: nothing in them is believed unchecked. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowtable.h"
#include "fsutil.h"
#include "json_reader.h"
#include "model_internal.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: integers up to it survive a double */

static int check_digest(const struct sen_reader *r, const cJSON *root, char *digest)
{
	char stated[2 * SEN_DIGEST_BYTES + 1];
	const cJSON *item = sen_json_get(root, "digest");
	int err;

	if (!cJSON_IsString(item) || strlen(item->valuestring) >= sizeof(stated))
		return sen_refuse(r, -EUCLEAN, "digest: missing or not one");
	strcpy(stated, item->valuestring);
	err = sen_json_digest(root, digest);
	if (err)
		return sen_refuse(r, err, "digest: %s", strerror(-err));
	if (strcmp(stated, digest))
		return sen_refuse(r, -EUCLEAN,
				  "wrong digest: the file was changed after it was written");
	return 0;
}

static int check_format(const struct sen_reader *r, const cJSON *root)
{
	const cJSON *format = sen_json_get(root, "format");

	if (!cJSON_IsNumber(format))
		return sen_refuse(r, -EPROTO, "no format number: not a model file");
	if (format->valuedouble != SEN_MODEL_FORMAT)
		return sen_refuse(r, -EPROTO, "format %g, this program reads format %d",
				  format->valuedouble, SEN_MODEL_FORMAT);
	return 0;
}

static int check_names(const struct sen_reader *r, const cJSON *names, enum sen_feature_set set)
{
	unsigned int d = 0;
	const cJSON *item;
	int expected = 0;

	while (expected < SEN_DIMS && sen_feature_name_in(set, expected))
		expected++;
	if (!cJSON_IsArray(names) || cJSON_GetArraySize(names) != expected)
		return sen_refuse(r, -EPROTO, "features: not a list of %d names", expected);
	cJSON_ArrayForEach(item, names) {
		const char *name = sen_feature_name_in(set, d);

		if (!cJSON_IsString(item) || strcmp(item->valuestring, name))
			return sen_refuse(r, -EPROTO, "features[%u]: not \"%s\"", d, name);
		d++;
	}
	return 0;
}

static int check_features(const struct sen_reader *r, const cJSON *root, enum sen_feature_set set)
{
	const cJSON *version = sen_json_get(root, "features_version");
	bool of_table = cJSON_IsString(version) && !strcmp(version->valuestring, SEN_TABLE_VERSION);

	if (of_table && set == SEN_PACKET_FEATURES)
		return sen_refuse(
			r, -EPROTO,
			"a model of flow tables: its features cannot be had from packets");
	if (set == SEN_TABLE_FEATURES && !of_table)
		return sen_refuse(r, -EPROTO,
				  "features_version: not \"%s\": not a model of flow tables",
				  SEN_TABLE_VERSION);
	if (set == SEN_PACKET_FEATURES &&
	    (!cJSON_IsNumber(version) || version->valuedouble != SEN_FEATURES_VERSION))
		return sen_refuse(r, -EPROTO, "features_version: not %d: made for other features",
				  SEN_FEATURES_VERSION);
	return check_names(r, sen_json_get(root, "features"), set);
}

static int read_quantizer(const struct sen_reader *r, const cJSON *root, struct sen_model *m)
{
	const cJSON *object = sen_json_get(root, "quantizer");
	double scale[SEN_DIMS], bias[SEN_DIMS];
	int err;

	err = sen_read_numbers(r, sen_json_get(object, "scale"), "quantizer.scale", SEN_DIMS, 1,
			       SEN_SCALE_MAX, scale);
	if (!err)
		err = sen_read_numbers(r, sen_json_get(object, "bias"), "quantizer.bias", SEN_DIMS,
				       -SEN_BIAS_MAX, SEN_BIAS_MAX, bias);
	if (err)
		return err;
	for (int d = 0; d < SEN_DIMS; d++) {
		if (scale[d] != floor(scale[d]) || bias[d] != floor(bias[d]))
			return sen_refuse(r, -ERANGE, "quantizer: entry %d is not a whole number",
					  d);
		m->quantizer[d].scale = scale[d];
		m->quantizer[d].bias = bias[d];
	}
	return 0;
}

static int read_classes(const struct sen_reader *r, const cJSON *root, struct sen_model *m)
{
	const cJSON *names = sen_json_get(root, "classes"), *item;
	int err = sen_check_array(r, names, "classes", 0, SEN_CLASS_MAX - SEN_CLASS_CUSTOM), i = 0;

	if (err)
		return err;
	cJSON_ArrayForEach(item, names) {
		/* Neither a built-in name, nor one twice, nor one that cannot be shown. */
		if (!cJSON_IsString(item) ||
		    sen_class_id(m, item->valuestring) != SEN_CLASS_CUSTOM + i)
			return sen_refuse(r, -ERANGE, "classes[%d]: not a new class name", i);
		i++;
	}
	return 0;
}

static int read_mask(const struct sen_reader *r, const cJSON *object, const char *where,
		     enum sen_feature_set set, struct sen_model_member *m)
{
	const cJSON *names = sen_json_get(object, "features"), *item;
	int err = sen_check_array(r, names, where, 1, SEN_DIMS);

	if (err)
		return err;
	cJSON_ArrayForEach(item, names) {
		int d = cJSON_IsString(item) ? sen_feature_index(set, item->valuestring) : -1;

		if (d < 0 || m->mask[d])
			return sen_refuse(r, -ERANGE,
					  "%s.features: a name is unknown or given twice", where);
		m->mask[d] = true;
	}
	return 0;
}

static int read_centroids(const struct sen_reader *r, const cJSON *object, const char *where,
			  struct sen_model_member *m)
{
	const cJSON *rows = sen_json_get(object, "centroids"), *row;
	double v[SEN_DIMS];
	char path[80];
	int err;

	snprintf(path, sizeof(path), "%s.centroids", where);
	err = sen_check_array(r, rows, path, 1, SEN_CENTROIDS_MAX);
	if (err)
		return err;
	cJSON_ArrayForEach(row, rows) {
		snprintf(path, sizeof(path), "%s.centroids[%u]", where, m->count);
		err = sen_read_numbers(r, row, path, SEN_DIMS, 0, SEN_QMAX, v);
		if (err)
			return err;
		for (int d = 0; d < SEN_DIMS; d++)
			m->centroid[m->count][d] = v[d];
		m->count++;
	}
	return 0;
}

static int read_class_of(const struct sen_reader *r, const cJSON *object, const char *where,
			 const struct sen_model *model, struct sen_model_member *m)
{
	const cJSON *names = sen_json_get(object, "classes"), *item;
	char path[80];
	int err, k = 0;

	snprintf(path, sizeof(path), "%s.classes", where);
	err = sen_check_array(r, names, path, m->count, m->count);
	if (err)
		return err;
	cJSON_ArrayForEach(item, names) {
		int id = cJSON_IsString(item) ? sen_class_find(model, item->valuestring) : -1;

		if (id < 0)
			return sen_refuse(r, -ERANGE, "%s[%d]: not a class of this model", path, k);
		m->class_of[k++] = id;
	}
	return 0;
}

static int read_member(const struct sen_reader *r, const cJSON *object, unsigned int e,
		       struct sen_model *model)
{
	struct sen_model_member *m = &model->member[e];
	double radius[SEN_CENTROIDS_MAX];
	char where[32], path[64];
	int err;

	snprintf(where, sizeof(where), "members[%u].", e);
	err = sen_read_number(r, object, where, "weight", 0, 1, &m->weight);
	where[strlen(where) - 1] = '\0';
	if (!err)
		err = read_mask(r, object, where, model->features, m);
	if (!err)
		err = read_centroids(r, object, where, m);
	snprintf(path, sizeof(path), "%s.radii", where);
	if (!err)
		err = sen_read_numbers(r, sen_json_get(object, "radii"), path, m->count,
				       SEN_RADIUS_MIN, SEN_RADIUS_MAX, radius);
	snprintf(path, sizeof(path), "%s.mass", where);
	if (!err)
		err = sen_read_numbers(r, sen_json_get(object, "mass"), path, m->count, 0,
				       SEN_MASS_MAX, m->mass);
	if (!err)
		err = read_class_of(r, object, where, model, m);
	if (err)
		return err;
	for (unsigned int k = 0; k < m->count; k++)
		m->radius[k] = radius[k];
	return 0;
}

static int read_members(const struct sen_reader *r, const cJSON *root, struct sen_model *m)
{
	const cJSON *array = sen_json_get(root, "members"), *item;
	int err = sen_check_array(r, array, "members", 1, SEN_MEMBERS_MAX);

	if (err)
		return err;
	cJSON_ArrayForEach(item, array) {
		err = read_member(r, item, m->members, m);
		if (err)
			return err;
		m->members++;
	}
	return 0;
}

static int read_inputs(const struct sen_reader *r, const cJSON *object, struct sen_provenance *t)
{
	const cJSON *array = sen_json_get(object, "inputs"), *item;
	int err = sen_check_array(r, array, "training.inputs", 0, sizeof(t->inputs));
	size_t used = 0;

	if (err)
		return err;
	cJSON_ArrayForEach(item, array) {
		size_t len = cJSON_IsString(item) ? strlen(item->valuestring) : 0;

		/* One to a line: a line break inside would make two. */
		if (!len || strchr(item->valuestring, '\n') || used + len + 2 > sizeof(t->inputs))
			return sen_refuse(r, -ERANGE, "training.inputs: not lines, or too long");
		if (used)
			t->inputs[used++] = '\n';
		memcpy(t->inputs + used, item->valuestring, len + 1);
		used += len;
	}
	return 0;
}

static int read_training(const struct sen_reader *r, const cJSON *root, struct sen_provenance *t)
{
	const cJSON *object = sen_json_get(root, "training");
	char seed[24], *end;
	int err;

	err = sen_read_string(r, object, "training.", "command", t->command, sizeof(t->command));
	if (!err)
		err = read_inputs(r, object, t);
	if (!err)
		err = sen_read_unsigned(r, object, "training.", "samples", EXACT_MAX, &t->samples);
	if (!err)
		err = sen_read_number(r, object, "training.", "target_fpr", 0, 1, &t->target_fpr);
	if (!err)
		err = sen_read_number(r, object, "training.", "holdout_fpr", 0, 1, &t->holdout_fpr);
	if (!err)
		err = sen_read_number(r, object, "training.", "inertia", 0, 1e9, &t->inertia);
	if (!err)
		err = sen_read_string(r, object, "training.", "seed", seed, sizeof(seed));
	if (err)
		return err;
	errno = 0;
	t->seed = strtoull(seed, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*seed))
		return sen_refuse(r, -ERANGE, "training.seed: not a number of 64 bits");
	return 0;
}

static int read_header(const struct sen_reader *r, const cJSON *root, struct sen_model *m)
{
	char created[SEN_RFC3339_SIZE];
	uint64_t version = 0, parent = 0;
	int err;

	err = sen_read_unsigned(r, root, "", "version", UINT32_MAX, &version);
	if (!err)
		err = sen_read_unsigned(r, root, "", "parent", UINT32_MAX, &parent);
	if (!err)
		err = sen_read_string(r, root, "", "created", created, sizeof(created));
	if (!err && m->features == SEN_TABLE_FEATURES)
		err = sen_read_string(r, root, "", "flow_table", m->table, sizeof(m->table));
	if (err)
		return err;
	m->version = version;
	m->parent = parent;
	if (sen_time_parse(created, &m->created_s))
		return sen_refuse(r, -ERANGE, "created: not a time like 2000-01-31T12:00:00Z");
	return sen_read_number(r, sen_json_get(root, "thresholds"), "thresholds.", "alert",
			       SEN_THRESHOLD_MIN, SEN_THRESHOLD_MAX, &m->threshold);
}

static int read_model(const struct sen_reader *r, const cJSON *root, struct sen_model *m)
{
	struct sen_why why = { 0 };
	int err;

	if (!cJSON_IsObject(root))
		return sen_refuse(r, -EBADMSG, "not a JSON object");
	err = sen_check_tree(r, root);
	if (!err)
		err = check_format(r, root);
	if (!err)
		err = check_digest(r, root, m->digest);
	if (!err)
		err = check_features(r, root, m->features);
	if (!err)
		err = read_header(r, root, m);
	if (!err)
		err = read_quantizer(r, root, m);
	if (!err)
		err = read_classes(r, root, m);
	if (!err)
		err = read_training(r, root, &m->training);
	if (!err)
		err = read_members(r, root, m);
	if (err)
		return err;
	err = sen_model_check(m, &why);
	/* Files made by hand may hold numbers between those that are written: saved and loaded again, the
	 * model would score otherwise. */
	if (!err) {
		sen_model_round(m);
		err = sen_model_check(m, &why);
	}
	return err ? sen_refuse(r, err, "%s", why.text) : 0;
}

/* Where and at what the JSON breaks off, for a person to find it. */
static int refuse_syntax(const struct sen_reader *r, const char *text, size_t len, const char *at)
{
	size_t offset = at && at >= text ? (size_t)(at - text) : 0;
	char near[24];
	size_t n = 0;

	if (offset >= len)
		return sen_refuse(r, -EBADMSG, "not JSON: ends early, after %zu bytes", len);
	for (; n < sizeof(near) - 1 && offset + n < len; n++)
		near[n] = isprint((unsigned char)text[offset + n]) ? text[offset + n] : ' ';
	near[n] = '\0';
	return sen_refuse(r, -EBADMSG, "not JSON: at byte %zu: %s", offset, near);
}

static int parse(const char *text, size_t len, const char *name, enum sen_feature_set set,
		 struct sen_model **out, struct sen_why *why)
{
	const struct sen_reader r = { .name = name, .why = why };
	struct sen_model *model = NULL;
	const char *end = NULL;
	cJSON *root;
	int err;

	if (len > SEN_MODEL_FILE_MAX)
		return sen_refuse(&r, -EFBIG, "larger than %u bytes", SEN_MODEL_FILE_MAX);
	root = cJSON_ParseWithLengthOpts(text, len, &end, false);
	if (!root)
		return refuse_syntax(&r, text, len, end);
	while (end < text + len && isspace((unsigned char)*end))
		end++;
	if (end != text + len) {
		err = refuse_syntax(&r, text, len, end);
		goto out;
	}
	model = calloc(1, sizeof(*model));
	if (!model) {
		err = sen_refuse(&r, -ENOMEM, "out of memory");
		goto out;
	}
	model->features = set;
	err = read_model(&r, root, model);
	if (!err) {
		*out = model;
		model = NULL;
	}
out:
	sen_model_free(model);
	cJSON_Delete(root);
	return err;
}

int sen_model_parse(const char *text, size_t len, const char *name, struct sen_model **out,
		    struct sen_why *why)
{
	return parse(text, len, name, SEN_PACKET_FEATURES, out, why);
}

static int load(const char *path, enum sen_feature_set set, struct sen_model **out,
		struct sen_why *why)
{
	char *text;
	size_t len;
	int err = sen_read_file(path, SEN_MODEL_FILE_MAX, &text, &len, why);

	if (err)
		return err;
	err = parse(text, len, path, set, out, why);
	free(text);
	return err;
}

int sen_model_load(const char *path, struct sen_model **out, struct sen_why *why)
{
	return load(path, SEN_PACKET_FEATURES, out, why);
}

int sen_model_load_table(const char *path, struct sen_model **out, struct sen_why *why)
{
	return load(path, SEN_TABLE_FEATURES, out, why);
}
