/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of flows made by others: NSL-KDD, CICFlowMeter (CIC-IDS2017) and Zeek's conn.log, as TSV or JSON.
 * docs/flow-tables.md has the mapping. What they hold is not what the packet path measures, so models of
 * tables are kept apart from those of packets.
 */
#ifndef SENTROID_FLOWTABLE_H
#define SENTROID_FLOWTABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "sample.h"
#include "sentroid/feature.h"
#include "why.h"

#define SEN_TABLE_VERSION "flow-table-1"

/* The dimensions of a vector, each by sen_lg(); 0 where a table does not have it. */
#define SEN_TABLE_COLUMNS(X)                         \
	X(DURATION, "duration_ms")                   \
	X(SRC_PACKETS, "src_packets")                \
	X(DST_PACKETS, "dst_packets")                \
	X(SRC_BYTES, "src_bytes")                    \
	X(DST_BYTES, "dst_bytes")                    \
	X(PAUSE, "longest_pause_ms")                 \
	X(IS_TCP, "is_tcp")                          \
	X(FAILED, "failed")                          \
	X(RESET, "reset")                            \
	X(HOST_FLOWS, "host_flows_2s")               \
	X(SERVICE_FLOWS, "service_flows_2s")         \
	X(HOST_FAILED, "host_failed_2s")             \
	X(HOST_OTHER, "host_other_services_2s")      \
	X(LAST_HOST, "host_flows_of_last_100")       \
	X(LAST_SERVICE, "service_flows_of_last_100") \
	X(LAST_FAILED, "host_failed_of_last_100")

#define SEN_ENUM_COLUMN(id, name) SEN_TABLE_##id,
enum sen_table_column {
	SEN_TABLE_COLUMNS(SEN_ENUM_COLUMN) SEN_TABLE_COLUMN_COUNT
};
_Static_assert(SEN_TABLE_COLUMN_COUNT <= SEN_DIMS, "a column a dimension");

#define SEN_TABLE_CLASSES 255

struct sen_flowtable {
	const char *format; /* "NSL-KDD", "CICFlowMeter", "Zeek conn.log" */
	/* A row each: label, and class_id as an index into `classes`; `flow` tells rows apart, `source` hosts
	 * where the table names them. */
	struct sen_sample *rows;
	size_t n, room;
	char *classes[SEN_TABLE_CLASSES]; /* of attacks, as the table calls them */
	unsigned int n_classes;
};

/* Read a table, packed or not, and find out what it is. -EINVAL: none of these, or a row that does not
 * fit its header; `why` names file and line. Free with sen_flowtable_free(). */
int sen_flowtable_read(const char *path, struct sen_flowtable **out, struct sen_why *why);
/* What a file is by its first lines: "Zeek conn.log", ..., NULL: none of these, or not readable. */
const char *sen_flowtable_format(const char *path);
void sen_flowtable_free(struct sen_flowtable *t);

#endif
