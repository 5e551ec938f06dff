/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The feature vector: its dimensions in order, and the logarithm that they are measured in.
 * No address, port or TTL is among them: those tell networks apart, not behaviour.
 */
#ifndef SENTROID_FEATURE_H
#define SENTROID_FEATURE_H

#include "sentroid/limits.h"
#include "sentroid/types.h"

/*
 * Windows decay by half every 1, 8 or 64 s (limits.h); src is the initiator of the flow, dst its
 * responder, pair both with protocol and service port. Adding or moving one changes
 * SEN_FEATURES_VERSION: a model made for other features is refused.
 */
#define SEN_FEATURES_VERSION 3
#define SEN_FEATURES(X)                                                                       \
	X(SRC_UNANSWERED_64, "src_unanswered_64s", "new flows of the source, unanswered")     \
	X(SRC_EMPTY_8, "src_empty_8s", "flows of the source without payload")                 \
	X(SRC_REFUSED_1, "src_refused_1s", "flows of the source that the other side reset")   \
	X(SRC_NEW_PAIRS_64, "src_new_pairs_64s", "services that the source turned to anew")   \
	X(SRC_ICMP_8, "src_icmp_8s", "ICMP flows of the source")                              \
	X(SRC_ERRORS_8, "src_errors_8s", "flows of the source that met an ICMP error")        \
	X(SRC_PACKETS_PER_FLOW, "src_packets_per_flow", "packets a flow of the source")       \
	X(SRC_UNSOLICITED_8, "src_unsolicited_8s", "unsolicited ARP claims of the source")    \
	X(DST_FLOWS_1, "dst_flows_1s", "new flows to the destination")                        \
	X(DST_NEW_PAIRS_1, "dst_new_pairs_1s", "sources that turned to a service of it anew") \
	X(DST_HALF_OPEN_64, "dst_half_open_64s",                                              \
	  "unanswered TCP flows to it for each answered one")                                 \
	X(DST_ANSWERS_8, "dst_answers_8s", "packets that the destination answered with")      \
	X(PAIR_PACKETS_8, "pair_packets_8s", "packets of the pair")                           \
	X(PAIR_EMPTY_8, "pair_empty_8s", "flows of the pair without payload")                 \
	X(FLOW_IS_TCP, "flow_is_tcp", "TCP or not")                                           \
	X(FLOW_IS_UDP, "flow_is_udp", "UDP or not")

/*
 * Measured with them and handed on with every sample, for rules and people. No model sees these: each
 * was tried, and a distance that they are part of tells less (docs/detection.md).
 */
#define SEN_CIRCUMSTANCES(X)                                                                 \
	X(SRC_PORTS_8, "src_ports_8s", "distinct destination ports of the source")           \
	X(SRC_HOSTS_64, "src_hosts_64s", "distinct destinations of the source")              \
	X(SRC_UNSOLICITED_64, "src_unsolicited_64s", "unsolicited ARP claims of the source") \
	X(DST_PACKETS_64, "dst_packets_64s", "packets of flows to the destination")          \
	X(DST_SOURCES_8, "dst_sources_8s", "distinct sources of the destination")            \
	X(DST_EMPTY_8, "dst_empty_8s", "flows to the destination without payload")           \
	X(PAIR_FLOWS_8, "pair_flows_8s", "new flows of the pair")                            \
	X(PAIR_FLOWS_64, "pair_flows_64s", "new flows of the pair")                          \
	X(PAIR_EMPTY_64, "pair_empty_64s", "flows of the pair without payload")              \
	X(FLOW_PACKETS, "flow_packets", "packets of the flow, both directions")              \
	X(FLOW_FIRST_PAYLOAD, "flow_first_payload", "length of the first payload, bytes")    \
	X(FLOW_MIN_LEN, "flow_min_len", "smallest network-layer length, bytes")

