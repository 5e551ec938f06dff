// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "pipeline.h"

/* Items are counted on and on; the one of count c is c % items. taken <= done <= put <= taken + items. */
struct sen_pipeline {
	unsigned int items;
	int (*run)(void *ctx, unsigned int item);
	void *ctx;
	unsigned long taken;
	int *results; /* of each item */

	bool threaded;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows, and of the results between put and done */
	pthread_cond_t changed;
	unsigned long put, done;
	bool quit;
};

static void run_oldest(struct sen_pipeline *p)
{
	unsigned int item = p->done % p->items;

	p->results[item] = p->run(p->ctx, item);
}

static void *run_all(void *arg)
{
	struct sen_pipeline *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->done == p->put && !p->quit)
			pthread_cond_wait(&p->changed, &p->lock);
		if (p->done == p->put)
			break;
		pthread_mutex_unlock(&p->lock);
		run_oldest(p);
		pthread_mutex_lock(&p->lock);
		p->done++;
		pthread_cond_signal(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int sen_pipeline_start(unsigned int items, bool threaded, int (*run)(void *ctx, unsigned int item),
		       void *ctx, struct sen_pipeline **out)
{
	struct sen_pipeline *p = calloc(1, sizeof(*p));
	int err = 0;

	if (!p)
		return -ENOMEM;
	p->items = items;
	p->run = run;
	p->ctx = ctx;
	p->results = calloc(items, sizeof(*p->results));
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	if (!p->results)
		err = -ENOMEM;
	else if (threaded)
		err = -pthread_create(&p->thread, NULL, run_all, p);
	p->threaded = threaded && !err;
	if (err) {
		sen_pipeline_stop(p);
		return err;
	}
	*out = p;
	return 0;
}

void sen_pipeline_stop(struct sen_pipeline *p)
{
	if (!p)
		return;
	if (p->threaded) {
		pthread_mutex_lock(&p->lock);
		p->quit = true;
		pthread_cond_signal(&p->changed);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p->results);
	free(p);
}

unsigned int sen_pipeline_next(const struct sen_pipeline *p)
{
	return p->put % p->items;
}

void sen_pipeline_put(struct sen_pipeline *p)
{
	pthread_mutex_lock(&p->lock);
	p->put++;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
	if (p->threaded)
		return;
	run_oldest(p);
	p->done++;
}

int sen_pipeline_take(struct sen_pipeline *p, unsigned int *item)
{
	pthread_mutex_lock(&p->lock);
	while (p->done == p->taken)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	*item = p->taken++ % p->items;
	return p->results[*item];
}

bool sen_pipeline_empty(const struct sen_pipeline *p)
{
	return p->put == p->taken;
}

bool sen_pipeline_full(const struct sen_pipeline *p)
{
	return p->put - p->taken == p->items;
}
