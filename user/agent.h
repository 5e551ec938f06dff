/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent: its interfaces, its trainer thread, its HTTP interface and the loop around them. */
#ifndef SENTROID_AGENT_H
#define SENTROID_AGENT_H

#include <stddef.h>

#include "config.h"
#include "why.h"

#define SEN_AGENT_INTERFACES 32

struct sen_agent_options {
	const char *interfaces[SEN_AGENT_INTERFACES];
	size_t count;
	const char *config;    /* file that must exist; NULL: the default one if it is there */
	const char *listen;    /* over the configuration; NULL: as configured */
	const char *state_dir; /* likewise */
};

struct sen_agent;

/* Read the configuration and bring everything up. All or nothing; but of several interfaces those that do not
 * exist are waited for. -EINVAL: bad configuration; -ENODEV: none of them exists. */
int sen_agent_start(const struct sen_agent_options *options, struct sen_agent **out,
		    struct sen_why *why);
/* Until SIGTERM or SIGINT. */
int sen_agent_run(struct sen_agent *agent, struct sen_why *why);
/* The program stays attached, the model in force. */
void sen_agent_stop(struct sen_agent *agent);

#endif
