// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "bench_run.h"
#include "benchmark.h"
#include "dataplane.h"
#include "loader.h"

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

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

/* The three programs take turns, so that whatever slows the machine slows them alike. */
static int measure(struct bench *skel, bool syn, unsigned int rounds, unsigned int packets,
		   struct sen_bench_row *row)
{
	const struct bpf_program *progs[] = { skel->progs.bench_floor, skel->progs.bench_accounting,
					      skel->progs.bench_path };
	double *results[] = { &row->floor_ns, &row->accounting_ns, &row->sentroid_ns };
	double ns[3][SEN_BENCH_ROUNDS_MAX], warm;
	struct sen_bench_frame frame;
	int err = 0;

	sen_bench_build_frame(&frame, syn);
	for (int p = 0; !err && p < 3; p++)
		err = sen_bench_run(progs[p], &frame, SEN_BENCH_WARM_UP, &warm);
	for (unsigned int r = 0; !err && r < rounds; r++)
		for (int p = 0; !err && p < 3; p++)
			err = sen_bench_round(progs[p], &frame, packets, &ns[p][r]);
	for (int p = 0; !err && p < 3; p++)
		*results[p] = sen_bench_median(ns[p], rounds);
	return err;
}

static int measure_scenario(const struct scenario *s, const struct sen_model_flat *model,
			    unsigned int rounds, unsigned int packets, struct sen_bench_row *row)
{
	struct sen_bench_setup setup = { .mask = s->mask,
					 .scatter = s->scatter,
					 .stages = SEN_STAGE_COUNT,
					 .policy = sen_policy_defaults };
	struct sen_stats stats = { 0 };
	struct bench *skel;
	int err = sen_bench_load(model, &setup, &skel);

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
	int err = rounds && rounds <= SEN_BENCH_ROUNDS_MAX ? 0 : -EINVAL;

	libbpf_set_print(quiet);
	for (int i = 0; !err && i < SEN_BENCH_COUNT; i++)
		err = measure_scenario(&scenarios[i], model, rounds, packets, &rows[i]);
	if (err)
		return sen_why(why, err, err == -EPERM ? "run it as root" : NULL,
			       "benchmark: test_run: %s", strerror(-err));
	return 0;
}
