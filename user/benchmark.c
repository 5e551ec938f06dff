// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include "benchmark.h"
#include "dataplane.h"
#include "loader.h"
/* After the structures that it refers to. */
#include "bench.skel.h"

#define ROUNDS_MAX 101u

/* Packets to begin with, so that what is measured is a steady state: in a flood the tables have long been
 * full, and flows in turn are past their first hundred packets, when they are evaluated often. */
#define WARM_UP 8000000u

struct scenario {
	const char *name;
	const char *meaning;
	__u32 mask;
	bool syn;
	bool scatter;
};

static const struct scenario scenarios[SEN_BENCH_COUNT] = {
	[SEN_BENCH_ONE] = { "one", "one hot flow", 0, false, false },
	[SEN_BENCH_4K] = { "4k", "4,096 flows in turn", 4095, false, false },
	[SEN_BENCH_64K] = { "64k", "65,536 flows in turn", 65535, false, false },
	[SEN_BENCH_FLOOD] = { "flood", "every packet a new flow, table long full", ~0u, true,
			      false },
	[SEN_BENCH_SCATTER] = { "scatter", "every packet a new flow to a new target", ~0u, true,
				true },
};

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t payload[10];
} __attribute__((packed));

static void build_frame(struct frame *f, bool syn)
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

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static int load(const struct sen_model_flat *model, const struct scenario *s, struct bench **out)
{
	struct sen_policy policy = sen_policy_defaults;
	struct bench *skel = bench__open();
	__u32 zero = 0;
	int err;

	if (!skel)
		return -errno;
	skel->rodata->bench_mask = s->mask;
	skel->rodata->bench_scatter = s->scatter;
	skel->rodata->sen_flow_sets = bpf_map__max_entries(skel->maps.flows_sets);
	skel->rodata->sen_source_sets = bpf_map__max_entries(skel->maps.sources_sets);
	skel->rodata->sen_target_sets = bpf_map__max_entries(skel->maps.targets_sets);
	skel->rodata->sen_pair_sets = bpf_map__max_entries(skel->maps.pairs_sets);
	err = bench__load(skel);
	if (!err && bpf_map_update_elem(bpf_map__fd(skel->maps.policy), &zero, &policy, BPF_ANY))
		err = -errno;
	if (!err)
		err = sen_model_slot_set(bpf_map__fd(skel->maps.models), SEN_SLOT_ACTIVE, model);
	if (err)
		bench__destroy(skel);
	else
		*out = skel;
	return err;
}

/* Mean nanoseconds a packet over one round. */
static int run(const struct bpf_program *prog, struct frame *frame, unsigned int packets,
	       double *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(*frame),
		    .repeat = packets);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts))
		return -errno;
	*ns = opts.duration;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* The three programs take turns, so that whatever slows the machine slows them alike. */
static int measure(struct bench *skel, bool syn, unsigned int rounds, unsigned int packets,
		   struct sen_bench_row *row)
{
	const struct bpf_program *progs[] = { skel->progs.bench_floor, skel->progs.bench_accounting,
					      skel->progs.bench_path };
	double *results[] = { &row->floor_ns, &row->accounting_ns, &row->sentroid_ns };
	double ns[3][ROUNDS_MAX], warm;
	struct frame frame;
	int err = 0;

	build_frame(&frame, syn);
	for (int p = 0; !err && p < 3; p++)
		err = run(progs[p], &frame, WARM_UP, &warm);
	for (unsigned int r = 0; !err && r < rounds; r++)
		for (int p = 0; !err && p < 3; p++)
			err = run(progs[p], &frame, packets, &ns[p][r]);
	for (int p = 0; !err && p < 3; p++)
		*results[p] = median(ns[p], rounds);
	return err;
}

static int measure_scenario(const struct scenario *s, const struct sen_model_flat *model,
			    unsigned int rounds, unsigned int packets, struct sen_bench_row *row)
{
	struct sen_stats stats;
	struct bench *skel;
	int err = load(model, s, &skel);

	if (err)
		return err;
	row->name = s->name;
	row->meaning = s->meaning;
	err = measure(skel, s->syn, rounds, packets, row);
	if (!err)
		err = sen_stats_sum(bpf_map__fd(skel->maps.stats), &stats);
	if (!err) {
		row->cost = (row->sentroid_ns - row->floor_ns) /
			    (row->accounting_ns - row->floor_ns);
		row->evaluated = stats.packets ? (double)stats.evaluations / stats.packets : 0;
		row->memo = stats.evaluations ? (double)stats.memo_hits / stats.evaluations : 0;
	}
	bench__destroy(skel);
	return err;
}

int sen_bench_packets(const struct sen_model_flat *model, unsigned int rounds, unsigned int packets,
		      struct sen_bench_row rows[SEN_BENCH_COUNT], struct sen_why *why)
{
	int err = rounds && rounds <= ROUNDS_MAX ? 0 : -EINVAL;

	libbpf_set_print(quiet);
	for (int i = 0; !err && i < SEN_BENCH_COUNT; i++)
		err = measure_scenario(&scenarios[i], model, rounds, packets, &rows[i]);
	if (err)
		return sen_why(why, err, err == -EPERM ? "run it as root" : NULL,
			       "benchmark: test_run: %s", strerror(-err));
	return 0;
}
