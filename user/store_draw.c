// SPDX-License-Identifier: BSD-2-Clause
/* What a training gets out of the store. */
#include <stdio.h>

#include "store_internal.h"

struct draw {
	struct sen_sample *out;
	size_t n;
};

/* At most `most` rows of a statement with up to three numbers to bind. */
static int draw_rows(struct sen_store *s, struct draw *d, const char *sql, int64_t a, int64_t b,
		     size_t most, struct sen_why *why)
{
	struct sen_record record;
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(q, 1, a);
		sqlite3_bind_int64(q, 2, b);
		sqlite3_bind_int64(q, 3, (int64_t)most);
	}
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(q);
		if (rc != SQLITE_ROW)
			break;
		sen_store_read(q, &record);
		if (record.sample.label == SEN_LABEL_NONE)
			record.sample.label = SEN_LABEL_BENIGN; /* it teaches */
		d->out[d->n++] = record.sample;
	}
	sqlite3_finalize(q);
	return sen_store_fail(s, rc, "read", why);
}

static int draw_stratum(struct sen_store *s, struct draw *d, unsigned int stratum, size_t most,
			struct sen_why *why)
{
	/* All of them need no dice. */
	const char *sql = most >= s->count[stratum] ?
				  "SELECT " SEN_RECORD_COLUMNS
				  " FROM samples WHERE stratum = ?1 AND ?2 = 0 LIMIT ?3" :
				  "SELECT " SEN_RECORD_COLUMNS
				  " FROM samples WHERE id IN (SELECT id FROM samples WHERE "
				  "stratum = ?1 AND ?2 = 0 ORDER BY random() LIMIT ?3)";

	return most ? draw_rows(s, d, sql, stratum, 0, most, why) : 0;
}

/* Equal shares of the classes; what one has too few for, the next ones get. A high score alone makes no
 * attack. */
static int draw_attacks(struct sen_store *s, struct draw *d, const struct sen_store_wish *wish,
			struct sen_why *why)
{
	static const char sql[] =
		"SELECT " SEN_RECORD_COLUMNS
		" FROM samples WHERE id IN (SELECT id FROM samples WHERE stratum = ?1 AND origin > 1 "
		"AND (?2 = 0 OR (version > 0 AND score >= ?2)) ORDER BY random() LIMIT ?3)";
	size_t left = wish->attacks, classes = sen_store_counts(s).classes, before;
	int err = 0;

	for (unsigned int i = SEN_STRATUM_ATTACK; !err && i < SEN_STRATA; i++) {
		if (!s->count[i])
			continue;
		before = d->n;
		err = draw_rows(s, d, sql, i, wish->least_score, left / classes--, why);
		left -= d->n - before;
	}
	return err;
}

long sen_store_draw(struct sen_store *s, const struct sen_store_wish *wish, struct sen_sample *out,
		    struct sen_why *why)
{
	struct draw d = { .out = out };
	int err = draw_stratum(s, &d, SEN_STRATUM_FRESH, wish->fresh, why);

	_Static_assert(SEN_ORIGIN_SCORE == 1, "the SQL above says so");
	if (!err)
		err = draw_stratum(s, &d, SEN_STRATUM_PAST, wish->past, why);
	if (!err)
		err = draw_attacks(s, &d, wish, why);
	return err ? err : (long)d.n;
}

int sen_store_settle(struct sen_store *s, struct sen_why *why)
{
	char sql[128];
	int err = sen_store_begin(s, why);

	if (err)
		return err;
	snprintf(sql, sizeof(sql),
		 "UPDATE samples SET trained = 1, stratum = %d WHERE stratum = %d",
		 SEN_STRATUM_PAST, SEN_STRATUM_FRESH);
	err = sen_store_end(s, sen_store_exec(s, sql, why), why);
	return err ? err : sen_store_recount(s, why);
}

int sen_store_forget_normal(struct sen_store *s, struct sen_why *why)
{
	char sql[96];
	int err = sen_store_begin(s, why);

	s->waiting_n = 0;
	if (err)
		return err;
	snprintf(sql, sizeof(sql), "DELETE FROM samples WHERE stratum IN (%d, %d) AND origin <= %d",
		 SEN_STRATUM_FRESH, SEN_STRATUM_PAST, SEN_ORIGIN_SCORE);
	err = sen_store_end(s, sen_store_exec(s, sql, why), why);
	return err ? err : sen_store_recount(s, why);
}
