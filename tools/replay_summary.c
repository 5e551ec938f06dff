// SPDX-License-Identifier: BSD-2-Clause
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "endpoint.h"
#include "figure.h"
#include "replay_summary.h"
#include "table.h"

#define TOP   5  /* sources and targets that are named */
#define PARTS 10 /* of a capture that was learned from */

struct host {
	uint8_t addr[SEN_ADDR_BYTES];
	uint64_t flows;
};

struct tops {
	struct host source[TOP],
		target[TOP]; /* most flagged flows first; flows is 0 behind the last */
	uint64_t flagged;
	uint64_t dropped;                 /* flows of which a packet was */
	uint64_t of_class[SEN_CLASS_MAX]; /* flagged flows */
};

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, SEN_ADDR_BYTES);
}

static void insert(struct host top[TOP], const struct host *h)
{
	size_t at = TOP;

	while (at && h->flows > top[at - 1].flows)
		at--;
	if (at == TOP)
		return;
	memmove(&top[at + 1], &top[at], (TOP - 1 - at) * sizeof(*top));
	top[at] = *h;
}

/* The most frequent of n addresses, which are put in order for that. */
static void find_top(uint8_t (*addr)[SEN_ADDR_BYTES], size_t n, struct host top[TOP])
{
	struct host h = { .flows = 0 };

	qsort(addr, n, SEN_ADDR_BYTES, by_address);
	for (size_t i = 0; i < n; i++) {
		if (h.flows && memcmp(addr[i], h.addr, SEN_ADDR_BYTES)) {
			insert(top, &h);
			h.flows = 0;
		}
		memcpy(h.addr, addr[i], SEN_ADDR_BYTES);
		h.flows++;
	}
	if (h.flows)
		insert(top, &h);
}

static int count(const struct sen_flowlog *flows, struct tops *tops)
{
	size_t n = sen_flowlog_count(flows), flagged = 0;
	uint8_t(*from)[SEN_ADDR_BYTES] = calloc(2 * n + 1, SEN_ADDR_BYTES), (*to)[SEN_ADDR_BYTES];

	memset(tops, 0, sizeof(*tops));
	if (!from)
		return -ENOMEM;
	to = from + n;
	for (size_t i = 0; i < n; i++) {
		const struct sen_flow_record *r = sen_flowlog_get(flows, i);

		tops->dropped += r->dropped > 0;
		if (!sen_flow_flagged(r))
			continue;
		memcpy(from[flagged], r->key.addr[r->from], SEN_ADDR_BYTES);
		memcpy(to[flagged++], r->key.addr[!r->from], SEN_ADDR_BYTES);
		tops->of_class[sen_flow_class(r) & (SEN_CLASS_MAX - 1)]++;
	}
	find_top(from, flagged, tops->source);
	find_top(to, flagged, tops->target);
	tops->flagged = flagged;
	free(from);
	return 0;
}

static double span(const struct replay_summary *s)
{
	return (double)(s->last_ns - s->first_ns) / 1e9;
}

static double rate(const struct replay_summary *s)
{
	return s->seconds > 0 ? (double)s->packets / s->seconds : 0;
}

static void print_hosts(const char *what, const struct host top[TOP])
{
	char text[SEN_ADDR_TEXT];

	for (int i = 0; i < TOP && top[i].flows; i++) {
		sen_addr_format(top[i].addr, text);
		printf("%-12s %s, %" PRIu64 " flagged flows\n", i ? "" : what, text, top[i].flows);
	}
}

/* Flows that began in one of equal parts of the capture, to see how alarms come and go. Those that began
 * without a stamp, before the first one, are of the first part. */
struct part {
	uint64_t flows, flagged;
};

static void count_parts(const struct replay_summary *s, struct part part[PARTS])
{
	uint64_t length = (s->last_ns - s->first_ns) / PARTS + 1;

	memset(part, 0, PARTS * sizeof(*part));
	for (size_t i = 0; i < sen_flowlog_count(s->flows); i++) {
		const struct sen_flow_record *r = sen_flowlog_get(s->flows, i);
		uint64_t since = r->first_ns > s->first_ns ? r->first_ns - s->first_ns : 0;
		struct part *p = &part[since / length];

		p->flows++;
		p->flagged += sen_flow_flagged(r);
	}
}

static void print_learned(const struct replay_summary *s)
{
	const struct sen_learner_status *l = s->learner;
	struct table t = { .align = ">>>>", .indent = "" };
	struct part part[PARTS];

	printf("learning     version %u in force, %" PRIu64 " promoted, %" PRIu64
	       " refused, %" PRIu64 " rolled back, %" PRIu64 " drifts\n",
	       l->version, l->promoted, l->refused, l->rolled_back, l->drifts);
	count_parts(s, part);
	table_row(&t, "from, s\tflows\tflagged\tshare");
	for (int i = 0; i < PARTS; i++)
		table_row(&t, "%.0f\t%" PRIu64 "\t%" PRIu64 "\t%s", span(s) * i / PARTS,
			  part[i].flows, part[i].flagged,
			  percent((double)part[i].flagged / (double)part[i].flows).is);
	table_print(&t);
}

