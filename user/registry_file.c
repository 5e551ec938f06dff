// SPDX-License-Identifier: BSD-2-Clause
/* The file of the history: read in pieces, and written anew where it has grown long. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fsutil.h"
#include "registry_internal.h"

#define PIECE (1u << 20) /* no line is nearly as long */

struct piece {
	char *text;
	size_t len;
	off_t left; /* of the file, behind it */
};

bool sen_registry_current(const struct sen_registry *r)
{
	char path[PATH_MAX];
	struct stat st = { 0 };

	sen_registry_path_of(r, SEN_HISTORY_NAME, path);
	if (stat(path, &st) && errno != ENOENT)
		return false;
	return st.st_dev == r->dev && st.st_ino == r->ino && st.st_size == r->read;
}

static int fill(int fd, struct piece *p)
{
	size_t room = PIECE - p->len;
	ssize_t n;

	if ((off_t)room > p->left)
		room = (size_t)p->left;
	do {
		n = read(fd, p->text + p->len, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	p->len += n;
	p->left = n ? p->left - n : 0;
	return 0;
}

static int open_at(const char *path, off_t from, off_t *left)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && lseek(fd, from, SEEK_SET) >= 0) {
		*left = st.st_size > from ? st.st_size - from : 0;
		return fd;
	}
	err = -errno;
	close(fd);
	return err;
}

int sen_registry_read(struct sen_registry *r, off_t from,
		      int (*lines)(void *ctx, const char *text, size_t len, bool last,
				   size_t *taken, struct sen_why *why),
		      void *ctx, struct sen_why *why)
{
	struct piece p = { .text = malloc(PIECE) };
	char path[PATH_MAX];
	size_t taken;
	int fd, err;

	sen_registry_path_of(r, SEN_HISTORY_NAME, path);
	fd = p.text ? open_at(path, from, &p.left) : -ENOMEM;
	err = fd < 0 ? fd : 0;
	while (!err && p.left) {
		err = fill(fd, &p);
		if (err)
			break;
		err = lines(ctx, p.text, p.len, !p.left, &taken, why);
		if (err)
			goto out;
		p.len -= taken;
		memmove(p.text, p.text + taken, p.len);
		err = p.len == PIECE ? -EBADMSG : 0;
	}
	if (err == -ENOENT)
		err = 0;
	if (err)
		sen_why(why, err, NULL, "registry: %s: %s", path, strerror(-err));
out:
	if (fd >= 0)
		close(fd);
	free(p.text);
	return err;
}

/* ---- written anew ---- */

struct rewriting {
	const struct sen_history *history;
	FILE *out;
	bool failed;
};

static void put(struct rewriting *w, const struct sen_history_event *event)
{
	char *line = sen_history_print(event);

	if (!line || fprintf(w->out, "%s\n", line) < 0)
		w->failed = true;
	free(line);
}

static void keep(void *ctx, const struct sen_history_event *event)
{
	struct rewriting *w = ctx;
	const struct sen_registry_entry *e = sen_history_find(w->history, event->version);
	struct sen_history_event copy = *event;

	if (!e)
		return;
	if (event->kind == SEN_HISTORY_CREATED && !sen_history_find(w->history, e->parent))
		copy.reference = e->reference;
	put(w, &copy);
}

static int keep_lines(void *ctx, const char *text, size_t len, bool last, size_t *taken,
		      struct sen_why *why)
{
	(void)last;
	(void)why;
	*taken = sen_history_each(text, len, keep, ctx);
	return 0;
}

static int rewrite(struct sen_registry *r, struct rewriting *w, struct sen_why *why)
{
	struct sen_history_event event;
	int err = sen_registry_read(r, 0, keep_lines, w, why);

	sen_history_forgotten(&r->history, &event);
	put(w, &event);
	if (fclose(w->out) || w->failed)
		return err ? err : sen_why(why, -ENOMEM, NULL, "registry: out of memory");
	return err;
}

int sen_registry_compact(struct sen_registry *r, struct sen_why *why)
{
	struct rewriting w = { .history = &r->history };
	char path[PATH_MAX], *text = NULL;
	size_t len = 0;
	int err;

	if (r->history.forgotten == r->history.left_out)
		return 0;
	w.out = open_memstream(&text, &len);
	if (!w.out)
		return sen_why(why, -errno, NULL, "registry: %s", strerror(errno));
	sen_registry_path_of(r, SEN_HISTORY_NAME, path);
	err = rewrite(r, &w, why);
	if (!err)
		err = sen_write_atomic(path, text, len, why);
	free(text);
	/* It is another file now, and read as such. */
	return err ? err : sen_registry_refresh(r, why);
}
