// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench_run.h"
#include "benchmark.h"
#include "livegen.h"
#include "loader.h"
#include "veth.h"

#define SENDER   "sen-bench0"
#define RECEIVER "sen-bench1"
#define FLOWS    4096u
#define LEAD     200000u /* frames before each round, see SEN_BENCH_LEAD */

struct generator {
	struct sen_livegen *gen;
	unsigned int cpu, frames;
	pthread_t thread;
	int err;
};

struct live {
	const struct sen_model_flat *model;
	unsigned int rounds, frames, cpus, receiver;
	struct bench *skel;
	struct generator generator[SEN_BENCH_CPUS];
	struct sen_bench_trainer *trainer;
	struct sen_bench_live *out;
	int err;
};

/* Frames that a program has been given, modulo 2^32, by the interface's account. */
static uint32_t received(void)
{
	struct ifaddrs *list, *i;
	uint32_t n = 0;

	if (getifaddrs(&list))
		return 0;
	for (i = list; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET && i->ifa_data &&
		    !strcmp(i->ifa_name, RECEIVER))
			n = ((const struct rtnl_link_stats *)i->ifa_data)->rx_packets;
	freeifaddrs(list);
	return n;
}

/* A veth hands a frame to the receiver on the CPU that sends it. */
static void *generate(void *arg)
{
	struct generator *g = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(g->cpu, &set);
	g->err = sched_setaffinity(0, sizeof(set), &set) ? -errno :
							   sen_livegen_send(g->gen, g->frames);
	return NULL;
}

static int send_on(struct live *l, unsigned int cpus, unsigned int frames)
{
	unsigned int started = 0;
	int err = 0;

	while (!err && started < cpus) {
		struct generator *g = &l->generator[started];

		g->frames = frames;
		err = -pthread_create(&g->thread, NULL, generate, g);
		started += !err;
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(l->generator[i].thread, NULL);
		err = err ? err : l->generator[i].err;
	}
	return err;
}

/* Frames a second through a program. */
static int measure_rate(struct live *l, const struct bpf_program *prog, unsigned int cpus,
			double *pps)
{
	uint32_t before;
	double begun;
	int err = bpf_xdp_attach(l->receiver, bpf_program__fd(prog), XDP_FLAGS_DRV_MODE, NULL);

	if (!err)
		err = send_on(l, cpus, LEAD);
	before = received();
	begun = sen_bench_now_s();
	if (!err)
		err = send_on(l, cpus, l->frames);
	if (!err)
		*pps = (uint32_t)(received() - before) / (sen_bench_now_s() - begun);
	return err;
}

static int measure_row(struct live *l, struct sen_bench_live_row *row)
{
	double empty[SEN_BENCH_ROUNDS_MAX], path[SEN_BENCH_ROUNDS_MAX];
	int err = 0;

	for (unsigned int r = 0; !err && r < l->rounds; r++) {
		err = measure_rate(l, l->skel->progs.bench_live_floor, row->cpus, &empty[r]);
		if (!err)
			err = measure_rate(l, l->skel->progs.bench_live_path, row->cpus, &path[r]);
	}
	if (err)
		return err;
	row->empty_pps = sen_bench_median(empty, l->rounds);
	row->sentroid_pps = sen_bench_median(path, l->rounds);
	row->share = row->sentroid_pps / row->empty_pps;
	return 0;
}

/* A program's figure in turns without and with a training beside it, medians. */
static int measure_training(struct live *l, int (*measure)(struct live *l, void *of, double *v),
			    void *of, double out[2])
{
	double v[2][SEN_BENCH_ROUNDS_MAX];
	int err = 0;

	for (unsigned int r = 0; !err && r < l->rounds; r++) {
		err = measure(l, of, &v[0][r]);
		if (!err)
			err = sen_bench_trainer_start(l->trainer);
		if (err)
			break;
		err = measure(l, of, &v[1][r]);
		sen_bench_trainer_stop(l->trainer);
	}
	for (int i = 0; !err && i < 2; i++)
		out[i] = sen_bench_median(v[i], l->rounds);
	return err;
}

