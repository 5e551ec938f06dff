// SPDX-License-Identifier: BSD-2-Clause
/* Labels: those that come by themselves, and those of operators, which outrank them. */
#include <errno.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "fixture.h"
#include "label.h"
#include "record.h"

static const struct sen_store_limits limits = { .samples = 8000, .days = 30 };

/* ---- marks ---- */

static void fill(__u64 *bin, uint32_t score, __u64 n)
{
	bin[sen_lg(score) / 8] += n;
}

static void marks_are_quantiles_of_late(void **state)
{
	__u64 before[SEN_SCORE_BINS] = { 0 }, now[SEN_SCORE_BINS] = { 0 };
	struct sen_marks m = sen_marks_default(0.3, 0.95);

	(void)state;
	assert_in_range(m.low, 0.29 * SEN_ONE, 0.31 * SEN_ONE);
	assert_int_equal(m.high, SEN_ONE);
	/* Long ago everything scored high; that is over. */
	fill(before, 40 * SEN_ONE, 1000000);
	memcpy(now, before, sizeof(now));
	fill(now, SEN_ONE / 16, 3000);
	fill(now, SEN_ONE / 2, 6000);
	assert_true(sen_marks_find(before, now, 0.3, 0.95, &m));
	assert_in_range(m.low, SEN_ONE / 16, SEN_ONE / 8);
	/* What is not flagged is no attack. */
	assert_int_equal(m.high, SEN_ONE);
	fill(now, 8 * SEN_ONE, 1000);
	assert_true(sen_marks_find(before, now, 0.3, 0.95, &m));
	assert_in_range(m.high, 7 * SEN_ONE, 12 * SEN_ONE);
}

static void few_scores_make_no_marks(void **state)
{
	__u64 now[SEN_SCORE_BINS] = { 0 };
	struct sen_marks m = sen_marks_default(0.3, 0.95), before = m;

	(void)state;
	fill(now, SEN_ONE / 16, 999);
	assert_false(sen_marks_find(NULL, now, 0.3, 0.95, &m));
	assert_memory_equal(&m, &before, sizeof(m));
}

/* Amid a flood the marks stay on their sides of the threshold. */
static void a_flood_does_not_make_attacks_benign(void **state)
{
	__u64 now[SEN_SCORE_BINS] = { 0 };
	struct sen_marks m;

	(void)state;
	fill(now, 20 * SEN_ONE, 100000);
	assert_true(sen_marks_find(NULL, now, 0.3, 0.95, &m));
	assert_true(m.low < SEN_ONE && m.high >= SEN_ONE);
}

/* ---- automatic labels ---- */

static struct sen_record labelled(uint32_t score, unsigned int rule, unsigned int class_id)
{
	struct sen_marks marks = sen_marks_default(0.3, 0.95);
	struct sen_event ev = event_make(IPPROTO_TCP, 2, 4000, 1, 80);
	struct sen_record r;

	ev.score = score;
	ev.class_id = (__u8)class_id;
	event_window(&ev, SEN_FEATURE_DST_EMPTY_8, 10);
	r = sen_record_of(&ev);
	sen_label_record(&r, rule, "tries many ports", &marks);
	return r;
}

