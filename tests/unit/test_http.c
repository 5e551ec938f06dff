// SPDX-License-Identifier: BSD-2-Clause
/* Clients that take their time do not keep others out. Time goes by as the tests say. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "http.h"
#include "loop.h"

#define CONNECTIONS 32 /* that a server takes */
#define REQUEST     "GET /page HTTP/1.1\r\nHost: here\r\n\r\n"

static _Atomic int64_t later_s;

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	int err = __real_clock_gettime(id, t);

	t->tv_sec += later_s;
	return err;
}

struct server {
	char *folder, *path;
	struct sen_loop *loop;
	struct sen_http *http;
	int wakeup;
	pthread_t thread;
};

static void get_page(void *ctx, struct sen_http_reply *reply)
{
	(void)ctx;
	sen_http_text(reply, 200, "the page");
}

static const struct sen_http_route routes[] = {
	{ .path = "/page", .fn = get_page },
	{ .path = NULL },
};

static void on_wakeup(void *ctx)
{
	sen_loop_stop(ctx);
}

static void *serve(void *ctx)
{
	sen_loop_run(ctx);
	return NULL;
}

static void start(struct server *s)
{
	s->folder = fixture_folder();
	s->path = fixture_path(s->folder, "http");
	assert_int_equal(sen_loop_new(&s->loop), 0);
	s->wakeup = sen_loop_wakeup(s->loop, on_wakeup, s->loop);
	assert_true(s->wakeup >= 0);
	assert_int_equal(sen_http_start_local(s->loop, s->path, routes, NULL, &s->http, NULL), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s->loop), 0);
}

static void stop(struct server *s)
{
	sen_loop_wake(s->wakeup);
	pthread_join(s->thread, NULL);
	sen_http_stop(s->http);
	sen_loop_free(s->loop);
	free(s->path);
	fixture_remove(s->folder);
}

static int dial(const struct server *s)
{
	const struct timeval patience = { .tv_sec = 10 };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(at.sun_path, s->path);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void ask(int fd)
{
	char text[1024] = "";
	size_t at = 0;

	say(fd, REQUEST);
	while (!strstr(text, "the page")) {
		ssize_t n = recv(fd, text + at, sizeof(text) - 1 - at, 0);

		assert_true(n > 0);
		at += n;
		text[at] = 0;
	}
}

static void half_requests_make_room(void **state)
{
	int slow[CONNECTIONS], fd;
	struct server s;

	(void)state;
	start(&s);
	for (int i = 0; i < CONNECTIONS; i++) {
		slow[i] = dial(&s);
		say(slow[i], "GET /");
	}
	fd = dial(&s);
	ask(fd);
	close(fd);
	for (int i = 0; i < CONNECTIONS; i++)
		close(slow[i]);
	stop(&s);
}

static void a_request_has_its_time(void **state)
{
	struct server s;
	int slow, kept;
	char byte;

	(void)state;
	start(&s);
	slow = dial(&s);
	say(slow, "GET /");
	kept = dial(&s); /* they are taken in turn */
	ask(kept);
	later_s += 5;
	say(slow, "pa");
	ask(kept);
	later_s += 6;
	/* It may be gone already. */
	send(slow, "ge", 2, MSG_NOSIGNAL);
	assert_true(recv(slow, &byte, 1, 0) <= 0);
	/* What was answered begins anew. */
	ask(kept);
	close(slow);
	close(kept);
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_requests_make_room),
		cmocka_unit_test(a_request_has_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
