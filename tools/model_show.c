// SPDX-License-Identifier: BSD-2-Clause
/* sentroid model show: the model in force, as the packet path has it. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_command.h"
#include "sentroid/score.h"
#include "table.h"

#define CLASSES_TEXT 512
#define RADII_TEXT   48

struct shown {
	const char *ifname;
	struct sen_model_flat model;
	bool has_shadow;
	struct sen_model_flat shadow;
};

static const char *const feature_names[SEN_DIMS] = {
#define FEATURE_NAME(id, name, help) name,
	SEN_FEATURES(FEATURE_NAME)
};

static double radius_of(const struct sen_member *m, unsigned int k)
{
	return m->inverse_radius[k] ? sqrt(ldexp(1, SEN_RADIUS_SHIFT) / m->inverse_radius[k]) : 0;
}

static void radius_range(const struct sen_member *m, double *least, double *most)
{
	*least = *most = radius_of(m, 0);
	for (unsigned int k = 1; k < m->count; k++) {
		*least = fmin(*least, radius_of(m, k));
		*most = fmax(*most, radius_of(m, k));
	}
}

static bool looks_at(const struct sen_member *m, unsigned int d)
{
	return m->mask.w[d / SEN_LANES] >> 16 * (d % SEN_LANES) & 1;
}

static unsigned int features_of(const struct sen_member *m)
{
	unsigned int n = 0;

	for (unsigned int d = 0; d < SEN_DIMS; d++)
		n += looks_at(m, d);
	return n;
}

static const char *class_name(const struct sen_model_flat *model, unsigned int id)
{
	if (id >= SEN_CLASS_CUSTOM && id < SEN_CLASS_MAX &&
	    *model->class_name[id - SEN_CLASS_CUSTOM])
		return model->class_name[id - SEN_CLASS_CUSTOM];
	return sen_class_name(NULL, id);
}

static unsigned int centroids_of_class(const struct sen_member *m, unsigned int id)
{
	unsigned int n = 0;

	for (unsigned int k = 0; k < m->count; k++)
		n += m->class_of[k] == id;
	return n;
}

static double threshold_of(const struct sen_model_flat *model)
{
	return model->threshold_inverse ? (double)SEN_ONE / model->threshold_inverse : INFINITY;
}

/* "scan 4, syn_flood 8": how many centroids of each class. */
static void classes_text(const struct sen_model_flat *model, const struct sen_member *m,
			 char text[CLASSES_TEXT])
{
	size_t used = 0;

	strcpy(text, "-");
	for (unsigned int id = SEN_CLASS_UNKNOWN; id < SEN_CLASS_MAX; id++) {
		unsigned int n = centroids_of_class(m, id);

		if (n && used < CLASSES_TEXT)
			used += snprintf(text + used, CLASSES_TEXT - used, "%s%s %u",
					 used ? ", " : "", class_name(model, id), n);
	}
}

static void radii_text(const struct sen_member *m, char text[RADII_TEXT])
{
	double least, most;

	radius_range(m, &least, &most);
	if (most - least < 0.05)
		snprintf(text, RADII_TEXT, "%.1f", least);
	else
		snprintf(text, RADII_TEXT, "%.1f to %.1f", least, most);
}

static void print_members(const struct sen_model_flat *model)
{
	struct table t = { .align = ">>>><<", .indent = "  " };
	char classes[CLASSES_TEXT], radii[RADII_TEXT];

	table_row(&t, "MEMBER\tWEIGHT\tCENTROIDS\tFEATURES\tRADII\tCLASSES");
	for (unsigned int e = 0; e < model->members; e++) {
		const struct sen_member *m = &model->member[e];

		radii_text(m, radii);
		classes_text(model, m, classes);
		table_row(&t, "%u\t%.3f\t%u\t%u\t%s\t%s", e, m->weight / (double)SEN_ONE, m->count,
			  features_of(m), radii, classes);
	}
	table_print(&t);
}

/* The value that a feature must have to be quantized to q; features are 16 log2(1 + value). */
static double value_at(const struct sen_quantizer *z, double q)
{
	double raw = (q * SEN_ONE - z->bias) / z->scale;

	raw = fmin(fmax(raw, 0), SEN_LG_MAX);
	return exp2(raw / SEN_LG_OCTAVE) - 1;
}

static void print_quantizer(const struct sen_model_flat *model)
{
	struct table t = { .align = "<>>>", .indent = "  " };

	table_row(&t, "FEATURE\tSTEPS/OCTAVE\tFROM\tTO");
	for (unsigned int d = 0; d < SEN_DIMS; d++) {
		const struct sen_quantizer *z = &model->quantizer[d];

		table_row(&t, "%s\t%.2f\t%.4g\t%.4g", feature_names[d],
			  (double)z->scale * SEN_LG_OCTAVE / SEN_ONE, value_at(z, 0),
			  value_at(z, SEN_QMAX));
	}
	table_print(&t);
}

static void print(const struct shown *s)
{
	const struct sen_model_flat *model = &s->model;
	char digest[DIGEST_HEX], created[TIME_TEXT], text[MODEL_TEXT];

	digest_text(model->digest, digest);
	time_text(model->created_s, created);
	printf("%s: model %u in force\n", s->ifname, model->version);
	if (model->parent)
		printf("  parent     %u\n", model->parent);
	else
		printf("  parent     none\n");
	printf("  digest     %s\n", digest);
	printf("  created    %s\n", created);
	printf("  threshold  %.3f, as the mean of squared distances over squared radii\n",
	       threshold_of(model));
	printf("  features   %d, version %u\n", SEN_DIMS, model->features);
	printf("  members    %u that score, %u that name\n", model->scoring,
	       model->members - model->scoring);
	printf("  shadow     %s\n\n", s->has_shadow ? model_text(&s->shadow, text) : "none");
	print_members(model);
	putchar('\n');
	print_quantizer(model);
}

