// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "bench_run.h"
#include "benchmark.h"
#include "dataplane.h"
#include "loader.h"

#define PUSHES 200

/* Every packet a new flow to a new target: each goes through every stage. */
static struct sen_bench_setup scatter_setup(unsigned int stages)
{
	return (struct sen_bench_setup){
		.mask = ~0u, .scatter = true, .stages = stages, .policy = sen_policy_defaults
	};
}

/* Median cost of a packet of a freshly loaded path; with a shadow model where there is one. */
static int measure_path(const struct sen_model_flat *model, const struct sen_model_flat *shadow,
			unsigned int stages, unsigned int rounds, unsigned int packets, double *ns)
{
	struct sen_bench_setup setup = scatter_setup(stages);
	double v[SEN_BENCH_ROUNDS_MAX], warm;
	struct sen_bench_frame frame;
	struct bench *skel;
	int err = sen_bench_load(model, &setup, &skel);

	if (err)
		return err;
	sen_bench_build_frame(&frame, true);
	if (shadow)
		err = sen_model_slot_set(bpf_map__fd(skel->maps.models), SEN_SLOT_SHADOW, shadow);
	if (!err)
		err = sen_bench_run(skel->progs.bench_path, &frame, packets, &warm);
	for (unsigned int r = 0; !err && r < rounds; r++)
		err = sen_bench_run(skel->progs.bench_path, &frame, packets, &v[r]);
	if (!err)
		*ns = sen_bench_median(v, rounds);
	bench__destroy(skel);
	return err;
}

static int measure_stages(const struct sen_model_flat *model, unsigned int rounds,
			  unsigned int packets, struct sen_bench_detail *out)
{
	double before = 0, ns = 0;
	int err = 0;

	for (unsigned int stage = 0; !err && stage < SEN_STAGE_COUNT; stage++) {
		err = measure_path(model, NULL, stage + 1, rounds, packets, &ns);
		out->stage_ns[stage] = ns - before;
		before = ns;
	}
	if (!err)
		err = measure_path(model, model, SEN_STAGE_COUNT, rounds, packets, &ns);
	out->shadow_ns = ns - before;
	return err;
}

static unsigned int scoring_centroids(const struct sen_model_flat *model)
{
	unsigned int n = 0;

	for (unsigned int e = 0; e < model->scoring; e++)
		n += model->member[e].count;
	return n;
}

static int measure_score(struct bench *skel, const struct sen_model_flat *model,
			 unsigned int rounds, unsigned int packets, struct sen_bench_detail *out)
{
	double with[SEN_BENCH_ROUNDS_MAX], without[SEN_BENCH_ROUNDS_MAX];
	struct sen_bench_frame frame;
	int err = 0;

	sen_bench_build_frame(&frame, true);
	for (unsigned int r = 0; !err && r < rounds; r++) {
		err = sen_bench_run(skel->progs.bench_score, &frame, packets, &with[r]);
		if (!err)
			err = sen_bench_run(skel->progs.bench_score_floor, &frame, packets,
					    &without[r]);
	}
	if (err)
		return err;
	out->evaluation_ns = sen_bench_median(with, rounds) - sen_bench_median(without, rounds);
	out->centroid_ns = out->evaluation_ns / scoring_centroids(model);
	return 0;
}

static int measure_pushes(struct bench *skel, const struct sen_model_flat *model,
			  struct sen_bench_detail *out)
{
	double begun = sen_bench_now_s();
	int err = 0;

	for (int i = 0; !err && i < PUSHES; i++)
		err = sen_model_slot_set(bpf_map__fd(skel->maps.models), SEN_SLOT_ACTIVE, model);
	out->pushes_per_s = PUSHES / (sen_bench_now_s() - begun);
	return err;
}

int sen_bench_detail(const struct sen_model_flat *model, unsigned int rounds, unsigned int packets,
		     struct sen_bench_detail *out, struct sen_why *why)
{
	struct sen_bench_setup setup = scatter_setup(SEN_STAGE_COUNT);
	struct bench *skel = NULL;
	int err = rounds && rounds <= SEN_BENCH_ROUNDS_MAX ? 0 : -EINVAL;

	memset(out, 0, sizeof(*out));
	out->flow_bytes = sizeof(struct sen_flow) + sizeof(struct sen_set) / SEN_WAYS;
	out->model_bytes = sizeof(struct sen_model_flat);
	if (!err)
		err = measure_stages(model, rounds, packets, out);
	if (!err)
		err = sen_bench_load(model, &setup, &skel);
	if (!err)
		err = measure_score(skel, model, rounds, packets, out);
	if (!err)
		err = measure_pushes(skel, model, out);
	bench__destroy(skel);
	if (!err)
		err = sen_bench_ring(model, 1, packets, &out->ring);
	if (!err)
		err = sen_bench_ring(model, sen_bench_cpus(), packets, &out->ring_overload);
	return err ? sen_why(why, err, NULL, "benchmark: test_run: %s", strerror(-err)) : 0;
}