static int rate_of_path(struct live *l, void *of, double *pps)
{
	return measure_rate(l, of, 1, pps);
}

static int cost_of_path(struct live *l, void *of, double *ns)
{
	struct sen_bench_frame frame;

	sen_bench_build_frame(&frame, false);
	return sen_bench_round(of, &frame, l->frames, ns);
}

static int measure_cost_beside_training(struct live *l)
{
	struct sen_bench_setup setup = { .mask = FLOWS - 1,
					 .stages = SEN_STAGE_COUNT,
					 .policy = sen_policy_defaults };
	struct bench *skel;
	int err = sen_bench_load(l->model, &setup, &skel);

	if (err)
		return err;
	err = measure_training(l, cost_of_path, skel->progs.bench_path, l->out->packet_ns);
	bench__destroy(skel);
	return err;
}

/* Each CPU has flows of its own, as with the queues of a card. */
static int open_generators(struct live *l)
{
	struct sen_livegen_options o = { .ifindex = if_nametoindex(SENDER),
					 .flows = FLOWS,
					 .udp = true,
					 .mac = { 2, 0, 0, 0, 0, 2 } };
	int err = 0;

	for (unsigned int i = 0; !err && i < l->cpus; i++) {
		o.ip.s_addr = htonl(0x0a000001 + i);
		l->generator[i].cpu = i;
		err = sen_livegen_open(&o, &l->generator[i].gen);
	}
	return err;
}

static int prepare(struct live *l)
{
	struct sen_bench_setup setup = { .live = true,
					 .stages = SEN_STAGE_COUNT,
					 .policy = sen_policy_defaults };
	int err = unshare(CLONE_NEWNET) ? -errno : sen_veth_make(SENDER, RECEIVER, SEN_BENCH_CPUS);

	if (err)
		return err;
	l->receiver = if_nametoindex(RECEIVER);
	err = sen_bench_load(l->model, &setup, &l->skel);
	if (!err)
		err = open_generators(l);
	return err ? err : sen_bench_trainer_new(&l->trainer);
}

/* In a thread of its own, so that the namespace and all in it ends with it. */
static void *measure_all(void *arg)
{
	struct live *l = arg;

	l->err = prepare(l);
	for (unsigned int i = 0; !l->err && i < l->cpus; i++) {
		l->out->row[i].cpus = i + 1;
		l->err = measure_row(l, &l->out->row[i]);
	}
	if (!l->err)
		l->err = measure_training(l, rate_of_path, l->skel->progs.bench_live_path,
					  l->out->pps);
	if (!l->err)
		l->err = measure_cost_beside_training(l);
	for (unsigned int i = 0; i < l->cpus; i++)
		sen_livegen_close(l->generator[i].gen);
	sen_bench_trainer_free(l->trainer);
	bench__destroy(l->skel);
	return NULL;
}

int sen_bench_live(const struct sen_model_flat *model, unsigned int rounds, unsigned int packets,
		   struct sen_bench_live *out, struct sen_why *why)
{
	struct live l = { .model = model,
			  .rounds = rounds,
			  .frames = packets,
			  .cpus = sen_bench_cpus(),
			  .out = out };
	pthread_t thread;
	int err = rounds && rounds <= SEN_BENCH_ROUNDS_MAX ? 0 : -EINVAL;

	memset(out, 0, sizeof(*out));
	out->rows = l.cpus;
	if (!err)
		err = -pthread_create(&thread, NULL, measure_all, &l);
	if (!err)
		pthread_join(thread, NULL);
	err = err ? err : l.err;
	return err ? sen_why(why, err, NULL, "benchmark: live frames: %s", strerror(-err)) : 0;
}