static void rules_are_certain_scores_are_not(void **state)
{
	struct sen_record r = labelled(SEN_ONE / 8, SEN_CLASS_SCAN, SEN_CLASS_NONE);

	(void)state;
	assert_int_equal(r.sample.label, SEN_LABEL_ATTACK);
	assert_int_equal(r.sample.origin, SEN_ORIGIN_RULE);
	assert_int_equal(r.sample.class_id, SEN_CLASS_SCAN);
	assert_true(r.confidence == 1);
	assert_string_equal(r.reason, "tries many ports");
	assert_int_equal(r.sport, 4000);
	assert_int_equal(r.dport, 80);

	r = labelled(4 * SEN_ONE, SEN_CLASS_NONE, SEN_CLASS_NONE);
	assert_int_equal(r.sample.label, SEN_LABEL_ATTACK);
	assert_int_equal(r.sample.origin, SEN_ORIGIN_SCORE);
	assert_int_equal(r.sample.class_id, SEN_CLASS_UNKNOWN);
	assert_true(r.confidence >= 0.5f && r.confidence < 0.95f);
	/* What it is taken for, not whatever centroid is nearest. */
	r = labelled(4 * SEN_ONE, SEN_CLASS_NONE, SEN_CLASS_ARP_SPOOF);
	assert_int_equal(r.sample.class_id, SEN_CLASS_UNKNOWN);
	assert_non_null(strstr(r.reason, "high mark"));
	r = labelled(4 * SEN_ONE, SEN_CLASS_NONE, SEN_CLASS_SYN_FLOOD);
	assert_int_equal(r.sample.class_id, SEN_CLASS_SYN_FLOOD);
}

static void between_the_marks_there_is_no_label(void **state)
{
	struct sen_record r = labelled(SEN_ONE / 8, SEN_CLASS_NONE, SEN_CLASS_NONE);

	(void)state;
	assert_int_equal(r.sample.label, SEN_LABEL_BENIGN);
	assert_true(r.confidence > 0.75f);
	r = labelled(SEN_ONE / 2, SEN_CLASS_NONE, SEN_CLASS_NONE);
	assert_int_equal(r.sample.label, SEN_LABEL_NONE);
	assert_int_equal(r.sample.origin, SEN_ORIGIN_NONE);
	r = labelled(SEN_ONE - 1, SEN_CLASS_NONE, SEN_CLASS_NONE);
	assert_int_equal(r.sample.label, SEN_LABEL_NONE);
}

static void labels_have_names(void **state)
{
	char text[SEN_CLASS_NAME_MAX];
	unsigned int label, class_id;

	(void)state;
	assert_int_equal(sen_label_parse("benign", NULL, &label, &class_id), 0);
	assert_int_equal(label, SEN_LABEL_BENIGN);
	assert_int_equal(sen_label_parse("syn_flood", NULL, &label, &class_id), 0);
	assert_int_equal(label, SEN_LABEL_ATTACK);
	assert_int_equal(class_id, SEN_CLASS_SYN_FLOOD);
	assert_string_equal(sen_label_text(label, class_id, NULL, text), "syn_flood");
	assert_int_equal(sen_label_parse("attack", NULL, &label, &class_id), 0);
	assert_int_equal(class_id, SEN_CLASS_UNKNOWN);
	assert_int_equal(sen_label_parse("", NULL, &label, &class_id), -EINVAL);
	assert_int_equal(sen_label_parse("nonsense", NULL, &label, &class_id), -EINVAL);
}

/* A model's own classes go by its names, or by number where they have none. */
static void own_classes_have_names(void **state)
{
	struct sen_class_names names = { .own = { [3] = "worm", [5] = "benign" } };
	unsigned int label, class_id;
	char text[SEN_CLASS_NAME_MAX];

	(void)state;
	assert_int_equal(sen_label_parse("worm", NULL, &label, &class_id), -EINVAL);
	assert_int_equal(sen_label_parse("worm", &names, &label, &class_id), 0);
	assert_int_equal(label, SEN_LABEL_ATTACK);
	assert_int_equal(class_id, SEN_CLASS_CUSTOM + 3);
	assert_int_equal(sen_label_parse("", &names, &label, &class_id), -EINVAL);
	assert_string_equal(sen_label_text(SEN_LABEL_BENIGN, SEN_CLASS_SCAN, &names, text),
			    "benign");
	assert_string_equal(sen_label_text(SEN_LABEL_ATTACK, SEN_CLASS_CUSTOM + 5, &names, text),
			    "custom_37");
	for (unsigned int id = SEN_CLASS_UNKNOWN; id < SEN_CLASS_MAX; id++) {
		if (id >= SEN_CLASS_BUILTIN_COUNT && id < SEN_CLASS_CUSTOM)
			continue;
		assert_int_equal(sen_label_parse(sen_label_text(SEN_LABEL_ATTACK, id, &names, text),
						 &names, &label, &class_id),
				 0);
		assert_int_equal(label, SEN_LABEL_ATTACK);
		assert_int_equal(class_id, id);
	}
}

