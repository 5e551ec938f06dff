// SPDX-License-Identifier: BSD-2-Clause
/* How an alert is shown: JSON for programs, one line for people. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "alerts.h"
#include "endpoint.h"

/* Linear counting (Whang, Vander-Zanden, Taylor 1990). A full map stands for some 7,000. */
static unsigned int set_size(const uint64_t *set)
{
	const double bits = SEN_ALERT_SET_WORDS * 64;
	unsigned int ones = 0;

	for (int i = 0; i < SEN_ALERT_SET_WORDS; i++)
		ones += sen_popcount(set[i]);
	return (unsigned int)lround(-bits * log((bits - ones + (ones == bits)) / bits));
}

unsigned int sen_alert_sources(const struct sen_alert *al)
{
	return set_size(al->source_set);
}

unsigned int sen_alert_targets(const struct sen_alert *al)
{
	return set_size(al->target_set);
}

/* RFC 3339, UTC. */
static void format_time(int64_t wall_ms, char *text, size_t size)
{
	time_t seconds = wall_ms / 1000;
	struct tm tm;
	size_t at;

	gmtime_r(&seconds, &tm);
	at = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + at, size - at, ".%03dZ", (int)(wall_ms % 1000));
}

static void add_time(cJSON *o, const char *name, int64_t wall_ms)
{
	char text[40];

	format_time(wall_ms, text, sizeof(text));
	cJSON_AddStringToObject(o, name, text);
}

/* The address where there is one, null where there are many. */
static void add_address(cJSON *o, const char *name, const __u8 *addr, unsigned int many)
{
	char text[SEN_ADDR_TEXT];

	sen_addr_format(addr, text);
	if (many > 1)
		cJSON_AddNullToObject(o, name);
	else
		cJSON_AddStringToObject(o, name, text);
}

cJSON *sen_alert_json(const struct sen_alert *al)
{
	unsigned int sources = sen_alert_sources(al), targets = sen_alert_targets(al);
	cJSON *o = cJSON_CreateObject(), *ports;

	cJSON_AddNumberToObject(o, "id", (double)al->id);
	cJSON_AddStringToObject(o, "class", al->class_name);
	cJSON_AddBoolToObject(o, "certain", al->certain);
	add_address(o, "source", al->source, sources);
	cJSON_AddNumberToObject(o, "sources", sources);
	add_address(o, "target", al->target, targets);
	cJSON_AddNumberToObject(o, "targets", targets);
	ports = cJSON_AddArrayToObject(o, "ports");
	for (unsigned int i = 0; i < al->ports; i++)
		cJSON_AddItemToArray(ports, cJSON_CreateNumber(al->example_ports[i]));
	add_time(o, "first", al->first_wall_ms);
	add_time(o, "last", al->last_wall_ms);
	cJSON_AddNumberToObject(o, "events", (double)al->events);
	cJSON_AddNumberToObject(o, "folded", (double)al->folded);
	cJSON_AddNumberToObject(o, "score", round(al->score_max * 1000.0 / SEN_ONE) / 1000);
	cJSON_AddNumberToObject(o, "model_version", al->model_version);
	cJSON_AddStringToObject(o, "reason", al->reason);
	return o;
}

static void describe(const char *what, const __u8 *addr, unsigned int many, char *text, size_t size)
{
	char one[SEN_ADDR_TEXT];

	sen_addr_format(addr, one);
	if (many > 1)
		snprintf(text, size, "many %ss (about %u)", what, many);
	else
		snprintf(text, size, "%s", one);
}

static void describe_ports(const struct sen_alert *al, char *text, size_t size)
{
	size_t at = 0;

	text[0] = 0;
	for (unsigned int i = 0; i < al->ports && at < size; i++)
		at += snprintf(text + at, size - at, "%s%u", i ? "," : " port ",
			       al->example_ports[i]);
	if (al->ports == SEN_ALERT_PORTS && at < size)
		snprintf(text + at, size - at, ",...");
}

void sen_alert_line(const struct sen_alert *al, char *line, size_t size)
{
	char source[80], target[80], ports[80];

	describe("source", al->source, sen_alert_sources(al), source, sizeof(source));
	describe("target", al->target, sen_alert_targets(al), target, sizeof(target));
	describe_ports(al, ports, sizeof(ports));
	snprintf(line, size, "%s from %s to %s%s, %llu samples, score %.1f: %s", al->class_name,
		 source, target, ports, (unsigned long long)al->events,
		 (double)al->score_max / SEN_ONE, al->reason);
}
