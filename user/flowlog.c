// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowlog.h"
#include "naming.h"
#include "rules.h"

#define FIRST_BUCKETS 16384
#define IDLE_TICKS    (60 * SEN_TICKS_PER_SEC) /* a longer silence ends a flow, as in bpf/flow.bpf.h */

/* The latest record of a key. */
struct bucket {
	uint32_t index; /* 1 + that of the record, 0: free */
	uint32_t tag;   /* more bits of the hash: most misses are told without the record */
};

struct sen_flowlog {
	struct sen_flow_record *records;
	size_t n, room;
	struct bucket *buckets;
	size_t mask; /* a power of two less one; at most half of them are in use */
};

struct sen_flowlog *sen_flowlog_new(void)
{
	struct sen_flowlog *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->mask = FIRST_BUCKETS - 1;
	log->buckets = calloc(FIRST_BUCKETS, sizeof(*log->buckets));
	if (log->buckets)
		return log;
	free(log);
	return NULL;
}

void sen_flowlog_free(struct sen_flowlog *log)
{
	if (!log)
		return;
	free(log->records);
	free(log->buckets);
	free(log);
}

static uint64_t hash_key(const struct sen_flow_key *key)
{
	uint64_t words[sizeof(*key) / 8], h = 0;

	memcpy(words, key, sizeof(*key));
	for (size_t i = 0; i < sizeof(*key) / 8; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	return h;
}

/* The bucket of a key, or the free one where it would go. */
static struct bucket *find(const struct sen_flowlog *log, const struct sen_flow_key *key,
			   uint64_t h)
{
	for (size_t i = h & log->mask;; i = (i + 1) & log->mask) {
		struct bucket *b = &log->buckets[i];

		if (!b->index)
			return b;
		if (b->tag == (uint32_t)(h >> 32) &&
		    !memcmp(&log->records[b->index - 1].key, key, sizeof(*key)))
			return b;
	}
}

/* All records are of one key or another, so those of the buckets in use are the only ones to move. */
static int grow_buckets(struct sen_flowlog *log)
{
	struct bucket *old = log->buckets;
	size_t n = log->mask + 1;

	log->buckets = calloc(2 * n, sizeof(*log->buckets));
	if (!log->buckets) {
		log->buckets = old;
		return -ENOMEM;
	}
	log->mask = 2 * n - 1;
	for (size_t i = 0; i < n; i++) {
		const struct sen_flow_key *key;

		if (!old[i].index)
			continue;
		key = &log->records[old[i].index - 1].key;
		*find(log, key, hash_key(key)) = old[i];
	}
	free(old);
	return 0;
}

static int grow_records(struct sen_flowlog *log)
{
	size_t room = log->room ? 2 * log->room : FIRST_BUCKETS / 2;
	struct sen_flow_record *grown = reallocarray(log->records, room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	log->records = grown;
	log->room = room;
	return 0;
}

/* Both grow together: there are never more keys than records. */
static int make_room(struct sen_flowlog *log)
{
	int err = log->n == log->room ? grow_records(log) : 0;

	return !err && 2 * log->n > log->mask ? grow_buckets(log) : err;
}

/* An entry may have been made anew only because the flow had lost its first one. */
static bool is_over(const struct sen_flow_record *r, const struct sen_frame *frame,
		    const struct sen_replay_result *result)
{
	if ((frame->clock_ns >> SEN_TICK_SHIFT) - (r->last_clock >> SEN_TICK_SHIFT) > IDLE_TICKS)
		return true;
	return result->opened && r->flow_flags & SEN_FLOW_CLOSED;
}

static struct sen_flow_record *record_of(struct sen_flowlog *log, const struct sen_frame *frame,
					 const struct sen_replay_result *result)
{
	uint64_t h = hash_key(&result->key);
	struct bucket *b = find(log, &result->key, h);

	if (b->index && !is_over(&log->records[b->index - 1], frame, result))
		return &log->records[b->index - 1];
	log->records[log->n] = (struct sen_flow_record){
		.key = result->key,
		.first_ns = frame->time_ns,
		.last_ns = frame->time_ns,
		.first_clock = frame->clock_ns,
		.from = result->side,
	};
	b->tag = h >> 32;
	b->index = ++log->n;
	return &log->records[log->n - 1];
}

int sen_flowlog_add(struct sen_flowlog *log, const struct sen_frame *frame,
		    const struct sen_replay_result *result, size_t *index)
{
	struct sen_flow_record *r;
	int err;

	if (index)
		*index = SEN_NO_FLOW;
	if (!result->parsed)
		return 0;
	err = make_room(log);
	if (err)
		return err;
	r = record_of(log, frame, result);
	/* Packets are shuffled by a little, and stamps go back: no flow ends before it begins. */
	if (frame->time_ns > r->last_ns)
		r->last_ns = frame->time_ns;
	r->last_clock = frame->clock_ns;
	r->packets++;
	r->bytes += frame->wire_len;
	r->dropped += result->dropped;
	r->evaluations += result->evaluated;
	r->flow_flags = result->flow_flags;
	if (result->score >= r->score) {
		r->score = result->score;
		r->class_id = result->class_id;
		r->reason = result->reason;
	}
	if (index)
		*index = r - log->records;
	return 0;
}

void sen_flowlog_name(struct sen_flowlog *log, const struct sen_event *event)
{
	struct sen_name name = sen_name_of(event, sen_rules_classify(event, NULL, 0));
	struct sen_flow_record *r;
	const struct bucket *b;

	if (!name.class_id)
		return;
	b = find(log, &event->key, hash_key(&event->key));
	/* A flow that ended within the batch goes unnamed rather than its successor wrongly named. */
	if (!b->index || log->records[b->index - 1].first_clock > event->time_ns)
		return;
	r = &log->records[b->index - 1];
	if (name.ground < r->ground && r->ground >= SEN_GROUND_SIGNS)
		return;
	r->name = name.class_id;
	r->ground = name.ground;
}

size_t sen_flowlog_count(const struct sen_flowlog *log)
{
	return log->n;
}

const struct sen_flow_record *sen_flowlog_get(const struct sen_flowlog *log, size_t index)
{
	return index < log->n ? &log->records[index] : NULL;
}

bool sen_flow_flagged(const struct sen_flow_record *r)
{
	return r->score >= SEN_ONE;
}

unsigned int sen_flow_class(const struct sen_flow_record *r)
{
	if (!sen_flow_flagged(r))
		return SEN_CLASS_NONE;
	return r->name ? r->name : r->class_id;
}

static char *octet_text(char *at, unsigned int value)
{
	if (value >= 100)
		*at++ = '0' + value / 100;
	if (value >= 10)
		*at++ = '0' + value / 10 % 10;
	*at++ = '0' + value % 10;
	return at;
}

static void ipv4_text(const uint8_t a[4], char text[SEN_FLOW_TEXT])
{
	for (int i = 0; i < 4; i++) {
		text = octet_text(text, a[i]);
		*text++ = i < 3 ? '.' : '\0';
	}
}

void sen_flow_address(const struct sen_flow_record *r, int end, char text[SEN_FLOW_TEXT])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	int side = end ? !r->from : r->from;
	const uint8_t *a = r->key.addr[side];

	if (r->key.proto == SEN_PROTO_ARP && side == 0)
		snprintf(text, SEN_FLOW_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2],
			 a[3], a[4], a[5]);
	else if (!memcmp(a, mapped, sizeof(mapped)))
		ipv4_text(a + sizeof(mapped), text);
	else
		inet_ntop(AF_INET6, a, text, SEN_FLOW_TEXT);
}

