// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench_run.h"
#include "model_slot.h"
#include "jiffies.h"
#include "loader.h"

void sen_bench_build_frame(struct sen_bench_frame *f, bool syn)
{
	memset(f, 0, sizeof(*f));
	f->eth.ether_type = htons(ETHERTYPE_IP);
	f->ip.version = 4;
	f->ip.ihl = 5;
	f->ip.tot_len = htons(syn ? 40 : 50);
	f->ip.ttl = 64;
	f->ip.protocol = IPPROTO_TCP;
	f->ip.daddr = htonl(0x0a400001);
	f->tcp.dest = htons(443);
	f->tcp.doff = 5;
	f->tcp.syn = syn;
	f->tcp.ack = !syn;
}

int sen_bench_load(const struct sen_model_flat *model, const struct sen_bench_setup *setup,
		   struct bench **out)
{
	const struct sen_jiffies jiffies = sen_jiffies_measure();
	struct bench *skel = bench__open();
	__u32 zero = 0;
	int err;

	if (!skel)
		return -errno;
	skel->rodata->bench_mask = setup->mask;
	skel->rodata->bench_scatter = setup->scatter;
	skel->rodata->sen_stages = setup->stages;
	skel->rodata->sen_jiffy_ns = jiffies.ns;
	skel->rodata->sen_jiffy_zero_ns = jiffies.zero_ns;
	skel->rodata->sen_flow_sets = bpf_map__max_entries(skel->maps.flows_sets);
	skel->rodata->sen_source_sets = bpf_map__max_entries(skel->maps.sources_sets);
	skel->rodata->sen_target_sets = bpf_map__max_entries(skel->maps.targets_sets);
	skel->rodata->sen_pair_sets = bpf_map__max_entries(skel->maps.pairs_sets);
	bpf_program__set_autoload(skel->progs.bench_path, !setup->live);
	bpf_program__set_autoload(skel->progs.bench_live_path, setup->live);
	err = bench__load(skel);
	if (!err &&
	    bpf_map_update_elem(bpf_map__fd(skel->maps.policy), &zero, &setup->policy, BPF_ANY))
		err = -errno;
	if (!err)
		err = sen_model_slot_set(bpf_map__fd(skel->maps.models), SEN_SLOT_ACTIVE, model);
	if (err)
		bench__destroy(skel);
	else
		*out = skel;
	return err;
}

int sen_bench_run(const struct bpf_program *prog, struct sen_bench_frame *frame,
		  unsigned int packets, double *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(*frame),
		    .repeat = packets);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		return -errno;
	*ns = opts.duration;
	return 0;
}

int sen_bench_round(const struct bpf_program *prog, struct sen_bench_frame *frame,
		    unsigned int packets, double *ns)
{
	int err = sen_bench_run(prog, frame, SEN_BENCH_LEAD, ns);

	return err ? err : sen_bench_run(prog, frame, packets, ns);
}

double sen_bench_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + 1e-9 * ts.tv_nsec;
}

unsigned int sen_bench_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SEN_BENCH_CPUS : 1;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double sen_bench_median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}
