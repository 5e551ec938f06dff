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

/* What the packet path counted while its rounds were timed. */
struct tally {
	unsigned long long evaluations, memo_hits;
};

static int run_counted(struct bench *skel, struct sen_bench_frame *frame, unsigned int packets,
		       double *ns, struct tally *tally)
{
	struct sen_stats before = { 0 }, after = { 0 };
	int stats = bpf_map__fd(skel->maps.stats);
	int err = sen_stats_sum(stats, &before);

	if (!err)
		err = sen_bench_run(skel->progs.bench_path, frame, packets, ns);
	if (!err)
		err = sen_stats_sum(stats, &after);
	tally->evaluations += after.evaluations - before.evaluations;
	tally->memo_hits += after.memo_hits - before.memo_hits;
	return err;
}

/* The three programs take turns, so that whatever slows the machine slows them alike. */
static int measure(struct bench *skel, bool syn, unsigned int rounds, unsigned int packets,
		   struct sen_bench_row *row, struct tally *tally)
{
	const struct bpf_program *yardsticks[] = { skel->progs.bench_floor,
						   skel->progs.bench_accounting };
	double floor[SEN_BENCH_ROUNDS_MAX], accounting[SEN_BENCH_ROUNDS_MAX];
	double path[SEN_BENCH_ROUNDS_MAX], *ns[] = { floor, accounting }, lead;
	struct sen_bench_frame frame;
	int err;

	sen_bench_build_frame(&frame, syn);
	err = sen_bench_run(skel->progs.bench_path, &frame, SEN_BENCH_WARM_UP, &lead);
	if (!err)
		err = sen_bench_run(skel->progs.bench_accounting, &frame, SEN_BENCH_WARM_UP, &lead);
	for (unsigned int r = 0; !err && r < rounds; r++) {
		for (int y = 0; !err && y < 2; y++)
			err = sen_bench_round(yardsticks[y], &frame, packets, &ns[y][r]);
		if (!err)
			err = sen_bench_run(skel->progs.bench_path, &frame, SEN_BENCH_LEAD, &lead);
		if (!err)
			err = run_counted(skel, &frame, packets, &path[r], tally);
	}
	if (err)
		return err;
	row->floor_ns = sen_bench_median(floor, rounds);
	row->accounting_ns = sen_bench_median(accounting, rounds);
	row->sentroid_ns = sen_bench_median(path, rounds);
	row->cost = (row->sentroid_ns - row->floor_ns) / (row->accounting_ns - row->floor_ns);
	return 0;
}

static int measure_scenario(const struct scenario *s, const struct sen_model_flat *model,
			    unsigned int rounds, unsigned int packets, struct sen_bench_row *row)
{
	struct sen_bench_setup setup = { .mask = s->mask,
					 .scatter = s->scatter,
					 .stages = SEN_STAGE_COUNT,
					 .policy = sen_policy_defaults };
	struct tally tally = { 0 };
	struct bench *skel;
	int err = sen_bench_load(model, &setup, &skel);

	if (err)
		return err;
	row->name = s->name;
	row->meaning = s->meaning;
	err = measure(skel, s->syn, rounds, packets, row, &tally);
	row->evaluated = (double)tally.evaluations / rounds / packets;
	row->memo = tally.evaluations ? (double)tally.memo_hits / tally.evaluations : 0;
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
