// SPDX-License-Identifier: BSD-2-Clause
#include "harness.h"
#include "jiffies.h"
#include "modelkit.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane.h"
#include "model_slot.h"
#include "loader.h"

#define START_TICK 100000000u /* far from 0, where a missing clock would hide */

void expect(const char *name, const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		fail_msg("%s: %s is %#llx, not %#llx", name, what, (unsigned long long)got,
			 (unsigned long long)want);
}

void stay_on_one_cpu(void)
{
	cpu_set_t allowed, one;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static unsigned int size_table(struct bpf_map *sets, struct bpf_map *entries, unsigned int n)
{
	n = n ? n : 1 << 13;
	assert_int_equal(bpf_map__set_max_entries(entries, n), 0);
	assert_int_equal(bpf_map__set_max_entries(sets, n / SEN_WAYS), 0);
	return n / SEN_WAYS;
}

static void configure(struct sentroid *skel, const struct rig_sizes *sizes)
{
	struct sentroid__rodata *ro = skel->rodata;
	struct sen_jiffies jiffies = { 0 };

	if (sizes->live && !sizes->no_jiffies)
		jiffies = sen_jiffies_measure();
	ro->sen_jiffy_ns = jiffies.ns;
	ro->sen_jiffy_zero_ns = jiffies.zero_ns;
	for (int i = 0; i < 6; i++)
		ro->sen_seed[i] = 0x0123456789abcdefull * (i + 1);
	ro->sen_replay = !sizes->live;
	ro->sen_own_mac = sizes->own_mac;
	ro->sen_flow_sets = size_table(skel->maps.flows_sets, skel->maps.flows, sizes->flows);
	ro->sen_source_sets = size_table(skel->maps.sources_sets, skel->maps.sources,
					 sizes->sources);
	ro->sen_target_sets = size_table(skel->maps.targets_sets, skel->maps.targets,
					 sizes->targets);
	ro->sen_pair_sets = size_table(skel->maps.pairs_sets, skel->maps.pairs, sizes->pairs);
}

static void *map_memory(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
	void *memory;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

void rig_table_open(struct rig_table *t, const struct bpf_map *sets, const struct bpf_map *entries,
		    __u32 *handed_out)
{
	t->handed_out = handed_out;
	t->sets = map_memory(sets);
	t->entries = map_memory(entries);
	t->entry_size = bpf_map__value_size(entries);
	t->capacity = bpf_map__max_entries(entries);
}

void rig_table_empty(const struct rig_table *t)
{
	memset(t->sets, 0, t->capacity / SEN_WAYS * sizeof(*t->sets));
	memset(t->entries, 0, t->capacity * t->entry_size);
	*t->handed_out = 0;
}

void rig_table_close(const struct rig_table *t)
{
	munmap(t->sets, t->capacity / SEN_WAYS * sizeof(*t->sets));
	munmap(t->entries, t->capacity * t->entry_size);
}

static int keep_event(void *ctx, void *data, size_t size)
{
	struct rig *rig = ctx;

	if (size != sizeof(struct sen_event))
		return -EPROTO;
	rig->events = realloc(rig->events, (rig->event_count + 1) * sizeof(*rig->events));
	memcpy(&rig->events[rig->event_count++], data, size);
	return 0;
}

/* Everything is sampled and nothing is withheld; decision points come by packets, not by time. */
static void default_policy(struct rig *rig)
{
	rig->policy = sen_policy_defaults;
	rig->policy.eval_shift = 31;
	rig->policy.sample_every = 1;
	for (int kind = 0; kind < SEN_SAMPLE_KINDS; kind++)
		rig->policy.rate[kind] = 1000000;
	memset(rig->policy.action, SEN_VERDICT_DROP, sizeof(rig->policy.action));
	rig_apply_policy(rig);
}

static void open_tables(struct rig *rig)
{
	__typeof__(rig->skel->maps) *maps = &rig->skel->maps;
	struct sentroid__bss *bss = rig->skel->bss;

	rig_table_open(&rig->flows, maps->flows_sets, maps->flows, &bss->flows_handed_out);
	rig_table_open(&rig->sources, maps->sources_sets, maps->sources, &bss->sources_handed_out);
	rig_table_open(&rig->targets, maps->targets_sets, maps->targets, &bss->targets_handed_out);
	rig_table_open(&rig->pairs, maps->pairs_sets, maps->pairs, &bss->pairs_handed_out);
}

struct rig *rig_open(const struct rig_sizes *sizes)
{
	static const struct rig_sizes any;
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	stay_on_one_cpu();
	rig->skel = sentroid__open();
	assert_non_null(rig->skel);
	sizes = sizes ? sizes : &any;
	configure(rig->skel, sizes);
	bpf_program__set_autoload(rig->skel->progs.sentroid_egress, sizes->egress);
	bpf_map__set_autocreate(rig->skel->maps.replay_slots, false);
	assert_int_equal(sentroid__load(rig->skel), 0);
	rig->prog_fd = bpf_program__fd(rig->skel->progs.sentroid);
	open_tables(rig);
	rig->ring = ring_buffer__new(bpf_map__fd(rig->skel->maps.events), keep_event, rig, NULL);
	assert_non_null(rig->ring);
	rig_set_tick(rig, START_TICK);
	default_policy(rig);
	return rig;
}

void rig_close(struct rig *rig)
{
	rig_table_close(&rig->flows);
	rig_table_close(&rig->sources);
	rig_table_close(&rig->targets);
	rig_table_close(&rig->pairs);
	ring_buffer__free(rig->ring);
	sentroid__destroy(rig->skel);
	free(rig->events);
	free(rig);
}

void rig_empty_tables(struct rig *rig)
{
	rig_table_empty(&rig->flows);
	rig_table_empty(&rig->sources);
	rig_table_empty(&rig->targets);
	rig_table_empty(&rig->pairs);
}

int rig_run(int prog_fd, const void *frame, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len, .repeat = 1);
	int err = bpf_prog_test_run_opts(prog_fd, &opts);

	return err ? err : (int)opts.retval;
}

struct sent rig_send_cut(struct rig *rig, const void *frame, size_t len, size_t wire)
{
	struct sen_replay_state *replay = &rig->skel->bss->replay;
	struct sent sent;
	int action;

	*replay = (struct sen_replay_state){ .now_ns = rig->now_ns, .wire_len = wire, .flow = 1 };
	replay->outcome = ~0u;
	action = rig_run(rig->prog_fd, frame, len);
	assert_true(action >= 0);
	sent.action = action;
	sent.outcome = replay->outcome;
	sent.flow = replay->flow;
	sent.opened = replay->opened;
	sent.side = replay->side;
	return sent;
}

struct sent rig_send(struct rig *rig, const struct packet *p)
{
	return rig_send_cut(rig, p->data, p->len, p->len);
}

void rig_wait_ns(struct rig *rig, uint64_t ns)
{
	rig->now_ns += ns;
}

void rig_set_tick(struct rig *rig, uint32_t tick)
{
	rig->now_ns = (uint64_t)tick << SEN_TICK_SHIFT;
}

uint32_t rig_tick(const struct rig *rig)
{
	return rig->now_ns >> SEN_TICK_SHIFT;
}

void rig_apply_policy(struct rig *rig)
{
	__u32 zero = 0;
	int fd = bpf_map__fd(rig->skel->maps.policy);

	assert_int_equal(bpf_map_update_elem(fd, &zero, &rig->policy, BPF_ANY), 0);
}

void rig_push(struct rig *rig, enum sen_slot slot, const struct sen_model_flat *model)
{
	int fd = bpf_map__fd(rig->skel->maps.models);

	assert_int_equal(sen_model_slot_set(fd, slot, model), 0);
}

void rig_push_constant(struct rig *rig, __u32 version, __u32 score)
{
	static struct sen_model_flat model;

	model_constant(&model, version, score, SEN_CLASS_SCAN);
	rig_push(rig, SEN_SLOT_ACTIVE, &model);
}

struct sen_stats rig_stats(const struct rig *rig)
{
	struct sen_stats sum;

	assert_int_equal(sen_stats_sum(bpf_map__fd(rig->skel->maps.stats), &sum), 0);
	return sum;
}

void rig_assert_balance(const struct rig *rig)
{
	struct sen_stats s = rig_stats(rig);

	assert_int_equal(s.errors, 0);
	assert_int_equal(s.packets, s.parsed + s.not_ip + s.not_transport + s.truncated);
	assert_int_equal(s.packets, s.pass + s.alert + s.drop + s.redirect);
}

struct sen_flow *rig_flow(const struct rig *rig, uint32_t index)
{
	assert_true(index < rig->flows.capacity);
	return (struct sen_flow *)rig->flows.entries + index;
}

void *rig_table_entry(const struct rig_table *t, unsigned int way)
{
	const struct sen_set *set = &t->sets[way / SEN_WAYS];
	__u32 index = (set->entry[way % SEN_WAYS] & 0x7fffffff) - 1;

	return set->tag[way % SEN_WAYS] && index < t->capacity ?
		       (char *)t->entries + index * t->entry_size :
		       NULL;
}

static void *table_find(const struct rig_table *t, const void *key, size_t size)
{
	for (unsigned int i = 0; i < t->capacity; i++) {
		void *entry = rig_table_entry(t, i);

		if (entry && !memcmp(entry, key, size))
			return entry;
	}
	return NULL;
}

size_t rig_used(const struct rig_table *t)
{
	size_t n = 0;

	for (unsigned int i = 0; i < t->capacity; i++)
		n += !!rig_table_entry(t, i);
	return n;
}

struct sen_source *rig_source(const struct rig *rig, enum layer_kind family, uint64_t number)
{
	uint8_t addr[SEN_ADDR_BYTES];

	packet_addr(addr, family, number);
	return table_find(&rig->sources, addr, sizeof(addr));
}

struct sen_target *rig_target(const struct rig *rig, enum layer_kind family, uint64_t number)
{
	uint8_t addr[SEN_ADDR_BYTES];

	packet_addr(addr, family, number);
	return table_find(&rig->targets, addr, sizeof(addr));
}

struct sen_pair *rig_pair(const struct rig *rig, uint32_t initiator, uint32_t responder,
			  uint16_t service, uint8_t proto)
{
	struct sen_pair_key key = { .service = service, .proto = proto };

	packet_addr(key.initiator, LAYER_IP4, initiator);
	packet_addr(key.responder, LAYER_IP4, responder);
	return table_find(&rig->pairs, &key, sizeof(key));
}

size_t rig_read_events(struct rig *rig)
{
	assert_true(ring_buffer__consume(rig->ring) >= 0);
	return rig->event_count;
}

const struct sen_event *rig_last_event(struct rig *rig)
{
	assert_true(rig_read_events(rig) > 0);
	return &rig->events[rig->event_count - 1];
}
