// SPDX-License-Identifier: BSD-2-Clause
#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flowtable_internal.h"
#include "stream.h"

#define FIELDS_MAX  256
#define ALIASES_MAX 3
#define NUMBER_TEXT 32

struct format {
	const char *name;
	double ms;     /* a unit of its durations */
	bool counts;   /* near flows are to be counted for it */
	bool has_gaps; /* numbers that cannot be stand for what it did not measure */
	/* The columns that it is known by, and those it may have. */
	const char *alias[FIELD_COUNT][ALIASES_MAX];
};

static const struct format cic = {
	.name = "CICFlowMeter",
	.ms = 0.001,
	.has_gaps = true,
	.alias = {
		[FIELD_SRC] = { "Source IP", "Src IP" },
		[FIELD_DST] = { "Destination IP", "Dst IP" },
		[FIELD_PROTO] = { "Protocol" },
		[FIELD_DURATION] = { "Flow Duration" },
		[FIELD_SRC_PACKETS] = { "Total Fwd Packets", "Tot Fwd Pkts", "Total Fwd Packet" },
		[FIELD_DST_PACKETS] = { "Total Backward Packets", "Tot Bwd Pkts",
					"Total Bwd packets" },
		[FIELD_SRC_BYTES] = { "Total Length of Fwd Packets", "TotLen Fwd Pkts",
				      "Total Length of Fwd Packet" },
		[FIELD_DST_BYTES] = { "Total Length of Bwd Packets", "TotLen Bwd Pkts",
				      "Total Length of Bwd Packet" },
		[FIELD_PAUSE] = { "Flow IAT Max" },
		[FIELD_RESETS] = { "RST Flag Count", "RST Flag Cnt" },
		[FIELD_LABEL] = { "Label" },
	},
};

static const struct format zeek = {
	.name = "Zeek conn.log",
	.ms = 1000,
	.counts = true,
	.alias = {
		[FIELD_TIME] = { "ts" },
		[FIELD_SRC] = { "id.orig_h" },
		[FIELD_DST] = { "id.resp_h" },
		[FIELD_PORT] = { "id.resp_p" },
		[FIELD_PROTO] = { "proto" },
		[FIELD_DURATION] = { "duration" },
		[FIELD_SRC_PACKETS] = { "orig_pkts" },
		[FIELD_DST_PACKETS] = { "resp_pkts" },
		[FIELD_SRC_BYTES] = { "orig_bytes" },
		[FIELD_DST_BYTES] = { "resp_bytes" },
		[FIELD_STATE] = { "conn_state" },
		[FIELD_LABEL] = { "label" },
		[FIELD_CLASS] = { "detailedlabel", "detailed-label" },
	},
};

/* No header: columns are known by their place (Tavallaee et al. 2009). */
#define KDD_FIELDS 42
static const struct format kdd = { .name = "NSL-KDD", .ms = 1000 };
static const int kdd_column[FIELD_COUNT] = {
	[FIELD_TIME] = -1,
	[FIELD_SRC] = -1,
	[FIELD_DST] = -1,
	[FIELD_PORT] = -1,
	[FIELD_PROTO] = 1,
	[FIELD_SERVICE] = 2,
	[FIELD_DURATION] = 0,
	[FIELD_SRC_PACKETS] = -1,
	[FIELD_DST_PACKETS] = -1,
	[FIELD_SRC_BYTES] = 4,
	[FIELD_DST_BYTES] = 5,
	[FIELD_PAUSE] = -1,
	[FIELD_STATE] = 3,
	[FIELD_RESETS] = -1,
	[FIELD_HOST_FLOWS] = 22,
	[FIELD_SERVICE_FLOWS] = 23,
	[FIELD_HOST_UNANSWERED_RATE] = 24,
	[FIELD_HOST_REFUSED_RATE] = 26,
	[FIELD_HOST_OTHER_RATE] = 29,
	[FIELD_LAST_HOST] = 31,
	[FIELD_LAST_SERVICE] = 32,
	[FIELD_LAST_UNANSWERED_RATE] = 37,
	[FIELD_LAST_REFUSED_RATE] = 39,
	[FIELD_LABEL] = 41,
	[FIELD_CLASS] = -1,
};

struct reader {
	struct sen_flowtable *table;
	const char *path;
	struct sen_why *why;
	unsigned long long line;
	const struct format *format; /* NULL: not known yet */
	bool json;
	char separator;
	int fields;              /* in a row */
	int column[FIELD_COUNT]; /* -1: not there */
	struct sen_table_window window;
};

static int refuse(const struct reader *r, const char *what)
{
	return sen_why(r->why, -EINVAL, NULL, "reading flow table: %s: line %llu: %s", r->path,
		       r->line, what);
}

