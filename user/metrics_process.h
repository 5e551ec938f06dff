/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent's own process, under the names that every Prometheus client uses. */
#ifndef SENTROID_METRICS_PROCESS_H
#define SENTROID_METRICS_PROCESS_H

#include <stdio.h>

struct sen_metrics_process;

void sen_metrics_write_process(FILE *out, const struct sen_metrics_process *process);

#endif
