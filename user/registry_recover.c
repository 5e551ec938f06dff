// SPDX-License-Identifier: BSD-2-Clause
/* From what is on disk, after a crash at any point, to a state that agrees with it. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry_internal.h"

struct replay {
	struct sen_history *history;
	off_t good; /* so much of the file is whole lines */
};

static int replay_lines(void *ctx, const char *text, size_t len, bool last, size_t *taken,
			struct sen_why *why)
{
	struct replay *p = ctx;
	int err = sen_history_replay(p->history, text, len, last, taken, why);

	p->good += *taken;
	return err;
}

/* Half a line at the end, which a crash has cut short, is taken off the file. */
static int cut_to(const struct sen_registry *r, const char *path, off_t good, struct stat *st)
{
	if (stat(path, st) && errno != ENOENT)
		return -errno;
	if (r->reads_only || st->st_size <= good)
		return 0;
	return truncate(path, good) ? -errno : 0;
}

/* Let what is behind `from` take effect. */
static int replay_from(struct sen_registry *r, struct sen_history *h, off_t from,
		       struct sen_why *why)
{
	struct replay p = { h, from };
	struct stat st = { 0 };
	char path[PATH_MAX];
	int err = sen_registry_read(r, from, replay_lines, &p, why);

	if (err)
		return err;
	sen_registry_path_of(r, SEN_HISTORY_NAME, path);
	err = cut_to(r, path, p.good, &st);
	if (err)
		return sen_why(why, err, NULL, "registry: %s: cut off half a line: %s", path,
			       strerror(-err));
	r->dev = st.st_dev;
	r->ino = st.st_ino;
	r->read = p.good;
	return 0;
}

static bool has_only_grown(const struct sen_registry *r)
{
	char path[PATH_MAX];
	struct stat st;

	sen_registry_path_of(r, SEN_HISTORY_NAME, path);
	return !stat(path, &st) && st.st_dev == r->dev && st.st_ino == r->ino &&
	       st.st_size > r->read;
}

/* Read what is new of the history; all of it if it is another file, or an operator has corrected it. */
static int read_history(struct sen_registry *r, struct sen_why *why)
{
	struct sen_history fresh = { 0 };
	int err;

	if (sen_registry_current(r))
		return 0;
	if (has_only_grown(r) && !replay_from(r, &r->history, r->read, NULL))
		return 0;
	err = replay_from(r, &fresh, 0, why);
	if (err) {
		sen_history_clear(&fresh);
		return err;
	}
	sen_history_clear(&r->history);
	r->history = fresh;
	return 0;
}

/* Version in a file name of ours, 0 for any other. */
static unsigned int version_of(const char *name)
{
	unsigned long version = strtoul(name, NULL, 10);
	char back[32];

	if (version > UINT_MAX)
		return 0;
	snprintf(back, sizeof(back), "%06lu.json", version);
	return strcmp(back, name) ? 0 : version;
}

/* A whole model without a line: the crash came between the two. Files that cannot be read keep
 * their number, so that it is not given away twice. */
static int adopt(struct sen_registry *r, unsigned int version, struct sen_why *why)
{
	struct sen_history_event event;
	struct sen_model *model;
	char path[PATH_MAX];
	int err;

	if (version < r->history.last)
		return 0; /* the history goes on behind it: its line was lost, not never written */
	r->history.last = version;
	sen_registry_model_path(r, version, path);
	if (sen_model_load(path, &model, NULL))
		return 0;
	if (model->version != version) {
		sen_model_free(model);
		return 0;
	}
	sen_registry_created(model, NULL, "found on disk without a line in the history", &event);
	err = sen_registry_append(r, &event, why);
	sen_model_free(model);
	return err;
}

static int by_number(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

/* Versions on disk that the history does not know, ascending; what a crash left behind goes. */
static int find_orphans(struct sen_registry *r, unsigned int **out, size_t *count)
{
	unsigned int *found = NULL, *more;
	const struct sen_registry_entry *known;
	const struct dirent *entry;
	size_t n = 0;
	DIR *d = opendir(r->dir);

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		unsigned int version = version_of(entry->d_name);

		if (strstr(entry->d_name, ".json.tmp.") || strstr(entry->d_name, ".jsonl.tmp."))
			unlinkat(r->dir_fd, entry->d_name, 0);
		known = version ? sen_history_find(&r->history, version) : NULL;
		/* The crash came between the line and the file. */
		if (known && known->pruned)
			unlinkat(r->dir_fd, entry->d_name, 0);
		if (!version || known)
			continue;
		more = realloc(found, (n + 1) * sizeof(*found));
		if (!more) {
			free(found);
			closedir(d);
			return -ENOMEM;
		}
		found = more;
		found[n++] = version;
	}
	closedir(d);
	if (n)
		qsort(found, n, sizeof(*found), by_number);
	*out = found;
	*count = n;
	return 0;
}

static int adopt_orphans(struct sen_registry *r, struct sen_why *why)
{
	unsigned int *orphans = NULL;
	size_t n = 0;
	int err = find_orphans(r, &orphans, &n);

	if (err)
		return sen_why(why, err, NULL, "registry: %s: %s", r->dir, strerror(-err));
	for (size_t i = 0; !err && i < n; i++)
		err = adopt(r, orphans[i], why);
	free(orphans);
	return err;
}

int sen_registry_refresh(struct sen_registry *r, struct sen_why *why)
{
	int err = read_history(r, why);

	return err || r->reads_only ? err : adopt_orphans(r, why);
}

int sen_registry_update(struct sen_registry *r, struct sen_why *why)
{
	int err;

	if (sen_registry_current(r))
		return 0;
	err = sen_registry_lock(r, why);
	if (err)
		return err;
	err = sen_registry_refresh(r, why);
	sen_registry_unlock(r);
	return err;
}
