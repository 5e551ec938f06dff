// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "http.h"
#include "log.h"

#define CONNECTIONS  32
#define IDLE_SECONDS 15
#define BACKLOG      64
/* In all, however the client lets it trickle. */
#define REQUEST_MS 10000
#define REPLY_MS   60000

/* A connection, amid a request or amid the answer to it. */
struct client {
	struct MHD_Connection *connection; /* NULL: none */
	bool answered;
	int64_t since_ms; /* of the request or of the answer */
};

struct sen_http {
	struct MHD_Daemon *daemon;
	struct sen_loop *loop;
	const struct sen_http_route *routes;
	void *ctx;
	int socket;
	char *path; /* of a local socket; NULL: not one */
	int epoll;  /* of the daemon, -1: not in the loop */
	int timer;
	bool has_room; /* again, which the library makes use of when it is called the next time */
	struct client clients[CONNECTIONS];
};

/* getaddrinfo() takes 99999 for 34463. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	/* NOLINTNEXTLINE(cert-err34-c) */
	return digits && digits <= 5 && !text[digits] && atoi(text) <= 65535;
}

/* Split "ADDR:PORT" in place. */
static int split(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	if (!colon || colon == text || !is_port(colon + 1))
		return -EINVAL;
	*colon = 0;
	*port = colon + 1;
	*host = text;
	if (text[0] != '[')
		return strchr(text, ':') ? -EINVAL : 0;
	if (colon[-1] != ']')
		return -EINVAL;
	colon[-1] = 0;
	*host = text + 1;
	return 0;
}

static int open_socket(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int resolve(const char *where, struct addrinfo **ai)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	char text[128], *host, *port;

	snprintf(text, sizeof(text), "%s", where);
	return split(text, &host, &port) || getaddrinfo(host, port, &hints, ai) ? -EINVAL : 0;
}

bool sen_http_is_address(const char *where)
{
	struct addrinfo *ai;

	if (resolve(where, &ai))
		return false;
	freeaddrinfo(ai);
	return true;
}

static int listen_on(const char *where, struct sen_why *why)
{
	struct addrinfo *ai;
	int fd;

	if (resolve(where, &ai))
		return sen_why(why, -EINVAL, "for example 127.0.0.1:9966 or [::1]:9966",
			       "listen: %s: not an address and port", where);
	fd = open_socket(ai);
	freeaddrinfo(ai);
	if (fd >= 0)
		return fd;
	return sen_why(why, fd,
		       fd == -EADDRINUSE ? "another agent? choose another port with --listen" :
					   NULL,
		       "listen: %s: %s", where, strerror(-fd));
}

static int listen_local(const char *path, struct sen_why *why)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, err;

	if (strlen(path) >= sizeof(at.sun_path))
		return sen_why(why, -ENAMETOOLONG, NULL, "control socket: %s: longer than %zu",
			       path, sizeof(at.sun_path) - 1);
	strcpy(at.sun_path, path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return sen_why(why, -errno, NULL, "control socket: %s", strerror(errno));
	mask = umask(0177);
	err = bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, BACKLOG) ? -errno : 0;
	umask(mask);
	if (!err)
		return fd;
	close(fd);
	return sen_why(why, err, NULL, "control socket: %s: %s", path, strerror(-err));
}

void sen_http_text(struct sen_http_reply *reply, unsigned int status, const char *text)
{
	reply->status = status;
	reply->body = strdup(text);
	reply->len = strlen(text);
}

void sen_http_json(struct sen_http_reply *reply, cJSON *json)
{
	reply->type = "application/json";
	reply->body = cJSON_PrintUnformatted(json);
	reply->len = reply->body ? strlen(reply->body) : 0;
	cJSON_Delete(json);
}

/* What the library knows as a connection. */
const char *sen_http_argument(const struct sen_http_request *request, const char *name)
{
	return MHD_lookup_connection_value((struct MHD_Connection *)request, MHD_GET_ARGUMENT_KIND,
					   name);
}

