// SPDX-License-Identifier: BSD-2-Clause
/*
 * The history is the truth, the model files are what it speaks of. A version is added file first,
 * line second, so that a crash between leaves a whole file without a line (an orphan, adopted at the
 * next open) and never a line without a file. All changes happen under a lock on the folder and
 * begin with reading what others have written since.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fsutil.h"
#include "history.h"
#include "model_internal.h"
#include "registry.h"

#define HISTORY_NAME "history.jsonl"
#define HISTORY_MAX  (64u << 20)

struct sen_registry {
	unsigned int above; /* new versions get higher numbers */
	char dir[PATH_MAX - 64];
	int dir_fd; /* locked while the folder is being changed */
	struct sen_history history;
};

static void path_of(const struct sen_registry *r, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", r->dir, name);
}

static void model_path(const struct sen_registry *r, unsigned int version, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%06u.json", r->dir, version);
}

static int lock(struct sen_registry *r, struct sen_why *why)
{
	while (flock(r->dir_fd, LOCK_EX))
		if (errno != EINTR)
			return sen_why(why, -errno, NULL, "registry: %s: lock: %s", r->dir,
				       strerror(errno));
	return 0;
}

static void unlock(struct sen_registry *r)
{
	flock(r->dir_fd, LOCK_UN);
}

/* Read the history anew. A last line cut short by a crash is taken off the file. */
static int read_history(struct sen_registry *r, struct sen_why *why)
{
	char path[PATH_MAX], *text = NULL;
	struct sen_history fresh = { 0 };
	size_t len = 0, good;
	int err;

	path_of(r, HISTORY_NAME, path);
	err = sen_read_file(path, HISTORY_MAX, &text, &len, why);
	if (err && err != -ENOENT)
		return err;
	err = sen_history_replay(&fresh, text ? text : "", len, &good, why);
	if (!err && good < len && truncate(path, good))
		err = sen_why(why, -errno, NULL, "registry: %s: cut off half a line: %s", path,
			      strerror(errno));
	free(text);
	if (err) {
		sen_history_clear(&fresh);
		return err;
	}
	sen_history_clear(&r->history);
	r->history = fresh;
	return 0;
}

/* Write a line, then let it take effect here as it will for the next reader. */
static int append(struct sen_registry *r, const struct sen_history_event *event,
		  struct sen_why *why)
{
	char path[PATH_MAX], *line;
	int err;

	/* Room first: once the line is on disk nothing may fail. */
	err = sen_history_reserve(&r->history);
	line = err ? NULL : sen_history_print(event);
	if (!line)
		return sen_why(why, -ENOMEM, NULL, "registry: out of memory");
	path_of(r, HISTORY_NAME, path);
	err = sen_append_line(path, line, why);
	free(line);
	return err ? err : sen_history_apply(&r->history, event);
}

static void created_event(const struct sen_model *model, const char *reason,
			  struct sen_history_event *event)
{
	*event = (struct sen_history_event){ .kind = SEN_HISTORY_CREATED,
					     .time_s = time(NULL),
					     .version = model->version,
					     .parent = model->parent,
					     .created_s = model->created_s };
	strcpy(event->digest, model->digest);
	strcpy(event->stage, "Development");
	snprintf(event->reason, sizeof(event->reason), "%s", reason);
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
	model_path(r, version, path);
	if (sen_model_load(path, &model, NULL))
		return 0;
	if (model->version != version) {
		sen_model_free(model);
		return 0;
	}
	created_event(model, "found on disk without a line in the history", &event);
	err = append(r, &event, why);
	sen_model_free(model);
	return err;
}

