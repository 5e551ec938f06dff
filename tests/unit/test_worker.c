// SPDX-License-Identifier: BSD-2-Clause
/* One job at a time, coalescing by key, cancelling, and a stop that waits for nobody. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "cancel.h"
#include "clock.h"
#include "fixture.h"
#include "worker.h"

static sem_t woken;

struct job {
	sem_t started;
	sem_t go; /* run() waits for it, or for being cancelled */
	int runs, done, dropped;
	bool cancelled;
	pthread_t ran_in, done_in;
};

static void wakeup(void *ctx)
{
	(void)ctx;
	sem_post(&woken);
}

static void wait_for(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	assert_int_equal(sem_timedwait(sem, &until), 0);
}

static void run(void *arg, const atomic_bool *cancel)
{
	struct job *j = arg;

	j->runs++;
	j->ran_in = pthread_self();
	sem_post(&j->started);
	while (sem_trywait(&j->go)) {
		if (atomic_load(cancel)) {
			j->cancelled = true;
			return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static void done(void *arg)
{
	struct job *j = arg;

	j->done++;
	j->done_in = pthread_self();
}

static void dropped(void *arg)
{
	struct job *j = arg;

	j->dropped++;
}

static void job_init(struct job *j)
{
	*j = (struct job){ 0 };
	sem_init(&j->started, 0, 0);
	sem_init(&j->go, 0, 0);
}

static int submit(struct sen_worker *w, struct job *j, const void *key)
{
	return sen_worker_submit(
		w, &(struct sen_job){
			   .key = key, .arg = j, .run = run, .done = done, .dropped = dropped });
}

static struct sen_worker *start(void)
{
	struct sen_worker *w;

	sem_init(&woken, 0, 0);
	assert_int_equal(sen_worker_start(wakeup, NULL, &w), 0);
	return w;
}

static void runs_elsewhere_and_comes_back(void **state)
{
	struct sen_worker *w = start();
	struct job j;

	(void)state;
	job_init(&j);
	sem_post(&j.go);
	assert_int_equal(submit(w, &j, "a"), 0);
	wait_for(&woken);
	assert_int_equal(j.done, 0);
	sen_worker_collect(w);
	assert_int_equal(j.runs, 1);
	assert_int_equal(j.done, 1);
	assert_int_equal(j.dropped, 0);
	assert_false(pthread_equal(j.ran_in, pthread_self()));
	assert_true(pthread_equal(j.done_in, pthread_self()));
	sen_worker_collect(w);
	assert_int_equal(j.done, 1);
	sen_worker_stop(w);
}

static void later_jobs_replace_waiting_ones(void **state)
{
	struct sen_worker *w = start();
	struct job first, second, third, other;

	(void)state;
	job_init(&first);
	job_init(&second);
	job_init(&third);
	job_init(&other);
	submit(w, &first, "a");
	wait_for(&first.started);
	assert_true(sen_worker_busy(w));
	submit(w, &second, "a");
	submit(w, &other, "b");
	submit(w, &third, "a");
	assert_int_equal(second.dropped, 1);
	assert_int_equal(first.dropped + third.dropped + other.dropped, 0);
	sem_post(&first.go);
	sem_post(&third.go);
	sem_post(&other.go);
	for (int n = 0; n < 3; n++)
		wait_for(&woken);
	sen_worker_collect(w);
	assert_int_equal(second.runs, 0);
	assert_int_equal(first.done + third.done + other.done, 3);
	sen_worker_stop(w);
}

static void cancel_reaches_the_running_job(void **state)
{
	struct sen_worker *w = start();
	struct job running, waiting, other;

	(void)state;
	job_init(&running);
	job_init(&waiting);
	job_init(&other);
	submit(w, &running, "a");
	wait_for(&running.started);
	submit(w, &waiting, "a");
	submit(w, &other, "b");
	sen_worker_cancel(w, "a");
	assert_int_equal(waiting.dropped, 1);
	wait_for(&woken);
	wait_for(&other.started);
	/* The next job starts uncancelled. */
	sem_post(&other.go);
	wait_for(&woken);
	sen_worker_collect(w);
	assert_true(running.cancelled);
	assert_int_equal(running.done, 1);
	assert_int_equal(other.done, 1);
	assert_false(other.cancelled);
	assert_int_equal(waiting.runs, 0);
	sen_worker_stop(w);
}

static void stop_drops_everything(void **state)
{
	struct sen_worker *w = start();
	struct job running, waiting;
	int64_t began = sen_now_ms();

	(void)state;
	job_init(&running);
	job_init(&waiting);
	submit(w, &running, "a");
	wait_for(&running.started);
	submit(w, &waiting, "b");
	sen_worker_stop(w);
	assert_true(running.cancelled);
	assert_int_equal(running.dropped, 1);
	assert_int_equal(waiting.dropped, 1);
	assert_int_equal(running.done + waiting.done + waiting.runs, 0);
	assert_true(sen_now_ms() - began < 2000);
	sen_worker_stop(NULL);
}

static void queue_is_bounded(void **state)
{
	struct sen_worker *w = start();
	struct job jobs[SEN_WORKER_JOBS + 10];
	int refused = 0;

	(void)state;
	for (int n = 0; n < SEN_WORKER_JOBS + 10; n++) {
		job_init(&jobs[n]);
		refused += submit(w, &jobs[n], &jobs[n]) == -ENOSPC;
		if (!n)
			wait_for(&jobs[0].started);
	}
	assert_int_equal(refused, 9); /* one runs */
	sen_worker_stop(w);
}

static void heart_beats(void **state)
{
	struct sen_worker *w = start();
	int64_t before = sen_worker_heartbeat_ms(w);

	(void)state;
	for (int n = 0; n < 300 && sen_worker_heartbeat_ms(w) == before; n++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_true(sen_worker_heartbeat_ms(w) > before);
	sen_worker_stop(w);
}

/* One that is stuck in a job is not alive for ever. */
static void stuck_jobs_are_noticed(void **state)
{
	struct sen_worker *w = start();
	struct job j;

	(void)state;
	job_init(&j);
	assert_true(sen_worker_alive(w, 5000, 5000));
	submit(w, &j, "a");
	wait_for(&j.started);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	assert_true(sen_worker_alive(w, 0, 5000));
	assert_false(sen_worker_alive(w, 5000, 20));
	sem_post(&j.go);
	sen_worker_stop(w);
}

static void run_asking(void *arg, const atomic_bool *cancel)
{
	struct job *j = arg;

	sem_post(&j->started);
	while (!sen_cancelled(cancel))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* However long it takes. */
static void jobs_that_ask_are_alive(void **state)
{
	struct sen_worker *w = start();
	int64_t before;
	struct job j;

	(void)state;
	job_init(&j);
	sen_worker_submit(w, &(struct sen_job){ .key = "a",
						.arg = &j,
						.run = run_asking,
						.done = done,
						.dropped = dropped });
	wait_for(&j.started);
	before = sen_now_ms();
	for (int n = 0; n < 500 && sen_worker_heartbeat_ms(w) <= before; n++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_true(sen_worker_heartbeat_ms(w) > before);
	assert_true(sen_worker_busy(w));
	sen_worker_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_elsewhere_and_comes_back),
		cmocka_unit_test(later_jobs_replace_waiting_ones),
		cmocka_unit_test(cancel_reaches_the_running_job),
		cmocka_unit_test(stop_drops_everything),
		cmocka_unit_test(queue_is_bounded),
		cmocka_unit_test(heart_beats),
		cmocka_unit_test(stuck_jobs_are_noticed),
		cmocka_unit_test(jobs_that_ask_are_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
