// SPDX-License-Identifier: BSD-2-Clause
/* Records into the store, and its bounds. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "store_internal.h"

/* Weights grow by e in so many capacities of a stratum's stream: what is old fades. */
#define MEMORY       8
#define LEAST_CLASS  50
#define SHARE_PARTS  8 /* of the whole: attacks and unlabelled one each */
#define CLASSES      8 /* that the attacks' part is for; with more, each has less */
#define SWEEP_MS     60000
#define SWEEP_ROWS   2000
#define AHEAD_SWEEPS 60 /* an hour, in which a clock that began far back will have been set */
#define TRIM_ROWS    2000
#define DAY_MS       86400000ll
#define KEY_OPERATED 1e6 /* what operators have said goes last */

static unsigned int stratum_of(const struct sen_record *r)
{
	const struct sen_sample *x = &r->sample;

	if (x->label == SEN_LABEL_ATTACK)
		return SEN_STRATUM_ATTACK + x->class_id % SEN_CLASS_MAX;
	/* An operator may also say that nobody knows. */
	if (x->label == SEN_LABEL_NONE && (!r->teaches || x->origin == SEN_ORIGIN_OPERATOR))
		return SEN_STRATUM_UNLABELLED;
	return SEN_STRATUM_FRESH;
}

static size_t classes_present(const struct sen_store *s)
{
	size_t n = 0;

	for (unsigned int i = SEN_STRATUM_ATTACK; i < SEN_STRATA; i++)
		n += s->count[i] > 0;
	return n;
}

size_t sen_store_capacity(const struct sen_store *s, unsigned int stratum)
{
	size_t part = s->limits.samples / SHARE_PARTS, classes;

	switch (stratum) {
	case SEN_STRATUM_UNLABELLED:
		return part;
	case SEN_STRATUM_FRESH:
		return 2 * part;
	case SEN_STRATUM_PAST:
		return 4 * part;
	default:
		classes = classes_present(s);
		part /= classes > CLASSES ? classes : CLASSES;
		return part > LEAST_CLASS ? part : LEAST_CLASS;
	}
}

double sen_store_key(struct sen_store *s, unsigned int stratum)
{
	/* Fresh samples will be past ones: a key must mean the same then. */
	size_t whole = sen_store_capacity(s, stratum == SEN_STRATUM_FRESH ? SEN_STRATUM_PAST :
									    stratum);
	double u = (sen_rng_next(&s->rng) >> 11) * 0x1p-53 + 0x1p-54;

	return (double)++s->seen[stratum] / ((double)MEMORY * whole) - log(-log(u));
}

static double bonus(const struct sen_sample *sample)
{
	return sample->origin == SEN_ORIGIN_OPERATOR ? KEY_OPERATED : 0;
}

unsigned int sen_store_place(struct sen_store *s, const struct sen_record *record, double *key)
{
	unsigned int stratum = stratum_of(record);

	*key = sen_store_key(s, stratum) + bonus(&record->sample);
	return stratum;
}

void sen_store_add(struct sen_store *s, const struct sen_record *record)
{
	double key;
	unsigned int stratum = sen_store_place(s, record, &key);
	size_t at = s->waiting_n;

	if (s->count[stratum] >= sen_store_capacity(s, stratum) && key <= s->floor[stratum])
		return;
	/* More in a second than one can hold: those that wait give way at random. */
	if (at == SEN_STORE_BUFFER)
		at = sen_rng_below(&s->rng, SEN_STORE_BUFFER);
	else
		s->waiting_n++;
	s->waiting[at].record = *record;
	s->waiting[at].stratum = stratum;
	s->waiting[at].key = key;
}

bool sen_store_full(const struct sen_store *s)
{
	return s->waiting_n == SEN_STORE_BUFFER;
}

static int insert(struct sen_store *s, const struct sen_record *r, unsigned int stratum, double key)
{
	const struct sen_sample *x = &r->sample;
	sqlite3_stmt *q = s->insert;
	int rc;

	sqlite3_reset(q);
	sqlite3_bind_int64(q, 1, (int64_t)(x->time_ns / 1000000));
	sqlite3_bind_blob(q, 2, &x->vector, sizeof(x->vector), SQLITE_STATIC);
	sqlite3_bind_int64(q, 3, x->score);
	sqlite3_bind_int64(q, 4, x->model_version);
	sqlite3_bind_int(q, 5, x->label);
	sqlite3_bind_int(q, 6, x->class_id);
	sqlite3_bind_int(q, 7, x->origin);
	sqlite3_bind_double(q, 8, r->confidence);
	sqlite3_bind_text(q, 9, r->reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 10, r->upload);
	sqlite3_bind_blob(q, 11, r->src, sizeof(r->src), SQLITE_STATIC);
	sqlite3_bind_blob(q, 12, r->dst, sizeof(r->dst), SQLITE_STATIC);
	sqlite3_bind_int(q, 13, r->proto);
	sqlite3_bind_int(q, 14, r->sport);
	sqlite3_bind_int(q, 15, r->dport);
	sqlite3_bind_int(q, 16, r->teaches);
	sqlite3_bind_int(q, 17, (int)stratum);
	sqlite3_bind_double(q, 18, key);
	rc = sqlite3_step(q);
	sqlite3_reset(q);
	return rc;
}