/* Cut a line into its fields, spaces around them dropped. Their number. */
static int split(char *line, char separator, char *field[FIELDS_MAX])
{
	int n = 0;

	while (n < FIELDS_MAX) {
		char *end = strchr(line, separator), *last;

		if (end)
			*end = '\0';
		while (*line == ' ')
			line++;
		field[n++] = line;
		for (last = line + strlen(line); last > line && last[-1] == ' ';)
			*--last = '\0';
		if (!end)
			break;
		line = end + 1;
	}
	return n;
}

static void find_columns(struct reader *r, const struct format *format, char *const *field, int n)
{
	r->format = format;
	r->fields = n;
	for (int f = 0; f < FIELD_COUNT; f++) {
		r->column[f] = -1;
		for (int a = 0; a < ALIASES_MAX && format->alias[f][a]; a++)
			for (int c = 0; c < n && r->column[f] < 0; c++)
				if (!strcasecmp(field[c], format->alias[f][a]))
					r->column[f] = c;
	}
}

static int check_columns(const struct reader *r)
{
	static const enum sen_table_field needed[] = { FIELD_DURATION, FIELD_SRC_PACKETS,
						       FIELD_DST_PACKETS };
	char text[96];

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (r->column[needed[i]] >= 0)
			continue;
		snprintf(text, sizeof(text), "no column \"%s\"", r->format->alias[needed[i]][0]);
		return refuse(r, text);
	}
	return 0;
}

static bool is_kdd(char *const *field, int n)
{
	return (n == KDD_FIELDS || n == KDD_FIELDS + 1) &&
	       (!strcmp(field[1], "tcp") || !strcmp(field[1], "udp") || !strcmp(field[1], "icmp"));
}

/* From the first line that tells. 1: it was a header, 0: it is a row. */
static int recognise(struct reader *r, char *line)
{
	char *field[FIELDS_MAX];
	int n, err;

	if (*line == '{') {
		r->format = &zeek;
		r->json = true;
		return 0;
	}
	if (!strncmp(line, "#fields\t", 8)) {
		r->separator = '\t';
		n = split(line + 8, '\t', field);
		find_columns(r, &zeek, field, n);
		err = check_columns(r);
		return err ? err : 1;
	}
	if (*line == '#')
		return 1;
	r->separator = ',';
	line = strdup(line);
	if (!line)
		return sen_why(r->why, -ENOMEM, NULL, "reading flow table: out of memory");
	n = split(line, ',', field);
	err = 0;
	if (is_kdd(field, n)) {
		r->format = &kdd;
		r->fields = n;
		memcpy(r->column, kdd_column, sizeof(r->column));
	} else {
		find_columns(r, &cic, field, n);
		err = r->column[FIELD_DURATION] < 0 ?
			      refuse(r, "neither NSL-KDD nor CICFlowMeter nor Zeek's conn.log") :
			      check_columns(r);
		err = err ? err : 1;
	}
	free(line);
	return err;
}

static int class_index(struct reader *r, const char *name)
{
	struct sen_flowtable *t = r->table;

	for (unsigned int i = 0; i < t->n_classes; i++)
		if (!strcmp(t->classes[i], name))
			return (int)i;
	if (t->n_classes == SEN_TABLE_CLASSES)
		return refuse(r, "more than 255 classes");
	t->classes[t->n_classes] = strdup(name);
	if (!t->classes[t->n_classes])
		return sen_why(r->why, -ENOMEM, NULL, "reading flow table: out of memory");
	return (int)t->n_classes++;
}

static struct sen_sample *new_row(struct sen_flowtable *t)
{
	struct sen_sample *grown;

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 4096;
		grown = reallocarray(t->rows, t->room, sizeof(*grown));
		if (!grown) {
			t->room = t->n;
			return NULL;
		}
		t->rows = grown;
	}
	memset(&t->rows[t->n], 0, sizeof(*t->rows));
	return &t->rows[t->n++];
}

static int take_row(struct reader *r, const struct sen_table_row *row)
{
	struct sen_sample *s = new_row(r->table);
	const struct format *f = r->format;
	const char *class_name, *bad, *from = row->text[FIELD_SRC];
	char text[96];
	int id;

	if (!s)
		return sen_why(r->why, -ENOMEM, NULL, "reading flow table: out of memory");
	if (sen_table_map(row, f->ms, f->has_gaps, f->counts ? &r->window : NULL, &s->vector,
			  &bad)) {
		snprintf(text, sizeof(text), "\"%.40s\" is not a number from 0", bad);
		return refuse(r, text);
	}
	s->time_ns = s->flow = r->table->n;
	s->source = from ? sen_table_hash(from) : r->table->n;
	s->origin = SEN_ORIGIN_OPERATOR;
	s->label = sen_table_label(row, &class_name);
	if (s->label != SEN_LABEL_ATTACK)
		return 0;
	id = class_index(r, class_name);
	s->class_id = id < 0 ? 0 : id;
	return id < 0 ? id : 0;
}