/* ---- operators ---- */

struct found {
	struct sen_record records[64];
	size_t n;
};

static int keep(void *ctx, const struct sen_record *r)
{
	struct found *f = ctx;

	assert_true(f->n < 64);
	f->records[f->n++] = *r;
	return 0;
}

static struct found list(struct sen_store *s, enum sen_store_order order)
{
	struct sen_store_filter all = { order, -1, -1, -1, 64 };
	struct found f = { .n = 0 };

	assert_int_equal(sen_store_list(s, &all, keep, &f, NULL), 0);
	return f;
}

/* Four samples: benign, unlabelled but teaching, an attack by rule, one by score. */
static struct sen_store *four(void)
{
	struct sen_record r[4] = { record_make(1, SEN_LABEL_BENIGN, SEN_CLASS_NONE),
				   record_make(2, SEN_LABEL_NONE, SEN_CLASS_NONE),
				   record_make(3, SEN_LABEL_ATTACK, SEN_CLASS_SCAN),
				   record_make(4, SEN_LABEL_ATTACK, SEN_CLASS_UNKNOWN) };
	struct sen_store *s = NULL;

	r[0].teaches = r[1].teaches = true;
	r[1].sample.score = SEN_ONE / 2;
	r[1].confidence = 0;
	r[3].sample.origin = SEN_ORIGIN_SCORE;
	r[3].confidence = 0.6f;
	assert_int_equal(sen_store_open(NULL, &limits, NULL, &s, NULL), 0);
	for (int i = 0; i < 4; i++)
		sen_store_add(s, &r[i]);
	assert_int_equal(sen_store_flush(s, 10, NULL), 0);
	return s;
}

static void relabel(struct sen_store *s, int64_t id, const char *text)
{
	struct sen_relabel change = { .id = id, .automatic = !strcmp(text, "auto") };
	unsigned int label = 0;

	if (!change.automatic)
		assert_int_equal(sen_label_parse(text, NULL, &label, &change.class_id), 0);
	change.label = (enum sen_label)label;
	assert_int_equal(sen_store_relabel(s, &change, 1, false, NULL), 1);
}

static void operators_outrank_and_take_back(void **state)
{
	struct sen_store *s = four();
	struct found before = list(s, SEN_LIST_LATEST), f;
	struct sen_sample out[16];

	(void)state;
	assert_int_equal(before.n, 4);
	assert_int_equal(before.records[0].id, 4);
	/* The false alarm is normal: it teaches from the next training on. */
	relabel(s, 4, "benign");
	relabel(s, 1, "brute_force");
	f = list(s, SEN_LIST_LATEST);
	assert_int_equal(f.records[0].sample.label, SEN_LABEL_BENIGN);
	assert_int_equal(f.records[0].sample.origin, SEN_ORIGIN_OPERATOR);
	assert_true(f.records[0].confidence == 1);
	assert_int_equal(f.records[3].sample.class_id, SEN_CLASS_BRUTE_FORCE);
	assert_int_equal(sen_store_counts(s).fresh, 2);
	assert_int_equal(sen_store_counts(s).attack, 2);
	assert_int_equal(sen_store_draw(s, &(struct sen_store_wish){ .fresh = 9 }, out, NULL), 2);
	assert_int_equal(out[0].label, SEN_LABEL_BENIGN);
	assert_int_equal(out[1].label, SEN_LABEL_BENIGN);
	/* Nobody knows: it teaches nothing. */
	relabel(s, 2, "none");
	assert_int_equal(sen_store_counts(s).unlabelled, 1);

	for (int64_t id = 1; id <= 4; id++)
		relabel(s, id, "auto");
	f = list(s, SEN_LIST_LATEST);
	assert_memory_equal(f.records, before.records, 4 * sizeof(f.records[0]));
	assert_int_equal(sen_store_counts(s).fresh, 2);
	sen_store_close(s);
}

