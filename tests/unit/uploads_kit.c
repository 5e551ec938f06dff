// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "uploads_kit.h"

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

int uploads_setup(void **state)
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

int uploads_teardown(void **state)
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

unsigned int uploads_in(const struct place *p, const char *folder)
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

void uploads_drop(const struct place *p, const char *name, const char *text)
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

void uploads_drop_log(const struct place *p, const char *name, const char *label, unsigned int n)
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
	uploads_drop(p, name, text);
}

void uploads_run(struct place *p)
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

void uploads_give(struct place *p, unsigned int from, unsigned int n)
{
	char name[32];

	for (unsigned int i = from; i < from + n; i++) {
		snprintf(name, sizeof(name), "%u.csv", i);
		uploads_drop_log(p, name, "benign", i);
	}
	uploads_run(p);
}
