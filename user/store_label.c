// SPDX-License-Identifier: BSD-2-Clause
/* What operators see of the samples, and what they say of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store_internal.h"

/* A label that an operator gives or takes back, NULL columns meaning: as it was by itself. */
static const char set_sql[] =
	"UPDATE samples SET label = ?2, class = ?3, origin = ?4, confidence = 1,"
	" reason = 'labelled by an operator' WHERE id = ?1";
static const char unset_sql[] =
	"UPDATE samples SET label = auto_label, class = auto_class, origin = auto_origin,"
	" confidence = auto_confidence, reason = auto_reason WHERE id = ?1";

/* Move a row to the stratum that its columns say, with a key of that stratum. */
static int restratify(struct sen_store *s, int64_t id, struct sen_why *why)
{
	static const char read_sql[] = "SELECT " SEN_RECORD_COLUMNS " FROM samples WHERE id = ?1";
	static const char write_sql[] = "UPDATE samples SET stratum = ?2, key = ?3 WHERE id = ?1";
	struct sen_record r = { 0 };
	sqlite3_stmt *q = NULL;
	double key;
	int rc = sqlite3_prepare_v2(s->db, read_sql, -1, &q, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(q, 1, id);
		rc = sqlite3_step(q);
	}
	if (rc == SQLITE_ROW)
		sen_store_read(s, q, &r);
	sqlite3_finalize(q);
	if (sen_store_errno(rc))
		return sen_store_fail(s, rc, "read", why);
	rc = sqlite3_prepare_v2(s->db, write_sql, -1, &q, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(q, 1, id);
		sqlite3_bind_int(q, 2, (int)sen_store_place(s, &r, &key));
		sqlite3_bind_double(q, 3, key);
		rc = sqlite3_step(q);
	}
	sqlite3_finalize(q);
	return sen_store_fail(s, rc, "write", why);
}

/* 1 where a list says nothing new of a sample, 0, or a negative errno. */
static int is_no_news(struct sen_store *s, const struct sen_relabel *change, struct sen_why *why)
{
	static const char sql[] = "SELECT label, class FROM samples WHERE id = ?1";
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
	bool same = true;

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(q, 1, change->id);
		rc = sqlite3_step(q);
	}
	/* The class of what is no attack is a guess, and no part of its label. */
	if (rc == SQLITE_ROW)
		same = !change->automatic && sqlite3_column_int(q, 0) == (int)change->label &&
		       (change->label != SEN_LABEL_ATTACK ||
			sqlite3_column_int(q, 1) == (int)change->class_id);
	sqlite3_finalize(q);
	return sen_store_errno(rc) ? sen_store_fail(s, rc, "read", why) : same;
}

static int relabel(struct sen_store *s, const struct sen_relabel *change, struct sen_why *why)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, change->automatic ? unset_sql : set_sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 1, change->id);
	if (rc == SQLITE_OK && !change->automatic) {
		sqlite3_bind_int(q, 2, change->label);
		sqlite3_bind_int(q, 3, (int)change->class_id);
		sqlite3_bind_int(q, 4, SEN_ORIGIN_OPERATOR);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	sqlite3_finalize(q);
	if (sen_store_errno(rc))
		return sen_store_fail(s, rc, "write", why);
	if (!sqlite3_changes(s->db))
		return sen_why(why, -ENOENT, "sentroid label list --all shows what there is",
			       "sample %lld: there is none, or no longer", (long long)change->id);
	return restratify(s, change->id, why);
}

long sen_store_relabel(struct sen_store *s, const struct sen_relabel *changes, size_t n, bool list,
		       struct sen_why *why)
{
	int err = sen_store_begin(s, why), skip;
	long done = 0;

	if (err)
		return err;
	for (size_t i = 0; !err && i < n; i++) {
		skip = list ? is_no_news(s, &changes[i], why) : 0;
		err = skip < 0 ? skip : 0;
		if (skip)
			continue;
		err = relabel(s, &changes[i], why);
		done += !err;
	}
	err = sen_store_end(s, err, why);
	if (!err)
		err = sen_store_recount(s, why);
	return err ? err : done;
}

static const char *const orders[] = {
	[SEN_LIST_LATEST] = "SELECT " SEN_RECORD_COLUMNS
			    " FROM samples WHERE (?1 < 0 OR label = ?1) "
			    "AND (?2 < 0 OR class = ?2) AND (?3 < 0 OR origin = ?3) "
			    "ORDER BY id DESC LIMIT ?4",
	/* Those that neither a rule nor an operator has named, nearest to the threshold first. */
	[SEN_LIST_UNCERTAIN] = "SELECT " SEN_RECORD_COLUMNS " FROM samples WHERE origin <= 1 "
			       "AND confidence < 0.7 AND (?1 < 0 OR label = ?1) "
			       "AND (?2 < 0 OR class = ?2) AND (?3 < 0 OR origin = ?3) "
			       "ORDER BY max(score / 65536.0, 65536.0 / (score + 1)) LIMIT ?4",
};

int sen_store_list(struct sen_store *s, const struct sen_store_filter *filter,
		   int (*fn)(void *ctx, const struct sen_record *record), void *ctx,
		   struct sen_why *why)
{
	sqlite3_stmt *q = NULL;
	struct sen_record r;
	int rc = sqlite3_prepare_v2(s->db, orders[filter->order], -1, &q, NULL), err = 0;

	if (rc == SQLITE_OK) {
		sqlite3_bind_int(q, 1, filter->label);
		sqlite3_bind_int(q, 2, filter->class_id);
		sqlite3_bind_int(q, 3, filter->origin);
		sqlite3_bind_int64(q, 4, (int64_t)filter->most);
	}
	while (!err && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		rc = sqlite3_step(q);
		if (rc != SQLITE_ROW)
			break;
		sen_store_read(s, q, &r);
		err = fn(ctx, &r);
	}
	sqlite3_finalize(q);
	return err ? err : sen_store_fail(s, rc, "read", why);
}
