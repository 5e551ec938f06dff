// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop.h"

#define LOOP_BATCH 16

enum source_kind {
	SOURCE_GIVEN,
	SOURCE_COUNTER,
	SOURCE_SIGNALS
};

struct source {
	struct source *next;
	int fd; /* -1: removed, freed when no event of it can be in flight */
	enum source_kind kind;
	sen_loop_fn fn;
	sen_loop_signal_fn signal_fn;
	void *ctx;
};

struct sen_loop {
	int epoll;
	bool stopping;
	struct source *sources;
};

int sen_loop_new(struct sen_loop **out)
{
	struct sen_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		int err = -errno;

		free(loop);
		return err;
	}
	*out = loop;
	return 0;
}

void sen_loop_free(struct sen_loop *loop)
{
	if (!loop)
		return;
	while (loop->sources) {
		struct source *s = loop->sources;

		loop->sources = s->next;
		if (s->fd >= 0 && s->kind != SOURCE_GIVEN)
			close(s->fd);
		free(s);
	}
	close(loop->epoll);
	free(loop);
}

static int add_source(struct sen_loop *loop, const struct source *like)
{
	struct source *s = malloc(sizeof(*s));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };

	if (!s)
		return -ENOMEM;
	*s = *like;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, s->fd, &ev)) {
		int err = -errno;

		free(s);
		return err;
	}
	s->next = loop->sources;
	loop->sources = s;
	return 0;
}

/* As add_source(), for a descriptor that the loop has made itself: it, or a negative errno. */
static int add_own(struct sen_loop *loop, const struct source *like)
{
	int err;

	if (like->fd < 0)
		return -errno;
	err = add_source(loop, like);
	if (err)
		close(like->fd);
	return err ? err : like->fd;
}

int sen_loop_add(struct sen_loop *loop, int fd, sen_loop_fn fn, void *ctx)
{
	return add_source(loop, &(struct source){ .fd = fd, .fn = fn, .ctx = ctx });
}

void sen_loop_remove(struct sen_loop *loop, int fd)
{
	for (struct source *s = loop->sources; s; s = s->next) {
		if (s->fd != fd)
			continue;
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
		if (s->kind != SOURCE_GIVEN)
			close(fd);
		s->fd = -1;
	}
}

int sen_loop_timer(struct sen_loop *loop, sen_loop_fn fn, void *ctx)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	return add_own(loop,
		       &(struct source){ .fd = fd, .kind = SOURCE_COUNTER, .fn = fn, .ctx = ctx });
}

int sen_loop_timer_set(int timer, int64_t first_ms, int64_t every_ms)
{
	struct itimerspec t = {
		.it_interval = { every_ms / 1000, every_ms % 1000 * 1000000 },
		.it_value = { first_ms / 1000, first_ms % 1000 * 1000000 },
	};

	if (first_ms < 0)
		t = (struct itimerspec){ 0 };
	else if (!first_ms)
		t.it_value.tv_nsec = 1;
	return timerfd_settime(timer, 0, &t, NULL) ? -errno : 0;
}

int sen_loop_signals(struct sen_loop *loop, const sigset_t *set, sen_loop_signal_fn fn, void *ctx)
{
	int fd;

	if (sigprocmask(SIG_BLOCK, set, NULL))
		return -errno;
	fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	fd = add_own(loop, &(struct source){
				   .fd = fd, .kind = SOURCE_SIGNALS, .signal_fn = fn, .ctx = ctx });
	return fd < 0 ? fd : 0;
}

int sen_loop_wakeup(struct sen_loop *loop, sen_loop_fn fn, void *ctx)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	return add_own(loop,
		       &(struct source){ .fd = fd, .kind = SOURCE_COUNTER, .fn = fn, .ctx = ctx });
}

void sen_loop_wake(int wakeup)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(wakeup, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

static void dispatch(struct source *s)
{
	struct signalfd_siginfo info;
	uint64_t count;

	if (s->fd < 0)
		return;
	if (s->kind == SOURCE_SIGNALS) {
		while (s->fd >= 0 && read(s->fd, &info, sizeof(info)) == sizeof(info))
			s->signal_fn(s->ctx, (int)info.ssi_signo);
		return;
	}
	/* A timer set anew between its expiry and now has nothing to say. */
	if (s->kind == SOURCE_COUNTER && read(s->fd, &count, sizeof(count)) < 0)
		return;
	s->fn(s->ctx);
}

static void free_removed(struct sen_loop *loop)
{
	struct source **at = &loop->sources;

	while (*at) {
		struct source *s = *at;

		if (s->fd >= 0) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free(s);
	}
}

int sen_loop_run(struct sen_loop *loop)
{
	struct epoll_event ready[LOOP_BATCH];

	loop->stopping = false;
	while (!loop->stopping) {
		int n = epoll_wait(loop->epoll, ready, LOOP_BATCH, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !loop->stopping; i++)
			dispatch(ready[i].data.ptr);
		free_removed(loop);
	}
	return 0;
}

void sen_loop_stop(struct sen_loop *loop)
{
	loop->stopping = true;
}
