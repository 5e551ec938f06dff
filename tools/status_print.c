// SPDX-License-Identifier: BSD-2-Clause
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allow_command.h"
#include "figure.h"
#include "status.h"
#include "table.h"

static const char *mode_text(const struct status *s)
{
	if (s->attachment != SEN_ATTACHMENT_HOLDS)
		return s->attachment == SEN_ATTACHMENT_GONE ? "GONE" : "ELSEWHERE";
	return s->meta.native ? "native" : "skb";
}

#define SHORTCOMINGS     4
#define SHORTCOMING_TEXT 160

static void shortcoming(char *text, const char *what, int reason, const char *so)
{
	if (reason)
		snprintf(text, SHORTCOMING_TEXT, "%s (%s): %s", what, strerror(reason), so);
	else
		snprintf(text, SHORTCOMING_TEXT, "%s: %s", what, so);
}

/* libxdp's dispatcher is a file of its own. */
static void no_dispatcher(char *text, int reason)
{
	static const char so[] = "no other XDP program can run beside";

	if (reason == ENOENT)
		shortcoming(text, "no dispatcher (libxdp's xdp-dispatcher.o is not installed)", 0,
			    so);
	else
		shortcoming(text, "no dispatcher", reason, so);
}

/* Cards do that to save work. VLANs are then not told apart. */
static void no_tags(char *text, const char *ifname)
{
	snprintf(
		text, SHORTCOMING_TEXT,
		"no VLAN tags: the interface takes them off (ethtool -K %s rxvlan off leaves them)",
		ifname);
}

/* What this kernel, the driver or another program does not let it have; their number. */
static int degraded(const struct status *s, char text[SHORTCOMINGS][SHORTCOMING_TEXT])
{
	int n = 0;

	if (s->meta.no_native)
		shortcoming(text[n++], "no native XDP", s->meta.no_native,
			    "skb mode, which is slower");
	if (!s->meta.dispatcher)
		no_dispatcher(text[n++], s->meta.no_dispatcher);
	if (!s->frags)
		shortcoming(text[n++], "no frames longer than a page", 0,
			    s->meta.frags ? "another XDP program cannot take them" :
					    "this kernel cannot hand them over");
	if (s->meta.untagged)
		no_tags(text[n++], s->name);
	return n;
}

static void print_degraded(const struct status *s)
{
	char text[SHORTCOMINGS][SHORTCOMING_TEXT];
	int n = degraded(s, text);

	for (int i = 0; i < n; i++)
		printf("  %-9s %s\n", i ? "" : "degraded", text[i]);
}

static void print_model(const char *what, const struct status_model *m)
{
	char created[TIME_TEXT], parent[32] = "no parent";

	if (!m->present) {
		printf("  %-9s none\n", what);
		return;
	}
	time_text(m->created_s, created);
	if (m->parent)
		snprintf(parent, sizeof(parent), "from %u", m->parent);
	printf("  %-9s version %u (%.*s), %s, made %s%s\n", what, m->version, DIGEST_SHORT,
	       m->digest, parent, created, m->learned ? ", learned here" : "");
}

static void print_counters(const struct sen_stats *c)
{
	printf("  packets   %llu, %s: %llu in flows, %llu not IP, %llu of other transports, "
	       "%llu truncated, %llu errors\n",
	       c->packets, size_text((double)c->bytes).is, c->parsed, c->not_ip, c->not_transport,
	       c->truncated, c->errors);
	printf("  verdicts  %llu pass, %llu alert, %llu drop, %llu redirect\n", c->pass, c->alert,
	       c->drop, c->redirect);
	printf("  scores    %llu evaluations, %llu flagged, %llu without a model\n", c->evaluations,
	       c->flagged, c->no_model);
	printf("  shadows   %llu scored by both models, %llu flagged by the active one only, %llu by the "
	       "shadow only\n",
	       c->shadow_evaluations, c->shadow_only_active, c->shadow_only_shadow);
	printf("  samples   %llu sent, %llu withheld by rate, %llu lost in a full ring\n",
	       c->events_sent, c->events_lost_rate, c->events_lost_full);
}

