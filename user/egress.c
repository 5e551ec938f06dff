// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <errno.h>

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

int sen_egress_detach(unsigned int ifindex, bool made_hook)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int err = bpf_tc_detach(&hook, &opts);

	if (made_hook) {
		/* Both directions named: the hook itself goes. */
		hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(&hook);
	}
	return err == -ENOENT || err == -EINVAL ? 0 : err;
}
