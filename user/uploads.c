// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyse.h"
#include "clock.h"
#include "fsutil.h"
#include "retention.h"
#include "uploads.h"

#define QUIET_S    2     /* a file that has not changed for so long is whole */
#define FIRST_MS   10000 /* before a file is tried again that could not be put into the store ... */
#define LONGEST_MS 600000 /* ... twice as long each time, up to this */
#define RETAIN_MS  600000
#define DAY_S      86400ll
#define NAME       "%.220s" /* of a file: a stamp, a number and ".reason" must fit into 255 with it */

static const char *const own_folders[] = { "stored", "archive", "rejected" };

/* One file on its way through the worker. */
struct job {
	struct sen_uploads *owner;
	char path[PATH_MAX];
	struct sen_upload upload;
	struct sen_analysis analysis;
	int err;
	struct sen_why why;
};

/* A file that cannot be moved, as it was then. */
struct stuck {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
};

struct sen_uploads {
	char folder[PATH_MAX - 320];
	struct sen_worker *worker;
	struct sen_uploads_ops ops;
	void *ctx;
	struct sen_uploads_limits limits;
	bool busy;
	int64_t taken;   /* the last upload that the running training has */
	int64_t trained; /* the last one to be archived, 0: none is */
	int64_t wait_ms; /* after the next failure of the store */
	int64_t next_ms; /* nothing is analysed before that */
	int64_t retain_ms;
	struct sen_analysis judge; /* what the next one is judged by */
	struct stuck *stuck;
	size_t stuck_n;
};

__attribute__((format(printf, 3, 4))) static void say(struct sen_uploads *u,
						      enum sen_log_level level, const char *fmt,
						      ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	u->ops.say(u->ctx, level, line);
}

int sen_uploads_open(const char *state_dir, struct sen_worker *worker,
		     const struct sen_uploads_ops *ops, void *ctx, struct sen_uploads **out,
		     struct sen_why *why)
{
	struct sen_uploads *u = calloc(1, sizeof(*u));
	char path[PATH_MAX];
	int err = 0;

	if (!u)
		return sen_why(why, -ENOMEM, NULL, "uploads: out of memory");
	u->worker = worker;
	u->ops = *ops;
	u->ctx = ctx;
	u->wait_ms = FIRST_MS;
	u->limits = (struct sen_uploads_limits){ UINT_MAX, UINT_MAX };
	snprintf(u->folder, sizeof(u->folder), "%s/" SEN_UPLOADS_FOLDER, state_dir);
	for (size_t i = 0; !err && i < sizeof(own_folders) / sizeof(own_folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", u->folder, own_folders[i]);
		err = sen_make_dirs(path, why);
	}
	if (err) {
		free(u);
		return err;
	}
	*out = u;
	return 0;
}

void sen_uploads_limit(struct sen_uploads *u, const struct sen_uploads_limits *limits)
{
	u->limits = *limits;
	u->retain_ms = 0;
}

void sen_uploads_unmake(const char *state_dir)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(own_folders) / sizeof(own_folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/" SEN_UPLOADS_FOLDER "/%s", state_dir,
			 own_folders[i]);
		rmdir(path);
	}
	snprintf(path, sizeof(path), "%s/" SEN_UPLOADS_FOLDER, state_dir);
	rmdir(path);
}

void sen_uploads_close(struct sen_uploads *u)
{
	if (!u)
		return;
	free(u->stuck);
	free(u);
}

/* ---- finding files ---- */

struct found {
	char path[PATH_MAX];
	char name[256];
	unsigned int label, class_id; /* by its folder */
};

/* Files may bring a time from elsewhere: where it lies ahead the kernel's own counts, and where that does, too, the
 * clock has been set back since. */
static bool is_quiet(const struct stat *st)
{
	time_t now = time(NULL), changed = st->st_mtime > now ? st->st_ctime : st->st_mtime;

	return now - changed >= QUIET_S || changed - now >= QUIET_S;
}

static bool is_stuck(const struct sen_uploads *u, const struct stat *st)
{
	for (size_t i = 0; i < u->stuck_n; i++) {
		const struct stuck *s = &u->stuck[i];

		if (s->dev == st->st_dev && s->ino == st->st_ino &&
		    s->changed.tv_sec == st->st_ctim.tv_sec &&
		    s->changed.tv_nsec == st->st_ctim.tv_nsec)
			return true;
	}
	return false;
}

static bool is_ready(const struct sen_uploads *u, const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISREG(st.st_mode) && is_quiet(&st) && !is_stuck(u, &st);
}

