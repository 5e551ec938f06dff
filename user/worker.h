/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one thread beside the event loop: long computations, one at a time. A job carries all that it
 * needs; the loop is woken when it is done and gets it back by sen_worker_collect().
 */
#ifndef SENTROID_WORKER_H
#define SENTROID_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SEN_WORKER_JOBS 64 /* that may wait, each of a key of its own */

struct sen_job {
	const void *key; /* a waiting job is replaced by a later one of the same key */
	void *arg;
	void (*run)(void *arg,
		    const atomic_bool *cancel); /* in the thread; polls cancel, see cancel.h */
	void (*done)(void *arg);                /* in the loop, after run */
	void (*dropped)(void *arg); /* in the loop: replaced or stopped before it was done */
};

struct sen_worker;

/* `wakeup` is called from the thread when something is to be collected. */
int sen_worker_start(void (*wakeup)(void *ctx), void *ctx, struct sen_worker **out);
/* -ENOSPC: too many wait. On error the job stays the caller's. */
int sen_worker_submit(struct sen_worker *w, const struct sen_job *job);
/* Call done() of what is finished. */
void sen_worker_collect(struct sen_worker *w);
/* Cancel what runs and drop what waits of one key; what ran is still collected. */
void sen_worker_cancel(struct sen_worker *w, const void *key);
/* Cancel, join, drop all. Accepts NULL. */
void sen_worker_stop(struct sen_worker *w);

bool sen_worker_busy(struct sen_worker *w);
/* When the thread last showed life: at least every second while idle, amid a job whenever that polls. */
int64_t sen_worker_heartbeat_ms(struct sen_worker *w);
/* Whether that is as it should be: not longer ago than given for an idle one, and for one amid a job. */
bool sen_worker_alive(struct sen_worker *w, int64_t idle_ms, int64_t job_ms);

#endif
