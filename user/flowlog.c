// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flowlog.h"

#define ADDR_TEXT 48

struct sen_flowlog {
	struct sen_flow_record *records;
	size_t n, room;
	unsigned int capacity;
	size_t at[]; /* record of each entry of the flow table */
};

struct sen_flowlog *sen_flowlog_new(unsigned int capacity)
{
	struct sen_flowlog *log = calloc(1, sizeof(*log) + capacity * sizeof(log->at[0]));

	if (!log)
		return NULL;
	log->capacity = capacity;
	for (unsigned int i = 0; i < capacity; i++)
		log->at[i] = SEN_NO_FLOW;
	return log;
}

void sen_flowlog_free(struct sen_flowlog *log)
{
	if (!log)
		return;
	free(log->records);
	free(log);
}

static int open_record(struct sen_flowlog *log, const struct sen_frame *frame,
		       const struct sen_offline_result *result)
{
	if (log->n == log->room) {
		size_t room = log->room ? 2 * log->room : 4096;
		struct sen_flow_record *grown = reallocarray(log->records, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		log->records = grown;
		log->room = room;
	}
	log->records[log->n] = (struct sen_flow_record){
		.key = result->entry->key,
		.first_ns = frame->time_ns,
		.from = result->side,
	};
	log->at[result->flow] = log->n++;
	return 0;
}

int sen_flowlog_add(struct sen_flowlog *log, const struct sen_frame *frame,
		    const struct sen_offline_result *result)
{
	const struct sen_flow *f = result->entry;
	struct sen_flow_record *r;
	int err = 0;

	if (!f || result->flow >= log->capacity)
		return 0;
	if (result->opened || log->at[result->flow] == SEN_NO_FLOW)
		err = open_record(log, frame, result);
	if (err)
		return err;
	r = &log->records[log->at[result->flow]];
	r->last_ns = frame->time_ns;
	r->packets++;
	r->bytes += frame->wire_len;
	if (f->evaluations != r->evaluations && f->score >= r->score) {
		r->score = f->score;
		r->class_id = f->class_id;
		r->reason = f->reason;
	}
	r->evaluations = f->evaluations;
	return 0;
}

size_t sen_flowlog_count(const struct sen_flowlog *log)
{
	return log->n;
}

size_t sen_flowlog_flagged(const struct sen_flowlog *log)
{
	size_t flagged = 0;

	for (size_t i = 0; i < log->n; i++)
		flagged += log->records[i].score >= SEN_ONE;
	return flagged;
}

const struct sen_flow_record *sen_flowlog_get(const struct sen_flowlog *log, size_t i)
{
	return &log->records[i];
}

size_t sen_flowlog_find(const struct sen_flowlog *log, const struct sen_offline_result *result)
{
	return result->entry && result->flow < log->capacity ? log->at[result->flow] : SEN_NO_FLOW;
}

static const char *reason_name(unsigned int reason)
{
#define NAME(id, name, help) name,
	static const char *const names[] = { SEN_REASONS(NAME) };
#undef NAME
	return reason < SEN_REASON_COUNT ? names[reason] : "";
}

/* The sender of ARP is a MAC, everything else an IP address. */
static void address_text(const struct sen_flow_key *key, int side, char text[ADDR_TEXT])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *a = key->addr[side];

	if (key->proto == SEN_PROTO_ARP && side == 0)
		snprintf(text, ADDR_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3],
			 a[4], a[5]);
	else if (!memcmp(a, mapped, sizeof(mapped)))
		inet_ntop(AF_INET, a + 12, text, ADDR_TEXT);
	else
		inet_ntop(AF_INET6, a, text, ADDR_TEXT);
}

static void write_record(const struct sen_flow_record *r, const struct sen_model *model, FILE *out)
{
	bool flagged = r->score >= SEN_ONE;
	char from[ADDR_TEXT], to[ADDR_TEXT];

	address_text(&r->key, r->from, from);
	address_text(&r->key, !r->from, to);
	fprintf(out, "%llu.%06llu,%llu.%06llu,%u,%s,%u,%s,%u,%llu,%llu,%.4f,%d,%s,%s\n",
		(unsigned long long)(r->first_ns / 1000000000),
		(unsigned long long)(r->first_ns % 1000000000 / 1000),
		(unsigned long long)(r->last_ns / 1000000000),
		(unsigned long long)(r->last_ns % 1000000000 / 1000), r->key.proto, from,
		r->key.port[r->from], to, r->key.port[!r->from], (unsigned long long)r->packets,
		(unsigned long long)r->bytes, r->score / 65536.0, flagged,
		flagged ? sen_class_name(model, r->class_id) : "", reason_name(r->reason));
}

void sen_flowlog_write(const struct sen_flowlog *log, const struct sen_model *model, FILE *out)
{
	fputs("first_ts,last_ts,proto,src,sport,dst,dport,packets,bytes,score,flagged,class,reason\n",
	      out);
	for (size_t i = 0; i < log->n; i++)
		write_record(&log->records[i], model, out);
}
