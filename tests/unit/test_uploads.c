// SPDX-License-Identifier: BSD-2-Clause
/* Uploads: each analysed once, counted once, archived when a training has seen it, and cleared away in time. */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "fsutil.h"
#include "learner_kit.h"
#include "retention.h"
#include "uploads.h"

struct place {
	struct lab *lab;
	struct sen_worker *worker;
	struct sen_uploads *uploads;
	unsigned int judged;
	bool foreign;
	char *folder, *database;
	char said[512];
};

/* ---- what stands in for an interface ---- */

static int judge(void *ctx, struct sen_analysis *out)
{
	struct place *p = ctx;

	p->judged++;
	if (!p->lab->fake.has_model)
		return -ENOENT;
	out->model = p->lab->fake.active;
	strcpy(out->model.class_name[2], "worm");
	out->marks = *sen_learner_marks(p->lab->learner);
	out->margin = 0.95;
	out->foreign = p->foreign;
	return 0;
}

static struct sen_store *store(void *ctx)
{
	struct place *p = ctx;

	return sen_learner_store(p->lab->learner);
}

static void say(void *ctx, enum sen_log_level level, const char *line)
{
	struct place *p = ctx;

	(void)level;
	snprintf(p->said, sizeof(p->said), "%s", line);
}

static void wakeup(void *ctx)
{
	(void)ctx;
}

static int set_up(void **state)
{
	static const struct sen_uploads_ops ops = { .judge = judge, .store = store, .say = say };
	struct place *p = calloc(1, sizeof(*p));

	lab_setup((void **)&p->lab);
	p->folder = fixture_path(p->lab->folder, "uploads");
	p->database = fixture_path(p->lab->folder, SEN_STORE_FILE);
	assert_int_equal(sen_learner_keep(p->lab->learner, p->database, NULL), 0);
	lab_reach_active(p->lab);
	assert_int_equal(sen_worker_start(wakeup, NULL, &p->worker), 0);
	assert_int_equal(sen_uploads_open(p->lab->folder, p->worker, &ops, p, &p->uploads, NULL),
			 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const folders[] = { "stored", "archive", "rejected", "worm", "benign" };
	struct place *p = *state;

	sen_worker_stop(p->worker);
	sen_uploads_close(p->uploads);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *path = fixture_path(p->folder, folders[i]);

		if (access(path, F_OK))
			free(path);
		else
			fixture_remove(path);
	}
	fixture_remove(p->folder);
	lab_teardown((void **)&p->lab);
	free(p->database);
	free(p);
	return 0;
}

/* ---- files ---- */

static unsigned int files_in(const struct place *p, const char *folder)
{
	char *path = fixture_path(p->folder, folder);
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	free(path);
	return n;
}

