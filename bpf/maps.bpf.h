/* SPDX-License-Identifier: GPL-2.0-only */
/* Every map, pinned by its name under /sys/fs/bpf/sentroid/IFACE/. */
#ifndef SENTROID_MAPS_BPF_H
#define SENTROID_MAPS_BPF_H

#include "platform.bpf.h"
#include "sentroid/abi.h"

#define SEN_DEFAULT_FLOWS   (1 << 17)
#define SEN_DEFAULT_SOURCES (1 << 15)
#define SEN_DEFAULT_TARGETS (1 << 14)
#define SEN_DEFAULT_PAIRS   (1 << 16)
#define SEN_RING_BYTES      (1 << 20)
#define SEN_MEMO_ENTRIES    1024
#define SEN_FRAGMENTS       4096

/* Mmapable for two reasons: user space reads a table without a system call per entry, and the values
 * begin on a page, so that a 64-byte element is a cache line and not the end of one and the start of
 * the next. */
#define SEN_TABLE(name, entry_type, entries)               \
	struct {                                           \
		__uint(type, BPF_MAP_TYPE_ARRAY);          \
		__uint(map_flags, BPF_F_MMAPABLE);         \
		__uint(max_entries, (entries) / SEN_WAYS); \
		__type(key, __u32);                        \
		__type(value, struct sen_set);             \
	} name##_sets SEC(".maps");                        \
	struct {                                           \
		__uint(type, BPF_MAP_TYPE_ARRAY);          \
		__uint(map_flags, BPF_F_MMAPABLE);         \
		__uint(max_entries, entries);              \
		__type(key, __u32);                        \
		__type(value, entry_type);                 \
	} name SEC(".maps")

/* Entries that each table has handed out to its ways. */
__u32 flows_handed_out;
__u32 sources_handed_out;
__u32 targets_handed_out;
__u32 pairs_handed_out;

#define SEN_SINGLE(name, map_type, value_type) \
	struct {                               \
		__uint(type, map_type);        \
		__uint(max_entries, 1);        \
		__type(key, __u32);            \
		__type(value, value_type);     \
	} name SEC(".maps")

SEN_TABLE(flows, struct sen_flow, SEN_DEFAULT_FLOWS);
SEN_TABLE(sources, struct sen_source, SEN_DEFAULT_SOURCES);
SEN_TABLE(targets, struct sen_target, SEN_DEFAULT_TARGETS);
SEN_TABLE(pairs, struct sen_pair, SEN_DEFAULT_PAIRS);

SEN_SINGLE(meta, BPF_MAP_TYPE_ARRAY, struct sen_meta);
SEN_SINGLE(policy, BPF_MAP_TYPE_ARRAY, struct sen_policy);
SEN_SINGLE(stats, BPF_MAP_TYPE_PERCPU_ARRAY, struct sen_stats);
SEN_SINGLE(dist_hist, BPF_MAP_TYPE_PERCPU_ARRAY, struct sen_score_hist);
SEN_SINGLE(feat_hist, BPF_MAP_TYPE_PERCPU_ARRAY, struct sen_feature_hist);
SEN_SINGLE(scratch, BPF_MAP_TYPE_PERCPU_ARRAY, struct sen_scratch);
SEN_SINGLE(sampler, BPF_MAP_TYPE_PERCPU_ARRAY, struct sen_sampler);

/* Scores of recent vectors, by CPU: floods and scans send the same vector again and again. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEN_MEMO_ENTRIES);
	__type(key, __u32);
	__type(value, struct sen_memo);
} memo SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEN_FRAGMENTS);
	__type(key, __u32);
	__type(value, struct sen_fragment);
} fragments SEC(".maps");

/* One model, frozen before it is put into a slot of `models`. Sizes instead of types, so that it has no
 * BTF, like the maps that user space puts there: kernels before 6.2 take only such as are alike in that. */
struct sen_model_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sen_model_flat));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SEN_SLOT_COUNT);
	__type(key, __u32);
	__array(values, struct sen_model_map);
} models SEC(".maps");

/* Prefixes whose hosts may do what they like; the values say nothing. */
#define SEN_PREFIXES(name, key_type)                  \
	struct {                                      \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);  \
		__uint(map_flags, BPF_F_NO_PREALLOC); \
		__uint(max_entries, SEN_ALLOW_MAX);   \
		__type(key, key_type);                \
		__type(value, __u8);                  \
	} name SEC(".maps")

SEN_PREFIXES(allow4, struct sen_allow4_key);
SEN_PREFIXES(allow6, struct sen_allow6_key);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SEN_RING_BYTES);
} events SEC(".maps");

static __always_inline struct sen_scratch *scratch_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

#endif
