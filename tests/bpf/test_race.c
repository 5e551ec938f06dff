// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two CPUs in the same few sets of a table: once packet by packet through the whole program, once as
 * closely as can be, through the table alone. Afterwards the table must be in order. And two CPUs at the
 * same flow: neither may credit its hosts with packets that nobody sent.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "probe.h"
#include "probe.skel.h"
#include "table.h"

#define RACERS  2
#define ENTRIES 64 /* 8 sets */
#define KEYS    512
#define FRAMES  150000 /* each */
#define ROUNDS  20000
#define RUNS    60000 /* each, of PROBE_CLAIMS */

struct racer {
	pthread_t thread;
	int cpu;
	int prog_fd;
	uint64_t random;
	uint64_t failed;
	atomic_int *ready; /* how often racers have lined up */
	int lined_up;      /* how often this one has */
	struct probe *probe;
	struct rig_table *table;
	const char *fault;
	__u64 *now_ns; /* the program's clock */
};

/* Wait for the others: all go on at the same time. */
static void line_up(struct racer *r)
{
	r->lined_up++;
	atomic_fetch_add(r->ready, 1);
	while (atomic_load(r->ready) < RACERS * r->lined_up)
		;
}

static bool stay_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void race(void *(*run)(void *), struct racer racers[RACERS])
{
	static atomic_int ready;

	atomic_store(&ready, 0);
	for (int i = 0; i < RACERS; i++) {
		racers[i].cpu = i;
		racers[i].ready = &ready;
		racers[i].random = i + 1;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, run, &racers[i]), 0);
	}
	for (int i = 0; i < RACERS; i++)
		pthread_join(racers[i].thread, NULL);
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(racers[i].failed, 0);
}

static bool enough_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) >= RACERS;
}

/* Flows open, are answered and close, so that their sets are forever in motion. */
static void *send_frames(void *arg)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN, TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST };
	struct racer *r = arg;
	struct packet p;

	r->failed += !stay_on_cpu(r->cpu);
	line_up(r);
	for (int i = 0; i < FRAMES; i++) {
		uint64_t x = random_next(&r->random);
		uint32_t client = HOST(x % KEYS);

		if (x >> 63)
			packet_tcp(&p, client, 1000, HOST(9999), 80, flags[(x >> 32) % 5], 1);
		else
			packet_tcp(&p, HOST(9999), 80, client, 1000, flags[(x >> 32) % 5], 1);
		r->failed += rig_run(r->prog_fd, p.data, p.len) != PASSED;
	}
	return NULL;
}

static void frames_of_two_cpus(void **state)
{
	const struct rig_sizes sizes = { .flows = ENTRIES,
					 .sources = ENTRIES,
					 .targets = ENTRIES,
					 .pairs = ENTRIES,
					 .live = true };
	struct racer racers[RACERS] = { 0 };
	struct sen_stats s;
	const __u64 *seed;
	struct rig *rig;

	(void)state;
	if (!enough_cpus())
		skip();
	rig = rig_open(&sizes);
	for (int i = 0; i < RACERS; i++)
		racers[i].prog_fd = rig->prog_fd;
	race(send_frames, racers);

	seed = rig->skel->rodata->sen_seed;
	table_assert(&rig->flows, sizeof(struct sen_flow_key), seed);
	table_assert(&rig->sources, SEN_ADDR_BYTES, seed);
	table_assert(&rig->targets, SEN_ADDR_BYTES, seed);
	table_assert(&rig->pairs, sizeof(struct sen_pair_key), seed);
	s = rig_stats(rig);
	print_message("# %llu frames, %llu flows opened, %llu entries replaced, %llu contended\n",
		      s.packets, s.flows_new, s.flows_replaced, s.set_contended);
	assert_int_equal(s.packets, RACERS * FRAMES);
	assert_int_equal(s.parsed, RACERS * FRAMES);
	assert_int_equal(s.pass, RACERS * FRAMES);
	assert_true(s.flows_replaced > FRAMES / 2);
	rig_assert_balance(rig);
	rig_close(rig);
}

