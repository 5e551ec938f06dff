// SPDX-License-Identifier: BSD-2-Clause
/* sentroid model show IFACE VERSION, and diff: versions kept on disk, and what tells them apart. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_command.h"
#include "model_internal.h"
#include "table.h"

static const struct sen_registry_entry *find(struct sen_registry *r, const char *ifname,
					     unsigned int version, struct sen_why *why)
{
	const struct sen_registry_entry *e = sen_registry_find(r, version);

	if (!e)
		sen_why(why, -ENOENT, "sentroid model list shows what there is",
			"models: %s: no version %u", ifname, version);
	return e;
}

/* ---- one version ---- */

static cJSON *facts_json(const struct sen_facts *f)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; i < f->n; i++)
		cJSON_AddNumberToObject(o, f->at[i].name, f->at[i].value);
	return o;
}

static void event_json(void *ctx, const struct sen_registry_event *ev)
{
	cJSON *o = cJSON_CreateObject();
	char time[TIME_TEXT];

	time_text(ev->time_s, time);
	cJSON_AddStringToObject(o, "time", time);
	cJSON_AddStringToObject(o, "event", ev->what);
	cJSON_AddStringToObject(o, "reason", ev->reason);
	cJSON_AddItemToArray(ctx, o);
}

static cJSON *entry_json(struct sen_registry *r, const struct sen_registry_entry *e)
{
	cJSON *o = cJSON_CreateObject();
	char created[TIME_TEXT];

	time_text(e->created_s, created);
	cJSON_AddNumberToObject(o, "version", e->version);
	cJSON_AddNumberToObject(o, "parent", e->parent);
	cJSON_AddNumberToObject(o, "reference", sen_registry_reference(r, e->version));
	cJSON_AddStringToObject(o, "kind", e->kind);
	cJSON_AddStringToObject(o, "stage", e->stage);
	cJSON_AddStringToObject(o, "reason", e->reason);
	cJSON_AddBoolToObject(o, "approved", e->approved);
	cJSON_AddBoolToObject(o, "pruned", e->pruned);
	cJSON_AddStringToObject(o, "created", created);
	cJSON_AddStringToObject(o, "digest", e->digest);
	cJSON_AddItemToObject(o, "parameters", facts_json(&e->params));
	cJSON_AddItemToObject(o, "metrics", facts_json(&e->metrics));
	return o;
}

static void print_facts(const char *title, const struct sen_facts *f)
{
	if (f->n)
		printf("%s\n", title);
	for (size_t i = 0; i < f->n; i++)
		printf("  %-24s %.6g\n", f->at[i].name, f->at[i].value);
}

static void print_event(void *ctx, const struct sen_registry_event *ev)
{
	char time[TIME_TEXT];

	(void)ctx;
	time_text(ev->time_s, time);
	printf("  %s  %-9s %s\n", time, ev->what, ev->reason);
}

static void print_entry(struct sen_registry *r, const struct sen_registry_entry *e)
{
	char created[TIME_TEXT];

	time_text(e->created_s, created);
	printf("version    %u%s\nparent     %u\nreference  %u\nkind       %s\nstage      %s%s\n",
	       e->version, e->pruned ? " (its file was pruned)" : "", e->parent,
	       sen_registry_reference(r, e->version), *e->kind ? e->kind : "-", e->stage,
	       e->approved ? ", approved by an operator" : "");
	printf("reason     %s\ncreated    %s\ndigest     %s\n", e->reason, created, e->digest);
	print_facts("parameters", &e->params);
	print_facts("metrics", &e->metrics);
	puts("history");
}

static int print_and_free(cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);
	struct sen_why why = { 0 };

	cJSON_Delete(o);
	if (!text) {
		sen_why(&why, -ENOMEM, NULL, "models: printing: out of memory");
		return fail(&why);
	}
	puts(text);
	cJSON_free(text);
	return EXIT_DONE;
}

