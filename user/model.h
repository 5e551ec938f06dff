/* SPDX-License-Identifier: BSD-2-Clause */
/* The model as training and files see it; sentroid/model.h holds its flat form for the packet path. */
#ifndef SENTROID_USER_MODEL_H
#define SENTROID_USER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentroid/feature.h"
#include "sentroid/model.h"
#include "why.h"

#define SEN_MODEL_FORMAT 1

/* Centroids and radii are in quantizer steps (0..SEN_QMAX) with fractions; rounding is left to the
 * flat form, so that incremental training can move a centroid by less than a step. */
struct sen_model_member {
	bool mask[SEN_DIMS];
	unsigned int count;
	double weight; /* 0: labelled centroids, which name but do not score */
	float centroid[SEN_CENTROIDS_MAX][SEN_DIMS];
	float radius[SEN_CENTROIDS_MAX];
	double mass[SEN_CENTROIDS_MAX]; /* samples behind it, decayed: its learning rate is 1 / mass */
	uint8_t class_of[SEN_CENTROIDS_MAX];
};

/* What the dimensions of a model stand for. Those of flow tables (flowtable.h) can be had from no packet:
 * such a model is for tables alone. */
enum sen_feature_set {
	SEN_PACKET_FEATURES,
	SEN_TABLE_FEATURES
};
#define SEN_TABLE_NAME_MAX 32

#define SEN_INPUTS_MAX 128
/* "class=name sha256:hex" and the end of the line, the name as long as a file system takes it. */
#define SEN_INPUT_LINE (SEN_CLASS_NAME_MAX + 255 + 8 + 64 + 1)

/* What the model was made from, kept for the record and written to its file. */
struct sen_provenance {
	char command[256]; /* how it was made, or "agent: baseline", ... */
	char inputs[SEN_INPUTS_MAX * SEN_INPUT_LINE]; /* an input a line */
	uint64_t samples;
	uint64_t seed;
	double target_fpr;  /* the threshold aims at this share of benign flows */
	double holdout_fpr; /* and reached this on hosts held back */
	double inertia;     /* mean squared distance to the nearest centroid, steps^2 */
};

struct sen_model {
	unsigned int version;
	unsigned int parent;
	int64_t created_s;
	char digest[2 * SEN_DIGEST_BYTES + 1]; /* hex; set by save and load */
	enum sen_feature_set features;
	char table[SEN_TABLE_NAME_MAX]; /* kind of flow table ("NSL-KDD"); empty in models of packets */
	struct sen_quantizer quantizer[SEN_DIMS];
	unsigned int members;
	struct sen_model_member member[SEN_MEMBERS_MAX];
	double threshold; /* of the weighted mean of d^2 / r^2 */
	char class_name[SEN_CLASS_MAX - SEN_CLASS_CUSTOM][SEN_CLASS_NAME_MAX];
	struct sen_provenance training;
};

/* Read and check a model file: format, digest, features, every number finite and in range.
 * Returns 0 and a model to free with sen_model_free(), or a negative errno: -ENOENT, -EACCES, ...
 * from the file, -EBADMSG (not JSON, truncated), -EPROTO (unknown format or features),
 * -EUCLEAN (wrong digest), -ERANGE (a number out of range, too many centroids, ...). */
int sen_model_load(const char *path, struct sen_model **out, struct sen_why *why);
/* The same from memory; `name` stands in messages. */
int sen_model_parse(const char *text, size_t len, const char *name, struct sen_model **out,
		    struct sen_why *why);
/* A model of flow tables, which sen_model_load() refuses. Errors as there. */
int sen_model_load_table(const char *path, struct sen_model **out, struct sen_why *why);
/* Write atomically (temporary file, fsync, rename); sets model->digest. */
int sen_model_save(struct sen_model *model, const char *path, struct sen_why *why);
/* The file's text, to free(); sets model->digest. NULL when out of memory. */
char *sen_model_print(struct sen_model *model);
void sen_model_free(struct sen_model *model);
struct sen_model *sen_model_copy(const struct sen_model *model);

/* The integer form for the packet path: rounds centroids, folds radii, weights and threshold.
 * -ERANGE where a value does not fit (a radius under 1 step, weights that do not add up, ...). */
int sen_model_flatten(const struct sen_model *model, struct sen_model_flat *out,
		      struct sen_why *why);

/* Name of a class id: built in, or the model's own; "" for NONE, "unknown" for ids without a name. */
const char *sen_class_name(const struct sen_model *model, unsigned int id);
/* Whether a class can be called that: letters, digits, '_', '-' and '.', below SEN_CLASS_NAME_MAX bytes. */
bool sen_class_name_fits(const char *name);
/* Id of a class name: built in, or the model's own, which is added if there is room; -ENOSPC. -EINVAL:
 * sen_class_name_fits() is false. */
int sen_class_id(struct sen_model *model, const char *name);

#endif
