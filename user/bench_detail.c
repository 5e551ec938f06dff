// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "bench_run.h"
#include "benchmark.h"
#include "model_slot.h"
#include "loader.h"

#define PUSHES 200

/* Every packet a new flow to a new target: each goes through every stage. */
static struct sen_bench_setup scatter_setup(unsigned int stages)
{
	return (struct sen_bench_setup){
		.mask = ~0u, .scatter = true, .stages = stages, .policy = sen_policy_defaults
	};
}

/* One path for each number of stages that run, and one with a shadow model beside all of them. */
#define PATHS (SEN_STAGE_COUNT + 1)

static int load_paths(const struct sen_model_flat *model, struct bench *skel[PATHS])
{
	int err = 0;

	for (unsigned int i = 0; !err && i < PATHS; i++) {
		unsigned int stages = i < SEN_STAGE_COUNT ? i + 1 : SEN_STAGE_COUNT;
		struct sen_bench_setup setup = scatter_setup(stages);

		err = sen_bench_load(model, &setup, &skel[i]);
	}
	if (!err)
		err = sen_model_slot_set(bpf_map__fd(skel[PATHS - 1]->maps.models), SEN_SLOT_SHADOW,
					 model);
	return err;
}

/* Median cost of a packet of each path. They take turns, so that whatever slows the machine slows them alike. */
static int measure_paths(struct bench *skel[PATHS], unsigned int rounds, unsigned int packets,
			 double median[PATHS])
{
	double ns[PATHS][SEN_BENCH_ROUNDS_MAX], warm;
	struct sen_bench_frame frame;
	int err = 0;

	sen_bench_build_frame(&frame, true);
	for (unsigned int i = 0; !err && i < PATHS; i++)
		err = sen_bench_run(skel[i]->progs.bench_path, &frame, packets, &warm);
	for (unsigned int r = 0; !err && r < rounds; r++)
		for (unsigned int i = 0; !err && i < PATHS; i++)
			err = sen_bench_round(skel[i]->progs.bench_path, &frame, packets,
					      &ns[i][r]);
	for (unsigned int i = 0; !err && i < PATHS; i++)
		median[i] = sen_bench_median(ns[i], rounds);
	return err;
}

static int measure_stages(const struct sen_model_flat *model, unsigned int rounds,
			  unsigned int packets, struct sen_bench_detail *out)
{
	struct bench *skel[PATHS] = { NULL };
	double ns[PATHS];
	int err = load_paths(model, skel);

	if (!err)
		err = measure_paths(skel, rounds, packets, ns);
	for (unsigned int i = 0; i < PATHS; i++)
		bench__destroy(skel[i]);
	if (err)
		return err;
	for (unsigned int stage = 0; stage < SEN_STAGE_COUNT; stage++)
		out->stage_ns[stage] = ns[stage] - (stage ? ns[stage - 1] : 0);
	out->shadow_ns = ns[PATHS - 1] - ns[SEN_STAGE_COUNT - 1];
	return 0;
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
