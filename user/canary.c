// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "canary.h"

#define LEAST_ATTACKS 20  /* fewer missed or found prove nothing */
#define LEAST_EXTRA   20  /* samples that only it flags: fewer explained excuse nothing */
#define MISSED        0.2 /* share of known attacks that a candidate may miss */
#define BIN_OCTAVES   0.5
#define THRESHOLD_BIN (SEN_SCORE_BINS / 2) /* scores from here on are flagged */

void sen_canary_begin(struct sen_canary *c, const struct sen_stats *stats,
		      const struct sen_score_hist *scores, int64_t now_ms)
{
	*c = (struct sen_canary){ .begun_ms = now_ms, .before = *stats, .scores_before = *scores };
}

void sen_canary_sample(struct sen_canary *c, bool active_flags, bool candidate_flags, bool named,
		       bool explained)
{
	if (candidate_flags && !active_flags) {
		c->extra_samples++;
		c->extra_explained += explained;
	}
	if (named && active_flags) {
		c->attacks++;
		c->missed += !candidate_flags;
	}
}

double sen_score_shift(const __u64 *a, const __u64 *b)
{
	double na = 0, nb = 0, sa = 0, sb = 0;

	for (int i = 0; i < SEN_SCORE_BINS; i++) {
		na += (double)a[i];
		nb += (double)b[i];
		sa += (double)a[i] * i;
		sb += (double)b[i] * i;
	}
	return na > 0 && nb > 0 ? (sb / nb - sa / na) * BIN_OCTAVES : 0;
}

static double flagged_share(const __u64 *bin)
{
	double n = 0, flagged = 0;

	for (int i = 0; i < SEN_SCORE_BINS; i++) {
		n += (double)bin[i];
		flagged += i >= THRESHOLD_BIN ? (double)bin[i] : 0;
	}
	return n > 0 ? flagged / n : 0;
}

static void measure(struct sen_canary *c, const struct sen_stats *stats,
		    const struct sen_score_hist *scores)
{
	uint64_t only_active = stats->shadow_only_active - c->before.shadow_only_active;
	uint64_t only_shadow = stats->shadow_only_shadow - c->before.shadow_only_shadow;
	struct sen_score_hist since;
	double n;

	c->evaluations = stats->shadow_evaluations - c->before.shadow_evaluations;
	n = c->evaluations ? (double)c->evaluations : 1;
	for (int slot = 0; slot < SEN_SLOT_COUNT; slot++)
		for (int i = 0; i < SEN_SCORE_BINS; i++)
			since.bin[slot][i] = scores->bin[slot][i] - c->scores_before.bin[slot][i];
	c->agreement = 1 - (double)(only_active + only_shadow) / n;
	c->extra = (double)only_shadow / n;
	c->alert_rate = flagged_share(since.bin[SEN_SLOT_SHADOW]);
	c->active_rate = flagged_share(since.bin[SEN_SLOT_ACTIVE]);
	c->shift = sen_score_shift(since.bin[SEN_SLOT_ACTIVE], since.bin[SEN_SLOT_SHADOW]);
}

__attribute__((format(printf, 2, 3))) static enum sen_canary_state fail(struct sen_canary *c,
									const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->reason, sizeof(c->reason), fmt, args);
	va_end(args);
	return SEN_CANARY_FAILED;
}

static enum sen_canary_state judge(struct sen_canary *c, const struct sen_canary_settings *s)
{
	/* An attack that began meanwhile is found by the better model, not the worse. */
	bool excused = c->extra_samples >= LEAST_EXTRA && 2 * c->extra_explained > c->extra_samples;

	if (c->attacks >= LEAST_ATTACKS && (double)c->missed > MISSED * (double)c->attacks)
		return fail(c, "live: misses %llu of %llu attacks that rules name",
			    (unsigned long long)c->missed, (unsigned long long)c->attacks);
	if (c->extra > s->max_extra && !excused)
		return fail(c,
			    "live: flags %.2f%% of evaluations that the model in force passes, "
			    "allowed are %.2f%%",
			    100 * c->extra, 100 * s->max_extra);
	/* One in force that flags too much is what a candidate is there to replace. */
	if (c->agreement < s->min_agreement && c->active_rate <= s->max_extra && !excused)
		return fail(c, "live: agrees on %.2f%% of evaluations, required are %.2f%%",
			    100 * c->agreement, 100 * s->min_agreement);
	if (fabs(c->shift) > s->max_shift && c->active_rate <= s->max_extra && !excused)
		return fail(c,
			    "live: its scores lie %.1f octaves %s those of the model in force, "
			    "allowed are %.1f",
			    fabs(c->shift), c->shift < 0 ? "below" : "above", s->max_shift);
	return SEN_CANARY_PASSED;
}

enum sen_canary_state sen_canary_check(struct sen_canary *c,
				       const struct sen_canary_settings *settings,
				       const struct sen_stats *stats,
				       const struct sen_score_hist *scores, int64_t now_ms)
{
	measure(c, stats, scores);
	if (c->evaluations < settings->evaluations || now_ms - c->begun_ms < settings->duration_ms)
		return SEN_CANARY_ON;
	return judge(c, settings);
}

void sen_canary_facts(const struct sen_canary *c, struct sen_facts *out)
{
	sen_facts_set(out, "canary_evaluations", (double)c->evaluations);
	sen_facts_set(out, "canary_agreement", c->agreement);
	sen_facts_set(out, "canary_extra", c->extra);
	sen_facts_set(out, "canary_alert_rate", c->alert_rate);
	sen_facts_set(out, "canary_active_rate", c->active_rate);
	sen_facts_set(out, "canary_score_shift", c->shift);
}
