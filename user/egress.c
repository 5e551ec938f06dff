// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "egress.h"

/* Our filter among those that others may have put there; found again by these when it comes off. */
#define FILTER_PRIORITY 0x534e
#define FILTER_HANDLE   1

int sen_egress_attach(unsigned int ifindex, int prog_fd, bool *made_hook)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .handle = FILTER_HANDLE,
		    .priority = FILTER_PRIORITY);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	*made_hook = !err;
	err = bpf_tc_attach(&hook, &opts);
	if (err && *made_hook)
		sen_egress_detach(ifindex, true);
	return err;
}

/* Ask for the filters on one side of the hook; libbpf only knows those of its own kind. */
static int ask_for_filters(int fd, unsigned int ifindex, __u32 side)
{
	const struct {
		struct nlmsghdr head;
		struct tcmsg tc;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = RTM_GETTFILTER,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.tc = { .tcm_family = AF_UNSPEC,
			.tcm_ifindex = (int)ifindex,
			.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side) },
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* True where there are none: then the answer begins with its end. */
static bool has_no_filters(unsigned int ifindex, __u32 side)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct nlmsghdr first = { 0 };
	bool none = false;

	if (fd < 0)
		return false;
	if (!ask_for_filters(fd, ifindex, side))
		none = recv(fd, &first, sizeof(first), 0) == (ssize_t)sizeof(first) &&
		       first.nlmsg_type == NLMSG_DONE;
	close(fd);
	return none;
}

/* Filters of others may have come to the hook that was made for ours: then it is theirs now. */
static void remove_hook(struct bpf_tc_hook *hook)
{
	if (!has_no_filters(hook->ifindex, TC_H_MIN_INGRESS) ||
	    !has_no_filters(hook->ifindex, TC_H_MIN_EGRESS))
		return;
	/* Both directions named: the hook itself goes. */
	hook->attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(hook);
}

int sen_egress_detach(unsigned int ifindex, bool made_hook)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int err = bpf_tc_detach(&hook, &opts);

	if (made_hook)
		remove_hook(&hook);
	return err == -ENOENT || err == -EINVAL ? 0 : err;
}
