// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"

/* Folder of the running executable. */
static int executable_dir(char *dir, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", dir, size - 1);
	char *slash;

	if (n < 0)
		return -errno;
	dir[n] = 0;
	slash = strrchr(dir, '/');
	if (!slash)
		return -ENOENT;
	*slash = 0;
	return 0;
}

int sen_default_model_path(char *path, size_t size, struct sen_why *why)
{
	const char *installed = SENTROID_DATADIR "/default.json";
	char dir[PATH_MAX];

	if (!executable_dir(dir, sizeof(dir))) {
		snprintf(path, size, "%s/../models/default.json", dir);
		if (!access(path, R_OK))
			return 0;
	}
	if (access(installed, R_OK))
		return sen_why(why, -ENOENT, "install Sentroid, or attach with --model FILE first",
			       "shipped model: neither %s nor %s: %s", path, installed,
			       strerror(ENOENT));
	snprintf(path, size, "%s", installed);
	return 0;
}

int sen_model_load_or_default(const char *path, struct sen_model **out, struct sen_why *why)
{
	char shipped[PATH_MAX];
	int err = path ? 0 : sen_default_model_path(shipped, sizeof(shipped), why);

	return err ? err : sen_model_load(path ? path : shipped, out, why);
}

int sen_check_ifname(const char *ifname, struct sen_why *why)
{
	size_t len = strlen(ifname);

	if (len && len < IFNAMSIZ && !strpbrk(ifname, "/ \t\n\"\\") && strcmp(ifname, ".") &&
	    strcmp(ifname, ".."))
		return 0;
	return sen_why(why, -EINVAL, NULL, "interface: %.64s: not a name of an interface", ifname);
}
