/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allow list: hosts that may do what they like, such as a scanner of one's own. What they begin is counted as a
 * flow and nothing more: it is not judged, teaches nothing, and does not weigh on the hosts that it goes to, whose
 * other flows would look odd beside it.
 */
#ifndef SENTROID_ALLOW_BPF_H
#define SENTROID_ALLOW_BPF_H

#include "flow.bpf.h"
#include "score.bpf.h"

/* ARP is begun by a MAC, which no prefix can name. */
static __always_inline bool allowed(const __u8 *initiator, __u8 proto)
{
	const __u32 *word = (const __u32 *)initiator;
	struct sen_allow4_key four = { .bits = 32 };
	struct sen_allow6_key six = { .bits = 128 };

	if (proto == SEN_PROTO_ARP)
		return false;
	if (!word[0] && !word[1] && word[2] == bpf_htonl(0xffff)) {
		__builtin_memcpy(four.addr, word + 3, sizeof(four.addr));
		return bpf_map_lookup_elem(&allow4, &four);
	}
	__builtin_memcpy(six.addr, word, sizeof(six.addr));
	return bpf_map_lookup_elem(&allow6, &six);
}

static __always_inline bool flow_allowed(const struct sen_flow *f)
{
	return allowed(f->key.addr[!!(f->flags & SEN_FLOW_INITIATOR_1)], f->key.proto);
}

/* What it has done is nobody's: taken off the list, its flow begins to count from there. */
static __always_inline void flow_exempt(struct sen_flow *f)
{
	f->credited = f->packets[0] + f->packets[1];
	f->credited_back = f->packets[!(f->flags & SEN_FLOW_INITIATOR_1)];
	f->generation = model_generation();
	f->score = 0;
	f->class_id = SEN_CLASS_NONE;
	f->reason = SEN_REASON_ALLOWED;
	f->flags &= ~(SEN_FLOW_FLAGGED | SEN_FLOW_DROP);
}

#endif
