/* SPDX-License-Identifier: GPL-2.0-only */
/* What the stages expect around them, and the structures that only they see. */
#ifndef SENTROID_PLATFORM_BPF_H
#define SENTROID_PLATFORM_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "sentroid/abi.h"
#include "sentroid/score.h"

#define IPPROTO_ICMPV6 58 /* RFC 4443; the kernel has it as a macro only */

/* Set by the loader before the program is verified; what they exclude is not even loaded. A native build
 * has them as variables. */
#ifndef SEN_SETTING
#define SEN_SETTING const volatile
#endif
SEN_SETTING __u64 sen_seed[6] = { 1, 2, 3, 4, 5, 6 }; /* keys of the table hashes */
SEN_SETTING __u32 sen_flow_sets = 1;                  /* sets of each table, a power of two */
SEN_SETTING __u32 sen_source_sets = 1;
SEN_SETTING __u32 sen_target_sets = 1;
SEN_SETTING __u32 sen_pair_sets = 1;
/* MAC of the interface, in the low 48 bits: what it sends does not come by. 0: all questions do. */
SEN_SETTING __u64 sen_own_mac;
/* The interface takes VLAN tags off what comes in before a program sees it. */
SEN_SETTING bool sen_tags_stripped;
/* Nanoseconds of a tick of the kernel's counter, and CLOCK_MONOTONIC when it stood at 0. 0: not known. */
SEN_SETTING __u64 sen_jiffy_ns;
SEN_SETTING __u64 sen_jiffy_zero_ns;
SEN_SETTING bool sen_replay; /* clock and lengths come from a capture */
/* Stages that run, in the order of the path; fewer than all only to measure what each costs. */
SEN_SETTING __u32 sen_stages = SEN_STAGE_COUNT;
SEN_SETTING bool sen_frags; /* packets may be longer than their linear part */

enum sen_outcome {
	SEN_PARSED,
	SEN_NOT_IP,
	SEN_NOT_TRANSPORT,
	SEN_TRUNCATED,
	SEN_ENCAPSULATED, /* inside parse() only: the cursor stands on an inner network header */
};

enum sen_arp_kind {
	SEN_ARP_NONE,
	SEN_ARP_QUESTION,
	SEN_ARP_CLAIM,       /* an answer, or a gratuitous question for the sender's own address */
	SEN_ARP_CLAIM_TO_US, /* to a host whose questions we do not see: our own */
};

union sen_addr {
	__u8 b[SEN_ADDR_BYTES];
	__u32 w[4];
	__u64 d[2];
};

/* A packet before its endpoints are put in order: as sent. */
struct sen_endpoints {
	union sen_addr from, to;
	__u16 sport, dport;
};

/* What parsing leaves of a packet. */
struct sen_packet {
	struct sen_flow_key key;
	__u64 now_ns;
	__u32 now;       /* tick */
	__u32 wire_len;  /* bytes, layer 2 included */
	__u16 payload;   /* bytes behind the transport header */
	__u8 side;       /* of the key, that sent it */
	__u8 tcp_flags;  /* 13th byte of the TCP header */
	__u8 fragment;   /* 1: part of a fragmented packet */
	__u8 arp;        /* enum sen_arp_kind */
	__u8 icmp_error; /* 1: quotes a packet that could not be delivered */
	__u8 unjoined;   /* 1: a later fragment whose first one was not seen */
	__u16 l3_len;    /* bytes from the network header on, Ethernet padding excluded */
	__u8 mac[6];     /* ARP: sender */
};

/* What happened to a flow by this packet. */
enum sen_flow_change {
	SEN_FLOW_OPENED = 1 << 0,
	SEN_FLOW_FIRST_ANSWER = 1 << 1,
	SEN_FLOW_FIRST_PAYLOAD = 1 << 2,
	SEN_FLOW_CLOSING = 1 << 3,
	SEN_FLOW_FIRST_ERROR = 1 << 4,
};

/* The ports of a fragmented packet. */
struct sen_fragment {
	__u64 fingerprint; /* keyed hash of addresses, protocol and id */
	__u32 tick;        /* when its first fragment came */
	__u16 sport, dport;
};
SEN_ASSERT_SIZE(struct sen_fragment, 16);

/* A score remembered for an identical vector under the same model. */
struct sen_memo {
	struct sen_lanes lanes;
	__u32 mark; /* of the model */
	__u32 score;
	__u8 class_id;
	__u8 pad[23];
};
SEN_ASSERT_SIZE(struct sen_memo, 64);

/* Token buckets of the sample kinds; SEN_TICKS_PER_SEC units a token. */
struct sen_sampler {
	__u32 tokens[SEN_SAMPLE_KINDS];
	__u32 refilled[SEN_SAMPLE_KINDS]; /* tick */
	__u32 last_wakeup;                /* tick */
	__u32 skipped;                    /* evaluations since the last random sample */
};

/* What a decision point adds to the hosts of a flow. Amounts are in SEN_EVENT_UNIT, 0 where the thing
 * did not happen: added or taken back without a branch. */
struct contribution {
	struct sen_pair_key key;
	__u32 now;
	__u32 packets;     /* not yet credited */
	__u32 answers;     /* of these the responder's */
	__u32 opened;      /* the flow is new */
	__u32 answered;    /* its first answer came */
	__u32 filled;      /* its first payload came */
	__u32 errors;      /* its first ICMP error came */
	__u32 refused;     /* the responder reset it */
	__u32 icmp;        /* it is new, and ICMP */
	__u32 half_open;   /* it is new, and TCP */
	__u32 completed;   /* it is TCP, and its first answer came */
	__u32 new_pair;    /* it is new, and so is its pair */
	__u32 unsolicited; /* ARP: what counts against its sender */
	__u8 arp;          /* enum sen_arp_kind */
	__u8 mac[6];       /* ARP: sender */
	__u8 pad;
};

/* Too large for a stack of 512 bytes shared by all frames. The entries stand in for hosts that found
 * no room in their table. */
struct sen_scratch {
	struct sen_packet packet; /* the one on its way through the stages */
	struct sen_flow_key
		carrier; /* of an ICMP error, while `packet` has the key of what it quotes */
	__u32 carrier_side;
	struct sen_endpoints endpoints; /* of ARP `from` only: the sender's IP */
	__u32 offset;                   /* of a cursor that was put aside */
	__u32 inner_proto;              /* EtherType that it stands on */
	struct contribution contribution;
	struct sen_vector vector;
	struct sen_lanes lanes;
	struct sen_score result;
	__u32 version;      /* of the model that gave the result */
	__u32 learned;      /* whether it was learned here */
	__u32 forget;       /* see forget() */
	__u32 target_entry; /* index of the target's entry, ~0: none */
	__u32 target_flows; /* its new flows, SEN_EVENT_UNIT each */
	struct sen_source source;
	struct sen_target target;
	struct sen_pair pair;
};

/* A value as the verifier sees it that has been through memory: unknown. Loops whose variables it
 * would else tell apart in every round then look alike to it from the second round on. */
static __always_inline __u32 forget(__u32 *memory, __u32 value)
{
	*(volatile __u32 *)memory = value;
	return *(volatile __u32 *)memory;
}

/* Take an amount from a counter, as far as decay or another CPU has left it. */
static __always_inline __u32 sub_floor(__u32 counter, __u32 amount)
{
	__s64 left = (__s64)counter - amount;

	return left & ~sen_if_negative(left);
}

#endif