static enum MHD_Result send_reply(struct MHD_Connection *c, struct sen_http_reply *reply,
				  const char *allow)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!reply->body)
		return MHD_NO;
	response = MHD_create_response_from_buffer(reply->len, reply->body, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(reply->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	result = MHD_queue_response(c, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned int status, const char *text,
				 const char *allow)
{
	struct sen_http_reply reply = {
		.status = status, .type = "text/plain", .body = strdup(text), .len = strlen(text)
	};

	return send_reply(c, &reply, allow);
}

/* False: not by this method. */
static bool answer(const struct sen_http *http, const struct sen_http_route *r,
		   struct MHD_Connection *c, const char *method, struct sen_http_reply *reply)
{
	bool get = !strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD);

	if (get && r->fn)
		r->fn(http->ctx, reply);
	else if (!strcmp(method, MHD_HTTP_METHOD_POST) && r->post && http->path)
		r->post(http->ctx, (const struct sen_http_request *)c, reply);
	else
		return false;
	return true;
}

/* ---- clients that take too long ---- */

static struct client *client_of(struct MHD_Connection *c)
{
	return MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void set_phase(struct client *client, bool answered)
{
	client->answered = answered;
	client->since_ms = sen_now_ms();
}

/* The library finds it closed, as if the client had done so. */
static void hang_up(const struct client *client)
{
	shutdown(MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
			 ->connect_fd,
		 SHUT_RDWR);
}

/* Milliseconds until the next one is late, -1: there is none. */
static int64_t hang_up_late(const struct sen_http *http)
{
	int64_t now_ms = sen_now_ms(), next = -1;

	for (const struct client *c = http->clients; c < http->clients + CONNECTIONS; c++) {
		int64_t left = c->since_ms + (c->answered ? REPLY_MS : REQUEST_MS) - now_ms;

		if (!c->connection)
			continue;
		if (left <= 0)
			hang_up(c);
		else if (next < 0 || left < next)
			next = left;
	}
	return next;
}

/* There is always room for one more after this one: the slowest of the others goes. */
static void make_room(const struct sen_http *http, const struct client *newest)
{
	const struct client *slowest = newest;

	for (const struct client *c = http->clients; c < http->clients + CONNECTIONS; c++) {
		if (!c->connection)
			return;
		if (c != newest && (slowest == newest || c->since_ms < slowest->since_ms))
			slowest = c;
	}
	hang_up(slowest);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **own,
			  enum MHD_ConnectionNotificationCode what)
{
	struct sen_http *http = ctx;
	struct client *c = what == MHD_CONNECTION_NOTIFY_STARTED ? http->clients : *own;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		c->connection = NULL;
		http->has_room = true;
		return;
	}
	while (c->connection)
		c++;
	c->connection = connection;
	set_phase(c, false);
	*own = c;
	make_room(http, c);
}

/* The next request on the same connection may come. */
static void on_completed(void *ctx, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	(void)ctx;
	(void)state;
	(void)why;
	set_phase(client_of(c), false);
}

/* ---- requests ---- */

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **state)
{
	struct sen_http_reply reply = { .status = MHD_HTTP_OK, .type = "text/plain" };
	const struct sen_http *http = ctx;
	static int seen;

	(void)version;
	(void)data;
	/* The first call comes with the headers only; a body is read and thrown away. */
	if (!*state || *data_size) {
		*state = &seen;
		*data_size = 0;
		return MHD_YES;
	}
	set_phase(client_of(c), true);
	for (const struct sen_http_route *r = http->routes; r->path; r++) {
		if (strcmp(r->path, url))
			continue;
		if (!answer(http, r, c, method, &reply))
			return send_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n",
					 r->fn ? "GET, HEAD" : "POST");
		return send_reply(c, &reply, NULL);
	}
	return send_text(c, MHD_HTTP_NOT_FOUND, "not found\n", NULL);
}

static void on_log(void *ctx, const char *fmt, va_list args)
{
	static struct sen_log_limit limit = { .burst = 5, .window_ms = 60000 };
	char line[256];

	(void)ctx;
	vsnprintf(line, sizeof(line), fmt, args);
	sen_log_limited(&limit, SEN_LOG_DEBUG, "http: %s", line);
}

/* The library has work now, or at a time of its own: it must be called again by then. So it is with clients
 * that are late. */
static void serve(void *ctx)
{
	struct sen_http *http = ctx;
	MHD_UNSIGNED_LONG_LONG wait;
	int64_t next;

	http->has_room = false;
	MHD_run(http->daemon);
	next = http->has_room ? 0 : hang_up_late(http);
	if (MHD_get_timeout(http->daemon, &wait) == MHD_YES && (next < 0 || (int64_t)wait < next))
		next = (int64_t)wait;
	sen_loop_timer_set(http->timer, next, 0);
}

static int join_loop(struct sen_http *http)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon,
							       MHD_DAEMON_INFO_EPOLL_FD);
	int err;

	if (!info || info->epoll_fd < 0)
		return -ENOTSUP;
	http->timer = sen_loop_timer(http->loop, serve, http);
	if (http->timer < 0)
		return http->timer;
	err = sen_loop_add(http->loop, info->epoll_fd, serve, http);
	if (!err)
		http->epoll = info->epoll_fd;
	return err;
}

static int start_daemon(struct sen_http *http)
{
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, http,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, http->socket,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		IDLE_SECONDS, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (!http->daemon)
		return errno ? -errno : -EIO;
	http->socket = -1; /* the daemon's from now on */
	return join_loop(http);
}

static int start(struct sen_http *http, int socket, const char *where, struct sen_http **out,
		 struct sen_why *why)
{
	int err = socket;

	http->epoll = http->timer = -1;
	http->socket = socket;
	if (socket >= 0) {
		err = start_daemon(http);
		if (err)
			sen_why(why, err, NULL, "http: %s: %s", where, strerror(-err));
	}
	if (err) {
		sen_http_stop(http);
		return err;
	}
	*out = http;
	return 0;
}

static struct sen_http *new_server(struct sen_loop *loop, const struct sen_http_route *routes,
				   void *ctx)
{
	struct sen_http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->loop = loop;
	http->routes = routes;
	http->ctx = ctx;
	return http;
}

int sen_http_start(struct sen_loop *loop, const char *listen, const struct sen_http_route *routes,
		   void *ctx, struct sen_http **out, struct sen_why *why)
{
	struct sen_http *http = new_server(loop, routes, ctx);

	if (!http)
		return sen_why(why, -ENOMEM, NULL, "http: out of memory");
	return start(http, listen_on(listen, why), listen, out, why);
}

int sen_http_start_local(struct sen_loop *loop, const char *path,
			 const struct sen_http_route *routes, void *ctx, struct sen_http **out,
			 struct sen_why *why)
{
	struct sen_http *http = new_server(loop, routes, ctx);

	if (http)
		http->path = strdup(path);
	if (!http || !http->path) {
		free(http);
		return sen_why(why, -ENOMEM, NULL, "control socket: out of memory");
	}
	return start(http, listen_local(path, why), path, out, why);
}

void sen_http_stop(struct sen_http *http)
{
	if (!http)
		return;
	if (http->epoll >= 0)
		sen_loop_remove(http->loop, http->epoll);
	if (http->timer >= 0)
		sen_loop_remove(http->loop, http->timer);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	if (http->socket >= 0)
		close(http->socket);
	if (http->path)
		unlink(http->path);
	free(http->path);
	free(http);
}