static void only_the_uncertain_are_for_review(void **state)
{
	struct sen_store *s = four();
	struct found f = list(s, SEN_LIST_UNCERTAIN);

	(void)state;
	assert_int_equal(f.n, 2);
	relabel(s, 2, "benign");
	f = list(s, SEN_LIST_UNCERTAIN);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.records[0].id, 4);
	sen_store_close(s);
}

static void all_or_none(void **state)
{
	struct sen_relabel changes[3] = {
		{ .id = 1, .label = SEN_LABEL_ATTACK, .class_id = SEN_CLASS_SCAN },
		{ .id = 77, .label = SEN_LABEL_BENIGN },
		{ .id = 3, .label = SEN_LABEL_ATTACK, .class_id = SEN_CLASS_SCAN },
	};
	struct sen_store *s = four();
	struct sen_why why = { 0 };
	struct found f;

	(void)state;
	assert_int_equal(sen_store_relabel(s, changes, 3, false, &why), -ENOENT);
	assert_non_null(strstr(why.text, "77"));
	f = list(s, SEN_LIST_LATEST);
	assert_int_equal(f.records[3].sample.label, SEN_LABEL_BENIGN);
	/* A list is for what is there, and what it says already stays the rule's. */
	assert_int_equal(sen_store_relabel(s, changes, 3, true, &why), 1);
	f = list(s, SEN_LIST_LATEST);
	assert_int_equal(f.records[3].sample.class_id, SEN_CLASS_SCAN);
	assert_int_equal(f.records[1].sample.origin, SEN_ORIGIN_RULE);
	sen_store_close(s);
}

/* What an export says, given back as it is, changes nothing: not even where what is no attack carries a class
 * that the model has guessed, nor where the class is the model's own. */
static void a_round_trip_changes_nothing(void **state)
{
	struct sen_record r[3] = { record_make(5, SEN_LABEL_NONE, SEN_CLASS_SCAN),
				   record_make(6, SEN_LABEL_ATTACK, SEN_CLASS_CUSTOM + 7),
				   record_make(7, SEN_LABEL_BENIGN, SEN_CLASS_BEACON) };
	struct sen_relabel changes[7] = { 0 };
	struct sen_store *s = four();
	char text[SEN_CLASS_NAME_MAX];
	unsigned int label;
	struct found f;

	(void)state;
	for (int i = 0; i < 3; i++)
		sen_store_add(s, &r[i]);
	assert_int_equal(sen_store_flush(s, 10, NULL), 0);
	f = list(s, SEN_LIST_LATEST);
	assert_int_equal(f.n, 7);
	for (int i = 0; i < 7; i++) {
		const struct sen_sample *x = &f.records[i].sample;

		changes[i].id = f.records[i].id;
		sen_label_text(x->label, x->class_id, NULL, text);
		assert_int_equal(sen_label_parse(text, NULL, &label, &changes[i].class_id), 0);
		changes[i].label = (enum sen_label)label;
	}
	assert_int_equal(sen_store_relabel(s, changes, 7, true, NULL), 0);
	/* Another class is news. */
	changes[1].class_id = SEN_CLASS_CUSTOM + 8;
	assert_int_equal(sen_store_relabel(s, changes, 7, true, NULL), 1);
	sen_store_close(s);
}

