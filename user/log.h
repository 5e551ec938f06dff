/* SPDX-License-Identifier: BSD-2-Clause */
/* One line a message to stderr, by level; under systemd with the priority that the journal reads. */
#ifndef SENTROID_LOG_H
#define SENTROID_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of syslog(3). */
enum sen_log_level {
	SEN_LOG_ERROR = 3,
	SEN_LOG_WARNING = 4,
	SEN_LOG_NOTICE = 5,
	SEN_LOG_INFO = 6,
	SEN_LOG_DEBUG = 7,
};

/* A cause that may repeat without end: `burst` lines in `window_ms`, then silence and a count. */
struct sen_log_limit {
	unsigned int burst;
	int64_t window_ms;
	int64_t started_ms;
	unsigned int said;
	unsigned int withheld;
};

/* The program's name in front of each line; JOURNAL_STREAM decides on the prefix. */
void sen_log_init(const char *name);
void sen_log_set_level(enum sen_log_level most);
__attribute__((format(printf, 2, 3))) void sen_log(enum sen_log_level level, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void sen_log_limited(struct sen_log_limit *limit,
							   enum sen_log_level level,
							   const char *fmt, ...);
/* True if a line may be written now; how many were withheld before it goes to *withheld. */
bool sen_log_allow(struct sen_log_limit *limit, int64_t now_ms, unsigned int *withheld);

#endif
