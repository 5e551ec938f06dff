// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flowtable_internal.h"

#define NEAR_S 2.0 /* as the KDD tables count */
#define LAST   100

struct reader {
	const struct sen_table_row *row;
	bool has_gaps;
	const char *bad;
};

/* Zeek and spreadsheets have words for what is not there. */
static bool is_unset(const char *text)
{
	static const char *const words[] = { "", "-", "?", "(empty)" };

	for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return !text;
}

static double number(struct reader *r, enum sen_table_field field)
{
	const char *text = r->row->text[field];
	double value;
	char *end;

	if (is_unset(text))
		return 0;
	value = strtod(text, &end);
	if (*end || end == text || (!r->has_gaps && !(isfinite(value) && value >= 0))) {
		r->bad = text;
		return 0;
	}
	return isfinite(value) && value > 0 ? value : 0;
}

static uint16_t lg(double value)
{
	return sen_lg(value < UINT32_MAX ? (uint32_t)(value + 0.5) : UINT32_MAX);
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; text && *words; words++)
		if (!strcasecmp(text, *words))
			return true;
	return false;
}

/* States by Zeek's names, which KDD's are an early form of; else what the packets tell. */
static bool has_failed(const struct sen_table_row *row, double src_packets, double dst_packets)
{
	static const char *const states[] = { "S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR", NULL };

	if (row->text[FIELD_STATE])
		return is_one_of(row->text[FIELD_STATE], states);
	return src_packets > 0 && dst_packets == 0;
}

static bool was_reset(const struct sen_table_row *row, double resets)
{
	static const char *const states[] = { "REJ", "RSTO", "RSTR", "RSTOS0", "RSTRH", NULL };

	return is_one_of(row->text[FIELD_STATE], states) || resets > 0;
}

uint64_t sen_table_hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (; text && *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ull;
	return h;
}

static uint64_t service_of(const struct sen_table_row *row)
{
	return sen_table_hash(row->text[FIELD_PORT]) * 31 + sen_table_hash(row->text[FIELD_PROTO]);
}

/* The same counts that KDD's rows bring along, this flow included. */
static void count_window(struct sen_table_window *w, struct reader *r, bool failed,
			 struct sen_vector *x)
{
	unsigned int host = 0, service = 0, refused = 0, other = 0, last[3] = { 0 };
	double now = number(r, FIELD_TIME);
	size_t at = w->n++ % SEN_TABLE_RECENT,
	       kept = w->n < SEN_TABLE_RECENT ? w->n : SEN_TABLE_RECENT;
	uint64_t to = sen_table_hash(r->row->text[FIELD_DST]), port = service_of(r->row);

	w->recent[at].time = now;
	w->recent[at].host = to;
	w->recent[at].service = port;
	w->recent[at].failed = failed;
	for (size_t back = 0; back < kept; back++) {
		size_t i = (w->n - 1 - back) % SEN_TABLE_RECENT;
		bool near = fabs(now - w->recent[i].time) <= NEAR_S;
		bool same = w->recent[i].service == port, here = w->recent[i].host == to;

		host += near && here;
		service += near && same;
		refused += near && here && w->recent[i].failed;
		other += near && here && !same;
		last[0] += back < LAST && here;
		last[1] += back < LAST && here && same;
		last[2] += back < LAST && here && w->recent[i].failed;
	}
	x->v[SEN_TABLE_HOST_FLOWS] = sen_lg(host);
	x->v[SEN_TABLE_SERVICE_FLOWS] = sen_lg(service);
	x->v[SEN_TABLE_HOST_FAILED] = sen_lg(refused);
	x->v[SEN_TABLE_HOST_OTHER] = sen_lg(other);
	x->v[SEN_TABLE_LAST_HOST] = sen_lg(last[0]);
	x->v[SEN_TABLE_LAST_SERVICE] = sen_lg(last[1]);
	x->v[SEN_TABLE_LAST_FAILED] = sen_lg(last[2]);
}

static void take_counts(struct reader *r, struct sen_vector *x)
{
	double host = number(r, FIELD_HOST_FLOWS), last = number(r, FIELD_LAST_HOST);

	x->v[SEN_TABLE_HOST_FLOWS] = lg(host);
	x->v[SEN_TABLE_SERVICE_FLOWS] = lg(number(r, FIELD_SERVICE_FLOWS));
	x->v[SEN_TABLE_HOST_FAILED] = lg(host * (number(r, FIELD_HOST_UNANSWERED_RATE) +
						 number(r, FIELD_HOST_REFUSED_RATE)));
	x->v[SEN_TABLE_HOST_OTHER] = lg(host * number(r, FIELD_HOST_OTHER_RATE));
	x->v[SEN_TABLE_LAST_HOST] = lg(last);
	x->v[SEN_TABLE_LAST_SERVICE] = lg(number(r, FIELD_LAST_SERVICE));
	x->v[SEN_TABLE_LAST_FAILED] = lg(last * (number(r, FIELD_LAST_UNANSWERED_RATE) +
						 number(r, FIELD_LAST_REFUSED_RATE)));
}

int sen_table_map(const struct sen_table_row *row, double ms, bool has_gaps,
		  struct sen_table_window *window, struct sen_vector *out, const char **bad)
{
	static const char *const tcp[] = { "tcp", "6", "6.0", NULL };
	struct reader r = { .row = row, .has_gaps = has_gaps };
	double packets[2] = { number(&r, FIELD_SRC_PACKETS), number(&r, FIELD_DST_PACKETS) };
	bool failed = has_failed(row, packets[0], packets[1]);

	memset(out, 0, sizeof(*out));
	out->v[SEN_TABLE_DURATION] = lg(ms * number(&r, FIELD_DURATION));
	out->v[SEN_TABLE_SRC_PACKETS] = lg(packets[0]);
	out->v[SEN_TABLE_DST_PACKETS] = lg(packets[1]);
	out->v[SEN_TABLE_SRC_BYTES] = lg(number(&r, FIELD_SRC_BYTES));
	out->v[SEN_TABLE_DST_BYTES] = lg(number(&r, FIELD_DST_BYTES));
	out->v[SEN_TABLE_PAUSE] = lg(ms * number(&r, FIELD_PAUSE));
	out->v[SEN_TABLE_IS_TCP] = is_one_of(row->text[FIELD_PROTO], tcp) ? SEN_LG_YES : 0;
	out->v[SEN_TABLE_FAILED] = failed ? SEN_LG_YES : 0;
	out->v[SEN_TABLE_RESET] = was_reset(row, number(&r, FIELD_RESETS)) ? SEN_LG_YES : 0;
	if (window)
		count_window(window, &r, failed, out);
	else
		take_counts(&r, out);
	*bad = r.bad;
	return r.bad ? -EINVAL : 0;
}

enum sen_label sen_table_label(const struct sen_table_row *row, const char **class_name)
{
	static const char *const benign[] = { "normal", "benign", "0", NULL };
	static const char *const none[] = { "unknown", "no label", "background", NULL };
	const char *label = row->text[FIELD_LABEL], *name = row->text[FIELD_CLASS];

	if (is_unset(label) || is_one_of(label, none))
		return SEN_LABEL_NONE;
	if (is_one_of(label, benign))
		return SEN_LABEL_BENIGN;
	*class_name = is_unset(name) ? label : name;
	return SEN_LABEL_ATTACK;
}
