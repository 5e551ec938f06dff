// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "clock.h"
#include "worker.h"

#define BEAT_MS 500

struct sen_worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*wakeup)(void *ctx);
	void *ctx;
	bool stopping;
	bool running;
	const void *running_key;
	atomic_bool cancel;
	_Atomic int64_t beat_ms;
	unsigned int waiting_n;
	unsigned int finished_n;
	struct sen_job waiting[SEN_WORKER_JOBS];
	struct sen_job finished[SEN_WORKER_JOBS];
};

static void wait_for_change(struct sen_worker *w)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += BEAT_MS * 1000000l;
	until.tv_sec += until.tv_nsec / 1000000000l;
	until.tv_nsec %= 1000000000l;
	pthread_cond_timedwait(&w->changed, &w->lock, &until);
}

static struct sen_job remove_job(struct sen_job *queue, unsigned int *n, unsigned int at)
{
	struct sen_job job = queue[at];

	(*n)--;
	memmove(&queue[at], &queue[at + 1], (*n - at) * sizeof(*queue));
	return job;
}

/* With the lock held, which is released while the job runs. */
static void run_next(struct sen_worker *w)
{
	struct sen_job job = remove_job(w->waiting, &w->waiting_n, 0);

	w->running = true;
	w->running_key = job.key;
	atomic_store(&w->cancel, false);
	pthread_mutex_unlock(&w->lock);
	job.run(job.arg, &w->cancel);
	pthread_mutex_lock(&w->lock);
	w->running = false;
	w->running_key = NULL;
	w->finished[w->finished_n++] = job;
	w->wakeup(w->ctx);
}

static void *worker_main(void *arg)
{
	struct sen_worker *w = arg;

	sen_cancel_note(&w->beat_ms);
	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		atomic_store(&w->beat_ms, sen_now_ms());
		if (w->waiting_n && w->finished_n < SEN_WORKER_JOBS)
			run_next(w);
		else
			wait_for_change(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Signals are the loop's: the thread starts with all of them blocked. */
static int start_thread(struct sen_worker *w)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

int sen_worker_start(void (*wakeup)(void *ctx), void *ctx, struct sen_worker **out)
{
	struct sen_worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int err;

	if (!w)
		return -ENOMEM;
	w->wakeup = wakeup;
	w->ctx = ctx;
	atomic_store(&w->beat_ms, sen_now_ms());
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	err = start_thread(w);
	if (!err) {
		*out = w;
		return 0;
	}
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return err;
}

int sen_worker_submit(struct sen_worker *w, const struct sen_job *job)
{
	struct sen_job replaced = { 0 };
	int err = 0;

	pthread_mutex_lock(&w->lock);
	for (unsigned int i = 0; i < w->waiting_n; i++) {
		if (w->waiting[i].key != job->key)
			continue;
		replaced = remove_job(w->waiting, &w->waiting_n, i);
		break;
	}
	if (w->waiting_n < SEN_WORKER_JOBS)
		w->waiting[w->waiting_n++] = *job;
	else
		err = -ENOSPC;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (replaced.dropped)
		replaced.dropped(replaced.arg);
	return err;
}

void sen_worker_collect(struct sen_worker *w)
{
	struct sen_job finished[SEN_WORKER_JOBS];
	unsigned int n;

	pthread_mutex_lock(&w->lock);
	n = w->finished_n;
	memcpy(finished, w->finished, n * sizeof(finished[0]));
	w->finished_n = 0;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	for (unsigned int i = 0; i < n; i++)
		finished[i].done(finished[i].arg);
}

void sen_worker_cancel(struct sen_worker *w, const void *key)
{
	struct sen_job dropped[SEN_WORKER_JOBS];
	unsigned int n = 0;

	pthread_mutex_lock(&w->lock);
	if (w->running && w->running_key == key)
		atomic_store(&w->cancel, true);
	for (unsigned int i = w->waiting_n; i-- > 0;)
		if (w->waiting[i].key == key)
			dropped[n++] = remove_job(w->waiting, &w->waiting_n, i);
	pthread_mutex_unlock(&w->lock);
	while (n-- > 0)
		dropped[n].dropped(dropped[n].arg);
}

void sen_worker_stop(struct sen_worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	atomic_store(&w->cancel, true);
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	for (unsigned int i = 0; i < w->waiting_n; i++)
		w->waiting[i].dropped(w->waiting[i].arg);
	for (unsigned int i = 0; i < w->finished_n; i++)
		w->finished[i].dropped(w->finished[i].arg);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

bool sen_worker_busy(struct sen_worker *w)
{
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->running;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

int64_t sen_worker_heartbeat_ms(struct sen_worker *w)
{
	return atomic_load(&w->beat_ms);
}

bool sen_worker_alive(struct sen_worker *w, int64_t idle_ms, int64_t job_ms)
{
	int64_t silent = sen_now_ms() - sen_worker_heartbeat_ms(w);

	return silent <= (sen_worker_busy(w) ? job_ms : idle_ms);
}