static const char *reason_name(unsigned int reason)
{
#define NAME(id, name, help) name,
	static const char *const names[] = { SEN_REASONS(NAME) };
#undef NAME
	return reason < SEN_REASON_COUNT ? names[reason] : "";
}

static void write_record(const struct sen_flow_record *r, const struct sen_model *model,
			 struct sen_csv *csv)
{
	char text[SEN_FLOW_TEXT];

	sen_csv_decimal(csv, r->first_ns / 1000, 1000000, 6);
	sen_csv_decimal(csv, r->last_ns / 1000, 1000000, 6);
	sen_csv_number(csv, r->key.proto);
	for (int end = 0; end < 2; end++) {
		sen_flow_address(r, end, text);
		sen_csv_text(csv, text);
		sen_csv_number(csv, r->key.port[end ? !r->from : r->from]);
	}
	sen_csv_number(csv, r->packets);
	sen_csv_number(csv, r->bytes);
	sen_csv_decimal(csv, r->score, SEN_ONE, 4);
	sen_csv_number(csv, sen_flow_flagged(r));
	sen_csv_text(csv, sen_class_name(model, sen_flow_class(r)));
	sen_csv_text(csv, reason_name(r->reason));
	sen_csv_end_line(csv);
}

void sen_flowlog_write(const struct sen_flowlog *log, const struct sen_model *model,
		       struct sen_csv *csv)
{
	for (size_t i = 0; i < log->n; i++)
		write_record(&log->records[i], model, csv);
}
