// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "jiffies.h"
#include "loader.h"
#include "program.h"

const struct sen_policy sen_policy_defaults = {
	.mode = SEN_MODE_ALERT,
	.eval_shift = SEN_WINDOW_FAST,
	.near = SEN_ONE / 4 * 3,
	.sample_every = 1,
	.rate = { 1000, 200, 500 },
	.wakeup_ticks = 50,
};

struct sen_policy sen_policy_of(enum sen_mode mode)
{
	struct sen_policy policy = sen_policy_defaults;

	policy.mode = mode;
	memset(policy.action, SEN_VERDICT_DROP, sizeof(policy.action));
	policy.action[SEN_CLASS_NONE] = SEN_VERDICT_PASS;
	policy.action[SEN_CLASS_UNKNOWN] = SEN_VERDICT_ALERT;
	return policy;
}

static unsigned int power_of_two(unsigned int n)
{
	unsigned int p = SEN_FLOWS_MIN;

	while (p < n && p < SEN_FLOWS_MAX)
		p <<= 1;
	return p;
}

int sen_program_configure(struct sentroid *skel, unsigned int flows)
{
	unsigned int n = flows ? power_of_two(flows) : bpf_map__max_entries(skel->maps.flows);
	const struct sen_jiffies jiffies = sen_jiffies_measure();
	ssize_t got = getrandom((void *)skel->rodata->sen_seed, sizeof(skel->rodata->sen_seed), 0);
	int err;

	if (got != (ssize_t)sizeof(skel->rodata->sen_seed))
		return -EIO;
	err = bpf_map__set_max_entries(skel->maps.flows, n);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.flows_sets, n / SEN_WAYS);
	if (!err)
		err = bpf_map__set_autocreate(skel->maps.replay_slots, false);
	skel->rodata->sen_jiffy_ns = jiffies.ns;
	skel->rodata->sen_jiffy_zero_ns = jiffies.zero_ns;
	skel->rodata->sen_flow_sets = n / SEN_WAYS;
	skel->rodata->sen_source_sets = bpf_map__max_entries(skel->maps.sources_sets);
	skel->rodata->sen_target_sets = bpf_map__max_entries(skel->maps.targets_sets);
	skel->rodata->sen_pair_sets = bpf_map__max_entries(skel->maps.pairs_sets);
	return err;
}
