// SPDX-License-Identifier: BSD-2-Clause
/* sentroid label list: the review queue, or everything. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "endpoint.h"
#include "label.h"
#include "label_command.h"
#include "review.h"
#include "sentroid/score.h"
#include "table.h"

enum {
	KEY_JSON = 0x100,
	KEY_ALL,
	KEY_LABEL,
	KEY_BY
};

struct list {
	const char *state_dir;
	bool json, all;
	unsigned int most;
	struct sen_store_filter filter;
	const char *label; /* NULL: any */
	struct sen_class_names names;
	struct sen_record *records;
	size_t n, room;
};

static int parse_origin(const char *value, int *origin)
{
	for (int i = SEN_ORIGIN_NONE; i <= SEN_ORIGIN_UPLOAD; i++)
		if (!strcmp(value, sen_origin_name((unsigned int)i))) {
			*origin = i;
			return 0;
		}
	return usage_error("--by: '%s' is neither score, rule, operator, upload nor none", value);
}

static int on_option(int key, const char *value, void *input)
{
	struct list *l = input;

	switch (key) {
	case KEY_STATE_DIR:
		l->state_dir = value;
		return 0;
	case KEY_JSON:
		l->json = true;
		return 0;
	case KEY_ALL:
		l->all = true;
		return 0;
	case 'n':
		return parse_count("-n", value, 1, 1000000, &l->most);
	case KEY_BY:
		return parse_origin(value, &l->filter.origin);
	case KEY_LABEL:
		l->label = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Behind the opening of the samples: classes are those of the model in force, too. */
static int filter_label(struct list *l)
{
	unsigned int label, class_id;

	if (!l->label)
		return 0;
	if (sen_label_parse(l->label, &l->names, &label, &class_id))
		return usage_error("--label: '%s' is neither benign, attack, none nor a class",
				   l->label);
	l->filter.label = (int)label;
	l->filter.class_id = label == SEN_LABEL_ATTACK && strcmp(l->label, "attack") ?
				     (int)class_id :
				     -1;
	return 0;
}

static int collect(void *ctx, const struct sen_record *record)
{
	struct list *l = ctx;
	struct sen_record *grown;

	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		grown = reallocarray(l->records, l->room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->records = grown;
	}
	l->records[l->n++] = *record;
	return 0;
}

static cJSON *record_json(const struct list *l, const struct sen_record *r)
{
	const struct sen_sample *x = &r->sample;
	char text[SEN_ADDR_TEXT > TIME_TEXT ? SEN_ADDR_TEXT : TIME_TEXT], label[SEN_CLASS_NAME_MAX];
	cJSON *o = cJSON_CreateObject(), *features;

	cJSON_AddNumberToObject(o, "id", (double)r->id);
	time_text((int64_t)(x->time_ns / 1000000000), text);
	cJSON_AddStringToObject(o, "time", text);
	cJSON_AddStringToObject(o, "label",
				sen_label_text(x->label, x->class_id, &l->names, label));
	cJSON_AddStringToObject(o, "by", sen_origin_name(x->origin));
	cJSON_AddNumberToObject(o, "confidence", r->confidence);
	cJSON_AddStringToObject(o, "reason", r->reason);
	cJSON_AddNumberToObject(o, "score", x->score / (double)SEN_ONE);
	cJSON_AddNumberToObject(o, "model", x->model_version);
	cJSON_AddBoolToObject(o, "trained", r->trained);
	sen_addr_format(r->src, text);
	cJSON_AddStringToObject(o, "source", text);
	sen_addr_format(r->dst, text);
	cJSON_AddStringToObject(o, "target", text);
	cJSON_AddNumberToObject(o, "source_port", r->sport);
	cJSON_AddNumberToObject(o, "target_port", r->dport);
	cJSON_AddNumberToObject(o, "protocol", r->proto);
	features = cJSON_AddArrayToObject(o, "features");
	for (int d = 0; d < SEN_MEASURES; d++)
		cJSON_AddItemToArray(features, cJSON_CreateNumber(x->vector.v[d]));
	return o;
}

static void print_json(const struct list *l, const size_t *chosen, size_t n)
{
	cJSON *array = cJSON_CreateArray();
	char *text;

	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(array, record_json(l, &l->records[chosen[i]]));
	text = cJSON_PrintUnformatted(array);
	puts(text ? text : "[]");
	cJSON_free(text);
	cJSON_Delete(array);
}

static void print_table(const struct list *l, const size_t *chosen, size_t n)
{
	struct table t = { .align = "><<<>><<", .indent = "" };
	char time[TIME_TEXT], flow[FLOW_TEXT], label[SEN_CLASS_NAME_MAX];

	if (!n)
		puts(l->all ? "No samples." : "Nothing to review.");
	else
		table_row(&t, "ID\tTIME\tLABEL\tBY\tCONF\tSCORE\tFLOW\tREASON");
	for (size_t i = 0; i < n; i++) {
		const struct sen_record *r = &l->records[chosen[i]];

		time_text((int64_t)(r->sample.time_ns / 1000000000), time);
		table_row(&t, "%lld\t%s\t%s\t%s\t%.2f\t%.2f\t%s\t%s", (long long)r->id, time,
			  sen_label_text(r->sample.label, r->sample.class_id, &l->names, label),
			  sen_origin_name(r->sample.origin), r->confidence,
			  r->sample.score / (double)SEN_ONE, flow_text(r, flow), r->reason);
	}
	table_print(&t);
}

/* Those to print, by position: all in their order, or what is most worth a look. */
static long choose(const struct list *l, size_t *chosen)
{
	if (!l->all)
		return sen_review_choose(l->records, l->n, l->most, chosen);
	for (size_t i = 0; i < l->n; i++)
		chosen[i] = i;
	return (long)l->n;
}

static int list(struct list *l, struct sen_store *store, struct sen_why *why)
{
	size_t *chosen = NULL;
	long n;

	l->filter.order = l->all ? SEN_LIST_LATEST : SEN_LIST_UNCERTAIN;
	l->filter.most = l->all ? l->most : SEN_REVIEW_POOL;
	n = sen_store_list(store, &l->filter, collect, l, why);
	if (!n) {
		chosen = calloc(l->n + l->most, sizeof(*chosen));
		n = chosen ? choose(l, chosen) : -ENOMEM;
	}
	if (n == -ENOMEM)
		sen_why(why, -ENOMEM, NULL, "listing samples: out of memory");
	if (chosen && n >= 0 && l->json)
		print_json(l, chosen, (size_t)n);
	else if (chosen && n >= 0)
		print_table(l, chosen, (size_t)n);
	free(chosen);
	free(l->records);
	return n < 0 ? (int)n : 0;
}

int label_list(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "all", KEY_ALL, NULL, 0, "The latest samples, whatever they are", 0 },
		{ "label", KEY_LABEL, "LABEL", 0, "Only benign, attack, none, or of a class", 0 },
		{ "by", KEY_BY, "ORIGIN", 0,
		  "Only those labelled by score, rule, operator, upload or none", 0 },
		{ "number", 'n', "N", 0, "So many (20)", 0 },
		{ "json", KEY_JSON, NULL, 0, "Print JSON", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "label list",
		.args = "[IFACE]",
		.doc = "List the samples that are most worth a look: those near the threshold that no rule "
		       "names, as unlike each other as can be.",
		.most = 1,
		.options = options,
		.option = on_option,
	};
	struct list l = { .state_dir = sen_config_defaults.state_dir,
			  .most = 20,
			  .filter = { .label = -1, .class_id = -1, .origin = -1 } };
	const char *arg[SYNTAX_ARGS];
	struct sen_store *store = NULL;
	struct sen_why why = { 0 };
	int code;

	if (parse_line(&syntax, argc, argv, &l, arg))
		return EXIT_USAGE;
	if (samples_of(l.state_dir, arg[0], &store, &l.names, &why))
		return fail(&why);
	if (filter_label(&l))
		code = EXIT_USAGE;
	else
		code = list(&l, store, &why) ? fail(&why) : EXIT_DONE;
	sen_store_close(store);
	return code;
}
