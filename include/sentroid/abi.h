/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the BPF programs and user space share through maps: keys, entries, policy, statistics, events. */
#ifndef SENTROID_ABI_H
#define SENTROID_ABI_H

#include "sentroid/feature.h"
#include "sentroid/limits.h"
#include "sentroid/model.h"
#include "sentroid/names.h"
#include "sentroid/types.h"

#define SEN_ADDR_BYTES 16

/* Pseudo transport protocol of ARP "flows": sender MAC asks or claims a target IP. */
#define SEN_PROTO_ARP 254

/*
 * Endpoints in canonical order: (address, port) pairs sorted together, by their bytes as the CPU
 * loads them, so that both directions meet in one entry. Addresses are in network order, IPv4 as
 * ::ffff:a.b.c.d. Ports in host order; 0 for ICMP. ARP is not sorted: side 0 is the sender's MAC
 * (6 bytes, then zeros), side 1 the IP that it asks for or claims.
 */
struct sen_flow_key {
	__u8 addr[2][SEN_ADDR_BYTES];
	__u16 port[2];
	__u16 vlan; /* outermost VLAN id, 0: none */
	__u8 proto;
	__u8 pad;
};
SEN_ASSERT_SIZE(struct sen_flow_key, 40);

enum sen_flow_flags {
	SEN_FLOW_INITIATOR_1 = 1 << 0, /* side 1 opened the flow */
	SEN_FLOW_ANSWERED = 1 << 1,    /* the responder has sent something */
	SEN_FLOW_PAYLOAD = 1 << 2,     /* some packet carried payload */
	SEN_FLOW_SYN = 1 << 3,         /* a SYN opened it */
	SEN_FLOW_CLOSED = 1 << 4,      /* FIN or RST seen */
	SEN_FLOW_FLAGGED = 1 << 5,     /* the last evaluation reached the threshold */
	SEN_FLOW_DROP = 1 << 6,        /* and policy says drop */
	SEN_FLOW_ERROR = 1 << 7,       /* an ICMP error came back for it */
};

/* One flow. The first line is all that a packet between decision points touches. */
struct sen_flow {
	struct sen_flow_key key;
	__u32 packets[2]; /* from side 0, from side 1 */
	__u64 bytes;      /* layer 2 included, both directions */
	__u32 last;       /* tick of its last packet */
	__u16 min_len;    /* smallest network-layer length, bytes */
	__u8 flags;       /* enum sen_flow_flags */
	__u8 generation;  /* low byte of the version of the model that evaluated it */

	__u64 first_ns; /* clock of its first packet */
	__u32 evaluations;
	__u32 score;         /* last, Q16 */
	__u32 score_max;     /* highest, Q16 */
	__u32 version;       /* model of the last score */
	__u32 credited;      /* packets already counted in the host context */
	__u32 credited_back; /* of the responder's */
	__u32 fragments;     /* packets that were fragments */
	__u16 first_payload; /* length of the first payload, bytes */
	__u8 class_id;
	__u8 reason; /* enum sen_reason */
	__u8 pad[24];
};
SEN_ASSERT_SIZE(struct sen_flow, 128);

/*
 * A set of a table, in one cache line: for each way a tag, how long it is worth keeping, and which entry
 * of the table's other map it has. Entries are handed out in the order of first use and then stay with
 * their way, so that a few thousand flows lie on a few hundred pages, not one on each page of the table.
 */
struct sen_set {
	__u16 tag[SEN_WAYS];      /* 0: free */
	__u16 deadline[SEN_WAYS]; /* in units of 2^SEN_DEADLINE_SHIFT ticks */
	__u32 entry[SEN_WAYS]; /* 1 + index, 0: none yet; top bit of entry[0]: the set is locked */
};
SEN_ASSERT_SIZE(struct sen_set, 64);
#define SEN_SET_LOCKED 0x80000000u

/*
 * An initiator. Counters decay (context.bpf.h); SEN_EVENT_UNIT an event. Here and in the other tables of
 * hosts an address has its VLAN with it: in bytes 8 and 9, which IPv4 and MACs leave empty, and a mark in bytes
 * 6 and 7; both are 0 without a VLAN. An IPv6 address has them mixed in (host_key(), context.bpf.h).
 */
struct sen_source {
	__u8 addr[SEN_ADDR_BYTES];
	__u32 last; /* tick of the last update */
	__u32 refused_fast;
	__u32 flows_mid;
	__u32 packets_mid;
	__u32 empty_mid;
	__u32 icmp_mid;
	__u32 errors_mid;
	__u32 flows_slow;
	__u32 unanswered_slow;
	__u32 new_pairs_slow;
	__u32 unsolicited_mid;
	__u32 unsolicited_slow;
	__u64 ports_mid[2]; /* bitmaps of the present window and the one before */
	__u64 hosts_slow[2];
	__u8 pad[32];
};
SEN_ASSERT_SIZE(struct sen_source, 128);