static void print_attachment(const struct status *s)
{
	char path[PATH_MAX];
	bool found;

	if (s->attachment == SEN_ATTACHMENT_ELSEWHERE) {
		found = sen_netns_path(s->meta.netns, path, sizeof(path));
		printf("%s: in another network namespace, %s: ask there whether it is attached\n",
		       s->name, found ? path : "to which no path was found");
		return;
	}
	printf("%s: %s\n", s->name,
	       s->attachment == SEN_ATTACHMENT_HOLDS ? "attached" : "PROGRAM GONE");
}

static void print_allow(const struct sen_prefixes *allow)
{
	char text[SEN_PREFIX_TEXT];

	if (!allow->count)
		return;
	sen_prefix_text(&allow->at[0], text);
	printf("  allowed   %s%s", text, allow->count > 1 ? "" : "\n");
	if (allow->count > 1)
		printf(" and %u more, see sentroid allow\n", allow->count - 1);
}

void status_print(const struct status *s)
{
	char agent[32] = "not running";

	print_attachment(s);
	printf("  program   id %u, %s mode, %s\n", s->meta.prog_id,
	       s->meta.native ? "native" : "skb",
	       s->meta.dispatcher ? "under the dispatcher" : "single program");
	printf("  sees      %s, %s\n", s->meta.egress ? "both ways" : "what comes in",
	       s->frags ? "frames of any length" : "frames of one page at most");
	print_degraded(s);
	printf("  policy    %s\n", sen_policy_word(s->policy.mode));
	print_allow(&s->allow);
	print_model("model", &s->model[SEN_SLOT_ACTIVE]);
	print_model("shadow", &s->model[SEN_SLOT_SHADOW]);
	print_counters(&s->stats);
	printf("  flows     %" PRIu64 " of %" PRIu64 " in use, %llu begun, %llu replaced, "
	       "%llu packets without an entry\n",
	       s->flows.used, s->flows.capacity, s->stats.flows_new, s->stats.flows_replaced,
	       s->stats.flows_untracked);
	printf("  hosts     %llu times one found no room in its table\n", s->stats.hosts_untracked);
	if (s->agent)
		snprintf(agent, sizeof(agent), "running, pid %d", s->agent);
	printf("  agent     %s\n", agent);
}

static void row(struct table *t, const struct status *s)
{
	const struct status_model *m = &s->model[SEN_SLOT_ACTIVE];
	char model[48] = "none", agent[16] = "-";

	if (m->present)
		snprintf(model, sizeof(model), "%u (%.*s)", m->version, DIGEST_SHORT, m->digest);
	if (s->agent)
		snprintf(agent, sizeof(agent), "%d", s->agent);
	table_row(t, "%s\t%s\t%s\t%u\t%s\t%s\t%llu\t%s\t%llu\t%llu\t%" PRIu64 "\t%s", s->name,
		  mode_text(s), s->meta.dispatcher ? "dispatcher" : "single", s->meta.prog_id,
		  sen_policy_word(s->policy.mode), model, s->stats.packets,
		  size_text((double)s->stats.bytes).is, s->stats.alert, s->stats.drop,
		  s->flows.used, agent);
}

void status_print_all(const struct status *s, size_t n)
{
	struct table t = { .align = "<<<><<>>>>><", .indent = "" };
	uint64_t packets = 0, bytes = 0, alerts = 0, drops = 0, flows = 0;

	if (!n) {
		puts("Sentroid is attached to no interface.");
		return;
	}
	table_row(&t, "INTERFACE\tMODE\tPROGRAM\tID\tPOLICY\tMODEL\tPACKETS\tBYTES\tALERTS\tDROPS\t"
		      "FLOWS\tAGENT");
	for (size_t i = 0; i < n; i++) {
		row(&t, &s[i]);
		packets += s[i].stats.packets;
		bytes += s[i].stats.bytes;
		alerts += s[i].stats.alert;
		drops += s[i].stats.drop;
		flows += s[i].flows.used;
	}
	if (n > 1)
		table_row(&t,
			  "total\t\t\t\t\t\t%" PRIu64 "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
			  "\t",
			  packets, size_text((double)bytes).is, alerts, drops, flows);
	table_print(&t);
}

/* Numbers of 64 bits, exactly. */
static void add_u64(cJSON *object, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	cJSON_AddRawToObject(object, key, text);
}