/* One direction of a flow. The clock goes to and fro between two ticks, so that nearly every packet is
 * evaluated and nothing decays. */
static void *send_one_way(void *arg)
{
	struct racer *r = arg;
	uint64_t start = *r->now_ns;
	struct packet p;

	if (r->cpu)
		packet_udp(&p, HOST(2), 80, HOST(1), 1000, 1);
	else
		packet_udp(&p, HOST(1), 1000, HOST(2), 80, 1);
	r->failed += !stay_on_cpu(r->cpu);
	line_up(r);
	for (uint64_t i = 0; i < FRAMES; i++) {
		*(volatile __u64 *)r->now_ns = start + ((i & 1) << SEN_TICK_SHIFT);
		r->failed += rig_run(r->prog_fd, p.data, p.len) != PASSED;
	}
	return NULL;
}

/* The first packet finds the flow a side to belong to, before the race for the rest. */
static struct rig *open_one_flow(struct racer racers[RACERS])
{
	struct rig *rig = rig_open(NULL);
	struct packet p;

	rig->policy.eval_shift = 0;
	rig->policy.sample_every = 0;
	rig_apply_policy(rig);
	rig_send(rig, packet_udp(&p, HOST(1), 1000, HOST(2), 80, 1));
	for (int i = 0; i < RACERS; i++) {
		racers[i].prog_fd = rig->prog_fd;
		racers[i].now_ns = &rig->skel->bss->replay.now_ns;
	}
	return rig;
}

static void two_cpus_at_one_flow(void **state)
{
	const uint32_t one_way = FRAMES * SEN_EVENT_UNIT, all = 2 * one_way + SEN_EVENT_UNIT;
	struct racer racers[RACERS] = { 0 };
	const struct sen_source *s;
	const struct sen_target *t;
	struct rig *rig;

	(void)state;
	if (!enough_cpus())
		skip();
	rig = open_one_flow(racers);
	race(send_one_way, racers);
	s = rig_source(rig, LAYER_IP4, HOST(1));
	t = rig_target(rig, LAYER_IP4, HOST(2));
	print_message("# of %u packets the source is credited with %u, the target with %u and %u "
		      "of its own; %llu evaluations\n",
		      all / SEN_EVENT_UNIT, s->packets_mid / SEN_EVENT_UNIT,
		      t->packets_slow / SEN_EVENT_UNIT, t->answers_mid / SEN_EVENT_UNIT,
		      rig_stats(rig).no_model);
	assert_true(rig_stats(rig).no_model >
		    FRAMES / 8); /* how many depends on who writes the clock */
	assert_int_equal(rig_stats(rig).flows_new, 1);
	assert_in_range(s->packets_mid, 1, all);
	assert_in_range(t->packets_slow, 1, all);
	assert_in_range(t->answers_mid, 1, one_way);
	rig_assert_balance(rig);
	rig_close(rig);
}

/* One of them lets time pass, so that entries that were kept for longer give way too. */
static void *claim_entries(void *arg)
{
	struct racer *r = arg;
	uint8_t frame[64] = { 0 };

	r->failed += !stay_on_cpu(r->cpu);
	line_up(r);
	for (int i = 0; i < RUNS; i++) {
		if (r->cpu == 0 && i % 16 == 0)
			r->probe->bss->probe_now += SEN_TICKS_PER_SEC;
		r->failed += rig_run(r->prog_fd, frame, sizeof(frame)) != PASSED;
	}
	return NULL;
}

/* Both claim the same keys in the same order, from an empty table, again and again: the moment in which
 * one of them makes the entry that the other is looking for. */