int model_show_version(const char *state_dir, const char *ifname, unsigned int version, bool json)
{
	const struct sen_registry_entry *e = NULL;
	struct sen_registry *r = NULL;
	struct sen_why why = { 0 };
	int err = open_registry(state_dir, ifname, REGISTRY_READ, &r, &why), code = EXIT_FAILED;

	if (!err)
		e = find(r, ifname, version, &why);
	if (!e) {
		code = fail(&why);
	} else if (json) {
		cJSON *o = entry_json(r, e);

		sen_registry_events(r, version, event_json, cJSON_AddArrayToObject(o, "history"),
				    &why);
		code = print_and_free(o);
	} else {
		print_entry(r, e);
		err = sen_registry_events(r, version, print_event, NULL, &why);
		code = err ? fail(&why) : EXIT_DONE;
	}
	sen_registry_close(r);
	return code;
}

/* ---- two versions ---- */

/* How far members have moved, in radii of the first model's centroids. */
struct movement {
	double mean, most;
	double radius; /* mean ratio of radii to those nearest in the first model */
};

static double radii_apart(const struct sen_model_member *m, const float *at, unsigned int *nearest)
{
	double best = INFINITY;

	for (unsigned int k = 0; k < m->count; k++) {
		double d2 = 0;

		for (int d = 0; d < SEN_DIMS; d++)
			d2 += pow((double)at[d] - m->centroid[k][d], 2);
		if (sqrt(d2) / m->radius[k] < best) {
			best = sqrt(d2) / m->radius[k];
			*nearest = k;
		}
	}
	return best;
}

static void measure_movement(const struct sen_model_member *a, const struct sen_model_member *b,
			     struct movement *out)
{
	*out = (struct movement){ 0 };
	for (unsigned int k = 0; k < b->count; k++) {
		unsigned int nearest = 0;
		double moved = radii_apart(a, b->centroid[k], &nearest);

		out->mean += moved / b->count;
		out->most = fmax(out->most, moved);
		out->radius += b->radius[k] / a->radius[nearest] / b->count;
	}
}

static bool same_steps(const struct sen_model *a, const struct sen_model *b)
{
	return !memcmp(a->quantizer, b->quantizer, sizeof(a->quantizer));
}

static cJSON *pair_json(double a, double b)
{
	cJSON *pair = cJSON_CreateArray();

	cJSON_AddItemToArray(pair, cJSON_CreateNumber(a));
	cJSON_AddItemToArray(pair, cJSON_CreateNumber(b));
	return pair;
}

static void add_facts_diff(cJSON *to, const char *key, const struct sen_facts *a,
			   const struct sen_facts *b)
{
	cJSON *o = cJSON_AddObjectToObject(to, key);

	for (size_t i = 0; i < b->n; i++) {
		const double *was = sen_facts_get(a, b->at[i].name);

		if (was && *was != b->at[i].value)
			cJSON_AddItemToObject(o, b->at[i].name, pair_json(*was, b->at[i].value));
	}
}

static cJSON *diff_json(const struct sen_registry_entry *ea, const struct sen_registry_entry *eb,
			const struct sen_model *a, const struct sen_model *b)
{
	cJSON *o = cJSON_CreateObject(), *members;

	cJSON_AddItemToObject(o, "versions", pair_json(ea->version, eb->version));
	cJSON_AddBoolToObject(o, "same_quantizer", same_steps(a, b));
	cJSON_AddItemToObject(o, "threshold", pair_json(a->threshold, b->threshold));
	add_facts_diff(o, "parameters", &ea->params, &eb->params);
	add_facts_diff(o, "metrics", &ea->metrics, &eb->metrics);
	members = cJSON_AddArrayToObject(o, "members");
	for (unsigned int e = 0; e < a->members && e < b->members; e++) {
		cJSON *m = cJSON_CreateObject();
		struct movement moved;

		measure_movement(&a->member[e], &b->member[e], &moved);
		cJSON_AddItemToObject(m, "centroids",
				      pair_json(a->member[e].count, b->member[e].count));
		if (same_steps(a, b)) {
			cJSON_AddNumberToObject(m, "moved_radii_mean", moved.mean);
			cJSON_AddNumberToObject(m, "moved_radii_max", moved.most);
			cJSON_AddNumberToObject(m, "radius_ratio", moved.radius);
		}
		cJSON_AddItemToArray(members, m);
	}
	return o;
}