/* The verdict that new flows to a target under flood take over (standing.bpf.h). */
struct sen_standing {
	__u32 until; /* tick */
	__u32 score; /* Q16 */
	__u8 class_id;
	__u8 generation; /* of the model that said so */
	__u8 proto;
	__u8 pad;
};
SEN_ASSERT_SIZE(struct sen_standing, 12);

/* One for each kind of flood, so that two at a time do not take each other's place: TCP, UDP, the rest. */
#define SEN_STANDINGS 3

/* A responder. */
struct sen_target {
	__u8 addr[SEN_ADDR_BYTES];
	__u32 last;
	__u32 flows_fast;
	__u32 new_pairs_fast;
	__u32 flows_mid;
	__u32 empty_mid;
	__u32 answers_mid; /* packets of its own */
	__u32 packets_slow;
	__u32 half_open_slow; /* TCP flows that it has not answered, */
	__u32 completed_slow; /* and those that it has */
	__u32 asked;          /* tick of the last ARP question for it, 0: never */
	__u32 claimed;        /* tick of the last ARP claim by `mac`, or question in its name */
	__u32 pad1;
	__u64 sources_mid[2];
	__u8 mac[6];   /* that it belongs to, as far as ARP has said */
	__u8 asker[6]; /* whose the last ARP question for it was */
	struct sen_standing standing[SEN_STANDINGS];
};
SEN_ASSERT_SIZE(struct sen_target, 128);

struct sen_pair_key {
	__u8 initiator[SEN_ADDR_BYTES];
	__u8 responder[SEN_ADDR_BYTES];
	__u16 service; /* port of the responder, host order */
	__u8 proto;
	__u8 pad[5];
};
SEN_ASSERT_SIZE(struct sen_pair_key, 40);

struct sen_pair {
	struct sen_pair_key key;
	__u32 last; /* 0: an entry just made */
	__u32 flows_mid;
	__u32 packets_mid;
	__u32 empty_mid;
	__u32 flows_slow;
	__u32 empty_slow;
};
SEN_ASSERT_SIZE(struct sen_pair, 64);

/* Stages of the packet path. */
enum sen_stage {
	SEN_STAGE_PARSE,
	SEN_STAGE_FLOW,
	SEN_STAGE_CONTEXT,
	SEN_STAGE_FEATURES,
	SEN_STAGE_SCORE,
	SEN_STAGE_SAMPLE,
	SEN_STAGE_COUNT
};

/* Slots of the models map. */
enum sen_slot {
	SEN_SLOT_ACTIVE,
	SEN_SLOT_SHADOW,
	SEN_SLOT_COUNT
};

enum sen_mode {
	SEN_MODE_OBSERVE,
	SEN_MODE_ALERT,
	SEN_MODE_ENFORCE,
	SEN_MODE_ENFORCE_LEARNED /* enforce by models that were learned here, alert by others */
};

/* Why a sample was taken. */
enum sen_sample_kind {
	SEN_SAMPLE_FLAGGED,
	SEN_SAMPLE_NEAR,
	SEN_SAMPLE_RANDOM,
	SEN_SAMPLE_KINDS
};

/* Run-time knobs, written whole by user space. */
struct sen_policy {
	__u32 mode;         /* enum sen_mode */
	__u32 eval_shift;   /* a long flow is evaluated once every 2^eval_shift ticks */
	__u32 near;         /* Q16 score from which a sample counts as near the threshold */
	__u32 sample_every; /* of the other evaluations one in so many is sampled, 0: none */
	__u32 rate[SEN_SAMPLE_KINDS]; /* samples a second and CPU, by kind */
	__u32 wakeup_ticks;           /* at most one wake-up of the agent in so many ticks */
	__u8 action[SEN_CLASS_MAX];   /* enum sen_verdict by class, in force in mode enforce */
};
SEN_ASSERT_SIZE(struct sen_policy, 96);

/* Keys of the allow list's longest-prefix matches, as the kernel wants them. Addresses in network order. */
struct sen_allow4_key {
	__u32 bits; /* length of the prefix; 32 to look an address up */
	__u8 addr[4];
};
struct sen_allow6_key {
	__u32 bits;
	__u8 addr[SEN_ADDR_BYTES];
};
SEN_ASSERT_SIZE(struct sen_allow6_key, 20);

