/* SPDX-License-Identifier: GPL-2.0-only */
/* A decision point: context, features, score, shadow, verdict, sample. */
#ifndef SENTROID_EVALUATE_BPF_H
#define SENTROID_EVALUATE_BPF_H

#include "allow.bpf.h"
#include "sample.bpf.h"
#include "standing.bpf.h"

/* Score by the shadow model too, and count where the two disagree. Never enforced. */
static __always_inline void shadow_compare(struct sen_scratch *s, struct sen_stats *st)
{
	struct sen_score active = s->result;
	struct sen_lanes lanes = s->lanes;
	bool flagged = active.score >= SEN_ONE, shadow;

	if (score_shadow() < 0)
		return;
	shadow = s->result.score >= SEN_ONE;
	st->shadow_evaluations++;
	st->shadow_only_active += flagged && !shadow;
	st->shadow_only_shadow += shadow && !flagged;
	score_count(SEN_SLOT_SHADOW, s->result.score);
	s->result = active;
	s->lanes = lanes;
}

/* Whether anything is dropped by the word of a model. */
static __always_inline bool enforced(const struct sen_policy *policy, bool learned)
{
	return policy->mode == SEN_MODE_ENFORCE ||
	       (policy->mode == SEN_MODE_ENFORCE_LEARNED && learned);
}

/* What policy makes of a class. */
static __always_inline __u8 verdict_of(const struct sen_policy *policy, __u8 class_id, bool learned)
{
	__u8 action;

	if (policy->mode == SEN_MODE_OBSERVE)
		return SEN_VERDICT_PASS;
	if (!enforced(policy, learned))
		return SEN_VERDICT_ALERT;
	action = policy->action[class_id & (SEN_CLASS_MAX - 1)];
	return action == SEN_VERDICT_DROP ? SEN_VERDICT_DROP : SEN_VERDICT_ALERT;
}

/* Keep the result with the flow; between decision points it answers for its packets. */
static __always_inline __u8 flow_judge(struct sen_flow *f, const struct sen_scratch *s,
				       const struct sen_policy *policy)
{
	bool flagged = s->result.score >= SEN_ONE;
	__u8 verdict = flagged ? verdict_of(policy, s->result.class_id, s->learned) :
				 SEN_VERDICT_PASS;
	__u8 flags = f->flags & ~(SEN_FLOW_FLAGGED | SEN_FLOW_DROP);

	f->evaluations++;
	f->generation = s->version;
	f->version = s->version;
	f->score = s->result.score;
	if (f->score > f->score_max)
		f->score_max = f->score;
	f->class_id = s->result.class_id;
	f->reason = flagged ? SEN_REASON_DISTANCE : SEN_REASON_NORMAL;
	flags |= flagged ? SEN_FLOW_FLAGGED : 0;
	flags |= verdict == SEN_VERDICT_DROP ? SEN_FLOW_DROP : 0;
	f->flags = flags;
	return verdict;
}

/* Without a model nothing is judged, but vectors are still sampled: the first model is trained on
 * them. */
static __always_inline void flow_unjudged(struct sen_flow *f, struct sen_scratch *s)
{
	f->evaluations++;
	f->generation = 0;
	f->reason = SEN_REASON_NO_MODEL;
	f->flags &= ~(SEN_FLOW_FLAGGED | SEN_FLOW_DROP);
	__builtin_memset(&s->result, 0, sizeof(s->result));
	s->version = 0;
}

/* Evaluate a flow; the verdict, or negative where something that must be there is not. */
__noinline int evaluate(struct sen_flow *f, __u32 change)
{
	struct sen_scratch *s = scratch_of_cpu();
	const struct sen_packet *p;
	const struct sen_policy *knobs;
	struct sen_stats *st;
	__u8 verdict = SEN_VERDICT_PASS;
	__u32 zero = 0;
	int known;

	knobs = bpf_map_lookup_elem(&policy, &zero);
	st = bpf_map_lookup_elem(&stats, &zero);
	if (!f || !s || !knobs || !st)
		return -1;
	p = &s->packet;
	if (sen_stages <= SEN_STAGE_CONTEXT)
		return verdict;
	if (flow_allowed(f)) {
		flow_exempt(f);
		st->allowed++;
		return verdict;
	}
	if (context_update(s, p, f, change) < 0)
		return -1;
	if (sen_stages <= SEN_STAGE_FEATURES)
		return verdict;
	features_of_flow(&s->vector, f);
	feature_count(&s->vector);

	if (sen_stages <= SEN_STAGE_SCORE)
		return verdict;
	known = score_active();
	if (known < 0) {
		st->no_model++;
		flow_unjudged(f, s);
	} else {
		st->evaluations++;
		st->memo_hits += known;
		st->flagged += s->result.score >= SEN_ONE;
		score_count(SEN_SLOT_ACTIVE, s->result.score);
		shadow_compare(s, st);
		verdict = flow_judge(f, s, knobs);
		if (change & SEN_FLOW_OPENED && s->result.score >= SEN_ONE)
			standing_set(s, p);
	}
	if (sen_stages > SEN_STAGE_SAMPLE)
		sample(f, p, s, knobs, verdict, st);
	return verdict;
}

#endif
