/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few items that go round between their owner, who fills and reads them, and a thread that runs them
 * in order: while one is run the next are filled and those before are read, and neither side waits for
 * the other to wake up as long as there are items between them.
 */
#ifndef SENTROID_PIPELINE_H
#define SENTROID_PIPELINE_H

#include <stdbool.h>

struct sen_pipeline;

/* run() does the work of item 0 .. items - 1; 0 or a negative errno. Not threaded, it is called by
 * sen_pipeline_put() itself. 0, -ENOMEM, or what pthread_create() says. Free with sen_pipeline_stop(). */
int sen_pipeline_start(unsigned int items, bool threaded, int (*run)(void *ctx, unsigned int item),
		       void *ctx, struct sen_pipeline **out);
/* Waits for what was handed over. */
void sen_pipeline_stop(struct sen_pipeline *p);

/* The item to fill, unless sen_pipeline_full(). */
unsigned int sen_pipeline_next(const struct sen_pipeline *p);
/* Hand it over to be run. */
void sen_pipeline_put(struct sen_pipeline *p);
/* Wait for the oldest item that was put and not yet taken, and have it back; there must be one. Returns
 * what run() said of it. It may be read until the next sen_pipeline_put(). */
int sen_pipeline_take(struct sen_pipeline *p, unsigned int *item);

/* Nothing is left to take. */
bool sen_pipeline_empty(const struct sen_pipeline *p);
/* Nothing is left to fill. */
bool sen_pipeline_full(const struct sen_pipeline *p);

#endif
