// SPDX-License-Identifier: BSD-2-Clause
/* What the BPF compiler does not warn of is not for this one to warn of either. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "path.bpf.h"
#pragma GCC diagnostic pop

#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "replay.h"

#define VALUE_SIZE(map) sizeof(*(map).value)
#define ENTRIES(map)    (sizeof(*(map).max_entries) / sizeof(int))

/* Tables with the words of their keys, and other maps. The path stops at one that is not listed here. */
#define TABLES(X) X(flows, flow, 5) X(sources, source, 2) X(targets, target, 2) X(pairs, pair, 5)
#define MAPS(X) \
	X(meta) \
	X(policy) X(stats) X(dist_hist) X(feat_hist) X(scratch) X(sampler) X(memo) X(fragments)

static struct sen_model_map model_slot[SEN_SLOT_COUNT];

static void set_seeds(const __u64 *seed)
{
	for (int i = 0; i < 6; i++)
		sen_seed[i] = seed ? seed[i] : sen_replay_seed(i);
}

#define ADD_MAP(map) native_map_add(#map, &(map), VALUE_SIZE(map), ENTRIES(map), false);
#define ADD_TABLE(name, one, words)                                                                \
	n = options->name ? options->name : ENTRIES(name);                                         \
	native_map_add(#name, &name, VALUE_SIZE(name), n, false);                                  \
	native_map_add(#name "_sets", &name##_sets, VALUE_SIZE(name##_sets), n / SEN_WAYS, false); \
	sen_##one##_sets = n / SEN_WAYS;

static void add_maps(const struct native_options *options)
{
	unsigned int n;

	TABLES(ADD_TABLE)
	MAPS(ADD_MAP)
	native_trie_add(&allow4, 4);
	native_trie_add(&allow6, SEN_ADDR_BYTES);
	native_map_add("models", &models, sizeof(void *), SEN_SLOT_COUNT, true);
	native_map_add("model", &model_slot[SEN_SLOT_ACTIVE], sizeof(struct sen_model_flat), 1,
		       false);
	native_map_add("shadow", &model_slot[SEN_SLOT_SHADOW], sizeof(struct sen_model_flat), 1,
		       false);
}

void native_open(const struct native_options *options)
{
	set_seeds(options->seed);
	add_maps(options);
	sen_own_mac = options->own_mac;
	sen_replay = true;
	native_ring_set(options->on_event, options->ctx);
	native_reset();
}

void native_close(void)
{
	native_maps_free();
}

#define EMPTY_TABLE(name, one, words) name##_handed_out = 0;

void native_reset(void)
{
	native_maps_clear();
	TABLES(EMPTY_TABLE)
	memset(&replay, 0, sizeof(replay));
}

void native_set_policy(const struct sen_policy *knobs)
{
	memcpy(native_map_value(&policy, 0), knobs, sizeof(*knobs));
}

void native_set_model(enum sen_slot slot, const struct sen_model_flat *model)
{
	const void **value = native_map_value(&models, slot);

	*value = model ? &model_slot[slot] : NULL;
	if (model)
		memcpy(native_map_value(&model_slot[slot], 0), model, sizeof(*model));
}

void native_allow(const __u8 addr[SEN_ADDR_BYTES], __u32 bits, bool six)
{
	struct sen_allow6_key key = { .bits = bits };

	memcpy(key.addr, addr, sizeof(key.addr));
	if (six)
		native_trie_put(&allow6, &key);
	else
		native_trie_put(&allow4, &key);
}

static void run(const void *frame, size_t len, uint32_t wire_len, uint64_t now_ns, bool may_drop,
		struct native_result *out)
{
	/* A block of exactly its size: a byte read past its end is an error. */
	void *copy = malloc(len);
	struct cursor c = { .start = copy, .pos = copy, .end = copy + len };

	if (!copy && len)
		abort();
	memcpy(copy, frame, len);
	replay = (struct sen_replay_state){ .now_ns = now_ns, .wire_len = wire_len, .flow = 1 };
	replay.outcome = ~0u;
	out->verdict = packet_path(&c, wire_len, 0, may_drop);
	out->state = replay;
	out->entry = replay.flow == ~0u ? NULL : native_map_value(&flows, replay.flow);
	free(copy);
}

void native_run(const void *frame, size_t len, uint32_t wire_len, uint64_t now_ns,
		struct native_result *out)
{
	run(frame, len, wire_len, now_ns, true, out);
}

void native_run_out(const void *frame, size_t len, uint64_t now_ns, struct native_result *out)
{
	run(frame, len, len, now_ns, false, out);
}

const struct sen_stats *native_stats(void)
{
	return native_map_value(&stats, 0);
}

void native_targets_flooded(void)
{
	const struct native_map *m = native_map("targets");
	struct sen_target *t;

	for (unsigned int i = 0; i < m->used_count; i++) {
		t = m->value[m->used[i]];
		t->flows_mid = 4 * SEN_STANDING_FLOWS;
	}
}

/* A way that is in use, or was: its entry is its own, and lies where its key belongs. */
static const char *way_fault(const struct table *t, struct place *p, __u32 sets, uint8_t *seen)
{
	__u32 index = place_index(p);
	__u64 words[5] = { 0 };
	struct place home;

	if (index == ~0u)
		return p->set->tag[p->way] ? "a tag without an entry" : NULL;
	if (index >= *t->handed_out)
		return "an entry that was not handed out";
	if (seen[index]++)
		return "an entry in two places";
	if (!p->set->tag[p->way])
		return NULL;
	memcpy(words, native_map_value(t->entries, index), t->key_words * 8);
	table_place(&home, words, sets);
	if ((home.index != p->index && home.other != p->index) || home.tag != p->set->tag[p->way])
		return "a key in the wrong place";
	return NULL;
}

static const char *table_fault(const struct table *t, const struct native_map *sets)
{
	uint8_t *seen = calloc(sets->entries, SEN_WAYS);
	const char *fault = seen ? NULL : "no memory";

	for (unsigned int i = 0; i < sets->used_count && !fault; i++) {
		struct place p = { .index = sets->used[i] };

		p.set = sets->value[p.index];
		if (p.set->entry[0] & SEN_SET_LOCKED)
			fault = "a set left locked";
		for (p.way = 0; p.way < SEN_WAYS && !fault; p.way++)
			fault = way_fault(t, &p, sets->entries, seen);
	}
	free(seen);
	return fault;
}

#define TABLE_FAULT(name, one, words)                                                         \
	if (!fault)                                                                           \
		fault = table_fault(&(struct table){ &name##_sets, &name, &name##_handed_out, \
						     words, 0, 0 },                           \
				    native_map(#name "_sets"));

const char *native_tables_fault(void)
{
	const char *fault = NULL;

	TABLES(TABLE_FAULT)
	return fault;
}

/* Helpers of live programs. */
__u64 bpf_ktime_get_coarse_ns(void)
{
	abort();
}

__u64 bpf_jiffies64(void)
{
	abort();
}

__u64 bpf_xdp_get_buff_len(struct xdp_md *ctx)
{
	(void)ctx;
	abort();
}

long bpf_skb_pull_data(struct __sk_buff *skb, __u32 len)
{
	(void)skb, (void)len;
	abort();
}
