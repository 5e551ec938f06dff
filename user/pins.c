// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "dataplane.h"
#include "pins.h"

void sen_pin_dir(char *out, size_t size, const char *ifname)
{
	snprintf(out, size, "%s/%s", sen_pin_root(), ifname);
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* Would folders made at this path be in bpffs? Asked of the part of it that there is already. */
static bool leads_to_bpffs(const char *path)
{
	char part[256], *slash;

	snprintf(part, sizeof(part), "%s", path);
	while (access(part, F_OK)) {
		slash = strrchr(part, '/');
		if (!slash || slash == part)
			return false;
		*slash = '\0';
	}
	return is_bpffs(part);
}

int sen_pins_refuse(const char *ifname, struct sen_why *why)
{
	return sen_why(why, -EEXIST, "sentroid detach IFACE takes it off",
		       "attaching XDP program: %s: Sentroid is attached, or left pins in %s",
		       ifname, sen_pin_root());
}

int sen_pins_make(const char *ifname, struct sen_why *why)
{
	const char *root = sen_pin_root(), *usual = "/sys/fs/bpf";
	char dir[256], *slash;

	if (!strncmp(root, usual, strlen(usual)) && !is_bpffs(usual) &&
	    mount("bpf", usual, "bpf", 0, "mode=0700"))
		return sen_why(why, -errno, "mount -t bpf bpf /sys/fs/bpf",
			       "mounting bpffs: %s: %s", usual, strerror(errno));
	sen_pin_dir(dir, sizeof(dir), ifname);
	if (!leads_to_bpffs(dir))
		return sen_why(why, -ENOTSUP, "mount -t bpf bpf DIR, or unset SENTROID_BPFFS",
			       "making pins: %s: not a bpf file system", root);
	for (slash = dir + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(dir, 0700);
		*slash = '/';
	}
	if (!mkdir(dir, 0700))
		return 0;
	return errno == EEXIST ?
		       sen_pins_refuse(ifname, why) :
		       sen_why(why, -errno, NULL, "making pins: %s: %s", dir, strerror(errno));
}

void sen_pins_remove(const char *ifname)
{
	char dir[256], path[600];
	struct dirent *entry;
	DIR *d;

	sen_pin_dir(dir, sizeof(dir), ifname);
	d = opendir(dir);
	if (!d)
		return;
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		unlink(path);
	}
	closedir(d);
	rmdir(dir);
	rmdir(sen_pin_root());
}

bool sen_pins_exist(const char *ifname)
{
	char dir[256];

	sen_pin_dir(dir, sizeof(dir), ifname);
	return !access(dir, F_OK);
}
