// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv.h"
#include "fsutil.h"

#define BUFFER_BYTES 65536
#define NUMBER_BYTES 24 /* digits of any value, a point, a comma */
#define NAMES        100

struct sen_csv {
	int fd;
	int err;
	bool line;     /* a field has been written on this one */
	bool nameless; /* the file has no name until it is whole */
	size_t n;
	char path[PATH_MAX];
	char tmp[PATH_MAX]; /* its name until it is in its place; empty: nameless, or written itself */
	char buffer[BUFFER_BYTES];
};

static void write_out(struct sen_csv *csv)
{
	const char *at = csv->buffer;

	while (csv->n && !csv->err) {
		ssize_t wrote = write(csv->fd, at, csv->n);

		if (wrote >= 0) {
			at += wrote;
			csv->n -= wrote;
		} else if (errno != EINTR) {
			csv->err = -errno;
		}
	}
	csv->n = 0;
}

static char *room(struct sen_csv *csv, size_t bytes)
{
	if (csv->n + bytes > sizeof(csv->buffer))
		write_out(csv);
	return csv->buffer + csv->n;
}

static void put(struct sen_csv *csv, const char *text, size_t len)
{
	while (len) {
		size_t part = len < BUFFER_BYTES ? len : BUFFER_BYTES;

		memcpy(room(csv, part), text, part);
		csv->n += part;
		text += part;
		len -= part;
	}
}

/* A rename would put a plain file in the place of a pipe, a device, or a link that leads to one. */
static bool can_be_replaced(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode);
}

/* Such a file goes with the process, by whatever signal that ends. Not every file system has them. */
static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
	return open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
}

static int open_file(struct sen_csv *csv)
{
	int fd;

	if (can_be_replaced(csv->path)) {
		fd = open_nameless(csv->path);
		csv->nameless = fd >= 0;
		return fd >= 0 ? fd :
				 sen_open_temporary(csv->path, 0666, csv->tmp, sizeof(csv->tmp));
	}
	fd = open(csv->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : fd;
}

int sen_csv_open(const char *path, const char *header, struct sen_csv **out, struct sen_why *why)
{
	struct sen_csv *csv = malloc(sizeof(*csv));

	if (!csv)
		return sen_why(why, -ENOMEM, NULL, "writing: %s: out of memory", path);
	memset(csv, 0, offsetof(struct sen_csv, buffer));
	snprintf(csv->path, sizeof(csv->path), "%s", path);
	csv->fd = open_file(csv);
	if (csv->fd < 0) {
		int err = csv->fd;

		free(csv);
		return sen_why(why, err, NULL, "writing: %s: %s", path, strerror(-err));
	}
	put(csv, header, strlen(header));
	sen_csv_end_line(csv);
	*out = csv;
	return 0;
}

static void separate(struct sen_csv *csv)
{
	if (csv->line)
		put(csv, ",", 1);
	csv->line = true;
}

/* Digits of a value, at least so many, before `end`; where they begin. */
static char *digits(char *end, uint64_t value, unsigned int least)
{
	for (; value || least; value /= 10, least -= !!least)
		*--end = '0' + value % 10;
	return end;
}

void sen_csv_number(struct sen_csv *csv, uint64_t value)
{
	char text[NUMBER_BYTES], *end = text + sizeof(text), *start = digits(end, value, 1);

	separate(csv);
	put(csv, start, end - start);
}

void sen_csv_decimal(struct sen_csv *csv, uint64_t value, uint64_t scale, unsigned int decimals)
{
	char text[2 * NUMBER_BYTES], *end = text + sizeof(text), *start;
	uint64_t unit = 1, whole = value / scale, part;

	for (unsigned int i = 0; i < decimals; i++)
		unit *= 10;
	part = (value % scale * unit + scale / 2) / scale;
	whole += part / unit;
	start = digits(end, part % unit, decimals);
	*--start = '.';
	start = digits(start, whole, 1);
	separate(csv);
	put(csv, start, end - start);
}

void sen_csv_text(struct sen_csv *csv, const char *text)
{
	separate(csv);
	put(csv, text, strlen(text));
}

void sen_csv_end_line(struct sen_csv *csv)
{
	put(csv, "\n", 1);
	csv->line = false;
}

/* A link replaces nothing: the name to be renamed from. */
static int give_name(struct sen_csv *csv)
{
	char self[64], name[PATH_MAX + 32];
	unsigned int i = 0;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", csv->fd);
	do {
		if ((size_t)snprintf(name, sizeof(name), "%s.tmp.%d.%u", csv->path, getpid(), i) >=
		    sizeof(csv->tmp))
			return -ENAMETOOLONG;
		if (!linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW)) {
			strcpy(csv->tmp, name);
			return 0;
		}
	} while (errno == EEXIST && ++i < NAMES);
	return -errno;
}

int sen_csv_close(struct sen_csv *csv, struct sen_why *why)
{
	int err;

	if (!csv)
		return 0;
	write_out(csv);
	if (!csv->err && csv->nameless)
		csv->err = give_name(csv);
	if (close(csv->fd) && !csv->err)
		csv->err = -errno;
	if (!csv->err && *csv->tmp && rename(csv->tmp, csv->path))
		csv->err = -errno;
	err = csv->err;
	if (err)
		sen_why(why, err, NULL, "writing: %s: %s", csv->path, strerror(-err));
	if (err && *csv->tmp)
		unlink(csv->tmp);
	free(csv);
	return err;
}

void sen_csv_discard(struct sen_csv *csv)
{
	if (!csv)
		return;
	close(csv->fd);
	if (*csv->tmp)
		unlink(csv->tmp);
	free(csv);
}