static void print_pairs(const cJSON *o, const char *title)
{
	const cJSON *pair;

	cJSON_ArrayForEach(pair, o)
		printf("%-10s %-24s %.6g -> %.6g\n", title, pair->string, pair->child->valuedouble,
		       pair->child->next->valuedouble);
}

static void print_diff(const cJSON *o)
{
	const cJSON *threshold = cJSON_GetObjectItem(o, "threshold"), *m, *mean;
	int e = 0;

	printf("threshold  %.6g -> %.6g\n", threshold->child->valuedouble,
	       threshold->child->next->valuedouble);
	cJSON_ArrayForEach(m, cJSON_GetObjectItem(o, "members")) {
		const cJSON *count = cJSON_GetObjectItem(m, "centroids");

		printf("member %d   centroids %g -> %g", e++, count->child->valuedouble,
		       count->child->next->valuedouble);
		mean = cJSON_GetObjectItem(m, "moved_radii_mean");
		if (mean)
			printf(", moved by %.2f radii, %.2f at most, radii x %.2f",
			       mean->valuedouble, mean->next->valuedouble,
			       mean->next->next->valuedouble);
		putchar('\n');
	}
	if (cJSON_IsFalse(cJSON_GetObjectItem(o, "same_quantizer")))
		puts("the quantizers differ: centroids cannot be compared");
	print_pairs(cJSON_GetObjectItem(o, "parameters"), "parameter");
	print_pairs(cJSON_GetObjectItem(o, "metrics"), "metric");
}

static int diff(struct sen_registry *r, const char *ifname, const unsigned int version[2],
		cJSON **out, struct sen_why *why)
{
	const struct sen_registry_entry *e[2];
	struct sen_model *m[2] = { NULL, NULL };
	int err = 0;

	for (int i = 0; !err && i < 2; i++) {
		e[i] = find(r, ifname, version[i], why);
		err = e[i] ? sen_registry_load(r, version[i], &m[i], why) : -ENOENT;
	}
	if (!err)
		*out = diff_json(e[0], e[1], m[0], m[1]);
	sen_model_free(m[0]);
	sen_model_free(m[1]);
	return err;
}

int model_diff(int argc, char **argv)
{
	static const struct argp_option options[] = { JSON_OPTION, STATE_DIR_OPTION, { 0 } };
	static const struct syntax syntax = {
		.name = "model diff",
		.args = "IFACE VERSION VERSION",
		.doc = "What tells two versions kept on disk apart: threshold, how far centroids have "
		       "moved, parameters, metrics.",
		.least = 3,
		.most = 3,
		.options = options,
		.option = on_registry_option,
	};
	struct registry_options o = { 0 };
	const char *arg[SYNTAX_ARGS];
	struct sen_registry *r = NULL;
	struct sen_why why = { 0 };
	unsigned int version[2];
	cJSON *result = NULL;
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg) ||
	    parse_count("VERSION", arg[1], 1, UINT32_MAX, &version[0]) ||
	    parse_count("VERSION", arg[2], 1, UINT32_MAX, &version[1]))
		return EXIT_USAGE;
	err = open_registry(o.state_dir, arg[0], REGISTRY_READ, &r, &why);
	if (!err)
		err = diff(r, arg[0], version, &result, &why);
	sen_registry_close(r);
	if (err)
		return fail(&why);
	if (o.json)
		return print_and_free(result);
	print_diff(result);
	cJSON_Delete(result);
	return EXIT_DONE;
}
