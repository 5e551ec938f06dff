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
#include "model_internal.h"
#include "registry_internal.h"

void sen_registry_path_of(const struct sen_registry *r, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", r->dir, name);
}

void sen_registry_model_path(const struct sen_registry *r, unsigned int version, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%06u.json", r->dir, version);
}

int sen_registry_lock(struct sen_registry *r, struct sen_why *why)
{
	while (flock(r->dir_fd, LOCK_EX))
		if (errno != EINTR)
			return sen_why(why, -errno, NULL, "registry: %s: lock: %s", r->dir,
				       strerror(errno));
	return 0;
}

void sen_registry_unlock(struct sen_registry *r)
{
	flock(r->dir_fd, LOCK_UN);
}

/* What was written here need not be read again. */
static void has_grown(struct sen_registry *r, const char *path, size_t len)
{
	struct stat st;

	r->history.lines++;
	r->read += (off_t)len;
	if (stat(path, &st) || (r->ino && (st.st_dev != r->dev || st.st_ino != r->ino)))
		return;
	r->dev = st.st_dev;
	r->ino = st.st_ino;
}

int sen_registry_append(struct sen_registry *r, const struct sen_history_event *event,
			struct sen_why *why)
{
	char path[PATH_MAX], *line;
	int err;

	/* Room first: once the line is on disk nothing may fail. */
	err = sen_history_reserve(&r->history);
	line = err ? NULL : sen_history_print(event);
	if (!line)
		return sen_why(why, -ENOMEM, NULL, "registry: out of memory");
	sen_registry_path_of(r, SEN_HISTORY_NAME, path);
	err = sen_append_line(path, line, why);
	if (!err)
		err = sen_history_apply(&r->history, event);
	if (!err)
		has_grown(r, path, strlen(line) + 1);
	free(line);
	return err;
}

void sen_registry_created(const struct sen_model *model, const struct sen_registry_origin *origin,
			  const char *reason, struct sen_history_event *event)
{
	*event = (struct sen_history_event){ .kind = SEN_HISTORY_CREATED,
					     .time_s = time(NULL),
					     .version = model->version,
					     .parent = model->parent,
					     .created_s = model->created_s };
	strcpy(event->digest, model->digest);
	strcpy(event->stage, "Development");
	snprintf(event->reason, sizeof(event->reason), "%s", reason);
	if (!origin)
		return;
	snprintf(event->origin, sizeof(event->origin), "%s", origin->kind);
	event->facts = origin->params;
}

static int open_dir(struct sen_registry *r, struct sen_why *why)
{
	r->dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir_fd < 0)
		return sen_why(why, -errno, NULL, "registry: %s: %s", r->dir, strerror(errno));
	/* Better now than when the first model is ready. */
	if (!r->reads_only && access(r->dir, W_OK | X_OK))
		return sen_why(why, -errno, "the registry needs a folder that it may write to",
			       "registry: %s: %s", r->dir, strerror(errno));
	return 0;
}

static int open_registry(const char *dir, bool reads_only, struct sen_registry **out,
			 struct sen_why *why)
{
	struct sen_registry *r;
	int err;

	if (strlen(dir) >= sizeof(r->dir))
		return sen_why(why, -ENAMETOOLONG, NULL, "registry: the path is too long");
	r = calloc(1, sizeof(*r));
	if (!r)
		return sen_why(why, -ENOMEM, NULL, "registry: out of memory");
	r->dir_fd = -1;
	r->reads_only = reads_only;
	strcpy(r->dir, dir);
	err = reads_only ? 0 : sen_make_dirs(dir, why);
	if (!err)
		err = open_dir(r, why);
	if (!err)
		err = sen_registry_lock(r, why);
	if (!err) {
		err = sen_registry_refresh(r, why);
		sen_registry_unlock(r);
	}
	if (err)
		sen_registry_close(r);
	else
		*out = r;
	return err;
}

int sen_registry_open(const char *dir, struct sen_registry **out, struct sen_why *why)
{
	return open_registry(dir, false, out, why);
}

