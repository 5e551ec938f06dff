// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

static const char *log_name = "sentroid";
static enum sen_log_level log_most = SEN_LOG_INFO;
static bool log_journal;

void sen_log_init(const char *name)
{
	log_name = name;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void sen_log_set_level(enum sen_log_level most)
{
	log_most = most;
}

static const char *level_word(enum sen_log_level level)
{
	return level == SEN_LOG_WARNING ? "warning: " : level == SEN_LOG_DEBUG ? "debug: " : "";
}

/* One write for the whole line: lines of several threads do not mix. */
static void log_line(enum sen_log_level level, unsigned int withheld, const char *fmt, va_list args)
{
	char line[1024], prefix[8] = "", more[48] = "";
	int at;

	if (level > log_most)
		return;
	if (log_journal)
		snprintf(prefix, sizeof(prefix), "<%d>", level);
	if (withheld)
		snprintf(more, sizeof(more), " (%u such lines withheld)", withheld);
	at = snprintf(line, sizeof(line), "%s%s: %s", prefix, log_name, level_word(level));
	vsnprintf(line + at, sizeof(line) - at, fmt, args);
	line[strcspn(line, "\n")] = 0;
	fprintf(stderr, "%s%s\n", line, more);
}

void sen_log(enum sen_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(level, 0, fmt, args);
	va_end(args);
}

bool sen_log_allow(struct sen_log_limit *limit, int64_t now_ms, unsigned int *withheld)
{
	*withheld = 0;
	if (now_ms - limit->started_ms >= limit->window_ms || !limit->started_ms) {
		*withheld = limit->withheld;
		limit->started_ms = now_ms;
		limit->said = limit->withheld = 0;
	}
	if (limit->said >= limit->burst) {
		limit->withheld++;
		return false;
	}
	limit->said++;
	return true;
}

void sen_log_limited(struct sen_log_limit *limit, enum sen_log_level level, const char *fmt, ...)
{
	unsigned int withheld;
	va_list args;

	if (!sen_log_allow(limit, sen_now_ms(), &withheld))
		return;
	va_start(args, fmt);
	log_line(level, withheld, fmt, args);
	va_end(args);
}