static uint64_t flow_hash(const struct sen_record *r)
{
	uint64_t ends[2] = { sen_addr_hash(r->src) + 3 * sen_addr_hash(r->dst),
			     (uint64_t)r->sport << 24 | (uint64_t)r->dport << 8 | r->proto };

	return sen_addr_hash((const __u8 *)ends);
}

void sen_store_read(const struct sen_store *s, sqlite3_stmt *row, struct sen_record *out)
{
	const void *vector = sqlite3_column_blob(row, 2), *src = sqlite3_column_blob(row, 11),
		   *dst = sqlite3_column_blob(row, 12);
	struct sen_sample *x = &out->sample;

	memset(out, 0, sizeof(*out));
	out->id = sqlite3_column_int64(row, 0);
	/* The order of arrival where the clock's milliseconds do not tell. */
	x->time_ns = (uint64_t)sqlite3_column_int64(row, 1) * 1000000 + out->id % 1000000;
	if (vector && sqlite3_column_bytes(row, 2) == sizeof(x->vector))
		memcpy(&x->vector, vector, sizeof(x->vector));
	x->score = (uint32_t)sqlite3_column_int64(row, 3);
	x->model_version = (uint32_t)sqlite3_column_int64(row, 4);
	x->label = (uint8_t)sqlite3_column_int(row, 5);
	x->class_id = (uint8_t)sqlite3_column_int(row, 6);
	x->origin = (uint8_t)sqlite3_column_int(row, 7);
	out->confidence = (float)sqlite3_column_double(row, 8);
	snprintf(out->reason, sizeof(out->reason), "%s", (const char *)sqlite3_column_text(row, 9));
	out->trained = out->id <= s->settled;
	out->upload = sqlite3_column_int64(row, 10);
	if (src && sqlite3_column_bytes(row, 11) == SEN_ADDR_BYTES)
		memcpy(out->src, src, SEN_ADDR_BYTES);
	if (dst && sqlite3_column_bytes(row, 12) == SEN_ADDR_BYTES)
		memcpy(out->dst, dst, SEN_ADDR_BYTES);
	out->proto = (uint8_t)sqlite3_column_int(row, 13);
	out->sport = (uint16_t)sqlite3_column_int(row, 14);
	out->dport = (uint16_t)sqlite3_column_int(row, 15);
	out->teaches = sqlite3_column_int(row, 16);
	x->source = sen_addr_hash(out->src);
	x->flow = flow_hash(out);
}

int sen_store_write(struct sen_store *s, const struct sen_record *record, struct sen_why *why)
{
	double key;
	unsigned int stratum = sen_store_place(s, record, &key);
	int err = sen_store_fail(s, insert(s, record, stratum, key), "write", why);

	s->count[stratum] += !err;
	return err;
}

static int write_waiting(struct sen_store *s, struct sen_why *why)
{
	for (size_t i = 0; i < s->waiting_n; i++) {
		int rc = insert(s, &s->waiting[i].record, s->waiting[i].stratum, s->waiting[i].key);

		if (sen_store_errno(rc))
			return sen_store_fail(s, rc, "write", why);
		s->count[s->waiting[i].stratum]++;
	}
	return 0;
}

static int write_seen(struct sen_store *s, struct sen_why *why)
{
	char sql[128];

	for (unsigned int i = 0; i < SEN_STRATA; i++) {
		int err;

		if (!s->seen[i])
			continue;
		snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO strata VALUES (%u, %llu)", i,
			 (unsigned long long)s->seen[i]);
		err = sen_store_exec(s, sql, why);
		if (err)
			return err;
	}
	return 0;
}

void sen_store_range(const struct sen_store *s, unsigned int stratum, char sql[SEN_STORE_RANGE])
{
	if (stratum == SEN_STRATUM_FRESH || stratum == SEN_STRATUM_PAST)
		snprintf(sql, SEN_STORE_RANGE, "stratum = %d AND id %s %lld", SEN_STRATUM_FRESH,
			 stratum == SEN_STRATUM_FRESH ? ">" : "<=", (long long)s->settled);
	else
		snprintf(sql, SEN_STORE_RANGE, "stratum = %u", stratum);
}

