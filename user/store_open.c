// SPDX-License-Identifier: BSD-2-Clause
/* The file behind a store: made, checked, moved aside when it is of no use. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store_internal.h"

#define SCHEMA       1
#define USER_VERSION (1000 * SCHEMA + SEN_FEATURES_VERSION)
#define BUSY_MS      2000
#define HASTE_MS     20 /* for an agent, whose event loop must not stand still: it tries again later */

/* auto_* is what the label goes back to when an operator takes theirs back. Identifiers are never used
 * again: a command that names one must not meet another sample. */
static const char schema[] =
	"CREATE TABLE samples ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" time INTEGER NOT NULL," /* wall clock, milliseconds */
	" vector BLOB NOT NULL,"
	" score INTEGER NOT NULL,"   /* Q16 */
	" version INTEGER NOT NULL," /* of the model trained here that scored it, 0: another */
	" label INTEGER NOT NULL, class INTEGER NOT NULL, origin INTEGER NOT NULL,"
	" confidence REAL NOT NULL, reason TEXT NOT NULL,"
	" auto_label INTEGER NOT NULL, auto_class INTEGER NOT NULL, auto_origin INTEGER NOT NULL,"
	" auto_confidence REAL NOT NULL, auto_reason TEXT NOT NULL,"
	" teaches INTEGER NOT NULL," /* what normal is, unless an operator says otherwise */
	" upload INTEGER NOT NULL,"
	" src BLOB NOT NULL, dst BLOB NOT NULL,"
	" proto INTEGER NOT NULL, sport INTEGER NOT NULL, dport INTEGER NOT NULL,"
	" stratum INTEGER NOT NULL,"
	" key REAL NOT NULL);"
	"CREATE INDEX samples_by_key ON samples (stratum, key);"
	"CREATE INDEX samples_operated ON samples (stratum) WHERE origin = 3;"
	"CREATE TABLE state (settled INTEGER NOT NULL);" /* the last id that has trained */
	"INSERT INTO state VALUES (0);"
	"CREATE TABLE strata (stratum INTEGER PRIMARY KEY, seen INTEGER NOT NULL);"
	"CREATE TABLE uploads ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" sha256 TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL,"
	" time INTEGER NOT NULL,"
	" samples INTEGER NOT NULL,"
	" archived TEXT);"; /* where the file is since it was trained on; NULL: not yet */

static const char insert_sql[] =
	"INSERT INTO samples (time, vector, score, version, label, class, origin, confidence, reason,"
	" auto_label, auto_class, auto_origin, auto_confidence, auto_reason, upload, src,"
	" dst, proto, sport, dport, teaches, stratum, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?5, ?6,"
	" ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

int sen_store_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

int sen_store_fail(struct sen_store *s, int rc, const char *what, struct sen_why *why)
{
	int err = sen_store_errno(rc);

	return err ? sen_why(why, err,
			     err == -ENOSPC ? "free some space on that file system" : NULL,
			     "sample store: %s: %s", what,
			     s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc)) :
		     0;
}

int sen_store_exec(struct sen_store *s, const char *sql, struct sen_why *why)
{
	return sen_store_fail(s, sqlite3_exec(s->db, sql, NULL, NULL, NULL), "write", why);
}

int sen_store_number(struct sen_store *s, const char *sql, int64_t bound, int64_t *out,
		     struct sen_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK && sqlite3_bind_parameter_count(stmt))
		rc = sqlite3_bind_int64(stmt, 1, bound);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return sen_store_fail(s, rc, "read", why);
}

int sen_store_begin(struct sen_store *s, struct sen_why *why)
{
	return sen_store_exec(s, "BEGIN IMMEDIATE", why);
}

int sen_store_end(struct sen_store *s, int err, struct sen_why *why)
{
	if (!err)
		err = sen_store_exec(s, "COMMIT", why);
	if (err)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

static int make_schema(struct sen_store *s, struct sen_why *why)
{
	char pragma[64];
	int err = sen_store_begin(s, why);

	if (err)
		return err;
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", USER_VERSION);
	err = sen_store_exec(s, schema, why);
	if (!err)
		err = sen_store_exec(s, pragma, why);
	return sen_store_end(s, err, why);
}

static int check_whole(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "ok"))
		rc = SQLITE_CORRUPT;
	sqlite3_finalize(stmt);
	return rc;
}

/* -EUCLEAN: damaged; -EPROTO: of another schema or other features. */
static int check_schema(struct sen_store *s, struct sen_why *why)
{
	int64_t version = 0, tables = 0;
	int err = sen_store_fail(s, check_whole(s->db), "check", why);

	if (!err)
		err = sen_store_number(s, "PRAGMA user_version", 0, &version, why);
	if (!err)
		err = sen_store_number(s, "SELECT count(*) FROM sqlite_master", 0, &tables, why);
	if (err)
		return err;
	if (!tables && !version)
		return make_schema(s, why);
	return version == USER_VERSION ?
		       0 :
		       sen_why(why, -EPROTO, NULL, "sample store: version %lld, not %d",
			       (long long)version, USER_VERSION);
}

static int64_t noted_limit(struct sen_store *s)
{
	int64_t samples = 0;

	return sen_store_number(s, "SELECT samples FROM bounds", 0, &samples, NULL) ? 0 : samples;
}

/* Keys are given by capacity, also by processes that do not know the configuration. Where it cannot be
 * noted, they go by what was. */
static void note_limit(struct sen_store *s)
{
	char sql[160];

	if (noted_limit(s) == (int64_t)s->limits.samples || sen_store_begin(s, NULL))
		return;
	snprintf(sql, sizeof(sql),
		 "CREATE TABLE IF NOT EXISTS bounds (samples INTEGER NOT NULL);"
		 "DELETE FROM bounds; INSERT INTO bounds VALUES (%zu)",
		 s->limits.samples);
	sen_store_end(s, sen_store_exec(s, sql, NULL), NULL);
}

