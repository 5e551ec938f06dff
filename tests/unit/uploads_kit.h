/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder of uploads of a learner that has its first model in force, and what stands in for its interface. */
#ifndef SENTROID_TEST_UPLOADS_KIT_H
#define SENTROID_TEST_UPLOADS_KIT_H

#include "learner_kit.h"
#include "uploads.h"

struct place {
	struct lab *lab;
	struct sen_worker *worker;
	struct sen_uploads *uploads;
	unsigned int judged; /* times that it has looked for files */
	bool foreign;        /* the model in force is from elsewhere */
	char *folder, *database;
	char said[512]; /* the latest line */
};

/* For cmocka. */
int uploads_setup(void **state);
int uploads_teardown(void **state);

/* Files in one of its folders. */
unsigned int uploads_in(const struct place *p, const char *folder);
/* A whole file: not changed for a while. */
void uploads_drop(const struct place *p, const char *name, const char *text);
/* A log of one sample; another number makes other bytes. */
void uploads_drop_log(const struct place *p, const char *name, const char *label, unsigned int n);
/* As long as there is something to do: until it looks twice and finds nothing. */
void uploads_run(struct place *p);
/* So many logs, numbered upwards, analysed. */
void uploads_give(struct place *p, unsigned int from, unsigned int n);

#endif