static int by_number(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

/* Versions on disk that the history does not know, ascending; temporary files of a crash go. */
static int find_orphans(struct sen_registry *r, unsigned int **out, size_t *count)
{
	unsigned int *found = NULL, *more;
	const struct dirent *entry;
	size_t n = 0;
	DIR *d = opendir(r->dir);

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		unsigned int version = version_of(entry->d_name);

		if (strstr(entry->d_name, ".json.tmp."))
			unlinkat(r->dir_fd, entry->d_name, 0);
		if (!version || sen_history_find(&r->history, version))
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

/* Bring the folder and this process to the same state; the lock is held. */
static int refresh(struct sen_registry *r, struct sen_why *why)
{
	int err = read_history(r, why);

	return err ? err : adopt_orphans(r, why);
}

static int open_dir(struct sen_registry *r, struct sen_why *why)
{
	r->dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir_fd < 0)
		return sen_why(why, -errno, NULL, "registry: %s: %s", r->dir, strerror(errno));
	/* Better now than when the first model is ready. */
	if (access(r->dir, W_OK | X_OK))
		return sen_why(why, -errno, "the registry needs a folder that it may write to",
			       "registry: %s: %s", r->dir, strerror(errno));
	return 0;
}

int sen_registry_open(const char *dir, struct sen_registry **out, struct sen_why *why)
{
	struct sen_registry *r;
	int err;

	if (strlen(dir) >= sizeof(r->dir))
		return sen_why(why, -ENAMETOOLONG, NULL, "registry: the path is too long");
	r = calloc(1, sizeof(*r));
	if (!r)
		return sen_why(why, -ENOMEM, NULL, "registry: out of memory");
	r->dir_fd = -1;
	strcpy(r->dir, dir);
	err = sen_make_dirs(dir, why);
	if (!err)
		err = open_dir(r, why);
	if (!err)
		err = lock(r, why);
	if (!err) {
		err = refresh(r, why);
		unlock(r);
	}
	if (err)
		sen_registry_close(r);
	else
		*out = r;
	return err;
}

void sen_registry_close(struct sen_registry *r)
{
	if (!r)
		return;
	sen_history_clear(&r->history);
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	free(r);
}

static int add_locked(struct sen_registry *r, struct sen_model *model, struct sen_why *why)
{
	struct sen_history_event event;
	char path[PATH_MAX];
	int err = refresh(r, why);

	if (err)
		return err;
	if (r->history.last == UINT_MAX)
		return sen_why(why, -EOVERFLOW, NULL, "registry: %s: no version number left",
			       r->dir);
	model->version = (r->history.last > r->above ? r->history.last : r->above) + 1;
	if (!model->created_s)
		model->created_s = time(NULL);
	model_path(r, model->version, path);
	err = sen_model_save(model, path, why);
	if (err)
		return err;
	created_event(model, model->training.command, &event);
	err = append(r, &event, why);
	if (err)
		unlink(path);
	return err;
}

void sen_registry_number_above(struct sen_registry *r, unsigned int version)
{
	r->above = version;
}

int sen_registry_add(struct sen_registry *r, struct sen_model *model, struct sen_why *why)
{
	unsigned int was = model->version;
	int64_t created_was = model->created_s;
	int err = lock(r, why);

	if (err)
		return err;
	err = add_locked(r, model, why);
	unlock(r);
	if (err) {
		model->version = was;
		model->created_s = created_was;
	}
	return err;
}

int sen_registry_stage(struct sen_registry *r, unsigned int version, const char *stage,
		       const char *reason, struct sen_why *why)
{
	struct sen_history_event event = { .kind = SEN_HISTORY_STAGE,
					   .time_s = time(NULL),
					   .version = version };
	int err;

	if (!sen_history_is_stage(stage))
		return sen_why(why, -EINVAL, "Development, Staging, Production or Archived",
			       "registry: no stage is called %s", stage);
	strcpy(event.stage, stage);
	snprintf(event.reason, sizeof(event.reason), "%s", reason ? reason : "");
	err = lock(r, why);
	if (err)
		return err;
	err = refresh(r, why);
	if (!err && !sen_history_find(&r->history, version))
		err = sen_why(why, -ENOENT, NULL, "registry: %s: no version %u", r->dir, version);
	if (!err)
		err = append(r, &event, why);
	unlock(r);
	return err;
}

int sen_registry_load(struct sen_registry *r, unsigned int version, struct sen_model **out,
		      struct sen_why *why)
{
	const struct sen_registry_entry *entry = sen_history_find(&r->history, version);
	struct sen_model *model;
	char path[PATH_MAX];
	int err;

	if (!entry)
		return sen_why(why, -ENOENT, NULL, "registry: %s: no version %u", r->dir, version);
	model_path(r, version, path);
	err = sen_model_load(path, &model, why);
	if (err)
		return err;
	if (strcmp(model->digest, entry->digest) || model->version != version) {
		sen_model_free(model);
		return sen_why(why, -EUCLEAN, "restore the file from a backup",
			       "registry: %s: not the model that was added as version %u", path,
			       version);
	}
	*out = model;
	return 0;
}

unsigned int sen_registry_production(const struct sen_registry *r)
{
	return sen_history_production(&r->history);
}

unsigned int sen_registry_previous(const struct sen_registry *r)
{
	return sen_history_previous(&r->history);
}

size_t sen_registry_entries(const struct sen_registry *r, const struct sen_registry_entry **out)
{
	*out = r->history.entry;
	return r->history.entries;
}