static void print_text(const struct replay_summary *s, const struct tops *tops)
{
	const char *heading = "classes";
	char from[TIME_TEXT];

	time_text((int64_t)(s->first_ns / 1000000000), from);
	printf("packets      %" PRIu64 ", %" PRIu64 " bytes, %" PRIu64 " of no flow\n", s->packets,
	       s->bytes, s->no_flow);
	printf("time         %.3f s from %s\n", span(s), from);
	printf("flows        %zu, %" PRIu64 " flagged\n", sen_flowlog_count(s->flows),
	       tops->flagged);
	printf("evaluations  %" PRIu64 ", %" PRIu64 " flagged\n", s->evaluations,
	       s->flagged_evaluations);
	printf("policy       %s: %" PRIu64 " packets of %" PRIu64 " flows dropped\n",
	       sen_policy_word(s->policy), s->dropped, tops->dropped);
	for (unsigned int id = 1; id < SEN_CLASS_MAX; id++) {
		uint64_t alerts = sen_alerts_total(s->alerts, id);

		if (!alerts && !tops->of_class[id])
			continue;
		printf("%-12s %s: %" PRIu64 " flagged flows, %" PRIu64 " alerts\n", heading,
		       sen_class_name(s->model, id), tops->of_class[id], alerts);
		heading = "";
	}
	print_hosts("sources", tops->source);
	print_hosts("targets", tops->target);
	if (s->learner)
		print_learned(s);
	printf("speed        %.0f packets/s\n", rate(s));
}

static void add_learned(const struct replay_summary *s, cJSON *root)
{
	cJSON *list = cJSON_AddArrayToObject(root, "parts");
	struct part part[PARTS];

	count_parts(s, part);
	for (int i = 0; i < PARTS; i++) {
		cJSON *item = cJSON_CreateObject();

		cJSON_AddNumberToObject(item, "from", span(s) * i / PARTS);
		cJSON_AddNumberToObject(item, "flows", (double)part[i].flows);
		cJSON_AddNumberToObject(item, "flagged", (double)part[i].flagged);
		cJSON_AddItemToArray(list, item);
	}
	cJSON_AddItemToObject(root, "learner", sen_learner_json(s->learner));
	cJSON_AddItemToObject(root, "timeline", cJSON_Duplicate(s->timeline, true));
}

static cJSON *hosts_json(const struct host top[TOP])
{
	cJSON *list = cJSON_CreateArray();
	char text[SEN_ADDR_TEXT];

	for (int i = 0; i < TOP && top[i].flows; i++) {
		cJSON *host = cJSON_CreateObject();

		sen_addr_format(top[i].addr, text);
		cJSON_AddStringToObject(host, "address", text);
		cJSON_AddNumberToObject(host, "flows", (double)top[i].flows);
		cJSON_AddItemToArray(list, host);
	}
	return list;
}

static cJSON *classes_json(const struct replay_summary *s, const struct tops *tops)
{
	cJSON *list = cJSON_CreateObject();

	for (unsigned int id = 1; id < SEN_CLASS_MAX; id++) {
		uint64_t alerts = sen_alerts_total(s->alerts, id);
		cJSON *class;

		if (!alerts && !tops->of_class[id])
			continue;
		class = cJSON_AddObjectToObject(list, sen_class_name(s->model, id));
		cJSON_AddNumberToObject(class, "flows", (double)tops->of_class[id]);
		cJSON_AddNumberToObject(class, "alerts", (double)alerts);
	}
	return list;
}

static int print_json(const struct replay_summary *s, const struct tops *tops)
{
	cJSON *root = cJSON_CreateObject();
	char *text;

	cJSON_AddNumberToObject(root, "packets", (double)s->packets);
	cJSON_AddNumberToObject(root, "bytes", (double)s->bytes);
	cJSON_AddNumberToObject(root, "no_flow", (double)s->no_flow);
	cJSON_AddNumberToObject(root, "first_ts", (double)s->first_ns / 1e9);
	cJSON_AddNumberToObject(root, "last_ts", (double)s->last_ns / 1e9);
	cJSON_AddNumberToObject(root, "flows", (double)sen_flowlog_count(s->flows));
	cJSON_AddNumberToObject(root, "flagged", (double)tops->flagged);
	cJSON_AddNumberToObject(root, "evaluations", (double)s->evaluations);
	cJSON_AddNumberToObject(root, "flagged_evaluations", (double)s->flagged_evaluations);
	cJSON_AddStringToObject(root, "policy", sen_policy_word(s->policy));
	cJSON_AddNumberToObject(root, "dropped_packets", (double)s->dropped);
	cJSON_AddNumberToObject(root, "dropped_flows", (double)tops->dropped);
	cJSON_AddNumberToObject(root, "damaged_files", s->damaged);
	cJSON_AddNumberToObject(root, "stamps_missing", (double)s->clock[SEN_CLOCK_MISSING]);
	cJSON_AddNumberToObject(root, "stamps_back", (double)s->clock[SEN_CLOCK_BACK]);
	cJSON_AddNumberToObject(root, "gaps", (double)s->clock[SEN_CLOCK_GAP]);
	cJSON_AddItemToObject(root, "classes", classes_json(s, tops));
	cJSON_AddItemToObject(root, "sources", hosts_json(tops->source));
	cJSON_AddItemToObject(root, "targets", hosts_json(tops->target));
	if (s->learner)
		add_learned(s, root);
	cJSON_AddNumberToObject(root, "seconds", s->seconds);
	cJSON_AddNumberToObject(root, "packets_per_second", rate(s));
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text)
		return -ENOMEM;
	puts(text);
	free(text);
	return 0;
}

int replay_summary_print(const struct replay_summary *s, bool json, struct sen_why *why)
{
	struct tops tops;
	int err = count(s->flows, &tops);

	if (!err && json)
		err = print_json(s, &tops);
	else if (!err)
		print_text(s, &tops);
	return err ? sen_why(why, err, NULL, "printing summary: %s", strerror(-err)) : 0;
}
