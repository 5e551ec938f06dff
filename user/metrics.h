/* SPDX-License-Identifier: BSD-2-Clause */
/* Prometheus text format 0.0.4 from a view of plain numbers. */
#ifndef SENTROID_METRICS_H
#define SENTROID_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane.h"
#include "learner.h"
#include "ring.h"
#include "sentroid/abi.h"

/* What is known of one interface at the moment of a scrape. */
struct sen_metrics_interface {
	const char *name;
	bool attached;
	struct sen_meta meta;
	const char *policy; /* in force; empty: not known */
	struct sen_stats stats;
	struct sen_flow_usage flows;
	struct sen_ring_counts ring;
	struct sen_learner_status learner;
	unsigned int active_version; /* of the model in the kernel, 0: none */
	char active_digest[2 * SEN_DIGEST_BYTES + 1];
	uint64_t alerts[SEN_CLASS_MAX]; /* ever opened, by class */
	size_t alerts_open;
};

struct sen_metrics_process {
	int64_t start_s; /* Unix time */
	int64_t trainer_beat_s;
	const char *const
		*awaited; /* interfaces that do not exist yet: not attached, and nothing else */
	size_t awaited_n;
};

/* Write all metrics. 0, or -EIO if the stream has failed. */
int sen_metrics_write(FILE *out, const struct sen_metrics_interface *interfaces, size_t n,
		      const struct sen_metrics_process *process);

/* Name of a built-in class, "custom_N" for others; valid until the next call. */
const char *sen_metrics_class(unsigned int class_id);

#endif
