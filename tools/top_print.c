// SPDX-License-Identifier: BSD-2-Clause
#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "figure.h"
#include "label_command.h"
#include "novelty.h"
#include "top.h"

/* Its ends as samples have them: the source is who opened it. */
static struct sen_record record_of(const struct sen_flow *f)
{
	int from = !!(f->flags & SEN_FLOW_INITIATOR_1);
	struct sen_record r = { .sport = f->key.port[from],
				.dport = f->key.port[!from],
				.proto = f->key.proto };

	memcpy(r.src, f->key.addr[from], sizeof(r.src));
	memcpy(r.dst, f->key.addr[!from], sizeof(r.dst));
	return r;
}

/* What a flagged flow is taken for; empty for others. */
static const char *class_text(const struct top *t, const struct sen_flow *f,
			      char name[SEN_CLASS_NAME_MAX])
{
	*name = '\0';
	if (f->flags & SEN_FLOW_FLAGGED)
		sen_flat_class_name(&t->model, f->class_id, name);
	return name;
}

static double packets_of(const struct sen_flow *f)
{
	return (double)f->packets[0] + f->packets[1];
}

static void print_head(const struct top *t, FILE *out)
{
	const struct sen_stats *c = &t->rates->change;
	double s = t->rates->seconds;
	char model[64] = "no model", digest[DIGEST_HEX];

	digest_text(t->model.digest, digest);
	if (t->has_model)
		snprintf(model, sizeof(model), "model %u (%.*s)", t->model.version, DIGEST_SHORT,
			 digest);
	fprintf(out, "%s: %.1f packets/s, %s/s, %.1f evaluations/s, %.1f flagged/s, %.1f drops/s\n",
		t->ifname, c->packets / s, size_text(c->bytes / s).is, c->evaluations / s,
		c->flagged / s, c->drop / s);
	fprintf(out, "flows %llu of %llu, %s, policy %s\n\n", (unsigned long long)t->usage.used,
		(unsigned long long)t->usage.capacity, model, sen_policy_word(t->policy.mode));
	fprintf(out, "%7s  %-15s  %10s  %10s  %s\n", "SCORE", "CLASS", "PACKETS/S", "PACKETS",
		"FLOW");
}

void top_print(const struct top *t, size_t rows, FILE *out)
{
	char class[SEN_CLASS_NAME_MAX], text[FLOW_TEXT];

	print_head(t, out);
	for (size_t i = 0; i < t->rates->n && i < rows; i++) {
		const struct sen_rates_row *r = &t->rates->rows[i];
		struct sen_record ends = record_of(&r->flow);

		fprintf(out, "%7.2f  %-15s  %10.1f  %10.0f  %s\n", r->flow.score / (double)SEN_ONE,
			class_text(t, &r->flow, class), r->packets / t->rates->seconds,
			packets_of(&r->flow), flow_text(&ends, text));
	}
}

static cJSON *row_json(const struct top *t, const struct sen_rates_row *r)
{
	struct sen_record ends = record_of(&r->flow);
	cJSON *o = cJSON_CreateObject();
	char class[SEN_CLASS_NAME_MAX], text[SEN_ADDR_TEXT];

	cJSON_AddNumberToObject(o, "score", r->flow.score / (double)SEN_ONE);
	cJSON_AddBoolToObject(o, "flagged", r->flow.flags & SEN_FLOW_FLAGGED);
	cJSON_AddStringToObject(o, "class", class_text(t, &r->flow, class));
	sen_addr_format(ends.src, text);
	cJSON_AddStringToObject(o, "source", text);
	sen_addr_format(ends.dst, text);
	cJSON_AddStringToObject(o, "target", text);
	cJSON_AddNumberToObject(o, "source_port", ends.sport);
	cJSON_AddNumberToObject(o, "target_port", ends.dport);
	cJSON_AddNumberToObject(o, "protocol", ends.proto);
	cJSON_AddNumberToObject(o, "packets_per_second", r->packets / t->rates->seconds);
	cJSON_AddNumberToObject(o, "packets", packets_of(&r->flow));
	cJSON_AddNumberToObject(o, "bytes", (double)r->flow.bytes);
	return o;
}

static void add_rates(cJSON *o, const struct sen_rates *r)
{
	cJSON *rates = cJSON_AddObjectToObject(o, "per_second");

	cJSON_AddNumberToObject(rates, "packets", r->change.packets / r->seconds);
	cJSON_AddNumberToObject(rates, "bytes", r->change.bytes / r->seconds);
	cJSON_AddNumberToObject(rates, "evaluations", r->change.evaluations / r->seconds);
	cJSON_AddNumberToObject(rates, "flagged", r->change.flagged / r->seconds);
	cJSON_AddNumberToObject(rates, "drops", r->change.drop / r->seconds);
}

static void add_state(cJSON *o, const struct top *t)
{
	cJSON *table = cJSON_AddObjectToObject(o, "flows"), *model;
	char digest[DIGEST_HEX];

	cJSON_AddNumberToObject(table, "used", (double)t->usage.used);
	cJSON_AddNumberToObject(table, "capacity", (double)t->usage.capacity);
	cJSON_AddStringToObject(o, "policy", sen_policy_word(t->policy.mode));
	if (!t->has_model) {
		cJSON_AddNullToObject(o, "model");
		return;
	}
	digest_text(t->model.digest, digest);
	model = cJSON_AddObjectToObject(o, "model");
	cJSON_AddNumberToObject(model, "version", t->model.version);
	cJSON_AddStringToObject(model, "digest", digest);
}

int top_print_json(const struct top *t, size_t rows)
{
	cJSON *o = cJSON_CreateObject(), *list;
	char *text;

	cJSON_AddStringToObject(o, "name", t->ifname);
	cJSON_AddNumberToObject(o, "seconds", t->rates->seconds);
	add_rates(o, t->rates);
	add_state(o, t);
	list = cJSON_AddArrayToObject(o, "top");
	for (size_t i = 0; i < t->rates->n && i < rows; i++)
		cJSON_AddItemToArray(list, row_json(t, &t->rates->rows[i]));
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	if (!text)
		return -ENOMEM;
	puts(text);
	cJSON_free(text);
	return 0;
}
