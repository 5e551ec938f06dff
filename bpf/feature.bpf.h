/* SPDX-License-Identifier: GPL-2.0-only */
/* From a flow and its hosts to the feature vector of sentroid/feature.h. */
#ifndef SENTROID_FEATURE_BPF_H
#define SENTROID_FEATURE_BPF_H

#include "maps.bpf.h"

static __always_inline __u32 lg_flag(bool flag)
{
	return SEN_LG_YES & sen_if_negative(-(__s64)flag);
}

/* Quotient of two counters in the logarithm, at least 0. */
static __always_inline __u32 lg_ratio(__u32 a, __u32 b)
{
	__s64 d = (__s64)sen_lg_events(a) - sen_lg_events(b);

	return d & ~sen_if_negative(d);
}

static __always_inline void features_of_source(struct sen_vector *x, const struct sen_source *s)
{
	x->v[SEN_FEATURE_SRC_UNANSWERED_64] = sen_lg_events(s->unanswered_slow);
	x->v[SEN_FEATURE_SRC_EMPTY_8] = sen_lg_events(s->empty_mid);
	x->v[SEN_FEATURE_SRC_REFUSED_1] = sen_lg_events(s->refused_fast);
	x->v[SEN_FEATURE_SRC_NEW_PAIRS_64] = sen_lg_events(s->new_pairs_slow);
	x->v[SEN_FEATURE_SRC_ICMP_8] = sen_lg_events(s->icmp_mid);
	x->v[SEN_FEATURE_SRC_ERRORS_8] = sen_lg_events(s->errors_mid);
	x->v[SEN_FEATURE_SRC_PACKETS_PER_FLOW] = lg_ratio(s->packets_mid, s->flows_mid);
	x->v[SEN_FEATURE_SRC_UNSOLICITED_8] = sen_lg_events(s->unsolicited_mid);
	x->v[SEN_FEATURE_SRC_PORTS_8] = sen_lg_distinct(s->ports_mid[0] | s->ports_mid[1]);
	x->v[SEN_FEATURE_SRC_HOSTS_64] = sen_lg_distinct(s->hosts_slow[0] | s->hosts_slow[1]);
	x->v[SEN_FEATURE_SRC_UNSOLICITED_64] = sen_lg_events(s->unsolicited_slow);
}

static __always_inline void features_of_target(struct sen_vector *x, const struct sen_target *t)
{
	x->v[SEN_FEATURE_DST_FLOWS_1] = sen_lg_events(t->flows_fast);
	x->v[SEN_FEATURE_DST_NEW_PAIRS_1] = sen_lg_events(t->new_pairs_fast);
	x->v[SEN_FEATURE_DST_HALF_OPEN_64] = lg_ratio(t->half_open_slow, t->completed_slow);
	x->v[SEN_FEATURE_DST_ANSWERS_8] = sen_lg_events(t->answers_mid);
	x->v[SEN_FEATURE_DST_PACKETS_64] = sen_lg_events(t->packets_slow);
	x->v[SEN_FEATURE_DST_SOURCES_8] = sen_lg_distinct(t->sources_mid[0] | t->sources_mid[1]);
	x->v[SEN_FEATURE_DST_EMPTY_8] = sen_lg_events(t->empty_mid);
}

static __always_inline void features_of_pair(struct sen_vector *x, const struct sen_pair *q)
{
	x->v[SEN_FEATURE_PAIR_PACKETS_8] = sen_lg_events(q->packets_mid);
	x->v[SEN_FEATURE_PAIR_EMPTY_8] = sen_lg_events(q->empty_mid);
	x->v[SEN_FEATURE_PAIR_FLOWS_8] = sen_lg_events(q->flows_mid);
	x->v[SEN_FEATURE_PAIR_FLOWS_64] = sen_lg_events(q->flows_slow);
	x->v[SEN_FEATURE_PAIR_EMPTY_64] = sen_lg_events(q->empty_slow);
}

static __always_inline void features_of_flow(struct sen_vector *x, const struct sen_flow *f)
{
	x->v[SEN_FEATURE_FLOW_IS_TCP] = lg_flag(f->key.proto == IPPROTO_TCP);
	x->v[SEN_FEATURE_FLOW_IS_UDP] = lg_flag(f->key.proto == IPPROTO_UDP);
	x->v[SEN_FEATURE_FLOW_PACKETS] = sen_lg(f->packets[0] + f->packets[1]);
	x->v[SEN_FEATURE_FLOW_FIRST_PAYLOAD] = sen_lg(f->first_payload);
	x->v[SEN_FEATURE_FLOW_MIN_LEN] = sen_lg(f->min_len);
}

/* Count a vector in the histograms that drift is measured on. */
static __always_inline void feature_count(const struct sen_vector *x)
{
	struct sen_feature_hist *hist;
	__u32 zero = 0;

	hist = bpf_map_lookup_elem(&feat_hist, &zero);
	if (!hist)
		return;
#pragma unroll
	for (int d = 0; d < SEN_DIMS; d++)
		hist->bin[d][(x->v[d] / SEN_LG_OCTAVE) & (SEN_FEATURE_BINS - 1)]++;
}

#endif