#define SEN_ENUM_FEATURE(id, name, help) SEN_FEATURE_##id,
enum sen_feature {
	SEN_FEATURES(SEN_ENUM_FEATURE) SEN_CIRCUMSTANCES(SEN_ENUM_FEATURE) SEN_FEATURE_COUNT
};
#define SEN_COUNT_FEATURE(id, name, help) +1
_Static_assert(0 SEN_FEATURES(SEN_COUNT_FEATURE) == SEN_DIMS, "one dimension a feature");
_Static_assert(SEN_FEATURE_COUNT == SEN_MEASURES, "one value each");

/* What is measured at a decision point, before any model sees it: each value 16 * log2(1 + x), at most
 * 512; the first SEN_DIMS are the feature vector. */
struct sen_vector {
	__u16 v[SEN_MEASURES];
};
SEN_ASSERT_SIZE(struct sen_vector, 2 * SEN_MEASURES);

#define SEN_LG_OCTAVE 16 /* steps of sen_lg() for a doubling */
#define SEN_LG_MAX    512
#define SEN_LG_YES    (4 * SEN_LG_OCTAVE) /* a true flag, as far from false as a factor of 16 */

/*
 * Tables behind the logarithms. One object on purpose: a constant of 32 bytes alone would be moved to
 * a section of mergeable constants, which BTF cannot describe.
 */
static const struct sen_log_tables {
	__u8 top_bit[32];    /* by the de Bruijn hash of 2^(n + 1) - 1: n */
	__u16 distinct[128]; /* by bits set, 0..64: sen_lg() of the items counted */
} sen_log_tables = {
	.top_bit = { 0, 9,  1,  10, 13, 21, 2,  29, 11, 14, 16,
		     18, 22, 25, 3,  30, 8,  12, 20, 28, 15, 17,
		     24, 7,  19, 27, 23, 6,  26, 5,  4,  31 },
	.distinct = {
		0, 16, 26, 32, 38, 42, 46, 49, 52, 55, 57,
		59, 61, 63, 65, 67, 68, 70, 71, 73, 74, 76,
		77, 78, 79, 80, 82, 83, 84, 85, 86, 87, 88,
		89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
		100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110,
		112, 113, 114, 116, 118, 120, 122, 125, 129, 133,
	},
};

/* Position of the top bit of x > 0. One multiplication by a de Bruijn sequence perfect for values
 * 2^n - 1 (Leiserson, Prokop, Randall 1998): no branch, for the verifier's sake and the pipeline's. */
SEN_INLINE __u32 sen_top_bit(__u32 x)
{
	x |= x >> 1;
	x |= x >> 2;
	x |= x >> 4;
	x |= x >> 8;
	x |= x >> 16;
	return sen_log_tables.top_bit[(x * 0x07c4acddu) >> 27];
}

/* 16 * log2(1 + x), from the top bit and the four below it; 2^32 - 1 counts as 2^32 - 2. */
SEN_INLINE __u32 sen_lg(__u32 x)
{
	__u64 y = (__u64)x + 1;
	__u32 top;

	y -= y >> 32;
	top = sen_top_bit((__u32)y);
	return top << 4 | ((y << 4 >> top) & 15);
}

/* 16 * log2(1 + events) of a decaying counter, its fraction of an event included. */
SEN_INLINE __u32 sen_lg_events(__u32 counter)
{
	__u64 shifted = (__u64)counter + SEN_EVENT_UNIT - 1;

	shifted |= sen_if_negative(0xffffffffll - (__s64)shifted);
	return sen_lg(shifted) - 8 * SEN_LG_OCTAVE;
}

/* Number of bits set; BPF has no instruction for it. */
SEN_INLINE __u32 sen_popcount(__u64 x)
{
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (x * 0x0101010101010101ull) >> 56;
}

/*
 * sen_lg() of the number of distinct items that were hashed into a 64-bit map of which `set` bits
 * are now set: linear counting, n = -64 ln(zeros / 64) (Whang, Vander-Zanden, Taylor 1990).
 * A full map counts as 64 ln 128.
 */
SEN_INLINE __u32 sen_lg_distinct(__u64 map)
{
	return sen_log_tables.distinct[sen_popcount(map) & 127];
}

#endif