/* The first file of a folder that is ready, by name. */
static bool find_in(const struct sen_uploads *u, const char *folder, char path[PATH_MAX],
		    char name[256])
{
	struct dirent **list;
	int n = scandir(folder, &list, NULL, alphasort);
	bool found = false;

	for (int i = 0; i < n; i++) {
		if (!found && list[i]->d_name[0] != '.') {
			snprintf(path, PATH_MAX, "%s/%s", folder, list[i]->d_name);
			snprintf(name, 256, "%s", list[i]->d_name);
			found = is_ready(u, path);
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return found;
}

static bool find_next(const struct sen_uploads *u, struct found *f)
{
	struct sen_class_names names = sen_class_names_of(&u->judge.model);
	char folder[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	bool found = find_in(u, u->folder, f->path, f->name);

	f->label = SEN_LABEL_NONE;
	if (found)
		return true;
	dir = opendir(u->folder);
	while (dir && !found && (entry = readdir(dir))) {
		if (sen_label_parse(entry->d_name, &names, &f->label, &f->class_id) ||
		    f->label == SEN_LABEL_NONE)
			continue;
		snprintf(folder, sizeof(folder), "%s/%s", u->folder, entry->d_name);
		found = find_in(u, folder, f->path, f->name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* ---- what becomes of them ---- */

static void pass_over(struct sen_uploads *u, const char *path)
{
	struct stuck *grown;
	struct stat st;

	if (lstat(path, &st))
		return;
	grown = reallocarray(u->stuck, u->stuck_n + 1, sizeof(*grown));
	if (!grown)
		return;
	u->stuck = grown;
	u->stuck[u->stuck_n++] = (struct stuck){ st.st_dev, st.st_ino, st.st_ctim };
}

/* Out of the way, to `to` or, if that is NULL, for good. What stays would be analysed again each second, and what
 * comes behind it never. */
static bool clear_away(struct sen_uploads *u, const struct job *job, const char *to)
{
	if (!(to ? rename(job->path, to) : unlink(job->path)))
		return true;
	say(u, SEN_LOG_WARNING,
	    "upload %s stays where it is, and is passed over until it changes: %s%s: %s",
	    job->upload.name, to ? "not moved to " : "not deleted", to ? to : "", strerror(errno));
	pass_over(u, job->path);
	return false;
}

static void reject(struct sen_uploads *u, const struct job *job)
{
	char to[PATH_MAX], reason[PATH_MAX + 16];
	unsigned int again = 0;

	say(u, SEN_LOG_WARNING, "upload %s rejected: %s", job->upload.name, job->why.text);
	snprintf(to, sizeof(to), "%s/rejected/" NAME, u->folder, job->upload.name);
	while (!access(to, F_OK) && again++ < 1000)
		snprintf(to, sizeof(to), "%s/rejected/" NAME ".%u", u->folder, job->upload.name,
			 again);
	if (!clear_away(u, job, to))
		return;
	snprintf(reason, sizeof(reason), "%s.reason", to);
	sen_append_line(reason, job->why.text, NULL);
}

static void stored_path(const struct sen_uploads *u, const char *sha256, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/stored/%s", u->folder, sha256);
}

static int is_this(void *ctx, const struct sen_upload *upload)
{
	return !strcmp(ctx, upload->sha256) ? -EEXIST : 0;
}

/* Its samples are there already. The file is not, where an agent was ended in between. */
static void drop_duplicate(struct sen_uploads *u, struct job *job)
{
	char to[PATH_MAX];
	int waits = sen_store_uploads(u->ops.store(u->ctx), INT64_MAX, is_this, job->upload.sha256,
				      NULL);

	stored_path(u, job->upload.sha256, to);
	say(u, SEN_LOG_NOTICE, "upload %s is known already: not counted again", job->upload.name);
	clear_away(u, job, waits == -EEXIST && access(to, F_OK) ? to : NULL);
}

static void accept(struct sen_uploads *u, struct job *job)
{
	const struct sen_analysis *a = &job->analysis;
	char to[PATH_MAX];

	say(u, SEN_LOG_NOTICE,
	    "upload %s analysed: %llu evaluations, %llu flagged, %llu named by rules, %zu samples "
	    "kept; %u not trained on yet",
	    job->upload.name, (unsigned long long)a->evaluations, (unsigned long long)a->flagged,
	    (unsigned long long)a->attacks, a->n, sen_uploads_count(u));
	stored_path(u, job->upload.sha256, to);
	clear_away(u, job, to);
}

/* The file is not at fault: it is tried again, but an analysis is too dear to be made each second. */
static void put_off(struct sen_uploads *u, const struct job *job)
{
	say(u, SEN_LOG_WARNING, "upload %s put off for %lld s: %s", job->upload.name,
	    (long long)u->wait_ms / 1000, job->why.text);
	u->next_ms = sen_now_ms() + u->wait_ms;
	u->wait_ms = 2 * u->wait_ms < LONGEST_MS ? 2 * u->wait_ms : LONGEST_MS;
}

static void store(struct sen_uploads *u, struct job *job)
{
	int err;

	job->upload.time_ms = sen_clock_ms(CLOCK_REALTIME);
	err = sen_store_add_upload(u->ops.store(u->ctx), &job->upload, job->analysis.records,
				   job->analysis.n, &job->why);
	if (err && err != -EEXIST) {
		put_off(u, job);
		return;
	}
	u->wait_ms = FIRST_MS;
	if (err)
		drop_duplicate(u, job);
	else
		accept(u, job);
}

static void settle(struct sen_uploads *u, struct job *job)
{
	if (!job->err)
		store(u, job);
	else if (job->err == -ENOMEM)
		put_off(u, job);
	else if (job->err != -ECANCELED)
		reject(u, job);
}

/* ---- in the worker ---- */

static void job_run(void *arg, const atomic_bool *cancel)
{
	struct job *job = arg;

	job->err = sen_sha256_file(job->path, cancel, job->upload.sha256, &job->why);
	if (!job->err)
		job->err = sen_analyse(&job->analysis, job->path, cancel, &job->why);
}

static void job_free(void *arg)
{
	struct job *job = arg;

	job->owner->busy = false;
	free(job->analysis.records);
	free(job);
}

static void job_done(void *arg)
{
	struct job *job = arg;

	settle(job->owner, job);
	job_free(job);
}

static int submit(struct sen_uploads *u, const struct found *f)
{
	struct job *job = calloc(1, sizeof(*job));
	int err;

	if (!job)
		return -ENOMEM;
	job->owner = u;
	memcpy(job->path, f->path, sizeof(job->path));
	memcpy(job->upload.name, f->name, sizeof(job->upload.name));
	job->analysis = u->judge;
	job->analysis.label = (enum sen_label)f->label;
	job->analysis.class_id = f->class_id;
	err = sen_worker_submit(u->worker, &(struct sen_job){ .key = u,
							      .arg = job,
							      .run = job_run,
							      .done = job_done,
							      .dropped = job_free });
	if (err)
		free(job);
	return err;
}

static void retain(struct sen_uploads *u, int64_t now_ms)
{
	int64_t since = time(NULL) - u->limits.days * DAY_S;
	char path[PATH_MAX];

	if (now_ms < u->retain_ms)
		return;
	u->retain_ms = now_ms + RETAIN_MS;
	for (size_t i = 0; i < sizeof(own_folders) / sizeof(own_folders[0]); i++) {
		int gone;

		snprintf(path, sizeof(path), "%s/%s", u->folder, own_folders[i]);
		gone = sen_retain_files(path, u->limits.keep, since);
		if (gone > 0)
			say(u, SEN_LOG_INFO, "uploads: %d old files deleted from %s", gone, path);
	}
}

/* ---- trainings ---- */

unsigned int sen_uploads_count(struct sen_uploads *u)
{
	int n = sen_store_uploads(u->ops.store(u->ctx), INT64_MAX, NULL, NULL, NULL);

	return n > 0 ? (unsigned int)n : 0;
}

static int note_taken(void *ctx, const struct sen_upload *upload)
{
	struct sen_uploads *u = ctx;

	u->taken = upload->id;
	return 0;
}

void sen_uploads_training_begins(struct sen_uploads *u)
{
	u->taken = 0;
	sen_store_uploads(u->ops.store(u->ctx), INT64_MAX, note_taken, u, NULL);
}

/* On record first: a store that another process holds is tried again. */
static int archive(void *ctx, const struct sen_upload *upload)
{
	struct sen_uploads *u = ctx;
	char from[PATH_MAX], to[PATH_MAX], stamp[32];
	time_t now = time(NULL);
	struct sen_why why;
	struct tm tm;
	int err;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	stored_path(u, upload->sha256, from);
	snprintf(to, sizeof(to), "%s/archive/%s-" NAME, u->folder, stamp, upload->name);
	/* Two of one name in a second. */
	if (!access(to, F_OK))
		snprintf(to, sizeof(to), "%s/archive/%s-%.8s-" NAME, u->folder, stamp,
			 upload->sha256, upload->name);
	err = sen_store_archive_upload(u->ops.store(u->ctx), upload->id, to, &why);
	if (err == -EBUSY)
		return err;
	if (err)
		say(u, SEN_LOG_WARNING, "upload %s: not noted as archived: %s", upload->name,
		    why.text);
	/* It may not be there: its time was up. */
	if (rename(from, to) && errno != ENOENT)
		say(u, SEN_LOG_WARNING, "upload %s: not moved to %s: %s", upload->name, to,
		    strerror(errno));
	return 0;
}

static void archive_trained(struct sen_uploads *u)
{
	if (u->trained &&
	    sen_store_uploads(u->ops.store(u->ctx), u->trained, archive, u, NULL) != -EBUSY)
		u->trained = 0;
}

void sen_uploads_training_done(struct sen_uploads *u)
{
	if (u->taken)
		u->trained = u->taken;
	u->taken = 0;
	archive_trained(u);
}

void sen_uploads_tick(struct sen_uploads *u)
{
	int64_t now_ms = sen_now_ms();
	struct found f;

	archive_trained(u);
	retain(u, now_ms);
	if (!u->busy && now_ms >= u->next_ms && !u->ops.judge(u->ctx, &u->judge) &&
	    find_next(u, &f))
		u->busy = !submit(u, &f);
}
