/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by agent.c (life) and agent_api.c (what HTTP shows of it). */
#ifndef SENTROID_AGENT_INTERNAL_H
#define SENTROID_AGENT_INTERNAL_H

#include <stdint.h>

#include "agent.h"
#include "http.h"
#include "interface.h"
#include "loop.h"
#include "worker.h"

#define SEN_AGENT_JOB_STALE_MS \
	900000 /* no training or upload goes on so long without asking whether to end */

/* An interface that was named and did not exist at the start. */
struct sen_agent_awaited {
	const char *name;
	int err;          /* why it is not open; -ENODEV: it does not exist */
	int64_t retry_ms; /* not opened before that */
};

struct sen_agent {
	struct sen_agent_options options;
	struct sen_config config;
	struct sen_loop *loop;
	struct sen_worker *worker;
	struct sen_http *http;
	struct sen_interface *interfaces[SEN_AGENT_INTERFACES];
	size_t count;
	struct sen_agent_awaited awaited[SEN_AGENT_INTERFACES];
	size_t awaited_n;
	int wakeup;          /* the worker's, in the loop */
	int64_t started_s;   /* Unix time */
	int64_t watchdog_ms; /* between signs of life to systemd, 0: none wanted */
};

/* Contexts are the agent. */
extern const struct sen_http_route sen_agent_routes[];

/* True if every worker is alive and fresh; otherwise which is not. */
bool sen_agent_ready(struct sen_agent *agent, char *reason, size_t size);

#endif
