// SPDX-License-Identifier: BSD-2-Clause
/* Uploads: counted once by their digest, their samples with them or not at all. */
#include <errno.h>
#include <stdio.h>

#include "store_internal.h"

static int insert_upload(struct sen_store *s, const struct sen_upload *u, size_t samples,
			 struct sen_why *why)
{
	static const char sql[] = "INSERT INTO uploads (sha256, name, time, samples) "
				  "VALUES (?1, ?2, ?3, ?4)";
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_text(q, 1, u->sha256, -1, SQLITE_STATIC);
		sqlite3_bind_text(q, 2, u->name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(q, 3, u->time_ms);
		sqlite3_bind_int64(q, 4, (int64_t)samples);
		rc = sqlite3_step(q);
	}
	sqlite3_finalize(q);
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		return sen_why(why, -EEXIST, NULL, "upload: %s: known already", u->name);
	return sen_store_fail(s, rc, "write", why);
}

static int insert_records(struct sen_store *s, const struct sen_upload *u,
			  struct sen_record *records, size_t n, struct sen_why *why)
{
	int64_t id = sqlite3_last_insert_rowid(s->db);
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		records[i].upload = id;
		/* Its age is that of the upload. */
		records[i].sample.time_ns = (uint64_t)u->time_ms * 1000000;
		err = sen_store_write(s, &records[i], why);
	}
	return err;
}

int sen_store_add_upload(struct sen_store *s, const struct sen_upload *upload,
			 struct sen_record *records, size_t n, struct sen_why *why)
{
	int err = sen_store_flush(s, s->swept_ms, why);

	if (!err)
		err = sen_store_begin(s, why);
	if (err)
		return err;
	err = insert_upload(s, upload, n, why);
	if (!err)
		err = insert_records(s, upload, records, n, why);
	if (!err)
		err = sen_store_keep_bounds(s, why);
	err = sen_store_end(s, err, why);
	sen_store_recount(s, NULL);
	return err;
}

int sen_store_uploads(struct sen_store *s, int64_t upto,
		      int (*fn)(void *ctx, const struct sen_upload *upload), void *ctx,
		      struct sen_why *why)
{
	static const char sql[] = "SELECT id, sha256, name, time FROM uploads "
				  "WHERE archived IS NULL AND id <= ?1 ORDER BY id";
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), n = 0, err = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 1, upto);
	while (!err && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		struct sen_upload u = { 0 };

		rc = sqlite3_step(q);
		if (rc != SQLITE_ROW)
			break;
		n++;
		u.id = sqlite3_column_int64(q, 0);
		snprintf(u.sha256, sizeof(u.sha256), "%s", (const char *)sqlite3_column_text(q, 1));
		snprintf(u.name, sizeof(u.name), "%s", (const char *)sqlite3_column_text(q, 2));
		u.time_ms = sqlite3_column_int64(q, 3);
		err = fn ? fn(ctx, &u) : 0;
	}
	sqlite3_finalize(q);
	if (!err)
		err = sen_store_fail(s, rc, "read", why);
	return err ? err : n;
}

int sen_store_archive_upload(struct sen_store *s, int64_t id, const char *where,
			     struct sen_why *why)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, "UPDATE uploads SET archived = ?2 WHERE id = ?1", -1, &q,
				    NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(q, 1, id);
		sqlite3_bind_text(q, 2, where, -1, SQLITE_STATIC);
		rc = sqlite3_step(q);
	}
	sqlite3_finalize(q);
	return sen_store_fail(s, rc, "write", why);
}
