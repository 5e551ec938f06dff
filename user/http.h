/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP served from the agent's own loop: a table of routes. What changes anything is only reached by
 * POST through a local socket, whose file mode says who may. */
#ifndef SENTROID_HTTP_H
#define SENTROID_HTTP_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "loop.h"
#include "why.h"

struct sen_http_reply {
	unsigned int status; /* 200 unless set */
	const char *type;    /* Content-Type, static; plain text unless set */
	char *body;          /* from malloc(), freed by the server; NULL: out of memory */
	size_t len;
};

struct sen_http_request;

struct sen_http_route {
	const char *path;
	void (*fn)(void *ctx, struct sen_http_reply *reply); /* GET; NULL: not allowed */
	/* POST, on a local socket only; NULL: not allowed. */
	void (*post)(void *ctx, const struct sen_http_request *request,
		     struct sen_http_reply *reply);
};

/* Value of an argument of the query, NULL if it is not there. */
const char *sen_http_argument(const struct sen_http_request *request, const char *name);
/* Fill a reply; the JSON is deleted. */
void sen_http_text(struct sen_http_reply *reply, unsigned int status, const char *text);
void sen_http_json(struct sen_http_reply *reply, cJSON *json);

struct sen_http;

/* Whether sen_http_start() can make something of it. */
bool sen_http_is_address(const char *where);
/* Listen on "ADDR:PORT" ("[ADDR]:PORT" for IPv6). Routes end at a NULL path and must outlive the
 * server. -EADDRINUSE, -EINVAL, ... with one clear line. */
int sen_http_start(struct sen_loop *loop, const char *listen, const struct sen_http_route *routes,
		   void *ctx, struct sen_http **out, struct sen_why *why);
/* The same on a local socket of mode 0600. A socket left over at that path is replaced: the caller makes
 * sure that nobody listens there. */
int sen_http_start_local(struct sen_loop *loop, const char *path,
			 const struct sen_http_route *routes, void *ctx, struct sen_http **out,
			 struct sen_why *why);
void sen_http_stop(struct sen_http *http);

#endif
