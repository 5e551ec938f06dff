/* SPDX-License-Identifier: BSD-2-Clause */
/* The HTTP interface, served from the agent's own loop: GET only, a table of routes. */
#ifndef SENTROID_HTTP_H
#define SENTROID_HTTP_H

#include <stddef.h>

#include "loop.h"
#include "why.h"

struct sen_http_reply {
	unsigned int status; /* 200 unless set */
	const char *type;    /* Content-Type, static; plain text unless set */
	char *body;          /* from malloc(), freed by the server; NULL: out of memory */
	size_t len;
};

struct sen_http_route {
	const char *path;
	void (*fn)(void *ctx, struct sen_http_reply *reply);
};

struct sen_http;

/* Listen on "ADDR:PORT" ("[ADDR]:PORT" for IPv6). Routes end at a NULL path and must outlive the
 * server. -EADDRINUSE, -EINVAL, ... with one clear line. */
int sen_http_start(struct sen_loop *loop, const char *listen, const struct sen_http_route *routes,
		   void *ctx, struct sen_http **out, struct sen_why *why);
void sen_http_stop(struct sen_http *http);

#endif
