// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sentroid/score.h"
#include "train_internal.h"

#define LOW_SHARE   0.01 /* of the benign values of a feature lie below what maps to CENTRE - REACH */
#define HIGH_SHARE  0.99 /* and below what maps to CENTRE + REACH */
#define CENTRE      64
#define REACH       24                  /* times the weight of the feature */
#define LEAST_SPAN  (4 * SEN_LG_OCTAVE) /* constant features must not blow up */
#define HOLD_BLOCKS 50

int sen_select(const struct sen_sample *samples, size_t n, enum sen_label label,
	       unsigned int class_id, struct sen_indices *out)
{
	out->n = 0;
	out->at = malloc((n ? n : 1) * sizeof(*out->at));
	if (!out->at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (samples[i].label == label &&
		    (class_id == SEN_CLASS_NONE || samples[i].class_id == class_id))
			out->at[out->n++] = i;
	return 0;
}

struct owned {
	uint64_t source;
	uint32_t index; /* position in the set */
};

static int by_source(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Number of entries from `from` on that belong to one source. */
static size_t run_length(const struct owned *o, size_t n, size_t from)
{
	size_t i = from + 1;

	while (i < n && o[i].source == o[from].source)
		i++;
	return i - from;
}

/* How many samples are left if each source keeps at most `cap`. */
static size_t capped_total(const struct owned *o, size_t n, size_t cap)
{
	size_t total = 0, run;

	for (size_t i = 0; i < n; i += run) {
		run = run_length(o, n, i);
		total += run < cap ? run : cap;
	}
	return total;
}

/*
 * The largest cap that keeps every source within its quota of what is left (total(cap) is concave,
 * so the caps that do are an interval from 0), or the smallest that leaves enough samples.
 */
static size_t find_cap(const struct owned *o, size_t n, double quota, size_t least)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t cap = low + (high - low + 1) / 2;
		size_t total = capped_total(o, n, cap);

		if (cap <= quota * total || total < least)
			low = cap;
		else
			high = cap - 1;
	}
	while (low < n && capped_total(o, n, low) < least)
		low++;
	return low;
}

/* Keep `cap` of each source, evenly spread over its samples. */
static void thin_out(const struct owned *o, size_t n, size_t cap, bool *keep)
{
	size_t run;

	for (size_t i = 0; i < n; i += run) {
		run = run_length(o, n, i);
		for (size_t j = 0; j < run; j++)
			keep[o[i + j].index] = run <= cap || (j + 1) * cap / run > j * cap / run;
	}
}

int sen_apply_quota(const struct sen_sample *samples, struct sen_indices *set, double quota,
		    size_t least)
{
	struct owned *o = malloc((set->n ? set->n : 1) * sizeof(*o));
	bool *keep = calloc(set->n ? set->n : 1, sizeof(*keep));
	size_t n = set->n, kept = 0;
	int err = 0;

	if (!o || !keep) {
		err = -ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		o[i] = (struct owned){ .source = samples[set->at[i]].source, .index = i };
	qsort(o, n, sizeof(*o), by_source);
	if (!n || run_length(o, n, 0) == n)
		goto out; /* a single source has nobody to drown out */

	thin_out(o, n, find_cap(o, n, quota, least < n ? least : n), keep);
	for (size_t i = 0; i < n; i++)
		if (keep[i])
			set->at[kept++] = set->at[i];
	set->n = kept;
out:
	free(keep);
	free(o);
	return err;
}

int sen_hold_back(struct sen_indices *set, double share, uint64_t seed, struct sen_indices *held)
{
	size_t blocks = set->n < HOLD_BLOCKS ? set->n : HOLD_BLOCKS, kept = 0;
	size_t phase = seed % HOLD_BLOCKS;

	held->n = 0;
	held->at = malloc((set->n ? set->n : 1) * sizeof(*held->at));
	if (!held->at)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++) {
		size_t block = i * blocks / set->n + phase;

		if (floor((block + 1) * share) > floor(block * share))
			held->at[held->n++] = set->at[i];
		else
			set->at[kept++] = set->at[i];
	}
	set->n = kept;
	return 0;
}

