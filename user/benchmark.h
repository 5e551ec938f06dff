/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs: the packet path between two yardsticks, an empty XDP program and plain flow
 * accounting, over packets that differ, in one run. All figures are medians over rounds.
 */
#ifndef SENTROID_BENCHMARK_H
#define SENTROID_BENCHMARK_H

#include "model.h"
#include "sentroid/abi.h"
#include "why.h"

enum sen_scenario {
	SEN_BENCH_ONE,
	SEN_BENCH_4K,
	SEN_BENCH_64K,
	SEN_BENCH_FLOOD,
	SEN_BENCH_SCATTER,
	SEN_BENCH_COUNT
};

struct sen_bench_row {
	const char *name;
	const char *meaning;
	double floor_ns;      /* empty program */
	double accounting_ns; /* parse, clock, LRU hash, five counters */
	double sentroid_ns;
	double cost;      /* (sentroid - floor) / (accounting - floor) */
	double evaluated; /* share of packets that were scored */
	double memo;      /* share of evaluations answered by an identical earlier vector */
};

/* Fill `rows` for every scenario. `rounds` medians of `packets` packets each. */
int sen_bench_packets(const struct sen_model_flat *model, unsigned int rounds, unsigned int packets,
		      struct sen_bench_row rows[SEN_BENCH_COUNT], struct sen_why *why);

/* Every evaluation sampled, without a rate, against one reader. */
struct sen_bench_ring {
	unsigned int producers;
	double events_per_s; /* read */
	double lost;         /* share that found the ring full, counted by the program */
};

/* What is inside a packet's cost. */
struct sen_bench_detail {
	double stage_ns[SEN_STAGE_COUNT]; /* added by each stage where every packet is evaluated */
	double shadow_ns;                 /* added by a shadow model there */
	double evaluation_ns;             /* quantize and score one vector, nothing remembered */
	double centroid_ns;               /* that, over the centroids of the scoring members */
	double pushes_per_s;
	struct sen_bench_ring ring;          /* one CPU produces */
	struct sen_bench_ring ring_overload; /* all do, and the reader has none to itself */
	unsigned int flow_bytes;             /* of memory for a flow */
	unsigned int model_bytes;
};

int sen_bench_detail(const struct sen_model_flat *model, unsigned int rounds, unsigned int packets,
		     struct sen_bench_detail *out, struct sen_why *why);

/* Frames a second over a veth pair in a network namespace of its own, and what training takes of that. */
struct sen_bench_live_row {
	unsigned int cpus;
	double empty_pps;    /* through a program that only drops */
	double sentroid_pps; /* through the packet path, dropped at its end */
	double share;        /* of the empty program's */
};

struct sen_bench_live {
	unsigned int rows; /* 2, or 1 on a machine with one CPU */
	struct sen_bench_live_row row[2];
	/* Without and with a full training of 100,000 samples in a thread beside it. */
	double packet_ns[2]; /* 4,096 flows in turn, test_run */
	double pps[2];       /* live, one CPU */
};

int sen_bench_live(const struct sen_model_flat *model, unsigned int rounds, unsigned int packets,
		   struct sen_bench_live *out, struct sen_why *why);

#endif
