// SPDX-License-Identifier: BSD-2-Clause
/* The files of uploads: which are taken up, where each ends, and how long it stays there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "fsutil.h"
#include "retention.h"
#include "uploads_kit.h"

static void expect_table(struct place *p, const char *name, const char *text, const char *format)
{
	char *path, *reason = NULL, file[64];
	size_t len;

	uploads_drop(p, name, text);
	uploads_run(p);
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
	uploads_drop(p, "notes.json", "{\"a\": 1}\n");
	uploads_run(p);
	assert_null(strstr(p->said, "flow-table"));
}

static void files_go_by_count_and_age(void **state)
{
	struct place *p = *state;
	char *archive = fixture_path(p->folder, "archive"), name[32];

	for (unsigned int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "archive/%u", i);
		uploads_drop(p, name, "x");
		usleep(10000); /* the clock of files is coarse */
	}
	assert_int_equal(sen_retain_files(archive, 100, time(NULL) - 1000), 0);
	assert_int_equal(sen_retain_files(archive, 4, time(NULL) - 1000), 8);
	assert_int_equal(uploads_in(p, "archive"), 4);
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
	uploads_give(p, 0, 12);
	sen_uploads_limit(p->uploads, &(struct sen_uploads_limits){ .keep = 5, .days = 30 });
	sen_uploads_tick(p->uploads);
	assert_int_equal(uploads_in(p, "stored"), 5);
	assert_int_equal(sen_uploads_count(p->uploads), 12);
	sen_uploads_training_begins(p->uploads);
	sen_uploads_training_done(p->uploads);
	assert_int_equal(sen_uploads_count(p->uploads), 0);
	assert_int_equal(uploads_in(p, "archive"), 5);
}
/* The longest name that there is leaves no room for what is put around it. */
static void long_names_are_shortened(void **state)
{
	struct place *p = *state;
	char name[256] = { 0 };

	memset(name, 'n', 255);
	uploads_drop(p, name, "of no use");
	uploads_run(p);
	uploads_drop(p, name, "of no use either");
	uploads_run(p);
	assert_int_equal(uploads_in(p, "rejected"), 4); /* and the reasons */
	for (unsigned int i = 0; i < 2; i++) {
		uploads_drop_log(p, name, "benign", i);
		uploads_run(p);
	}
	assert_int_equal(uploads_in(p, "stored"), 2);
	sen_uploads_training_begins(p->uploads);
	sen_uploads_training_done(p->uploads);
	assert_int_equal(uploads_in(p, "archive"), 2);
	assert_int_equal(uploads_in(p, "stored"), 0);
}

/* It is told once, those behind it get their turn, and it has another when it is another. */
static void what_cannot_be_moved_holds_up_nothing(void **state)
{
	struct place *p = *state;
	char *rejected = fixture_path(p->folder, "rejected");

	assert_int_equal(rmdir(rejected), 0);
	assert_int_equal(symlink("/no/such/place", rejected), 0);
	uploads_drop(p, "a", "of no use");
	uploads_run(p);
	assert_non_null(strstr(p->said, "upload a stays where it is"));
	uploads_drop_log(p, "b.csv", "benign", 1);
	uploads_run(p);
	assert_int_equal(sen_uploads_count(p->uploads), 1);
	assert_non_null(strstr(p->said, "upload b.csv analysed"));
	uploads_drop_log(p, "a", "benign", 2);
	uploads_run(p);
	assert_int_equal(sen_uploads_count(p->uploads), 2);
	assert_int_equal(unlink(rejected), 0);
	free(rejected);
}

static void files_from_the_future_are_taken_up(void **state)
{
	struct place *p = *state;
	const struct timeval ahead[2] = { { time(NULL) + 9000, 0 }, { time(NULL) + 9000, 0 } };
	char *path = fixture_path(p->folder, "a.csv");

	uploads_drop_log(p, "a.csv", "benign", 1);
	assert_int_equal(utimes(path, ahead), 0);
	for (int i = 0; i < 100 && !sen_uploads_count(p->uploads); i++) {
		usleep(100000);
		uploads_run(p);
	}
	assert_int_equal(sen_uploads_count(p->uploads), 1);
	free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, uploads_setup, uploads_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flow_tables_are_told_where_they_belong),
		TEST(files_go_by_count_and_age),
		TEST(long_names_are_shortened),
		TEST(what_cannot_be_moved_holds_up_nothing),
		TEST(files_from_the_future_are_taken_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