static unsigned int raw_value(const struct sen_sample *s, int d)
{
	return s->vector.v[d] < SEN_LG_MAX ? s->vector.v[d] : SEN_LG_MAX;
}

static unsigned int percentile(const size_t *bins, size_t n, double share)
{
	size_t below = 0;
	unsigned int v = 0;

	for (; v < SEN_LG_MAX; v++) {
		below += bins[v];
		if (below > share * n)
			break;
	}
	return v;
}

/* Of distances in a feature, found by search over three splits of captures (docs/detection.md). */
const float sen_feature_weights[SEN_DIMS] = {
	[SEN_FEATURE_SRC_UNANSWERED_64] = 1,
	[SEN_FEATURE_SRC_EMPTY_8] = 1.4,
	[SEN_FEATURE_SRC_REFUSED_1] = 1,
	[SEN_FEATURE_SRC_NEW_PAIRS_64] = 1,
	[SEN_FEATURE_SRC_ICMP_8] = 1.4,
	[SEN_FEATURE_SRC_ERRORS_8] = 0.7,
	[SEN_FEATURE_SRC_PACKETS_PER_FLOW] = 0.7,
	[SEN_FEATURE_SRC_UNSOLICITED_8] = 2,
	[SEN_FEATURE_DST_FLOWS_1] = 1,
	[SEN_FEATURE_DST_NEW_PAIRS_1] = 1,
	[SEN_FEATURE_DST_HALF_OPEN_64] = 1,
	[SEN_FEATURE_DST_ANSWERS_8] = 1.4,
	[SEN_FEATURE_PAIR_PACKETS_8] = 0.7,
	[SEN_FEATURE_PAIR_EMPTY_8] = 1,
	[SEN_FEATURE_FLOW_IS_TCP] = 1,
	[SEN_FEATURE_FLOW_IS_UDP] = 1,
};

void sen_fit_quantizer(const struct sen_sample *samples, const struct sen_indices *set,
		       const float *weights, struct sen_quantizer quantizer[SEN_DIMS])
{
	for (int d = 0; d < SEN_DIMS; d++) {
		double reach = REACH * (weights ? weights[d] : 1);
		size_t bins[SEN_LG_MAX + 1] = { 0 };
		double low, high, span, scale;

		for (size_t i = 0; i < set->n; i++)
			bins[raw_value(&samples[set->at[i]], d)]++;
		low = percentile(bins, set->n, LOW_SHARE);
		high = percentile(bins, set->n, HIGH_SHARE);
		span = high - low < LEAST_SPAN ? LEAST_SPAN : high - low;
		scale = lrint(2.0 * reach * SEN_ONE / span);
		quantizer[d].scale = scale;
		/* Half a step more, as the packet path rounds down. */
		quantizer[d].bias = lrint((CENTRE + 0.5) * SEN_ONE - (low + high) / 2 * scale);
	}
}

float *sen_quantized_rows(const struct sen_sample *samples, const struct sen_indices *set,
			  const struct sen_quantizer quantizer[SEN_DIMS])
{
	float *rows = malloc((set->n ? set->n : 1) * SEN_DIMS * sizeof(*rows));
	struct sen_lanes q;

	if (!rows)
		return NULL;
	for (size_t i = 0; i < set->n; i++) {
		sen_quantize(quantizer, &samples[set->at[i]].vector, &q);
		for (int d = 0; d < SEN_DIMS; d++)
			rows[i * SEN_DIMS + d] = q.w[d / SEN_LANES] >> 16 * (d % SEN_LANES) &
						 0xffff;
	}
	return rows;
}

void sen_mask_rows(const bool *mask, const float *rows, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		for (int d = 0; d < SEN_DIMS; d++)
			out[i * SEN_DIMS + d] = mask[d] ? rows[i * SEN_DIMS + d] : 0;
}
