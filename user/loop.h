/* SPDX-License-Identifier: BSD-2-Clause */
/* The one event loop of the agent: descriptors, timers, signals, and wake-ups from other threads. */
#ifndef SENTROID_LOOP_H
#define SENTROID_LOOP_H

#include <signal.h>
#include <stdint.h>

struct sen_loop;

typedef void (*sen_loop_fn)(void *ctx);
typedef void (*sen_loop_signal_fn)(void *ctx, int signo);

int sen_loop_new(struct sen_loop **out);
/* Closes the timers, signal and wake-up descriptors that it made, not those it was given. */
void sen_loop_free(struct sen_loop *loop);

/* Call fn whenever fd is readable. */
int sen_loop_add(struct sen_loop *loop, int fd, sen_loop_fn fn, void *ctx);
void sen_loop_remove(struct sen_loop *loop, int fd);
/* A timer that is not running yet: its descriptor, or a negative errno. */
int sen_loop_timer(struct sen_loop *loop, sen_loop_fn fn, void *ctx);
/* First after `first_ms` (0: at once), then every `every_ms` (0: never again). first_ms < 0 stops it. */
int sen_loop_timer_set(int timer, int64_t first_ms, int64_t every_ms);
/* Block the signals of the set for the process and hand them to fn. Call it before threads start. */
int sen_loop_signals(struct sen_loop *loop, const sigset_t *set, sen_loop_signal_fn fn, void *ctx);
/* A descriptor that other threads give to sen_loop_wake() to have fn called in the loop. */
int sen_loop_wakeup(struct sen_loop *loop, sen_loop_fn fn, void *ctx);
void sen_loop_wake(int wakeup);

/* Run until sen_loop_stop(). */
int sen_loop_run(struct sen_loop *loop);
void sen_loop_stop(struct sen_loop *loop);

#endif