/* The lowest keys of a stratum give way; not too many at once, as it takes time. */
static int trim(struct sen_store *s, unsigned int stratum, struct sen_why *why)
{
	size_t most = sen_store_capacity(s, stratum), over;
	char range[SEN_STORE_RANGE], sql[256];
	sqlite3_stmt *lowest = NULL;
	int err, rc;

	if (s->count[stratum] < most)
		return 0;
	over = s->count[stratum] - most;
	if (over > TRIM_ROWS)
		over = TRIM_ROWS;
	sen_store_range(s, stratum, range);
	snprintf(sql, sizeof(sql),
		 "DELETE FROM samples WHERE id IN (SELECT id FROM samples WHERE %s ORDER BY key "
		 "LIMIT %zu)",
		 range, over);
	err = over ? sen_store_exec(s, sql, why) : 0;
	if (err)
		return err;
	s->count[stratum] -= over;
	snprintf(sql, sizeof(sql), "SELECT key FROM samples WHERE %s ORDER BY key LIMIT 1", range);
	rc = sqlite3_prepare_v2(s->db, sql, -1, &lowest, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(lowest);
	if (rc == SQLITE_ROW)
		s->floor[stratum] = sqlite3_column_double(lowest, 0);
	sqlite3_finalize(lowest);
	return sen_store_fail(s, rc, "read", why);
}

int sen_store_keep_bounds(struct sen_store *s, struct sen_why *why)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < SEN_STRATA; i++)
		err = trim(s, i, why);
	return err ? err : write_seen(s, why);
}

static bool is_sweep_due(const struct sen_store *s, int64_t wall_ms)
{
	return llabs(wall_ms - s->swept_ms) >= SWEEP_MS; /* the clock may have been set back */
}

/* What is dated ahead of the clock for long is from when that was wrong, and would never be old. */
static int sweep(struct sen_store *s, int64_t wall_ms, struct sen_why *why)
{
	int64_t latest = 0, most = wall_ms + DAY_MS;
	char sql[192];
	int err;

	if (!is_sweep_due(s, wall_ms))
		return 0;
	err = sen_store_number(s, "SELECT max(time) FROM samples", 0, &latest, why);
	if (err)
		return err;
	s->ahead = latest > most ? s->ahead + 1 : 0;
	snprintf(sql, sizeof(sql),
		 "DELETE FROM samples WHERE id IN (SELECT id FROM samples WHERE time < %lld "
		 "OR time > %lld LIMIT %d)",
		 (long long)(wall_ms - s->limits.days * DAY_MS),
		 (long long)(s->ahead > AHEAD_SWEEPS ? most : INT64_MAX), SWEEP_ROWS);
	err = sen_store_exec(s, sql, why);
	if (!err && sqlite3_changes(s->db))
		err = sen_store_recount(s, why);
	if (!err)
		s->swept_ms = wall_ms;
	return err;
}

/* Counts are kept here; another process, or a step back, may have made them wrong. */
int sen_store_recount(struct sen_store *s, struct sen_why *why)
{
	static const char sql[] =
		"SELECT stratum + (stratum = 1 AND id <= (SELECT settled FROM state)), 0, count(*) "
		"FROM samples GROUP BY 1 UNION ALL SELECT stratum, 1, seen FROM strata";
	sqlite3_stmt *q = NULL;
	int err = sen_store_number(s, "SELECT settled FROM state", 0, &s->settled, why), rc;

	_Static_assert(SEN_STRATUM_FRESH == 1 && SEN_STRATUM_PAST == 2, "the SQL above says so");
	if (err)
		return err;
	rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	memset(s->count, 0, sizeof(s->count));
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW && sqlite3_column_int64(q, 0) < SEN_STRATA) {
			int64_t stratum = sqlite3_column_int64(q, 0);
			uint64_t n = sqlite3_column_int64(q, 2);

			if (!sqlite3_column_int(q, 1))
				s->count[stratum] = n;
			else if (n > s->seen[stratum])
				s->seen[stratum] = n;
		}
	}
	sqlite3_finalize(q);
	for (unsigned int i = 0; i < SEN_STRATA; i++)
		s->floor[i] = -INFINITY;
	return sen_store_fail(s, rc, "read", why);
}

static int notice_others(struct sen_store *s, struct sen_why *why)
{
	int64_t version = 0;
	int err = sen_store_number(s, "PRAGMA data_version", 0, &version, why);

	if (!err && version != s->data_version)
		err = sen_store_recount(s, why);
	if (!err)
		s->data_version = (int)version;
	return err;
}

static int write_all(struct sen_store *s, int64_t wall_ms, struct sen_why *why)
{
	int err = notice_others(s, why);

	if (!err)
		err = write_waiting(s, why);
	if (!err)
		err = sen_store_keep_bounds(s, why);
	if (!err)
		err = sweep(s, wall_ms, why);
	return err;
}

int sen_store_flush(struct sen_store *s, int64_t wall_ms, struct sen_why *why)
{
	int err;

	if (!s->waiting_n && !is_sweep_due(s, wall_ms))
		return 0;
	err = sen_store_begin(s, why);
	if (err == -EBUSY)
		return err;
	if (!err)
		err = sen_store_end(s, write_all(s, wall_ms, why), why);
	s->waiting_n = 0;
	if (err)
		sen_store_recount(s, NULL);
	return err;
}

struct sen_store_counts sen_store_counts(struct sen_store *s)
{
	struct sen_store_counts c = {
		.fresh = s->count[SEN_STRATUM_FRESH],
		.past = s->count[SEN_STRATUM_PAST],
		.unlabelled = s->count[SEN_STRATUM_UNLABELLED],
	};

	for (unsigned int i = SEN_STRATUM_ATTACK; i < SEN_STRATA; i++)
		c.attack += s->count[i];
	return c;
}
