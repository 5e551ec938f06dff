/* SPDX-License-Identifier: BSD-2-Clause */
/* alerts.jsonl read back, while the agent writes to it and logrotate puts it away. */
#ifndef SENTROID_ALERT_LOG_H
#define SENTROID_ALERT_LOG_H

#include <time.h>

#include "why.h"

/* Takes one line, without its end. Nonzero ends the reading. */
typedef int (*sen_alert_line_fn)(void *ctx, const char *line);

struct sen_alert_log;

/* Of an interface's folder; the file need not be there yet. NULL: out of memory. */
struct sen_alert_log *sen_alert_log_new(const char *folder);
void sen_alert_log_free(struct sen_alert_log *log);
/* Whole lines since the last call; at first, all there are. A file that has been put away is read to its end
 * once another is in its place. 0, what fn returned, or a negative errno. */
int sen_alert_log_read(struct sen_alert_log *log, sen_alert_line_fn fn, void *ctx);
/* Files that logrotate has put away, packed or not, but for those that nobody has written to since that time:
 * everything in them is older. What cannot be read is left out; the last such makes the error. */
int sen_alert_log_read_older(const char *folder, time_t since, sen_alert_line_fn fn, void *ctx,
			     struct sen_why *why);

#endif
