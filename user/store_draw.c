// SPDX-License-Identifier: BSD-2-Clause
/* What a training gets out of the store. */
#include <math.h>
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
		sen_store_read(s, q, &record);
		if (record.sample.label == SEN_LABEL_NONE)
			record.sample.label = SEN_LABEL_BENIGN; /* it teaches */
		d->out[d->n++] = record.sample;
	}
	sqlite3_finalize(q);
	return sen_store_fail(s, rc, "read", why);
}

/* Each with the same chance, in one pass in the order of the file: far cheaper than a shuffle of it. A few
 * less may come out than are wanted. */
static int draw_normal(struct sen_store *s, struct draw *d, unsigned int stratum, size_t most,
		       struct sen_why *why)
{
	char range[SEN_STORE_RANGE], sql[512];
	const char *operated = stratum == SEN_STRATUM_PAST ? " AND origin <> 3" : "";
	size_t there = s->count[stratum];

	if (!most || !there)
		return 0;
	sen_store_range(s, stratum, range);
	snprintf(sql, sizeof(sql),
		 "SELECT " SEN_RECORD_COLUMNS " FROM samples NOT INDEXED WHERE %s%s "
		 "AND (random() & 0xffffff) < ?1 LIMIT ?3",
		 range, operated);
	return draw_rows(s, d, sql, most < there ? (int64_t)(most * 0x1000000 / there) : 0x1000000,
			 0, most, why);
}

/* Of the past first what operators have said is normal: it takes part in every training. */
static int draw_past(struct sen_store *s, struct draw *d, size_t most, struct sen_why *why)
{
	static const char sql[] = "SELECT " SEN_RECORD_COLUMNS
				  " FROM samples WHERE origin = 3 AND stratum = ?1 AND id <= ?2 "
				  "ORDER BY id DESC LIMIT ?3";
	size_t before = d->n;
	int err = draw_rows(s, d, sql, SEN_STRATUM_FRESH, s->settled, most, why);

	_Static_assert(SEN_ORIGIN_OPERATOR == 3, "the SQL here says so");
	return err ? err : draw_normal(s, d, SEN_STRATUM_PAST, most - (d->n - before), why);
}

static double weight_of(const struct sen_store_wish *wish, unsigned int stratum)
{
	unsigned int class_id = stratum - SEN_STRATUM_ATTACK;

	return wish->weights && class_id < SEN_CLASS_BUILTIN_COUNT ? wish->weights[class_id] : 1;
}

static double weight_from(const struct sen_store *s, const struct sen_store_wish *wish,
			  unsigned int stratum)
{
	double sum = 0;

	for (; stratum < SEN_STRATA; stratum++)
		sum += s->count[stratum] ? weight_of(wish, stratum) : 0;
	return sum;
}

/* Shares of the classes by weight, in each first what operators have named; what one has too few for, the next
 * ones get. A high score alone makes no attack; an operator's word does, whatever the score was: that it was
 * missed is why they gave it. */
static int draw_attacks(struct sen_store *s, struct draw *d, const struct sen_store_wish *wish,
			struct sen_why *why)
{
	static const char sql[] =
		"SELECT " SEN_RECORD_COLUMNS
		" FROM samples WHERE id IN (SELECT id FROM samples WHERE stratum = ?1 AND origin > 1 "
		"AND (?2 = 0 OR origin = 3 OR (version > 0 AND score >= ?2)) "
		"ORDER BY origin = 3 DESC, random() LIMIT ?3)";
	size_t left = wish->attacks, before, share;
	double weight;
	int err = 0;

	for (unsigned int i = SEN_STRATUM_ATTACK; !err && i < SEN_STRATA; i++) {
		weight = weight_of(wish, i);
		if (!s->count[i] || weight <= 0)
			continue;
		before = d->n;
		share = (size_t)((double)left * (weight / weight_from(s, wish, i)));
		err = draw_rows(s, d, sql, i, wish->least_score, share, why);
		left -= d->n - before;
	}
	return err;
}

long sen_store_draw(struct sen_store *s, const struct sen_store_wish *wish, struct sen_sample *out,
		    struct sen_why *why)
{
	struct draw d = { .out = out };
	int err = draw_normal(s, &d, SEN_STRATUM_FRESH, wish->fresh, why);

	_Static_assert(SEN_ORIGIN_SCORE == 1, "the SQL above says so");
	if (!err)
		err = draw_past(s, &d, wish->past, why);
	if (!err)
		err = draw_attacks(s, &d, wish, why);
	return err ? err : (long)d.n;
}

int sen_store_settle(struct sen_store *s, struct sen_why *why)
{
	static const char sql[] =
		"UPDATE state SET settled = (SELECT coalesce(max(id), 0) FROM samples)";
	int err = sen_store_begin(s, why);

	if (err)
		return err;
	err = sen_store_end(s, sen_store_exec(s, sql, why), why);
	if (!err)
		err = sen_store_number(s, "SELECT settled FROM state", 0, &s->settled, why);
	if (err)
		return err;
	s->count[SEN_STRATUM_PAST] += s->count[SEN_STRATUM_FRESH];
	s->count[SEN_STRATUM_FRESH] = 0;
	s->floor[SEN_STRATUM_FRESH] = -INFINITY;
	return 0;
}

int sen_store_forget_normal(struct sen_store *s, struct sen_why *why)
{
	char sql[96];
	int err = sen_store_begin(s, why);

	s->waiting_n = 0;
	if (err)
		return err;
	snprintf(sql, sizeof(sql), "DELETE FROM samples WHERE stratum = %d AND origin <= %d",
		 SEN_STRATUM_FRESH, SEN_ORIGIN_SCORE);
	err = sen_store_end(s, sen_store_exec(s, sql, why), why);
	return err ? err : sen_store_recount(s, why);
}
