// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <ctype.h>
#include <dirent.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "attachment.h"

static uint32_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

uint32_t sen_netns_here(void)
{
	return inode_of("/proc/thread-self/ns/net");
}

/* Among the entries of a folder, each of which leads to a namespace by DIR/ENTRY/REST. */
static bool find_in(const char *dir, const char *rest, bool numbers, uint32_t inode, char *path,
		    size_t size)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	bool found = false;

	while (d && !found && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' ||
		    (numbers && !isdigit((unsigned char)entry->d_name[0])))
			continue;
		snprintf(path, size, "%s/%s%s", dir, entry->d_name, rest);
		found = inode_of(path) == inode;
	}
	if (d)
		closedir(d);
	return found;
}

bool sen_netns_path(uint32_t inode, char *path, size_t size)
{
	return find_in("/run/netns", "", false, inode, path, size) ||
	       find_in("/proc", "/ns/net", true, inode, path, size);
}

/* Without that capability other processes' namespaces look as if they were none: so it is under the unit. */
bool sen_netns_is_gone(uint32_t inode)
{
	char path[PATH_MAX];

	return !geteuid() && prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE) == 1 &&
	       !sen_netns_path(inode, path, sizeof(path));
}

/* Among the members of a dispatcher; their ids are not what the interface reports. */
static bool dispatched(const struct sen_meta *meta, bool *frags)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(meta->ifindex);
	struct xdp_program *prog = NULL;
	bool found = false;

	if (libxdp_get_error(mp))
		return false;
	while (!found && (prog = xdp_multiprog__next_prog(prog, mp)))
		found = xdp_program__id(prog) == meta->prog_id;
	if (frags)
		*frags = *frags && xdp_multiprog__xdp_frags_support(mp);
	xdp_multiprog__close(mp);
	return found;
}

uint32_t sen_attachment_top(const struct sen_meta *meta)
{
	__u32 id = 0;

	if (bpf_xdp_query_id(meta->ifindex, meta->native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE,
			     &id))
		return 0;
	return id;
}

enum sen_attachment sen_attachment_look(const struct sen_meta *meta, bool *frags)
{
	bool holds;

	if (meta->netns != sen_netns_here())
		return SEN_ATTACHMENT_ELSEWHERE;
	holds = meta->dispatcher ? dispatched(meta, frags) :
				   sen_attachment_top(meta) == meta->prog_id;
	return holds ? SEN_ATTACHMENT_HOLDS : SEN_ATTACHMENT_GONE;
}
