// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flowtable.h"
#include "model_internal.h"
#include "sentroid/score.h"

#define GRID           256.0 /* centroids and radii */
#define MASS_GRID      16.0
#define THRESHOLD_GRID 1024.0
#define WEIGHT_GRID    1e6
#define WEIGHT_SLACK   1e-3 /* by which the weights may miss 1 */
#define CUSTOM_CLASSES (SEN_CLASS_MAX - SEN_CLASS_CUSTOM)

#define FEATURE_NAME(id, name, help) name,
static const char *const feature_names[SEN_DIMS] = { SEN_FEATURES(FEATURE_NAME) };

#define TABLE_NAME(id, name) name,
static const char *const table_names[SEN_DIMS] = { SEN_TABLE_COLUMNS(TABLE_NAME) };

#define CLASS_NAME(id, name, help) name,
static const char *const class_names[SEN_CLASS_BUILTIN_COUNT] = { SEN_CLASSES(CLASS_NAME) };

const char *sen_feature_name(unsigned int index)
{
	return feature_names[index];
}

const char *sen_feature_name_in(enum sen_feature_set set, unsigned int index)
{
	return set == SEN_TABLE_FEATURES ? table_names[index] : feature_names[index];
}

int sen_feature_index(enum sen_feature_set set, const char *name)
{
	for (int d = 0; d < SEN_DIMS; d++) {
		const char *known = sen_feature_name_in(set, d);

		if (known && !strcmp(known, name))
			return d;
	}
	return -1;
}

void sen_model_free(struct sen_model *model)
{
	free(model);
}

struct sen_model *sen_model_copy(const struct sen_model *model)
{
	struct sen_model *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *model;
	return copy;
}

/* The name a model gives to a class, NULL where it has none. */
static const char *known_class_name(const struct sen_model *model, unsigned int id)
{
	if (id < SEN_CLASS_BUILTIN_COUNT)
		return class_names[id];
	if (id < SEN_CLASS_CUSTOM || id >= SEN_CLASS_MAX || !model)
		return NULL;
	return model->class_name[id - SEN_CLASS_CUSTOM][0] ?
		       model->class_name[id - SEN_CLASS_CUSTOM] :
		       NULL;
}

const char *sen_class_name(const struct sen_model *model, unsigned int id)
{
	const char *name = known_class_name(model, id);

	return name ? name : class_names[SEN_CLASS_UNKNOWN];
}

int sen_class_find(const struct sen_model *model, const char *name)
{
	for (int id = 0; id < SEN_CLASS_BUILTIN_COUNT; id++)
		if (!strcmp(class_names[id], name))
			return id;
	for (int i = 0; i < CUSTOM_CLASSES && model->class_name[i][0]; i++)
		if (!strcmp(model->class_name[i], name))
			return SEN_CLASS_CUSTOM + i;
	return -ENOENT;
}

/* Names end up in metrics, file names and terminals. */
bool sen_class_name_fits(const char *name)
{
	size_t len = strlen(name);

	return len < SEN_CLASS_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       len;
}

int sen_class_id(struct sen_model *model, const char *name)
{
	int id = sen_class_find(model, name);

	if (id >= 0)
		return id;
	if (!sen_class_name_fits(name))
		return -EINVAL;
	for (int i = 0; i < CUSTOM_CLASSES; i++)
		if (!model->class_name[i][0]) {
			strcpy(model->class_name[i], name);
			return SEN_CLASS_CUSTOM + i;
		}
	return -ENOSPC;
}

static double to_grid(double v, double grid)
{
	return round(v * grid) / grid;
}

static void round_member(struct sen_model_member *m)
{
	m->weight = to_grid(m->weight, WEIGHT_GRID);
	for (unsigned int k = 0; k < m->count && k < SEN_CENTROIDS_MAX; k++) {
		for (int d = 0; d < SEN_DIMS; d++)
			m->centroid[k][d] = m->mask[d] ? to_grid(m->centroid[k][d], GRID) : 0;
		m->radius[k] = to_grid(m->radius[k], GRID);
		/* A tiny mass is not an empty centroid. */
		if (m->mass[k] > 0)
			m->mass[k] = fmax(to_grid(m->mass[k], MASS_GRID), 1 / MASS_GRID);
	}
}