/* Whole files: not changed for a while. */
static void drop(const struct place *p, const char *name, const char *text)
{
	const struct timeval past[2] = { { time(NULL) - 100, 0 }, { time(NULL) - 100, 0 } };
	char *path = fixture_path(p->folder, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(utimes(path, past), 0);
	free(path);
}

/* A log of one sample; another number makes other bytes. */
static void drop_log(const struct place *p, const char *name, const char *label, unsigned int n)
{
#define HEADER_OF(id, feature, help) "," feature
	static const char header[] = "label,by,src,dst,sport,dport,proto" SEN_FEATURES(HEADER_OF)
		SEN_CIRCUMSTANCES(HEADER_OF);
	char text[4096];
	int at = snprintf(text, sizeof(text), "%s\n%s,operator,10.0.0.2,10.0.0.1,%u,80,6", header,
			  label, 1000 + n);

	for (int d = 0; d < SEN_MEASURES; d++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, ",%u",
			       d < SEN_DIMS ? fixture_centre(n % 6, (unsigned int)d) : 0);
	drop(p, name, text);
}

/* As long as there is something to do: until it looks twice and finds nothing. */
static void run(struct place *p)
{
	unsigned int idle = 0;

	*p->said = '\0';
	for (int i = 0; i < 20000 && idle < 2 && !strstr(p->said, "put off"); i++) {
		unsigned int judged = p->judged;

		sen_uploads_tick(p->uploads);
		idle = p->judged > judged ? idle + 1 : 0;
		if (idle)
			continue;
		usleep(200);
		sen_worker_collect(p->worker);
	}
	sen_learner_uploads(p->lab->learner, sen_uploads_count(p->uploads));
}

/* What the agent does with a training that is back. */
static bool finish(struct place *p)
{
	bool used = lab_finish_training(p->lab);

	if (used)
		sen_uploads_training_done(p->uploads);
	sen_learner_uploads(p->lab->learner, sen_uploads_count(p->uploads));
	return used;
}

static void upload(struct place *p, unsigned int from, unsigned int n)
{
	char name[32];

	for (unsigned int i = from; i < from + n; i++) {
		snprintf(name, sizeof(name), "%u.csv", i);
		drop_log(p, name, "benign", i);
	}
	run(p);
}

/* ---- */

static void ten_unique_ones_trigger_once(void **state)
{
	struct place *p = *state;
	struct lab *l = p->lab;

	upload(p, 0, 9);
	assert_int_equal(sen_uploads_count(p->uploads), 9);
	/* The same bytes by another name are no tenth. */
	for (unsigned int i = 0; i < 9; i++)
		drop_log(p, "again.csv", "benign", i), run(p);
	assert_non_null(strstr(p->said, "known already"));
	assert_int_equal(sen_uploads_count(p->uploads), 9);
	assert_int_equal(files_in(p, "stored"), 9);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 1);
	upload(p, 9, 1);
	lab_pass(l, 1);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	sen_uploads_training_begins(p->uploads);
	assert_true(finish(p));
	assert_int_equal(sen_uploads_count(p->uploads), 0);
	assert_int_equal(files_in(p, "archive"), 10);
	assert_int_equal(files_in(p, "stored"), 0);
	lab_pass(l, 100);
	assert_int_equal(l->fake.submissions, 2);
	/* Nor do they count later on. */
	upload(p, 0, 10);
	assert_int_equal(sen_uploads_count(p->uploads), 0);
}

/* Ten in the course of a day, with updates in between, are ten. */
static void updates_do_not_reset_the_count(void **state)
{
	struct place *p = *state;
	struct lab *l = p->lab;

	upload(p, 0, 6);
	lab_pass(l, 601);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_UPDATE);
	sen_uploads_training_begins(p->uploads);
	assert_false(finish(p));
	assert_int_equal(sen_uploads_count(p->uploads), 6);
	upload(p, 6, 4);
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

	upload(p, 0, 3);
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
	upload(p, 0, 1);
	assert_non_null(strstr(p->said, "put off for 10 s"));
	for (int i = 0; i < 100; i++)
		sen_uploads_tick(p->uploads);
	assert_int_equal(p->judged, 1);
	assert_int_equal(files_in(p, "rejected"), 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
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

	upload(p, 0, 1);
	s = uploaded(p);
	assert_int_equal(s.record.sample.model_version, 1);
	p->foreign = true;
	upload(p, 1, 1);
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
	drop_log(p, "worm/1.csv", "benign", 1);
	run(p);
	s = uploaded(p);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.record.sample.label, SEN_LABEL_ATTACK);
	assert_int_equal(s.record.sample.class_id, SEN_CLASS_CUSTOM + 2);
	/* And in a log their names stand for them. */
	drop_log(p, "2.csv", "worm", 2);
	run(p);
	assert_int_equal(uploaded(p).n, 2);
	drop_log(p, "3.csv", "nonsense", 3);
	run(p);
	assert_int_equal(files_in(p, "rejected"), 2);
	assert_non_null(strstr(p->said, "nor a class of the model in force: 'nonsense'"));
	free(folder);
}

