/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples for the agent. Limited by rate before anything is reserved: reserving takes the ring's lock
 * even when it is full, and under a flood every CPU would queue there.
 */
#ifndef SENTROID_SAMPLE_BPF_H
#define SENTROID_SAMPLE_BPF_H

#include "maps.bpf.h"

/* Take a token; a bucket holds one second of its rate. */
static __always_inline bool sample_allowed(struct sen_sampler *s, enum sen_sample_kind kind,
					   __u32 rate, __u32 now)
{
	__u64 full = (__u64)rate * SEN_TICKS_PER_SEC;
	__u64 tokens = s->tokens[kind] + (__u64)(now - s->refilled[kind]) * rate;

	tokens = tokens > full ? full : tokens;
	s->refilled[kind] = now;
	s->tokens[kind] = tokens;
	if (tokens < SEN_TICKS_PER_SEC)
		return false;
	s->tokens[kind] = tokens - SEN_TICKS_PER_SEC;
	return true;
}

static __always_inline bool sample_wanted(struct sen_sampler *s, const struct sen_policy *policy,
					  __u32 score, enum sen_sample_kind *kind)
{
	if (score >= SEN_ONE) {
		*kind = SEN_SAMPLE_FLAGGED;
		return true;
	}
	if (score >= policy->near) {
		*kind = SEN_SAMPLE_NEAR;
		return true;
	}
	*kind = SEN_SAMPLE_RANDOM;
	if (!policy->sample_every || ++s->skipped < policy->sample_every)
		return false;
	s->skipped = 0;
	return true;
}

static __always_inline void event_fill(struct sen_event *e, const struct sen_flow *f,
				       const struct sen_packet *p, const struct sen_scratch *s)
{
	e->version = SEN_EVENT_VERSION;
	e->pad = 0;
	e->time_ns = p->now_ns;
	e->key = f->key;
	e->reason = f->reason;
	e->class_id = f->class_id;
	e->flow_flags = f->flags;
	e->model_version = s->version;
	e->score = s->result.score;
	e->packets = f->packets[0] + f->packets[1];
	e->evaluations = f->evaluations;
	e->bytes = f->bytes;
	e->vector = s->vector;
}

/* The agent is woken for flagged samples, and at most once in a while: it looks by itself ten times a
 * second anyway. */
static __always_inline __u64 wakeup_flag(struct sen_sampler *s, const struct sen_policy *policy,
					 enum sen_sample_kind kind, __u32 now)
{
	if (kind != SEN_SAMPLE_FLAGGED || now - s->last_wakeup < policy->wakeup_ticks)
		return BPF_RB_NO_WAKEUP;
	s->last_wakeup = now;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void sample(const struct sen_flow *f, const struct sen_packet *p,
				   const struct sen_scratch *s, const struct sen_policy *policy,
				   __u8 verdict, struct sen_stats *st)
{
	struct sen_sampler *sampler_cpu;
	struct sen_event *e;
	enum sen_sample_kind kind;
	__u32 zero = 0;

	sampler_cpu = bpf_map_lookup_elem(&sampler, &zero);
	if (!sampler_cpu || !sample_wanted(sampler_cpu, policy, s->result.score, &kind))
		return;
	if (!sample_allowed(sampler_cpu, kind, policy->rate[kind], p->now)) {
		st->events_lost_rate++;
		return;
	}
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		st->events_lost_full++;
		return;
	}
	event_fill(e, f, p, s);
	e->kind = kind;
	e->verdict = verdict;
	bpf_ringbuf_submit(e, wakeup_flag(sampler_cpu, policy, kind, p->now));
	st->events_sent++;
}

#endif