void sen_model_round(struct sen_model *model)
{
	model->threshold = to_grid(model->threshold, THRESHOLD_GRID);
	for (unsigned int e = 0; e < model->members && e < SEN_MEMBERS_MAX; e++)
		round_member(&model->member[e]);
	model->training.target_fpr = to_grid(model->training.target_fpr, 1e9);
	model->training.holdout_fpr = to_grid(model->training.holdout_fpr, 1e9);
	model->training.inertia = to_grid(model->training.inertia, 1e3);
}

static bool within(double v, double low, double high)
{
	return v >= low && v <= high; /* false for NaN */
}

static int check_member(const struct sen_model *model, unsigned int e, struct sen_why *why)
{
	const struct sen_model_member *m = &model->member[e];
	unsigned int features = 0;

	if (m->count < 1 || m->count > SEN_CENTROIDS_MAX)
		return sen_why(why, -ERANGE, NULL, "members[%u]: %u centroids, not 1 to %d", e,
			       m->count, SEN_CENTROIDS_MAX);
	/* A weight too small for Q16 would turn a scoring member into a naming one. */
	if (m->weight != 0 && !within(m->weight, WEIGHT_SLACK, 1))
		return sen_why(why, -ERANGE, NULL, "members[%u]: weight %g, not 0 or %g to 1", e,
			       m->weight, WEIGHT_SLACK);
	for (int d = 0; d < SEN_DIMS; d++)
		features += m->mask[d];
	if (!features)
		return sen_why(why, -ERANGE, NULL, "members[%u]: looks at no feature", e);
	for (unsigned int k = 0; k < m->count; k++) {
		for (int d = 0; d < SEN_DIMS; d++)
			if (!within(m->centroid[k][d], 0, SEN_QMAX))
				return sen_why(why, -ERANGE, NULL,
					       "members[%u].centroids[%u][%d]: %g, not 0 to %d", e,
					       k, d, m->centroid[k][d], SEN_QMAX);
		if (!within(m->radius[k], SEN_RADIUS_MIN, SEN_RADIUS_MAX))
			return sen_why(why, -ERANGE, NULL,
				       "members[%u].radii[%u]: %g, not %g to %g", e, k,
				       m->radius[k], SEN_RADIUS_MIN, SEN_RADIUS_MAX);
		if (!within(m->mass[k], 0, SEN_MASS_MAX))
			return sen_why(why, -ERANGE, NULL, "members[%u].mass[%u]: %g out of range",
				       e, k, m->mass[k]);
		if (!known_class_name(model, m->class_of[k]))
			return sen_why(why, -ERANGE, NULL,
				       "members[%u].classes[%u]: %u has no name", e, k,
				       m->class_of[k]);
	}
	return 0;
}

int sen_model_check(const struct sen_model *model, struct sen_why *why)
{
	double weights = 0;
	int err;

	if (model->members < 1 || model->members > SEN_MEMBERS_MAX)
		return sen_why(why, -ERANGE, NULL, "members: %u of them, not 1 to %d",
			       model->members, SEN_MEMBERS_MAX);
	if (!within(model->threshold, SEN_THRESHOLD_MIN, SEN_THRESHOLD_MAX))
		return sen_why(why, -ERANGE, NULL, "thresholds.alert: %g, not %g to %g",
			       model->threshold, SEN_THRESHOLD_MIN, SEN_THRESHOLD_MAX);
	for (int d = 0; d < SEN_DIMS; d++) {
		const struct sen_quantizer *q = &model->quantizer[d];

		if (!within(q->scale, 1, SEN_SCALE_MAX) ||
		    !within(q->bias, -SEN_BIAS_MAX, SEN_BIAS_MAX))
			return sen_why(why, -ERANGE, NULL,
				       "quantizer[%d]: scale %d or bias %d out of range", d,
				       q->scale, q->bias);
	}
	for (unsigned int e = 0; e < model->members; e++) {
		err = check_member(model, e, why);
		if (err)
			return err;
		weights += model->member[e].weight;
	}
	if (!within(weights, 1 - WEIGHT_SLACK, 1 + WEIGHT_SLACK))
		return sen_why(why, -ERANGE, NULL, "members: weights add up to %g, not 1", weights);
	return 0;
}

