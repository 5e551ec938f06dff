// SPDX-License-Identifier: BSD-2-Clause
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "alerts_command.h"
#include "command.h"

#define SHOWN_PORTS 4
#define CELL        160

static const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

/* A number where it is one. */
static double number(const cJSON *o, const char *key)
{
	return cJSON_IsNumber(member(o, key)) ? member(o, key)->valuedouble : 0;
}

/* As a cell of a table; what is in a file may be anything. */
static void text_cell(const cJSON *o, const char *key, char cell[CELL])
{
	const char *text = cJSON_GetStringValue(member(o, key));

	snprintf(cell, CELL, "%s", text ? text : "");
	for (; *cell; cell++)
		if (iscntrl((unsigned char)*cell))
			*cell = '?';
}

/* "10.0.0.1", or "about 40 sources". */
static void hosts_cell(const cJSON *o, const char *key, const char *many, char cell[CELL])
{
	text_cell(o, key, cell);
	if (!*cell)
		snprintf(cell, CELL, "%.0f %s", number(o, many), many);
}

static void ports_cell(const cJSON *o, char cell[CELL])
{
	const cJSON *port;
	int at = 0, n = 0;

	snprintf(cell, CELL, "-");
	cJSON_ArrayForEach(port, member(o, "ports")) {
		if (n++ == SHOWN_PORTS) {
			snprintf(cell + at, CELL - at, ",...");
			return;
		}
		at += snprintf(cell + at, CELL - at, "%s%d", at ? "," : "", port->valueint);
	}
}

static void table_alert(struct alerts_view *v, const struct sen_alert_record *r, const cJSON *o)
{
	char class[CELL], source[CELL], target[CELL], ports[CELL], reason[CELL], first[CELL];

	text_cell(o, "first", first);
	text_cell(o, "class", class);
	text_cell(o, "reason", reason);
	hosts_cell(o, "source", "sources", source);
	hosts_cell(o, "target", "targets", target);
	ports_cell(o, ports);
	table_row(&v->table, "%.19s%s\t%s\t%s%s\t%s%s%s\t%s\t%s\t%.0f\t%.1f\t%s", first,
		  first[0] ? "Z" : "", sen_alert_state_word(r->state), class,
		  cJSON_IsTrue(member(o, "certain")) ? "!" : "", v->interfaces ? r->interface : "",
		  v->interfaces ? "\t" : "", source, target, ports, number(o, "events"),
		  number(o, "score"), reason);
}

static void json_alert(const struct alerts_view *v, const cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);

	if (!text)
		errx(EXIT_FAILED, "printing alerts: out of memory");
	printf("%s%s%s", v->form == ALERTS_JSON && v->shown ? "," : "", text,
	       v->form == ALERTS_LINES ? "\n" : "");
	cJSON_free(text);
}

void alerts_begin(struct alerts_view *v)
{
	v->table.indent = "";
	v->table.align = v->interfaces ? "<<<<<<<>><" : "<<<<<<>><";
	if (v->form == ALERTS_JSON)
		fputs("{\"alerts\":[", stdout);
	else if (v->form == ALERTS_TABLE)
		table_row(&v->table,
			  "TIME\tSTATE\tCLASS\t%sSOURCE\tTARGET\tPORTS\tEVENTS\tSCORE\tREASON",
			  v->interfaces ? "INTERFACE\t" : "");
}

void alerts_show(struct alerts_view *v, const struct sen_alert_record *r)
{
	cJSON *o = sen_alert_record_json(r);

	if (v->form == ALERTS_TABLE)
		table_alert(v, r, o);
	else
		json_alert(v, o);
	cJSON_Delete(o);
	v->shown++;
}

void alerts_flush(struct alerts_view *v)
{
	if (v->form == ALERTS_TABLE)
		table_print(&v->table);
	fflush(stdout);
}

void alerts_end(struct alerts_view *v)
{
	if (v->form == ALERTS_JSON)
		puts("]}");
	else if (v->form == ALERTS_TABLE && !v->shown)
		puts("No alerts.");
	else
		alerts_flush(v);
}
