/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by flowtable.c (files, formats, rows) and flowtable_map.c (from a row to a vector). */
#ifndef SENTROID_FLOWTABLE_INTERNAL_H
#define SENTROID_FLOWTABLE_INTERNAL_H

#include "flowtable.h"

/* What a row may tell, in the units of its table. */
enum sen_table_field {
	FIELD_TIME, /* s */
	FIELD_SRC,
	FIELD_DST,
	FIELD_PORT,
	FIELD_PROTO,
	FIELD_SERVICE,
	FIELD_DURATION,
	FIELD_SRC_PACKETS,
	FIELD_DST_PACKETS,
	FIELD_SRC_BYTES,
	FIELD_DST_BYTES,
	FIELD_PAUSE,
	FIELD_STATE,
	FIELD_RESETS,
	FIELD_HOST_FLOWS,
	FIELD_SERVICE_FLOWS,
	FIELD_HOST_UNANSWERED_RATE,
	FIELD_HOST_REFUSED_RATE,
	FIELD_HOST_OTHER_RATE,
	FIELD_LAST_HOST,
	FIELD_LAST_SERVICE,
	FIELD_LAST_UNANSWERED_RATE,
	FIELD_LAST_REFUSED_RATE,
	FIELD_LABEL,
	FIELD_CLASS,
	FIELD_COUNT
};

struct sen_table_row {
	const char *text[FIELD_COUNT]; /* NULL: not there */
};

/* Flows that are near in time or order, for tables that do not count them themselves. */
#define SEN_TABLE_RECENT 1024

struct sen_table_window {
	struct {
		double time;
		uint64_t host, service;
		bool failed;
	} recent[SEN_TABLE_RECENT];
	size_t n; /* ever seen */
};

/* Numbers of a row as a vector. `ms` is a unit of its durations in milliseconds; `has_gaps`: numbers
 * below 0, not finite or none stand for what was not measured. `window` is NULL where the table counts itself,
 * or not at all. -EINVAL and the field's text at *bad where a number is none. */
int sen_table_map(const struct sen_table_row *row, double ms, bool has_gaps,
		  struct sen_table_window *window, struct sen_vector *out, const char **bad);
/* Benign, attack, or none of these where the row has no label; *class_name is what an attack is called. */
enum sen_label sen_table_label(const struct sen_table_row *row, const char **class_name);
uint64_t sen_table_hash(const char *text);

#endif