static int text_row(struct reader *r, char *line)
{
	struct sen_table_row row = { 0 };
	char *field[FIELDS_MAX];

	if (*line == '#')
		return 0;
	if (split(line, r->separator, field) != r->fields)
		return refuse(r, "another number of fields than before");
	for (int f = 0; f < FIELD_COUNT; f++)
		row.text[f] = r->column[f] < 0 ? NULL : field[r->column[f]];
	return take_row(r, &row);
}

static int json_row(struct reader *r, const char *line)
{
	char number[FIELD_COUNT][NUMBER_TEXT];
	struct sen_table_row row = { 0 };
	cJSON *object = cJSON_Parse(line);
	int err;

	if (!cJSON_IsObject(object)) {
		cJSON_Delete(object);
		return refuse(r, "not a JSON object");
	}
	for (int f = 0; f < FIELD_COUNT; f++) {
		const cJSON *item = NULL;

		for (int a = 0; !item && a < ALIASES_MAX && zeek.alias[f][a]; a++)
			item = cJSON_GetObjectItemCaseSensitive(object, zeek.alias[f][a]);
		if (!item)
			continue;
		if (cJSON_IsNumber(item)) {
			snprintf(number[f], NUMBER_TEXT, "%.9g", item->valuedouble);
			if (f == FIELD_TIME)
				snprintf(number[f], NUMBER_TEXT, "%.6f", item->valuedouble);
			row.text[f] = number[f];
		} else if (cJSON_IsString(item)) {
			row.text[f] = item->valuestring;
		}
	}
	err = take_row(r, &row);
	cJSON_Delete(object);
	return err;
}

static int take_line(struct reader *r, char *line)
{
	int header = 0;

	line[strcspn(line, "\r\n")] = '\0';
	if (!*line)
		return 0;
	/* The mark that some spreadsheets put before the first name. */
	if (r->line == 1 && !strncmp(line, "\xef\xbb\xbf", 3))
		line += 3;
	if (!r->format)
		header = recognise(r, line);
	if (header)
		return header < 0 ? header : 0;
	return r->json ? json_row(r, line) : text_row(r, line);
}

static int read_lines(struct reader *r)
{
	struct sen_stream *stream;
	char *line = NULL;
	size_t room = 0;
	FILE *in;
	int err = sen_stream_open(r->path, &in, &stream, r->why);

	if (err)
		return err;
	while (!err && getline(&line, &room, in) >= 0) {
		r->line++;
		err = take_line(r, line);
	}
	if (!err && ferror(in))
		err = refuse(r, sen_stream_fault(stream) ? sen_stream_fault(stream) :
							   "cannot be read on");
	if (!err && !r->table->n)
		err = refuse(r, "no flows");
	free(line);
	fclose(in);
	return err;
}

/* Objects are taken for Zeek's where nothing else can be meant; here something else can. */
static bool is_flow_line(const struct reader *r, const char *line)
{
	return r->format && (!r->json || (strstr(line, "id.orig_h") && strstr(line, "orig_pkts")));
}

const char *sen_flowtable_format(const char *path)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct sen_stream *stream;
	const char *name = NULL;
	char *line = NULL;
	size_t room = 0;
	FILE *in = NULL;
	int more = 1;

	if (r && !sen_stream_open(path, &in, &stream, NULL)) {
		while (more > 0 && !r->format && getline(&line, &room, in) >= 0) {
			line[strcspn(line, "\r\n")] = '\0';
			more = *line ? recognise(r, line) : 1;
		}
		name = more >= 0 && is_flow_line(r, line) ? r->format->name : NULL;
		fclose(in);
	}
	free(line);
	free(r);
	return name;
}

int sen_flowtable_read(const char *path, struct sen_flowtable **out, struct sen_why *why)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct sen_flowtable *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	if (r && t) {
		r->table = t;
		r->path = path;
		r->why = why;
		err = read_lines(r);
		t->format = r->format ? r->format->name : "";
	} else {
		sen_why(why, err, NULL, "reading flow table: out of memory");
	}
	free(r);
	if (err)
		sen_flowtable_free(t);
	else
		*out = t;
	return err;
}

void sen_flowtable_free(struct sen_flowtable *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; i < t->n_classes; i++)
		free(t->classes[i]);
	free(t->rows);
	free(t);
}
