/* SPDX-License-Identifier: BSD-2-Clause */
/* What `sentroid status` knows of one interface: cmd_status.c collects it, status_print.c shows it. */
#ifndef SENTROID_STATUS_H
#define SENTROID_STATUS_H

#include <net/if.h>
#include <stddef.h>

#include "attachment.h"
#include "command.h"
#include "dataplane.h"

struct status_model {
	bool present;
	bool learned; /* on this interface */
	unsigned int version;
	unsigned int parent;
	int64_t created_s;
	char digest[DIGEST_HEX];
};

struct status {
	char name[IFNAMSIZ];
	struct sen_meta meta;
	enum sen_attachment attachment;
	bool frags; /* and gets frames longer than a page */
	struct sen_stats stats;
	struct sen_policy policy;
	struct sen_prefixes allow;
	struct sen_flow_usage flows;
	struct status_model model[SEN_SLOT_COUNT];
	int agent; /* pid, 0: none */
};

/* One interface in full. */
void status_print(const struct status *s);
/* A line an interface, and their sums. */
void status_print_all(const struct status *s, size_t n);
/* 0 or -ENOMEM. */
int status_print_json(const struct status *s, size_t n);

#endif