void sen_store_limit(struct sen_store *s, const struct sen_store_limits *limits)
{
	s->limits = *limits;
	note_limit(s);
}

int sen_store_prepare(struct sen_store *s, struct sen_why *why)
{
	int64_t last = 0;
	int err = check_schema(s, why);

	if (!err)
		err = sen_store_fail(s,
				     sqlite3_prepare_v3(s->db, insert_sql, -1,
							SQLITE_PREPARE_PERSISTENT, &s->insert,
							NULL),
				     "prepare", why);
	if (!err)
		err = sen_store_recount(s, why);
	if (!err)
		err = sen_store_number(s, "SELECT coalesce(max(id), 0) FROM samples", 0, &last,
				       why);
	sen_rng_seed(&s->rng, (uint64_t)last + 1);
	if (err)
		return err;
	/* Files made before have none, and do without where it cannot be made. */
	sen_store_exec(s, "CREATE INDEX IF NOT EXISTS samples_by_time ON samples (time)", NULL);
	note_limit(s);
	return 0;
}

/* In the place of SQLite's own random(): the same samples give the same draws. */
static void draw_number(sqlite3_context *context, int n, sqlite3_value **args)
{
	struct sen_store *s = sqlite3_user_data(context);

	(void)n, (void)args;
	sqlite3_result_int64(context, (sqlite3_int64)sen_rng_next(&s->rng));
}

static int connect_file(struct sen_store *s, const char *path, struct sen_why *why)
{
	int rc = sqlite3_open_v2(path ? path : ":memory:", &s->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				 NULL);
	int err = sen_store_fail(s, rc, path ? path : "memory", why);

	if (err)
		return err;
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_create_function(s->db, "random", 0, SQLITE_UTF8, s, draw_number, NULL, NULL);
	err = sen_store_exec(s,
			     "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			     "PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -16384",
			     why);
	return err ? err : sen_store_prepare(s, why);
}

static void disconnect(struct sen_store *s)
{
	sqlite3_finalize(s->insert);
	sqlite3_close(s->db);
	s->insert = NULL;
	s->db = NULL;
}

/* The journal of a damaged file must not be replayed into the new one. */
static int move_aside(const char *path, const char *how, char moved[320])
{
	static const char *const tails[] = { "-wal", "-shm" };
	char from[320];
	struct tm tm;
	time_t now = time(NULL);
	char stamp[32];

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	if (snprintf(moved, 320, "%s.%s-%s", path, how, stamp) >= 320)
		return -ENAMETOOLONG;
	if (rename(path, moved))
		return -errno;
	for (size_t i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s%s", path, tails[i]);
		if (unlink(from) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int connect_or_begin_anew(struct sen_store *s, const char *path, char moved[320],
				 struct sen_why *why)
{
	int err = connect_file(s, path, why);

	if (!path || (err != -EUCLEAN && err != -EPROTO))
		return err;
	disconnect(s);
	err = move_aside(path, err == -EPROTO ? "old" : "damaged", moved);
	if (err) {
		*moved = '\0';
		return sen_why(why, err, NULL, "sample store: move aside: %s: %s", path,
			       strerror(-err));
	}
	return connect_file(s, path, why);
}

int sen_store_open(const char *path, const struct sen_store_limits *limits, char moved[320],
		   struct sen_store **out, struct sen_why *why)
{
	struct sen_store *s = calloc(1, sizeof(*s));
	char unasked[320];
	mode_t mask;
	int err;

	if (!s)
		return sen_why(why, -ENOMEM, NULL, "sample store: out of memory");
	if (!moved)
		moved = unasked;
	*moved = '\0';
	s->limits = *limits;
	mask = umask(0077);
	err = connect_or_begin_anew(s, path, moved, why);
	umask(mask);
	if (err) {
		sen_store_close(s);
		return err;
	}
	sqlite3_busy_timeout(s->db, HASTE_MS);
	*out = s;
	return 0;
}

int sen_store_visit(const char *path, const struct sen_store_limits *limits, struct sen_store **out,
		    struct sen_why *why)
{
	struct sen_store *s = calloc(1, sizeof(*s));
	int64_t version = 0;
	uint64_t seed;
	int err;

	if (!s)
		return sen_why(why, -ENOMEM, NULL, "sample store: out of memory");
	s->limits = *limits;
	if (access(path, R_OK | W_OK))
		err = sen_why(why, -errno,
			      errno == ENOENT ?
				      "sentroidd -i IFACE makes it; --state-dir as given there" :
				      "run it as root",
			      "samples: %s: %s", path, strerror(errno));
	else
		err = sen_store_fail(s, sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE, NULL),
				     path, why);
	if (!err) {
		sqlite3_busy_timeout(s->db, BUSY_MS);
		err = sen_store_number(s, "PRAGMA user_version", 0, &version, why);
	}
	if (!err && version != USER_VERSION)
		err = sen_why(why, -EPROTO, NULL, "samples: %s: of another version", path);
	if (!err)
		err = sen_store_recount(s, why);
	if (err) {
		sen_store_close(s);
		return err;
	}
	if (noted_limit(s) > 0)
		s->limits.samples = (size_t)noted_limit(s);
	/* What it places must not all get the same key. */
	sqlite3_randomness(sizeof(seed), &seed);
	sen_rng_seed(&s->rng, seed);
	*out = s;
	return 0;
}

void sen_store_close(struct sen_store *s)
{
	if (!s)
		return;
	if (s->insert)
		sen_store_flush(s, s->swept_ms, NULL);
	disconnect(s);
	free(s);
}