int sen_registry_visit(const char *dir, struct sen_registry **out, struct sen_why *why)
{
	return open_registry(dir, true, out, why);
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

/* Versions never change: their files are read-only, and a number is used once. */
static int write_model(struct sen_model *model, const char *path, struct sen_why *why)
{
	int err = sen_model_check(model, why);
	char *text;

	if (err)
		return err;
	text = sen_model_print(model);
	if (!text)
		return sen_why(why, -ENOMEM, NULL, "write: %s: out of memory", path);
	err = sen_write_once(path, text, strlen(text), why);
	free(text);
	return err;
}

static int add_locked(struct sen_registry *r, struct sen_model *model,
		      const struct sen_registry_origin *origin, struct sen_why *why)
{
	struct sen_history_event event;
	char path[PATH_MAX];
	int err = sen_registry_refresh(r, why);

	if (err)
		return err;
	if (r->history.last == UINT_MAX)
		return sen_why(why, -EOVERFLOW, NULL, "registry: %s: no version number left",
			       r->dir);
	model->version = (r->history.last > r->above ? r->history.last : r->above) + 1;
	if (!model->created_s)
		model->created_s = time(NULL);
	sen_registry_model_path(r, model->version, path);
	err = write_model(model, path, why);
	if (err)
		return err;
	sen_registry_created(model, origin, model->training.command, &event);
	err = sen_registry_append(r, &event, why);
	if (err)
		unlink(path);
	return err;
}

void sen_registry_number_above(struct sen_registry *r, unsigned int version)
{
	r->above = version;
}

int sen_registry_add(struct sen_registry *r, struct sen_model *model,
		     const struct sen_registry_origin *origin, struct sen_why *why)
{
	unsigned int was = model->version;
	int64_t created_was = model->created_s;
	int err = sen_registry_lock(r, why);

	if (err)
		return err;
	err = add_locked(r, model, origin, why);
	sen_registry_unlock(r);
	if (err) {
		model->version = was;
		model->created_s = created_was;
	}
	return err;
}

int sen_registry_record(struct sen_registry *r, const struct sen_history_event *event,
			struct sen_why *why)
{
	int err = sen_registry_lock(r, why);

	if (err)
		return err;
	err = sen_registry_refresh(r, why);
	if (!err && !sen_history_find(&r->history, event->version))
		err = sen_why(why, -ENOENT, NULL, "registry: %s: no version %u", r->dir,
			      event->version);
	if (!err)
		err = sen_registry_append(r, event, why);
	sen_registry_unlock(r);
	return err;
}

static int set_stage(struct sen_registry *r, unsigned int version, const char *stage,
		     const char *reason, bool approved, struct sen_why *why)
{
	struct sen_history_event event = { .kind = SEN_HISTORY_STAGE,
					   .time_s = time(NULL),
					   .version = version,
					   .approved = approved };

	if (!sen_history_is_stage(stage))
		return sen_why(why, -EINVAL, "Development, Staging, Production or Archived",
			       "registry: no stage is called %s", stage);
	strcpy(event.stage, stage);
	snprintf(event.reason, sizeof(event.reason), "%s", reason ? reason : "");
	return sen_registry_record(r, &event, why);
}

int sen_registry_stage(struct sen_registry *r, unsigned int version, const char *stage,
		       const char *reason, struct sen_why *why)
{
	return set_stage(r, version, stage, reason, false, why);
}

int sen_registry_approve(struct sen_registry *r, unsigned int version, const char *reason,
			 struct sen_why *why)
{
	return set_stage(r, version, "Production", reason, true, why);
}

int sen_registry_measure(struct sen_registry *r, unsigned int version,
			 const struct sen_facts *metrics, struct sen_why *why)
{
	struct sen_history_event event = { .kind = SEN_HISTORY_MEASURED,
					   .time_s = time(NULL),
					   .version = version,
					   .facts = *metrics };

	return sen_registry_record(r, &event, why);
}

int sen_registry_load(struct sen_registry *r, unsigned int version, struct sen_model **out,
		      struct sen_why *why)
{
	const struct sen_registry_entry *entry = sen_history_find(&r->history, version);
	struct sen_model *model;
	char path[PATH_MAX];
	int err;

	if (!entry && version > r->history.forgotten)
		return sen_why(why, -ENOENT, NULL, "registry: %s: no version %u", r->dir, version);
	if (!entry || entry->pruned)
		return sen_why(why, -ENOENT, "registry.keep says how many versions are kept",
			       "registry: %s: version %u was pruned", r->dir, version);
	sen_registry_model_path(r, version, path);
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
	return r->history.production;
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

const struct sen_registry_entry *sen_registry_find(const struct sen_registry *r,
						   unsigned int version)
{
	return sen_history_find(&r->history, version);
}
