/* SPDX-License-Identifier: BSD-2-Clause */
/* Talk to the agent of an interface through its control socket. */
#ifndef SENTROID_AGENT_CALL_H
#define SENTROID_AGENT_CALL_H

#include <stdbool.h>

#include "why.h"

/* GET or POST a path of control.h. What came back goes to *body, to free(). -ENOENT: no agent has that
 * interface; -EACCES: only root may; -EAGAIN: the agent refused, its line is in `why`. */
int agent_call(const char *state_dir, const char *ifname, bool post, const char *path, char **body,
	       struct sen_why *why);

/* Call fn for every interface below a state folder that an agent may be reached at; how many, or a negative
 * errno. */
int agent_each(const char *state_dir, int (*fn)(void *ctx, const char *ifname), void *ctx,
	       struct sen_why *why);

#endif