static int digest_bytes(const char *hex, __u8 *out)
{
	memset(out, 0, SEN_DIGEST_BYTES);
	if (!*hex)
		return 0; /* not saved yet */
	if (strspn(hex, "0123456789abcdef") != 2 * SEN_DIGEST_BYTES)
		return -ERANGE;
	for (int i = 0; i < SEN_DIGEST_BYTES; i++) {
		const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		out[i] = strtoul(digits, NULL, 16);
	}
	return 0;
}

static void flatten_centroid(const struct sen_model_member *m, unsigned int k,
			     struct sen_member *out)
{
	struct sen_centroid *c = &out->centroid[k];
	__u64 norm = 0;

	for (int w = 0; w < SEN_WORDS; w++) {
		__u64 word = 0;

		for (int l = SEN_LANES - 1; l >= 0; l--) {
			int d = w * SEN_LANES + l;
			__u64 v = m->mask[d] ? lrintf(m->centroid[k][d]) : 0;

			word = word << 16 | v;
			norm += v * v;
		}
		c->lanes.w[w] = sen_reverse_lanes(word);
	}
	c->base = norm << 8 | k;
	out->inverse_radius[k] =
		lrint(ldexp(1, SEN_RADIUS_SHIFT) / ((double)m->radius[k] * m->radius[k]));
	out->class_of[k] = m->class_of[k];
}

static void flatten_member(const struct sen_model_member *m, struct sen_member *out)
{
	for (int d = 0; d < SEN_DIMS; d++)
		if (m->mask[d])
			out->mask.w[d / SEN_LANES] |= 0xffffull << 16 * (d % SEN_LANES);
	out->count = m->count;
	out->weight = lrint(m->weight * SEN_ONE);
	for (unsigned int k = 0; k < m->count; k++)
		flatten_centroid(m, k, out);
}

/* Rounding leaves the sum a little off; the heaviest member can bear it. */
static void settle_weights(struct sen_model_flat *out)
{
	struct sen_member *heaviest = &out->member[0];
	__u32 sum = 0;

	for (unsigned int e = 0; e < out->members; e++) {
		sum += out->member[e].weight;
		if (out->member[e].weight > heaviest->weight)
			heaviest = &out->member[e];
	}
	heaviest->weight += SEN_ONE - sum;
}

/* Those that score come first, each kind in the model's order. */
static void flatten_members(const struct sen_model *model, struct sen_model_flat *out)
{
	for (unsigned int e = 0; e < model->members; e++)
		if (model->member[e].weight > 0)
			flatten_member(&model->member[e], &out->member[out->scoring++]);
	out->members = out->scoring;
	for (unsigned int e = 0; e < model->members; e++)
		if (model->member[e].weight <= 0)
			flatten_member(&model->member[e], &out->member[out->members++]);
}

int sen_model_flatten(const struct sen_model *model, struct sen_model_flat *out,
		      struct sen_why *why)
{
	int err = sen_model_check(model, why);

	if (err)
		return err;
	memset(out, 0, sizeof(*out));
	if (digest_bytes(model->digest, out->digest))
		return sen_why(why, -ERANGE, NULL, "digest: not %d hexadecimal digits",
			       2 * SEN_DIGEST_BYTES);
	out->magic = SEN_ABI_MAGIC;
	out->features = SEN_FEATURES_VERSION;
	out->version = model->version;
	out->parent = model->parent;
	out->created_s = model->created_s;
	/* Downwards: what lies under the threshold must not reach SEN_ONE. */
	out->threshold_inverse = floor(SEN_ONE / model->threshold);
	memcpy(out->quantizer, model->quantizer, sizeof(out->quantizer));
	memcpy(out->class_name, model->class_name, sizeof(out->class_name));
	flatten_members(model, out);
	settle_weights(out);
	return 0;
}

void sen_time_print(int64_t seconds, char out[SEN_RFC3339_SIZE])
{
	time_t t = seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, SEN_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
		strcpy(out, "1970-01-01T00:00:00Z");
}

int sen_time_parse(const char *text, int64_t *seconds)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (!end || *end)
		return -EINVAL;
	*seconds = timegm(&tm);
	return *seconds < 0 ? -EINVAL : 0;
}