#define SEN_STAT_FIELD(name, help) __u64 name;
struct sen_stats {
	SEN_STATS(SEN_STAT_FIELD)
};

/* Scores by sen_lg() / 8: 64 half-octave bins; SEN_ONE falls into bin 32. */
#define SEN_SCORE_BINS 64
struct sen_score_hist {
	__u64 bin[SEN_SLOT_COUNT][SEN_SCORE_BINS];
};

/* Features by sen_lg() / 16: 32 octaves, independent of any model's quantizer. */
#define SEN_FEATURE_BINS 32
struct sen_feature_hist {
	__u64 bin[SEN_DIMS][SEN_FEATURE_BINS];
};

/* Written once at attach, checked by everyone who takes the pinned maps over. */
struct sen_meta {
	__u32 magic;
	__u32 abi;
	__u32 features; /* SEN_FEATURES_VERSION */
	__u32 ifindex;
	__u32 event_size; /* sizeof(struct sen_event), and so on */
	__u32 flow_size;
	__u32 model_size;
	__u32 stats_size;
	__u32 flow_capacity;
	__u16 native;        /* 1: native XDP, 0: generic (skb) */
	__u16 no_native;     /* why not: an errno, 0: not asked for */
	__u16 dispatcher;    /* 1: under libxdp's dispatcher */
	__u16 no_dispatcher; /* why not: an errno, 0: not known */
	__u32 prog_id;
	__u64 attached_s; /* Unix time */
	__u16 frags;      /* 1: frames longer than a page come through too */
	__u16 untagged;   /* 1: VLAN tags are taken off before */
	__u32 egress;     /* 0: ingress only; 1: both ways; 2: and clsact was made for it */
	__u32 netns;      /* inode of the network namespace that ifindex is of */
	__u32 pad;
};
SEN_ASSERT_SIZE(struct sen_meta, 72);

#define SEN_EVENT_VERSION 3

/* A sample on its way to the agent. */
struct sen_event {
	__u16 version; /* SEN_EVENT_VERSION */
	__u8 kind;     /* enum sen_sample_kind */
	__u8 verdict;
	__u8 reason;
	__u8 class_id;
	__u8 flow_flags;
	__u8 pad;
	__u64 time_ns; /* clock of the packet */
	struct sen_flow_key key;
	__u32 model_version;
	__u32 score; /* Q16 */
	__u32 packets;
	__u32 evaluations;
	__u64 bytes;
	struct sen_vector vector;
};
SEN_ASSERT_SIZE(struct sen_event, 136);

/* Between user space and the program while a capture is replayed. */
struct sen_replay_state {
	__u64 now_ns;   /* in: the capture's own clock */
	__u32 wire_len; /* in: original length of a frame that the capture cut */
	__u32 outcome;  /* out: enum sen_outcome */
	__u32 flow;     /* out: index of the entry, ~0: none */
	__u32 opened;   /* out: the packet began a flow */
	__u32 side;     /* out: of the key, that sent it */
	__u32 pad;
};
SEN_ASSERT_SIZE(struct sen_replay_state, 32);

/* What the program made of a replayed frame. */
struct sen_replay_result {
	struct sen_flow_key key; /* of a parsed frame */
	__u32 parsed;            /* 1: it has a flow, whether or not that has an entry */
	__u32 score;             /* in force after it, Q16 */
	__u32 side;              /* of the key, that sent it */
	__u8 opened;             /* 1: it began a flow */
	__u8 evaluated;          /* 1: it was a decision point */
	__u8 inherited;          /* 1: score and class are the standing verdict of its target */
	__u8 flow_flags;
	__u8 class_id;
	__u8 reason;
	__u8 dropped; /* 1: policy would have held it back */
	__u8 pad[5];
};
SEN_ASSERT_SIZE(struct sen_replay_result, 64);

/* Frames go through the program in batches: a system call each would cost more than all the rest. While
 * one batch is run, others are filled and read. */
#define SEN_REPLAY_BATCH 256
#define SEN_REPLAY_BANKS 4
/* The parser reads headers only, and takes lengths from the capture: what a frame holds behind these
 * bytes cannot change what is said of it. */
#define SEN_REPLAY_BYTES 2304

struct sen_replay_slot {
	__u64 now_ns;
	__u32 wire_len;
	__u32 size; /* bytes in data */
	__u8 pad[48];
	struct sen_replay_result result;
	__u8 data[SEN_REPLAY_BYTES];
};
SEN_ASSERT_SIZE(struct sen_replay_slot, 128 + SEN_REPLAY_BYTES);

#endif