static void add_id(cJSON *object, const struct sen_model_flat *model)
{
	char digest[DIGEST_HEX], created[TIME_TEXT];

	digest_text(model->digest, digest);
	time_text(model->created_s, created);
	cJSON_AddNumberToObject(object, "version", model->version);
	cJSON_AddNumberToObject(object, "parent", model->parent);
	cJSON_AddStringToObject(object, "digest", digest);
	cJSON_AddStringToObject(object, "created", created);
}

static void add_member(cJSON *array, const struct sen_model_flat *model, const struct sen_member *m)
{
	cJSON *object = cJSON_CreateObject(), *features, *classes;
	double least, most;

	radius_range(m, &least, &most);
	cJSON_AddNumberToObject(object, "weight", m->weight / (double)SEN_ONE);
	cJSON_AddNumberToObject(object, "centroids", m->count);
	cJSON_AddNumberToObject(object, "radius_min", least);
	cJSON_AddNumberToObject(object, "radius_max", most);
	features = cJSON_AddArrayToObject(object, "features");
	for (unsigned int d = 0; d < SEN_DIMS; d++)
		if (looks_at(m, d))
			cJSON_AddItemToArray(features, cJSON_CreateString(feature_names[d]));
	classes = cJSON_AddObjectToObject(object, "classes");
	for (unsigned int id = SEN_CLASS_UNKNOWN; id < SEN_CLASS_MAX; id++)
		if (centroids_of_class(m, id))
			cJSON_AddNumberToObject(classes, class_name(model, id),
						centroids_of_class(m, id));
	cJSON_AddItemToArray(array, object);
}

static cJSON *json_of(const struct shown *s)
{
	cJSON *root = cJSON_CreateObject(), *array, *object;

	cJSON_AddStringToObject(root, "interface", s->ifname);
	add_id(root, &s->model);
	cJSON_AddNumberToObject(root, "features_version", s->model.features);
	cJSON_AddNumberToObject(root, "threshold", threshold_of(&s->model));
	cJSON_AddNumberToObject(root, "scoring", s->model.scoring);
	array = cJSON_AddArrayToObject(root, "members");
	for (unsigned int e = 0; e < s->model.members; e++)
		add_member(array, &s->model, &s->model.member[e]);
	array = cJSON_AddArrayToObject(root, "quantizer");
	for (unsigned int d = 0; d < SEN_DIMS; d++) {
		object = cJSON_CreateObject();
		cJSON_AddStringToObject(object, "feature", feature_names[d]);
		cJSON_AddNumberToObject(object, "scale", s->model.quantizer[d].scale);
		cJSON_AddNumberToObject(object, "bias", s->model.quantizer[d].bias);
		cJSON_AddItemToArray(array, object);
	}
	if (s->has_shadow)
		add_id(cJSON_AddObjectToObject(root, "shadow"), &s->shadow);
	else
		cJSON_AddNullToObject(root, "shadow");
	return root;
}

static int print_json(const struct shown *s)
{
	cJSON *root = json_of(s);
	char *text = cJSON_PrintUnformatted(root);
	struct sen_why why = { 0 };

	cJSON_Delete(root);
	if (!text) {
		sen_why(&why, -ENOMEM, NULL, "showing model: %s: out of memory", s->ifname);
		return fail(&why);
	}
	puts(text);
	cJSON_free(text);
	return EXIT_DONE;
}

static int read_slots(struct sen_dataplane *dp, struct shown *s, struct sen_why *why)
{
	int err = sen_dataplane_model(dp, SEN_SLOT_ACTIVE, &s->model);

	if (err == -ENOENT)
		return sen_why(why, err, "sentroid model push IFACE FILE puts one in force",
			       "showing model: %s: no model in force", s->ifname);
	if (!err) {
		err = sen_dataplane_model(dp, SEN_SLOT_SHADOW, &s->shadow);
		s->has_shadow = !err;
		err = err == -ENOENT ? 0 : err;
	}
	return err ? sen_why(why, err, NULL, "showing model: %s: %s", s->ifname, strerror(-err)) :
		     0;
}

int model_show(int argc, char **argv)
{
	static const struct argp_option options[] = {
		JSON_OPTION,
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "model show",
		.args = "IFACE [VERSION]",
		.doc = "Show the model in force: where it comes from, its members, and what range of "
		       "each feature it tells apart. With VERSION, one kept on disk: its parameters, "
		       "metrics, stage and history.",
		.least = 1,
		.most = 2,
		.options = options,
		.option = on_registry_option,
	};
	static struct shown s;
	const char *arg[SYNTAX_ARGS];
	struct sen_dataplane *dp = NULL;
	struct sen_why why = { 0 };
	struct registry_options o = { 0 };
	unsigned int version = 0;
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg) ||
	    (arg[1] && parse_count("VERSION", arg[1], 1, UINT32_MAX, &version)))
		return EXIT_USAGE;
	if (version)
		return model_show_version(o.state_dir, arg[0], version, o.json);
	if (!is_root("showing model", arg[0]))
		return EXIT_FAILED;
	s.ifname = arg[0];
	err = sen_dataplane_open(arg[0], &dp, &why);
	if (!err)
		err = read_slots(dp, &s, &why);
	sen_dataplane_close(dp);
	if (err)
		return fail(&why);
	if (o.json)
		return print_json(&s);
	print(&s);
	return EXIT_DONE;
}