static void expect_table(struct place *p, const char *name, const char *text, const char *format)
{
	char *path, *reason = NULL, file[64];
	size_t len;

	drop(p, name, text);
	run(p);
	snprintf(file, sizeof(file), "rejected/%s.reason", name);
	path = fixture_path(p->folder, file);
	assert_int_equal(sen_read_file(path, 1000, &reason, &len, NULL), 0);
	if (!strstr(reason, format) || !strstr(reason, "sentroid train --flow-table") ||
	    !strstr(reason, "does not hold what a model of packets looks at"))
		fail_msg("%s: %s", name, reason);
	free(reason);
	free(path);
}

/* Tables of others lack what a model looks at: the reason says so, and what they are good for. */
static void flow_tables_are_told_where_they_belong(void **state)
{
	struct place *p = *state;

	expect_table(
		p, "conn.log",
		"#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h"
		"\tid.resp_p\tproto\tduration\torig_pkts\tresp_pkts\n",
		"Zeek conn.log");
	expect_table(p, "conn.json",
		     "{\"ts\":1.5,\"id.orig_h\":\"10.0.0.2\",\"id.resp_h\":\"10.0.0.1\",\"proto\":"
		     "\"tcp\",\"orig_pkts\":3,\"resp_pkts\":2}\n",
		     "Zeek conn.log");
	expect_table(p, "flows.csv",
		     " Destination Port, Flow Duration, Total Fwd Packets, Total Backward Packets, "
		     "Label\n80,3,2,1,BENIGN\n",
		     "CICFlowMeter");
	expect_table(
		p, "KDDTrain.txt",
		"0,tcp,ftp_data,SF,491,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,2,0.00,0.00,0.00,0.00,"
		"1.00,0.00,0.00,150,25,0.17,0.03,0.17,0.00,0.00,0.00,0.05,0.00,normal,20\n",
		"NSL-KDD");
	assert_int_equal(sen_uploads_count(p->uploads), 0);
	/* What is nothing at all is not called one. */
	drop(p, "notes.json", "{\"a\": 1}\n");
	run(p);
	assert_null(strstr(p->said, "flow-table"));
}

static void files_go_by_count_and_age(void **state)
{
	struct place *p = *state;
	char *archive = fixture_path(p->folder, "archive"), name[32];

	for (unsigned int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "archive/%u", i);
		drop(p, name, "x");
		usleep(10000); /* the clock of files is coarse */
	}
	assert_int_equal(sen_retain_files(archive, 100, time(NULL) - 1000), 0);
	assert_int_equal(sen_retain_files(archive, 4, time(NULL) - 1000), 8);
	assert_int_equal(files_in(p, "archive"), 4);
	snprintf(name, sizeof(name), "archive/%u", 11);
	free(archive);
	archive = fixture_path(p->folder, name);
	assert_int_equal(access(archive, F_OK), 0);
	free(archive);
	archive = fixture_path(p->folder, "archive");
	assert_int_equal(sen_retain_files(archive, 100, time(NULL) + 1), 4);
	assert_int_equal(sen_retain_files("/no/such/folder", 1, 0), -ENOENT);
	free(archive);
	/* The agent does so by itself, and what waits counts even where its file is gone. */
	upload(p, 0, 12);
	sen_uploads_limit(p->uploads, &(struct sen_uploads_limits){ .keep = 5, .days = 30 });
	sen_uploads_tick(p->uploads);
	assert_int_equal(files_in(p, "stored"), 5);
	assert_int_equal(sen_uploads_count(p->uploads), 12);
	sen_uploads_training_begins(p->uploads);
	sen_uploads_training_done(p->uploads);
	assert_int_equal(sen_uploads_count(p->uploads), 0);
	assert_int_equal(files_in(p, "archive"), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_unique_ones_trigger_once),
		TEST(updates_do_not_reset_the_count),
		TEST(trainings_that_came_to_nothing_leave_them),
		TEST(a_failing_store_is_not_hammered),
		TEST(foreign_models_scores_are_no_measure),
		TEST(folders_may_be_the_models_own_classes),
		TEST(flow_tables_are_told_where_they_belong),
		TEST(files_go_by_count_and_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
