// SPDX-License-Identifier: BSD-2-Clause
/* Uploads: each analysed once, counted once, archived when a training has seen it. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture.h"
#include "uploads_kit.h"

/* What the agent does with a training that is back. */
static bool finish(struct place *p)
{
	bool used = lab_finish_training(p->lab);

	if (used)
		sen_uploads_training_done(p->uploads);
	sen_learner_uploads(p->lab->learner, sen_uploads_count(p->uploads));
	return used;
}

static void ten_unique_ones_trigger_once(void **state)
{
	struct place *p = *state;
	struct lab *l = p->lab;

	uploads_give(p, 0, 9);
	assert_int_equal(sen_uploads_count(p->uploads), 9);
	/* The same bytes by another name are no tenth. */
	for (unsigned int i = 0; i < 9; i++)
		uploads_drop_log(p, "again.csv", "benign", i), uploads_run(p);
	assert_non_null(strstr(p->said, "known already"));
	assert_int_equal(sen_uploads_count(p->uploads), 9);
	assert_int_equal(uploads_in(p, "stored"), 9);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 1);
	uploads_give(p, 9, 1);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	sen_uploads_training_begins(p->uploads);
	assert_true(finish(p));
	assert_int_equal(sen_uploads_count(p->uploads), 0);
	assert_int_equal(uploads_in(p, "archive"), 10);
	assert_int_equal(uploads_in(p, "stored"), 0);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 2);
	/* Nor do they count later on. */
	uploads_give(p, 0, 10);
	assert_int_equal(sen_uploads_count(p->uploads), 0);
}

/* Ten in the course of a day, with updates in between, are ten. */
static void updates_do_not_reset_the_count(void **state)
{
	struct place *p = *state;
	struct lab *l = p->lab;

	uploads_give(p, 0, 6);
	lab_pass(l, 601);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_UPDATE);
	sen_uploads_training_begins(p->uploads);
	assert_false(finish(p));
	assert_int_equal(sen_uploads_count(p->uploads), 6);
	uploads_give(p, 6, 4);
	lab_pass(l, 11);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	assert_string_equal(l->fake.submitted->trigger, "enough unique uploads");
}

static void ask_full(struct place *p)
{
	assert_int_equal(sen_learner_ask(p->lab->learner, true, NULL), 0);
	lab_pass(p->lab, 1);
	assert_int_equal(p->lab->fake.submitted->kind, SEN_TRAINING_FULL);
	sen_uploads_training_begins(p->uploads);
}

/* What was thrown away has seen nothing; one that the gate has refused has. */
static void trainings_that_came_to_nothing_leave_them(void **state)
{
	struct place *p = *state;
	struct lab *l = p->lab;

	uploads_give(p, 0, 3);
	ask_full(p);
	assert_int_equal(sen_learner_pause(l->learner, 0, l->now_ms, NULL), 0);
	assert_false(finish(p));
	assert_int_equal(sen_uploads_count(p->uploads), 3);
	assert_int_equal(sen_learner_resume(l->learner, l->now_ms, NULL), 0);
	lab_pass(l, 1);
	ask_full(p);
	l->fake.push_error = -ENOSPC;
	assert_false(finish(p));
	l->fake.push_error = 0;
	assert_int_equal(sen_uploads_count(p->uploads), 3);
	ask_full(p);
	l->fake.submitted->gate.max_regression = -1;
	assert_true(finish(p));
	assert_int_equal(sen_learner_status(l->learner)->refused, 1);
	assert_int_equal(sen_uploads_count(p->uploads), 0);
}

/* The file is read again now and then, not each second, and in the end it is there. */
static void a_failing_store_is_not_hammered(void **state)
{
	struct place *p = *state;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(p->database, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	uploads_give(p, 0, 1);
	assert_non_null(strstr(p->said, "put off for 10 s"));
	for (int i = 0; i < 100; i++)
		sen_uploads_tick(p->uploads);
	assert_int_equal(p->judged, 1);
	assert_int_equal(uploads_in(p, "rejected"), 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Else they would count for another training. */
static void archived_once_the_store_is_free(void **state)
{
	struct place *p = *state;
	sqlite3 *db = NULL;

	uploads_give(p, 0, 3);
	sen_uploads_training_begins(p->uploads);
	assert_int_equal(sqlite3_open(p->database, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	sen_uploads_training_done(p->uploads);
	assert_int_equal(uploads_in(p, "stored"), 3);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	sen_uploads_tick(p->uploads);
	assert_int_equal(sen_uploads_count(p->uploads), 0);
	assert_int_equal(uploads_in(p, "archive"), 3);
}

struct seen {
	struct sen_record record; /* the latest */
	unsigned int n;
};

static int see(void *ctx, const struct sen_record *r)
{
	struct seen *s = ctx;

	if (r->upload && !s->n++)
		s->record = *r;
	return 0;
}

static struct seen uploaded(const struct place *p)
{
	const struct sen_store_filter all = { SEN_LIST_LATEST, -1, -1, -1, 10000 };
	struct seen s = { .n = 0 };

	assert_int_equal(sen_store_list(sen_learner_store(p->lab->learner), &all, see, &s, NULL),
			 0);
	return s;
}

/* As of live samples: an attack that a model from elsewhere has found judges no candidate. */
static void foreign_models_scores_are_no_measure(void **state)
{
	struct place *p = *state;
	struct seen s;

	uploads_give(p, 0, 1);
	s = uploaded(p);
	assert_int_equal(s.record.sample.model_version, 1);
	p->foreign = true;
	uploads_give(p, 1, 1);
	s = uploaded(p);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.record.sample.model_version, 0);
}

/* A folder by the name of a class of the model in force labels what is in it. */
static void folders_may_be_the_models_own_classes(void **state)
{
	struct place *p = *state;
	char *folder = fixture_path(p->folder, "worm");
	struct seen s;

	assert_int_equal(mkdir(folder, 0700), 0);
	uploads_drop_log(p, "worm/1.csv", "benign", 1);
	uploads_run(p);
	s = uploaded(p);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.record.sample.label, SEN_LABEL_ATTACK);
	assert_int_equal(s.record.sample.class_id, SEN_CLASS_CUSTOM + 2);
	/* And in a log their names stand for them. */
	uploads_drop_log(p, "2.csv", "worm", 2);
	uploads_run(p);
	assert_int_equal(uploaded(p).n, 2);
	uploads_drop_log(p, "3.csv", "nonsense", 3);
	uploads_run(p);
	assert_int_equal(uploads_in(p, "rejected"), 2);
	assert_non_null(strstr(p->said, "nor a class of the model in force: 'nonsense'"));
	free(folder);
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, uploads_setup, uploads_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_unique_ones_trigger_once),
		TEST(updates_do_not_reset_the_count),
		TEST(trainings_that_came_to_nothing_leave_them),
		TEST(a_failing_store_is_not_hammered),
		TEST(archived_once_the_store_is_free),
		TEST(foreign_models_scores_are_no_measure),
		TEST(folders_may_be_the_models_own_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
