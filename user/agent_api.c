// SPDX-License-Identifier: BSD-2-Clause
/* What HTTP shows of the agent. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent_internal.h"
#include "clock.h"
#include "metrics.h"

#define BEAT_STALE_MS 5000 /* of an idle trainer */
#define METRICS_TYPE  "text/plain; version=0.0.4; charset=utf-8"

bool sen_agent_ready(struct sen_agent *a, char *reason, size_t size)
{
	if (!sen_worker_alive(a->worker, BEAT_STALE_MS, SEN_AGENT_JOB_STALE_MS)) {
		snprintf(reason, size, "trainer: no sign of life for %lld s",
			 (long long)(sen_now_ms() - sen_worker_heartbeat_ms(a->worker)) / 1000);
		return false;
	}
	for (size_t i = 0; i < a->count; i++)
		if (!sen_interface_ready(a->interfaces[i], reason, size))
			return false;
	if (!a->awaited_n)
		return true;
	snprintf(reason, size, "%s: %s", a->awaited[0].name,
		 a->awaited[0].err == -ENODEV ? "no such interface" : "not attached");
	return false;
}

static void get_health(void *ctx, struct sen_http_reply *reply)
{
	(void)ctx;
	sen_http_text(reply, 200, "ok\n");
}

static void get_ready(void *ctx, struct sen_http_reply *reply)
{
	char reason[128], text[160];
	bool ready = sen_agent_ready(ctx, reason, sizeof(reason));

	snprintf(text, sizeof(text), "%s\n", ready ? "ready" : reason);
	sen_http_text(reply, ready ? 200 : 503, text);
}

static void get_metrics(void *ctx, struct sen_http_reply *reply)
{
	struct sen_agent *a = ctx;
	struct sen_metrics_interface *views = calloc(a->count, sizeof(*views));
	const char *awaited[SEN_AGENT_INTERFACES];
	struct sen_metrics_process process = {
		.start_s = a->started_s,
		.trainer_beat_s = sen_wall_ms(sen_worker_heartbeat_ms(a->worker)) / 1000,
		.awaited = awaited,
		.awaited_n = a->awaited_n,
	};
	FILE *out = open_memstream(&reply->body, &reply->len);

	if (!views || !out)
		goto cleanup;
	for (size_t i = 0; i < a->count; i++)
		sen_interface_view(a->interfaces[i], &views[i]);
	for (size_t i = 0; i < a->awaited_n; i++)
		awaited[i] = a->awaited[i].name;
	sen_metrics_write(out, views, a->count, &process);
	reply->type = METRICS_TYPE;
cleanup:
	if (out)
		fclose(out);
	free(views);
}

static void get_alerts(void *ctx, struct sen_http_reply *reply)
{
	struct sen_agent *a = ctx;
	cJSON *all = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(all, "alerts");

	for (size_t i = 0; i < a->count; i++) {
		cJSON *own = sen_interface_alerts(a->interfaces[i]);

		while (own && own->child)
			cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(own, own->child));
		cJSON_Delete(own);
	}
	sen_http_json(reply, all);
}

static cJSON *alerts_json(const struct sen_metrics_interface *v)
{
	cJSON *o = cJSON_CreateObject(), *classes;

	cJSON_AddNumberToObject(o, "open", (double)v->alerts_open);
	classes = cJSON_AddObjectToObject(o, "by_class");
	for (unsigned int c = SEN_CLASS_UNKNOWN; c < SEN_CLASS_MAX; c++)
		if (v->alerts[c])
			cJSON_AddNumberToObject(classes, sen_metrics_class(c),
						(double)v->alerts[c]);
	return o;
}

static cJSON *interface_json(struct sen_interface *i)
{
	cJSON *o = cJSON_CreateObject(), *model, *flows;
	struct sen_metrics_interface v;

	sen_interface_view(i, &v);
	cJSON_AddStringToObject(o, "name", v.name);
	cJSON_AddBoolToObject(o, "attached", v.attached);
	cJSON_AddStringToObject(o, "mode", v.meta.native ? "native" : "skb");
	cJSON_AddBoolToObject(o, "dispatcher", v.meta.dispatcher);
	cJSON_AddNumberToObject(o, "prog_id", v.meta.prog_id);
	cJSON_AddStringToObject(o, "policy", v.policy);
	model = cJSON_AddObjectToObject(o, "model");
	cJSON_AddNumberToObject(model, "version", v.active_version);
	cJSON_AddStringToObject(model, "digest", v.active_digest);
	cJSON_AddNumberToObject(o, "packets", (double)v.stats.packets);
	cJSON_AddNumberToObject(o, "bytes", (double)v.stats.bytes);
	cJSON_AddNumberToObject(o, "evaluations", (double)v.stats.evaluations);
	cJSON_AddNumberToObject(o, "flagged", (double)v.stats.flagged);
	cJSON_AddNumberToObject(o, "events", (double)v.ring.consumed);
	cJSON_AddNumberToObject(o, "events_lost",
				(double)(v.stats.events_lost_rate + v.stats.events_lost_full));
	flows = cJSON_AddObjectToObject(o, "flows");
	cJSON_AddNumberToObject(flows, "used", (double)v.flows.used);
	cJSON_AddNumberToObject(flows, "capacity", (double)v.flows.capacity);
	cJSON_AddItemToObject(o, "learner", sen_learner_json(&v.learner));
	cJSON_AddItemToObject(o, "alerts", alerts_json(&v));
	return o;
}

static void get_status(void *ctx, struct sen_http_reply *reply)
{
	struct sen_agent *a = ctx;
	char reason[128] = "";
	cJSON *o = cJSON_CreateObject(), *list;

	cJSON_AddStringToObject(o, "version", SENTROID_VERSION);
	cJSON_AddNumberToObject(o, "started", (double)a->started_s);
	cJSON_AddNumberToObject(o, "uptime", (double)(time(NULL) - a->started_s));
	cJSON_AddBoolToObject(o, "ready", sen_agent_ready(a, reason, sizeof(reason)));
	cJSON_AddStringToObject(o, "not_ready", reason);
	list = cJSON_AddArrayToObject(o, "interfaces");
	for (size_t i = 0; i < a->count; i++)
		cJSON_AddItemToArray(list, interface_json(a->interfaces[i]));
	sen_http_json(reply, o);
}

const struct sen_http_route sen_agent_routes[] = {
	{ .path = "/metrics", .fn = get_metrics },
	{ .path = "/healthz", .fn = get_health },
	{ .path = "/readyz", .fn = get_ready },
	{ .path = "/api/v1/alerts", .fn = get_alerts },
	{ .path = "/api/v1/status", .fn = get_status },
	{ .path = NULL },
};
