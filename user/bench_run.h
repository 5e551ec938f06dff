/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the benchmark share: the loaded programs, a frame, a run, a median. */
#ifndef SENTROID_BENCH_RUN_H
#define SENTROID_BENCH_RUN_H

#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include "benchmark.h"
#include "sentroid/abi.h"
/* After the structures that it refers to. */
#include "bench.skel.h"

#define SEN_BENCH_ROUNDS_MAX 101u

/* Packets to begin with, so that what is measured is a steady state: in a flood the tables have long been
 * full, and flows in turn are past their first hundred packets, when they are evaluated often. */
#define SEN_BENCH_WARM_UP 8000000u

/* Before each round, twice all flows in turn: evaluations that fell due once a second while the others ran
 * belong to their time. */
#define SEN_BENCH_LEAD 131072u

#define SEN_BENCH_CPUS 2u

struct sen_bench_frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t payload[10];
} __attribute__((packed));

struct sen_bench_setup {
	__u32 mask;          /* flows in turn minus one; all ones: every packet a new flow */
	bool scatter;        /* and to a new target */
	bool live;           /* the programs for an interface, instead of those for test_run */
	unsigned int stages; /* of the packet path; SEN_STAGE_COUNT: all */
	struct sen_policy policy;
};

void sen_bench_build_frame(struct sen_bench_frame *frame, bool syn);
/* Load the programs with a model in force. 0 and a skeleton to destroy, or a negative errno. */
int sen_bench_load(const struct sen_model_flat *model, const struct sen_bench_setup *setup,
		   struct bench **out);
/* A round: mean nanoseconds a packet over so many, once the program has found back into its stride. */
int sen_bench_round(const struct bpf_program *prog, struct sen_bench_frame *frame,
		    unsigned int packets, double *ns);
/* Mean nanoseconds a packet over one run of so many. */
int sen_bench_run(const struct bpf_program *prog, struct sen_bench_frame *frame,
		  unsigned int packets, double *ns);
double sen_bench_median(double *v, unsigned int n);
double sen_bench_now_s(void);
/* CPUs that figures for several are taken on: at most SEN_BENCH_CPUS of those online. */
unsigned int sen_bench_cpus(void);

int sen_bench_ring(const struct sen_model_flat *model, unsigned int producers, unsigned int packets,
		   struct sen_bench_ring *out);

/* Full trainings of 100,000 samples, one after another in a thread of its own. */
struct sen_bench_trainer;
int sen_bench_trainer_new(struct sen_bench_trainer **out);
/* 0 or a negative errno. */
int sen_bench_trainer_start(struct sen_bench_trainer *trainer);
void sen_bench_trainer_stop(struct sen_bench_trainer *trainer);
void sen_bench_trainer_free(struct sen_bench_trainer *trainer);

#endif
