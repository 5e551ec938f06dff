// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "retention.h"

struct file {
	char name[256];
	struct timespec
		came; /* the last change of the inode: the move that brought it, whatever its age */
};

struct files {
	struct file *at;
	size_t n, room;
};

static int add(struct files *f, const char *name, const struct stat *st)
{
	struct file *grown;

	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : 64;
		grown = reallocarray(f->at, f->room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		f->at = grown;
	}
	f->at[f->n].came = st->st_ctim;
	snprintf(f->at[f->n++].name, sizeof(f->at[0].name), "%s", name);
	return 0;
}

static int read_files(DIR *dir, struct files *f)
{
	struct dirent *entry;
	struct stat st;
	int err = 0;

	while (!err && (entry = readdir(dir)))
		if (!fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			err = add(f, entry->d_name, &st);
	return err;
}

static int latest_first(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->came.tv_sec != y->came.tv_sec)
		return x->came.tv_sec > y->came.tv_sec ? -1 : 1;
	if (x->came.tv_nsec != y->came.tv_nsec)
		return x->came.tv_nsec > y->came.tv_nsec ? -1 : 1;
	return strcmp(y->name, x->name);
}

int sen_retain_files(const char *folder, unsigned int keep, int64_t since_s)
{
	DIR *dir = opendir(folder);
	struct files f = { 0 };
	int err, gone = 0;

	if (!dir)
		return -errno;
	err = read_files(dir, &f);
	if (!err && f.n)
		qsort(f.at, f.n, sizeof(*f.at), latest_first);
	for (size_t i = 0; !err && i < f.n; i++)
		if (i >= keep || f.at[i].came.tv_sec < since_s)
			gone += !unlinkat(dirfd(dir), f.at[i].name, 0);
	free(f.at);
	closedir(dir);
	return err ? err : gone;
}
