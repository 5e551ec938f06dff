// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"
#include "samplelog.h"

#define FIELDS_MAX 64

enum column {
	LABEL,
	BY,
	SRC,
	DST,
	SPORT,
	DPORT,
	PROTO,
	OTHERS
};

static const char *const other_names[OTHERS] = { "label", "by",    "src",  "dst",
						 "sport", "dport", "proto" };

#define FEATURE_NAME(id, name, help) name,
static const char *const feature_names[SEN_MEASURES] = { SEN_FEATURES(FEATURE_NAME)
								 SEN_CIRCUMSTANCES(FEATURE_NAME) };

struct log {
	const char *path;
	const struct sen_class_names *names;
	unsigned long line;
	struct sen_why *why;
	int feature[SEN_MEASURES], other[OTHERS]; /* their columns, -1: not there */
};

int sen_csv_split(char *line, char **field, int most)
{
	char *from = line, *to;
	int n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (n < most) {
		bool quoted = *from == '"';

		field[n++] = to = from;
		from += quoted;
		while (*from && (quoted || *from != ',')) {
			if (quoted && *from == '"' && *++from != '"') {
				quoted = false;
				continue;
			}
			*to++ = *from++;
		}
		if (!*from) {
			*to = '\0';
			break;
		}
		from++;
		*to = '\0';
	}
	return n;
}

static int column_of(char *const *field, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(field[i], name))
			return i;
	return -1;
}

static int bad(const struct log *l, const char *what, const char *text)
{
	return sen_why(l->why, -EINVAL, NULL, "samples: %s:%lu: %s: '%.40s'", l->path, l->line,
		       what, text);
}

static int read_header(struct log *l, char *const *field, int n)
{
	for (int i = 0; i < OTHERS; i++)
		l->other[i] = column_of(field, n, other_names[i]);
	for (int i = 0; i < SEN_MEASURES; i++) {
		l->feature[i] = column_of(field, n, feature_names[i]);
		if (l->feature[i] < 0)
			return bad(l, "no column of this feature", feature_names[i]);
	}
	return 0;
}

static int read_number(const struct log *l, const char *text, unsigned long most,
		       unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	return *end || end == text || *out > most ? bad(l, "not a number in range", text) : 0;
}

/* IPv4 and IPv6; of anything else, such as a MAC, nothing. */
static void read_address(const char *text, __u8 addr[SEN_ADDR_BYTES])
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, text, addr + 12) == 1)
		memcpy(addr, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, text, addr) != 1)
		memset(addr, 0, SEN_ADDR_BYTES);
}

static int read_label(const struct log *l, const char *label, const char *by, struct sen_sample *x)
{
	unsigned int kind, class_id;

	/* What a score said elsewhere means nothing here. */
	for (unsigned int i = SEN_ORIGIN_RULE; i <= SEN_ORIGIN_UPLOAD; i++)
		if (!strcmp(by, sen_origin_name(i)))
			x->origin = SEN_ORIGIN_UPLOAD;
	if (!x->origin)
		return 0;
	if (sen_label_parse(label, l->names, &kind, &class_id))
		return bad(l, "not a label, nor a class of the model in force", label);
	if (class_id >= SEN_CLASS_CUSTOM &&
	    !(l->names && *l->names->own[class_id - SEN_CLASS_CUSTOM]))
		class_id = SEN_CLASS_UNKNOWN;
	x->label = (uint8_t)kind;
	x->class_id = (uint8_t)class_id;
	return 0;
}

static int read_record(const struct log *l, char *const *field, int n, struct sen_record *r)
{
	static const unsigned long most[OTHERS] = {
		[SPORT] = 65535, [DPORT] = 65535, [PROTO] = 255
	};
	unsigned long value, number[OTHERS] = { 0 };
	const char *text[OTHERS];
	int err;

	memset(r, 0, sizeof(*r));
	for (int i = 0; i < SEN_MEASURES; i++) {
		if (l->feature[i] >= n)
			return bad(l, "too few fields", field[0]);
		err = read_number(l, field[l->feature[i]], SEN_LG_MAX, &value);
		if (err)
			return err;
		r->sample.vector.v[i] = (__u16)value;
	}
	for (int i = 0; i < OTHERS; i++) {
		text[i] = l->other[i] >= 0 && l->other[i] < n ? field[l->other[i]] : "";
		err = most[i] && *text[i] ? read_number(l, text[i], most[i], &number[i]) : 0;
		if (err)
			return err;
	}
	read_address(text[SRC], r->src);
	read_address(text[DST], r->dst);
	r->sport = (uint16_t)number[SPORT];
	r->dport = (uint16_t)number[DPORT];
	r->proto = (uint8_t)number[PROTO];
	return *text[LABEL] ? read_label(l, text[LABEL], text[BY], &r->sample) : 0;
}

bool sen_samplelog_is(const char *path)
{
	char line[4096], *field[FIELDS_MAX] = { NULL };
	FILE *in = fopen(path, "re");
	bool is = in && fgets(line, sizeof(line), in) &&
		  column_of(field, sen_csv_split(line, field, FIELDS_MAX), feature_names[0]) >= 0;

	if (in)
		fclose(in);
	return is;
}

int sen_samplelog_read(const char *path, const struct sen_class_names *names,
		       int (*fn)(void *ctx, const struct sen_record *record), void *ctx,
		       struct sen_why *why)
{
	struct log l = { .path = path, .names = names, .why = why };
	char *line = NULL, *field[FIELDS_MAX] = { NULL };
	FILE *in = fopen(path, "re");
	struct sen_record r;
	size_t room = 0;
	int err = 0, n;

	if (!in)
		return sen_why(why, -errno, NULL, "samples: %s: %s", path, strerror(errno));
	while (!err && getline(&line, &room, in) >= 0) {
		l.line++;
		n = sen_csv_split(line, field, FIELDS_MAX);
		if (l.line == 1) {
			err = read_header(&l, field, n);
			continue;
		}
		err = read_record(&l, field, n, &r);
		if (!err)
			err = fn(ctx, &r);
	}
	free(line);
	fclose(in);
	return err;
}
