/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by store.c (records, bounds), store_open.c (the file), store_draw.c (trainings),
 * store_label.c (operators) and store_upload.c. */
#ifndef SENTROID_STORE_INTERNAL_H
#define SENTROID_STORE_INTERNAL_H

#include <sqlite3.h>

#include "kmeans.h"
#include "store.h"

/* Strata by number, as they stand in the database; but normal samples are one there, parted by the
 * identifier up to which they have been part of a training: to settle them is to move that. */
enum sen_stratum {
	SEN_STRATUM_UNLABELLED,
	SEN_STRATUM_FRESH,
	SEN_STRATUM_PAST,   /* in memory only */
	SEN_STRATUM_ATTACK, /* and on, by class */
	SEN_STRATA = SEN_STRATUM_ATTACK + SEN_CLASS_MAX
};

#define SEN_STORE_BUFFER 4096 /* records between two flushes */

struct sen_store {
	sqlite3 *db;
	struct sen_store_limits limits;
	struct sen_rng rng;
	sqlite3_stmt *insert;
	size_t count[SEN_STRATA];
	uint64_t seen[SEN_STRATA];
	double floor[SEN_STRATA]; /* lowest key of a full stratum */
	int64_t settled;          /* the last identifier that has trained */
	int64_t swept_ms;
	unsigned int ahead; /* sweeps in a row that have met samples from the future */
	int data_version;   /* of the last look: others may have written */
	size_t waiting_n;
	struct {
		struct sen_record record;
		unsigned int stratum;
		double key;
	} waiting[SEN_STORE_BUFFER];
};

/* Negative errno of an SQLite result, 0 for those that are no error. */
int sen_store_errno(int rc);
/* The same with a line about what failed. */
int sen_store_fail(struct sen_store *s, int rc, const char *what, struct sen_why *why);
/* Run statements without results. */
int sen_store_exec(struct sen_store *s, const char *sql, struct sen_why *why);
/* One number from a statement with one number to bind. */
int sen_store_number(struct sen_store *s, const char *sql, int64_t bound, int64_t *out,
		     struct sen_why *why);
/* -> 0 inside of a transaction that is to be ended by sen_store_end() with the result of the work. */
int sen_store_begin(struct sen_store *s, struct sen_why *why);
int sen_store_end(struct sen_store *s, int err, struct sen_why *why);

/* Schema and statements; store_open.c. */
int sen_store_prepare(struct sen_store *s, struct sen_why *why);
/* The stratum and the key of a record that is placed now. */
unsigned int sen_store_place(struct sen_store *s, const struct sen_record *record, double *key);
/* Write one record within a transaction. */
int sen_store_write(struct sen_store *s, const struct sen_record *record, struct sen_why *why);
/* Trim every stratum, within a transaction. */
int sen_store_keep_bounds(struct sen_store *s, struct sen_why *why);
/* " AND ..." behind a WHERE that has a row be of a stratum. */
#define SEN_STORE_RANGE 96
void sen_store_range(const struct sen_store *s, unsigned int stratum, char sql[SEN_STORE_RANGE]);
/* Count the strata anew. */
int sen_store_recount(struct sen_store *s, struct sen_why *why);

size_t sen_store_capacity(const struct sen_store *s, unsigned int stratum);
/* A key for a record that joins a stratum now. */
double sen_store_key(struct sen_store *s, unsigned int stratum);

#define SEN_RECORD_COLUMNS                                                             \
	"id, time, vector, score, version, label, class, origin, confidence, reason, " \
	"upload, src, dst, proto, sport, dport, teaches"
/* The row that a statement over SEN_RECORD_COLUMNS stands on. */
void sen_store_read(const struct sen_store *s, sqlite3_stmt *row, struct sen_record *out);

#endif
