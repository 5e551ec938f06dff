// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alert_log.h"
#include "stream.h"

#define NAME "alerts.jsonl"

struct sen_alert_log {
	char path[PATH_MAX];
	FILE *file; /* NULL: not there yet */
	char *line;
	size_t room;
};

struct sen_alert_log *sen_alert_log_new(const char *folder)
{
	struct sen_alert_log *log = calloc(1, sizeof(*log));

	if (log)
		snprintf(log->path, sizeof(log->path), "%s/" NAME, folder);
	return log;
}

void sen_alert_log_free(struct sen_alert_log *log)
{
	if (!log)
		return;
	if (log->file)
		fclose(log->file);
	free(log->line);
	free(log);
}

/* Whether the path names another file than the one at hand, or a shorter one than has been read. */
static int is_replaced(const struct sen_alert_log *log)
{
	struct stat named, held;

	if (stat(log->path, &named))
		return errno == ENOENT ? 0 : -errno;
	if (!log->file)
		return 1;
	if (fstat(fileno(log->file), &held))
		return -errno;
	return named.st_ino != held.st_ino || named.st_dev != held.st_dev ||
	       named.st_size < ftello(log->file);
}

/* Of a file that is still written to, half a line is left for the next time. */
static int read_lines(FILE *f, bool growing, char **line, size_t *room, sen_alert_line_fn fn,
		      void *ctx)
{
	ssize_t n = 0;
	int err = 0;

	while (!err && (n = getline(line, room, f)) > 0) {
		if ((*line)[n - 1] == '\n') {
			(*line)[n - 1] = '\0';
		} else if (growing) {
			fseeko(f, -n, SEEK_CUR);
			break;
		}
		err = fn(ctx, *line);
	}
	if (!err && ferror(f))
		err = -EIO;
	clearerr(f);
	return err;
}

static int reopen(struct sen_alert_log *log)
{
	if (log->file)
		fclose(log->file);
	log->file = fopen(log->path, "re");
	return log->file || errno == ENOENT ? 0 : -errno;
}

int sen_alert_log_read(struct sen_alert_log *log, sen_alert_line_fn fn, void *ctx)
{
	int replaced, err = 0;

	do {
		/* Asked before: the agent opens the new one only when it is done with the old one. */
		replaced = is_replaced(log);
		if (replaced < 0)
			return replaced;
		if (log->file)
			err = read_lines(log->file, !replaced, &log->line, &log->room, fn, ctx);
		if (!err && replaced)
			err = reopen(log);
	} while (!err && replaced);
	return err;
}

static int is_older(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t n = strlen(NAME);

	return !strncmp(name, NAME, n) && (name[n] == '.' || name[n] == '-');
}

static int read_older(const char *path, sen_alert_line_fn fn, void *ctx, struct sen_why *why)
{
	struct sen_stream *stream;
	char *line = NULL;
	size_t room = 0;
	FILE *f;
	int err = sen_stream_open(path, &f, &stream, why);

	if (err)
		return err;
	err = read_lines(f, false, &line, &room, fn, ctx);
	if (err == -EIO)
		sen_why(why, err, NULL, "reading alerts: %s: %s", path,
			sen_stream_fault(stream) ? sen_stream_fault(stream) : strerror(EIO));
	free(line);
	fclose(f);
	return err;
}

int sen_alert_log_read_older(const char *folder, time_t since, sen_alert_line_fn fn, void *ctx,
			     struct sen_why *why)
{
	struct dirent **names;
	char path[PATH_MAX];
	struct stat st;
	int err = 0, failed, n = scandir(folder, &names, is_older, alphasort);

	if (n < 0)
		return sen_why(why, -errno, NULL, "reading alerts: %s: %s", folder,
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		failed = !stat(path, &st) && st.st_mtime >= since ? read_older(path, fn, ctx, why) :
								    0;
		err = failed ? failed : err;
		free(names[i]);
	}
	free(names);
	return err;
}
