// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "duel.h"

#define VALUE_MAX 32768

static void keep_event(void *ctx, const void *event, size_t size)
{
	struct duel *d = ctx;

	assert_int_equal(size, sizeof(struct sen_event));
	assert_true(d->event_count < EVENTS_MAX);
	memcpy(&d->events[d->event_count++], event, size);
}

void duel_open_native(struct duel *d)
{
	const struct native_options options = {
		.flows = TABLE_SIZE,
		.sources = TABLE_SIZE / 4,
		.targets = TABLE_SIZE / 4,
		.pairs = TABLE_SIZE / 2,
		.seed = d->rig->skel->rodata->sen_seed,
		.own_mac = PACKET_TO,
		.on_event = keep_event,
		.ctx = d,
	};

	native_open(&options);
	d->stats = native_map("stats");
	d->scratch = native_map("scratch");
	assert_non_null(d->stats);
	assert_non_null(d->scratch);
}

void duel_model(const struct duel *d, enum sen_slot slot, const struct sen_model_flat *model)
{
	rig_push(d->rig, slot, model);
	native_set_model(slot, model);
}

void duel_mode(const struct duel *d, enum sen_mode mode)
{
	d->rig->policy.mode = mode;
	rig_apply_policy(d->rig);
	native_set_policy(&d->rig->policy);
}

int duel_open(void **state)
{
	static const struct rig_sizes sizes = { TABLE_SIZE,           TABLE_SIZE / 4,
						TABLE_SIZE / 4,       TABLE_SIZE / 2,
						.own_mac = PACKET_TO, .egress = true };
	struct duel *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->rig = rig_open(&sizes);
	d->cpu = sched_getcpu();
	d->stats_fd = bpf_map__fd(d->rig->skel->maps.stats);
	d->scratch_fd = bpf_map__fd(d->rig->skel->maps.scratch);
	d->egress_fd = bpf_program__fd(d->rig->skel->progs.sentroid_egress);
	d->values = malloc((size_t)VALUE_MAX * libbpf_num_possible_cpus());
	assert_non_null(d->values);
	duel_open_native(d);
	/* As on an interface: long flows come up for evaluation, samples run into their limits. */
	d->rig->policy.eval_shift = SEN_WINDOW_FAST;
	duel_mode(d, SEN_MODE_ENFORCE);
	*state = d;
	return 0;
}

int duel_close(void **state)
{
	struct duel *d = *state;

	native_close();
	rig_close(d->rig);
	free(d->values);
	free(d);
	return 0;
}

void duel_expect_same(const struct duel *d, const char *what, const void *bpf, const void *native,
		      size_t size)
{
	const uint8_t *a = bpf, *b = native;
	size_t at = 0;

	if (!memcmp(a, b, size))
		return;
	while (a[at] == b[at])
		at++;
	fail_msg("%s: %s differs from byte %zu on: bpf %02x, native %02x", d->where, what, at,
		 a[at], b[at]);
}

/* The value of a map on this CPU. */
static const void *bpf_value(const struct duel *d, int fd, enum bpf_map_type type, size_t size,
			     __u32 index)
{
	assert_true(size <= VALUE_MAX);
	assert_int_equal(bpf_map_lookup_elem(fd, &index, d->values), 0);
	return d->values + (type == BPF_MAP_TYPE_PERCPU_ARRAY ? (size + 7) / 8 * 8 * d->cpu : 0);
}

static void expect_same_value(const struct duel *d, const struct native_map *m, int fd)
{
	duel_expect_same(d, m->name, bpf_value(d, fd, BPF_MAP_TYPE_PERCPU_ARRAY, m->value_size, 0),
			 m->value[0], m->value_size);
}

static void expect_same_events(struct duel *d)
{
	rig_read_events(d->rig);
	expect(d->where, "number of samples", d->rig->event_count, d->event_count);
	duel_expect_same(d, "sample", d->rig->events, d->events,
			 d->event_count * sizeof(struct sen_event));
	d->rig->event_count = 0;
	d->event_count = 0;
}

static void expect_same_traces(struct duel *d, const struct native_result *native)
{
	const struct sen_replay_state *bpf = &d->rig->skel->bss->replay;

	duel_expect_same(d, "replay state", bpf, &native->state, sizeof(*bpf));
	if (native->entry)
		duel_expect_same(d, "flow", rig_flow(d->rig, bpf->flow), native->entry,
				 sizeof(*native->entry));
	expect_same_value(d, d->stats, d->stats_fd);
	expect_same_value(d, d->scratch, d->scratch_fd);
	expect_same_events(d);
}

void fight(struct duel *d, const void *head, size_t len, uint32_t wire, uint64_t now_ns)
{
	struct native_result native;
	struct sent sent;

	d->frames++;
	d->rig->now_ns = now_ns;
	sent = rig_send_cut(d->rig, head, len, wire);
	native_run(head, len, wire, now_ns, &native);
	expect(d->where, "dropped", sent.action == DROPPED, native.verdict == SEN_VERDICT_DROP);
	expect_same_traces(d, &native);
}

void fight_out(struct duel *d, const void *frame, size_t len, uint64_t now_ns)
{
	struct sen_replay_state *replay = &d->rig->skel->bss->replay;
	struct native_result native;
	int action;

	*replay = (struct sen_replay_state){ .now_ns = now_ns, .wire_len = len, .flow = 1 };
	replay->outcome = ~0u;
	action = rig_run(d->egress_fd, frame, len);
	/* Kernels do not let out what is too short for the protocol that it names. */
	if (action == -EINVAL) {
		fight(d, frame, len, len, now_ns);
		return;
	}
	d->frames++;
	expect(d->where, "action", action, TC_ACT_UNSPEC);
	native_run_out(frame, len, now_ns, &native);
	expect_same_traces(d, &native);
}

static void expect_same_map(const struct duel *d, const struct bpf_map *map)
{
	static const char zeros[VALUE_MAX];
	const struct native_map *m = native_map(bpf_map__name(map));

	if (!m)
		fail_msg("map %s is missing in tests/native/native.c", bpf_map__name(map));
	expect(m->name, "entries", bpf_map__max_entries(map), m->entries);
	expect(m->name, "value size", bpf_map__value_size(map), m->value_size);
	for (__u32 i = 0; i < m->entries; i++)
		duel_expect_same(d, m->name,
				 bpf_value(d, bpf_map__fd(map), bpf_map__type(map), m->value_size,
					   i),
				 m->value[i] ? m->value[i] : zeros, m->value_size);
}

void duel_expect_same_maps(const struct duel *d)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, d->rig->skel->obj) {
		enum bpf_map_type type = bpf_map__type(map);

		/* Neither the ring, the models and the allow list, nor sections of variables, nor what is absent. */
		if (bpf_map__autocreate(map) && type != BPF_MAP_TYPE_RINGBUF &&
		    type != BPF_MAP_TYPE_ARRAY_OF_MAPS && type != BPF_MAP_TYPE_LPM_TRIE &&
		    !strchr(bpf_map__name(map), '.'))
			expect_same_map(d, map);
	}
	assert_string_equal(native_tables_fault() ? native_tables_fault() : "", "");
	rig_assert_balance(d->rig);
}
