// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "bench_run.h"
#include "benchmark.h"
#include "dataplane.h"
#include "loader.h"

/* As many samples a second as a token bucket can count. */
#define UNLIMITED 4000000u
/* What the reader does with a sample: nothing. It does so until nobody produces any more. */
struct reader {
	struct ring_buffer *ring;
	atomic_bool done;
	unsigned long long events;
};

struct producer {
	const struct bpf_program *prog;
	unsigned int cpu, packets;
	pthread_t thread;
	int err;
};

static int on_event(void *ctx, void *data, size_t size)
{
	(void)data, (void)size;
	((struct reader *)ctx)->events++;
	return 0;
}

static void *read_ring(void *arg)
{
	struct reader *reader = arg;

	while (!atomic_load(&reader->done))
		ring_buffer__consume(reader->ring);
	ring_buffer__consume(reader->ring);
	return NULL;
}

static void *produce(void *arg)
{
	struct producer *p = arg;
	struct sen_bench_frame frame;
	cpu_set_t set;
	double ns;

	CPU_ZERO(&set);
	CPU_SET(p->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	sen_bench_build_frame(&frame, true);
	p->err = sen_bench_run(p->prog, &frame, p->packets, &ns);
	return NULL;
}

static int produce_on(const struct bpf_program *prog, unsigned int cpus, unsigned int packets)
{
	struct producer producer[SEN_BENCH_CPUS];
	unsigned int started = 0;
	int err = 0;

	while (!err && started < cpus) {
		producer[started] =
			(struct producer){ .prog = prog, .cpu = started, .packets = packets };
		err = -pthread_create(&producer[started].thread, NULL, produce, &producer[started]);
		started += !err;
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(producer[i].thread, NULL);
		err = err ? err : producer[i].err;
	}
	return err;
}

static int measure(struct bench *skel, unsigned int producers, unsigned int packets,
		   struct sen_bench_ring *out)
{
	struct reader reader = { 0 };
	struct sen_stats stats = { 0 };
	pthread_t thread;
	double begun;
	int err;

	reader.ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, &reader, NULL);
	if (!reader.ring)
		return -ENOMEM;
	err = -pthread_create(&thread, NULL, read_ring, &reader);
	if (err)
		goto cleanup;
	begun = sen_bench_now_s();
	err = produce_on(skel->progs.bench_path, producers, packets);
	out->events_per_s = 1 / (sen_bench_now_s() - begun);
	atomic_store(&reader.done, true);
	pthread_join(thread, NULL);
	out->events_per_s *= reader.events;
	if (!err)
		err = sen_stats_sum(bpf_map__fd(skel->maps.stats), &stats);
	if (!err)
		out->lost = (double)stats.events_lost_full /
			    (stats.events_lost_full + stats.events_sent);
cleanup:
	ring_buffer__free(reader.ring);
	return err;
}

int sen_bench_ring(const struct sen_model_flat *model, unsigned int producers, unsigned int packets,
		   struct sen_bench_ring *out)
{
	struct sen_bench_setup setup = { .mask = ~0u,
					 .scatter = true,
					 .stages = SEN_STAGE_COUNT,
					 .policy = sen_policy_defaults };
	struct bench *skel;
	int err;

	for (int kind = 0; kind < SEN_SAMPLE_KINDS; kind++)
		setup.policy.rate[kind] = UNLIMITED;
	err = sen_bench_load(model, &setup, &skel);
	if (err)
		return err;
	out->producers = producers;
	err = measure(skel, producers, packets, out);
	bench__destroy(skel);
	return err;
}