static void *claim_the_same(void *arg)
{
	struct racer *r = arg;
	uint8_t frame[64] = { 0 };

	r->failed += !stay_on_cpu(r->cpu);
	for (int i = 0; i < ROUNDS; i++) {
		if (r->cpu == 0)
			rig_table_empty(r->table);
		r->probe->bss->probe_racers[r->cpu].random = i;
		line_up(r);
		r->failed += rig_run(r->prog_fd, frame, sizeof(frame)) != PASSED;
		line_up(r);
		if (r->cpu == 0 && !r->fault)
			r->fault = table_fault(r->table, sizeof(struct sen_flow_key),
					       r->probe->rodata->sen_seed);
		line_up(r);
	}
	return NULL;
}

static struct probe *open_probe(unsigned int keys)
{
	struct probe *probe = probe__open();

	assert_non_null(probe);
	for (int i = 0; i < 6; i++)
		probe->rodata->sen_seed[i] = 0xfedcba9876543211ull * (i + 1);
	probe->rodata->sen_flow_sets = ENTRIES / SEN_WAYS;
	bpf_map__set_max_entries(probe->maps.flows, ENTRIES);
	bpf_map__set_max_entries(probe->maps.flows_sets, ENTRIES / SEN_WAYS);
	probe->data->probe_keys = keys;
	assert_int_equal(probe__load(probe), 0);
	probe->bss->probe_now = 1 << 20;
	return probe;
}

static void sum_claims(const struct probe *probe, uint64_t claims[8])
{
	memset(claims, 0, 8 * sizeof(*claims));
	for (int cpu = 0; cpu < RACERS; cpu++)
		for (int i = 0; i < 8; i++)
			claims[i] += probe->bss->probe_racers[cpu].claims[i];
}

/* Race with so many keys to draw from; what came of the claims. */
static void race_for(unsigned int keys, void *(*run)(void *), uint64_t claims[8])
{
	struct racer racers[RACERS] = { 0 };
	struct probe *probe = open_probe(keys);
	struct rig_table table;

	rig_table_open(&table, probe->maps.flows_sets, probe->maps.flows,
		       &probe->bss->flows_handed_out);
	for (int i = 0; i < RACERS; i++) {
		racers[i].probe = probe;
		racers[i].table = &table;
		racers[i].prog_fd = bpf_program__fd(probe->progs.probe_race);
		probe->bss->probe_racers[i].random = i;
	}
	race(run, racers);
	sum_claims(probe, claims);
	print_message("# %u keys: found %zu, new %zu, replaced %zu, full %zu, contended %zu\n",
		      keys, claims[0], claims[1], claims[2], claims[3], claims[4]);
	if (racers[0].fault)
		fail_msg("%s", racers[0].fault);
	table_assert(&table, sizeof(struct sen_flow_key), probe->rodata->sen_seed);
	rig_table_close(&table);
	probe__destroy(probe);
}

static uint64_t sum_of(const uint64_t claims[8])
{
	uint64_t sum = 0;

	for (int i = 0; i < 8; i++)
		sum += claims[i];
	return sum;
}

/* With keys for half of the entries, for all, or for many times as many. */
static void claims_of_two_cpus(void **state)
{
	static const unsigned int keys[] = { 32, 64, 1024 };
	uint64_t claims[8];

	(void)state;
	if (!enough_cpus())
		skip();
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		race_for(keys[k], claim_entries, claims);
		assert_int_equal(sum_of(claims), (uint64_t)RACERS * RUNS * PROBE_CLAIMS);
		assert_int_equal(claims[5] + claims[6] + claims[7], 0);
		assert_true(claims[1] <= ENTRIES); /* an entry is free but once */
	}
}

/* Each key gets one entry, found by the other CPU or made by it. */
static void two_cpus_open_the_same_flows(void **state)
{
	uint64_t claims[8];

	(void)state;
	if (!enough_cpus())
		skip();
	race_for(32, claim_the_same, claims);
	assert_int_equal(sum_of(claims), (uint64_t)RACERS * ROUNDS * PROBE_CLAIMS);
	assert_true(claims[1] > (uint64_t)ROUNDS * 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_two_cpus),
		cmocka_unit_test(two_cpus_at_one_flow),
		cmocka_unit_test(claims_of_two_cpus),
		cmocka_unit_test(two_cpus_open_the_same_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