static void add_model(cJSON *object, const char *key, const struct status_model *m)
{
	cJSON *model;

	if (!m->present) {
		cJSON_AddNullToObject(object, key);
		return;
	}
	model = cJSON_AddObjectToObject(object, key);
	add_u64(model, "version", m->version);
	cJSON_AddStringToObject(model, "digest", m->digest);
	cJSON_AddBoolToObject(model, "learned", m->learned);
}

static void add_degraded(cJSON *object, const struct status *s)
{
	char text[SHORTCOMINGS][SHORTCOMING_TEXT];
	cJSON *list = cJSON_AddArrayToObject(object, "degraded");
	int n = degraded(s, text);

	for (int i = 0; i < n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(text[i]));
}

static void add_parts(cJSON *object, const struct status *s)
{
	cJSON *flows, *agent;

	flows = cJSON_AddObjectToObject(object, "flows");
	add_u64(flows, "used", s->flows.used);
	add_u64(flows, "capacity", s->flows.capacity);
	add_u64(flows, "replaced", s->stats.flows_replaced);
	agent = cJSON_AddObjectToObject(object, "agent");
	cJSON_AddBoolToObject(agent, "running", s->agent != 0);
	if (s->agent)
		add_u64(agent, "pid", s->agent);
	else
		cJSON_AddNullToObject(agent, "pid");
}

/* Samples that the agent did not get: all of them, and by reason. */
static void add_lost(cJSON *object, const struct sen_stats *c)
{
	cJSON *by;

	add_u64(object, "events_lost", c->events_lost_rate + c->events_lost_full);
	by = cJSON_AddObjectToObject(object, "events_lost_by");
	add_u64(by, "rate", c->events_lost_rate);
	add_u64(by, "full", c->events_lost_full);
}

/* How the shadow models so far and the active ones got on. */
static void add_shadow_scores(cJSON *object, const struct sen_stats *c)
{
	cJSON *scores = cJSON_AddObjectToObject(object, "shadow_scores");

	add_u64(scores, "agree",
		c->shadow_evaluations - c->shadow_only_active - c->shadow_only_shadow);
	add_u64(scores, "only_active", c->shadow_only_active);
	add_u64(scores, "only_shadow", c->shadow_only_shadow);
}

static cJSON *interface_json(const struct status *s)
{
	cJSON *object = cJSON_CreateObject();
	char path[PATH_MAX];

	cJSON_AddStringToObject(object, "name", s->name);
	cJSON_AddStringToObject(object, "mode", s->meta.native ? "native" : "skb");
	cJSON_AddBoolToObject(object, "dispatcher", s->meta.dispatcher);
	cJSON_AddBoolToObject(object, "frags", s->frags);
	cJSON_AddBoolToObject(object, "egress", s->meta.egress);
	add_u64(object, "prog_id", s->meta.prog_id);
	cJSON_AddBoolToObject(object, "attached", s->attachment == SEN_ATTACHMENT_HOLDS);
	if (s->attachment == SEN_ATTACHMENT_ELSEWHERE &&
	    sen_netns_path(s->meta.netns, path, sizeof(path)))
		cJSON_AddStringToObject(object, "netns", path);
	cJSON_AddStringToObject(object, "policy", sen_policy_word(s->policy.mode));
	cJSON_AddItemToObject(object, "allow", allow_json(&s->allow));
	add_degraded(object, s);
	add_model(object, "model", &s->model[SEN_SLOT_ACTIVE]);
	add_model(object, "shadow", &s->model[SEN_SLOT_SHADOW]);
	add_shadow_scores(object, &s->stats);
	add_u64(object, "packets", s->stats.packets);
	add_u64(object, "bytes", s->stats.bytes);
	add_u64(object, "alerts", s->stats.alert);
	add_u64(object, "drops", s->stats.drop);
	add_lost(object, &s->stats);
	add_parts(object, s);
	return object;
}

int status_print_json(const struct status *s, size_t n)
{
	cJSON *root = cJSON_CreateObject(), *list;
	char *text;

	cJSON_AddNumberToObject(root, "abi", SEN_ABI_VERSION);
	list = cJSON_AddArrayToObject(root, "interfaces");
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, interface_json(&s[i]));
	text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	if (!text)
		return -ENOMEM;
	puts(text);
	cJSON_free(text);
	return 0;
}