static double number_in(const char *path, const char *sql)
{
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;
	double value;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	value = sqlite3_column_double(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return value;
}

/* Another process labels the first hundred and takes that back. */
static void label_and_take_back(const char *path)
{
	const struct sen_store_limits unlike = { .samples = 80000, .days = 30 };
	struct sen_store *visitor = NULL;
	struct sen_relabel changes[100];

	for (int i = 0; i < 100; i++)
		changes[i] = (struct sen_relabel){ .id = i + 1, .label = SEN_LABEL_ATTACK };
	assert_int_equal(sen_store_visit(path, &unlike, &visitor, NULL), 0);
	assert_int_equal(sen_store_relabel(visitor, changes, 100, false, NULL), 100);
	for (int i = 0; i < 100; i++)
		changes[i].automatic = true;
	assert_int_equal(sen_store_relabel(visitor, changes, 100, false, NULL), 100);
	sen_store_close(visitor);
}

static void a_label_taken_back_is_not_the_first_to_go(void **state)
{
	static const char below[] = "SELECT avg(key < (SELECT avg(key) FROM samples)) FROM samples "
				    "WHERE id <= 100";
	char *folder = fixture_folder(), *path = fixture_path(folder, SEN_STORE_FILE);
	struct sen_store *s = record_store(path);

	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		struct sen_record r = record_make(i, SEN_LABEL_BENIGN, SEN_CLASS_NONE);

		sen_store_add(s, &r);
	}
	assert_int_equal(sen_store_flush(s, 10, NULL), 0);
	label_and_take_back(path);
	assert_true(number_in(path, "SELECT min(key) FROM samples") > -3);
	assert_true(number_in(path, "SELECT count(DISTINCT key) FROM samples") == 200);
	assert_in_range(100 * number_in(path, below), 25, 75);
	/* Late in the stream keys are higher, by the capacity that the agent has and the visitor is not told of. */
	number_in(path, "UPDATE strata SET seen = 32000 RETURNING seen");
	label_and_take_back(path);
	assert_in_range(number_in(path, "SELECT avg(key) FROM samples WHERE id <= 100"), 9, 12);
	sen_store_limit(s, &(struct sen_store_limits){ .samples = 8000, .days = 30 });
	label_and_take_back(path);
	assert_in_range(number_in(path, "SELECT avg(key) FROM samples WHERE id <= 100"), 1, 3);
	sen_store_close(s);
	fixture_remove(folder);
	free(path);
}

/* What operators have said is the last to give way. */
static void operators_labels_stay(void **state)
{
	struct sen_store *s = four();
	struct sen_record r;
	struct found f = { .n = 0 };

	(void)state;
	relabel(s, 2, "none");
	for (unsigned int i = 0; i < 20000; i++) {
		r = record_make(i, SEN_LABEL_NONE, SEN_CLASS_NONE);
		sen_store_add(s, &r);
		if (i % 2000 == 0)
			assert_int_equal(sen_store_flush(s, 10, NULL), 0);
	}
	assert_int_equal(sen_store_flush(s, 10, NULL), 0);
	assert_int_equal(sen_store_counts(s).unlabelled, 1000);
	assert_int_equal(sen_store_list(s,
					&(struct sen_store_filter){ SEN_LIST_LATEST, -1, -1,
								    SEN_ORIGIN_OPERATOR, 64 },
					keep, &f, NULL),
			 0);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.records[0].id, 2);
	sen_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_quantiles_of_late),
		cmocka_unit_test(few_scores_make_no_marks),
		cmocka_unit_test(a_flood_does_not_make_attacks_benign),
		cmocka_unit_test(rules_are_certain_scores_are_not),
		cmocka_unit_test(between_the_marks_there_is_no_label),
		cmocka_unit_test(labels_have_names),
		cmocka_unit_test(own_classes_have_names),
		cmocka_unit_test(operators_outrank_and_take_back),
		cmocka_unit_test(only_the_uncertain_are_for_review),
		cmocka_unit_test(all_or_none),
		cmocka_unit_test(a_round_trip_changes_nothing),
		cmocka_unit_test(a_label_taken_back_is_not_the_first_to_go),
		cmocka_unit_test(operators_labels_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
