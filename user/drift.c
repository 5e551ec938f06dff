// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "divergence.h"
#include "drift.h"
#include "drift_pool.h"
#include "model_internal.h"

#define SLICES            6    /* of a window */
#define LEAST_EVALUATIONS 1000 /* in a window: fewer say little whatever the statistics */
#define REFERENCE_WINDOWS 2    /* whole ones at least: shorter bursts must not stand for all */
#define RECENT_WINDOWS    10   /* after so many, what is recent counts half */
#define QUIET_MEMORY      20   /* windows that say how much windows differ in quiet times */
#define SCORE_WIDTH       0.5

struct sen_drift {
	double width;
	bool known;  /* there is a reference */
	bool wanted; /* there is none, but the next window that is large enough will do */
	int64_t mark_ms;
	struct sen_drift_counts mark; /* where the present slice began */
	struct sen_drift_pool window;
	struct sen_drift_pool recent; /* since the reference was adopted, or traffic left it */
	struct sen_drift_pool reference;
	struct sen_drift_pool coarse; /* what is recent, with whole windows for slices */
	double quiet[SEN_DRIFT_DIMS]; /* design effect between windows, in quiet times ... */
	double quiet_windows[SEN_DRIFT_DIMS]; /* ... over so many */
	double pending[SEN_DRIFT_DIMS]; /* sum over the windows away: they count if traffic returns */
	unsigned int away[SEN_DRIFT_DIMS];
};

int sen_drift_new(double feature_width, struct sen_drift **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->width = feature_width;
	return 0;
}

void sen_drift_free(struct sen_drift *d)
{
	free(d);
}

const char *sen_drift_name(unsigned int dim)
{
	return dim == SEN_DRIFT_SCORE ? "score" : sen_feature_name(dim);
}

void sen_drift_counts_of(const struct sen_feature_hist *features,
			 const struct sen_score_hist *scores, struct sen_drift_counts *out)
{
	_Static_assert(SEN_FEATURE_BINS <= SEN_DRIFT_BINS && SEN_SCORE_BINS == SEN_DRIFT_BINS,
		       "histograms fit");
	memset(out, 0, sizeof(*out));
	for (int f = 0; f < SEN_DIMS; f++)
		memcpy(out->bin[f], features->bin[f], sizeof(features->bin[f]));
	memcpy(out->bin[SEN_DRIFT_SCORE], scores->bin[SEN_SLOT_ACTIVE],
	       sizeof(out->bin[SEN_DRIFT_SCORE]));
}

static unsigned int half_octave(uint32_t lg)
{
	unsigned int bin = lg / (SEN_LG_OCTAVE / 2);

	return bin < SEN_DRIFT_BINS ? bin : SEN_DRIFT_BINS - 1;
}

void sen_drift_count(struct sen_drift_counts *counts, const struct sen_vector *x, uint32_t score)
{
	for (int f = 0; f < SEN_DIMS; f++)
		counts->bin[f][half_octave(x->v[f])]++;
	counts->bin[SEN_DRIFT_SCORE][half_octave(sen_lg(score))]++;
}

/* Every evaluation falls into one bin of each feature: any of them counts all. */
static bool enough(const struct sen_drift_pool *p)
{
	return p->n[0] >= LEAST_EVALUATIONS;
}

/* ---- comparison ---- */

static void shares(const struct sen_drift_pool *p, unsigned int dim, double *counts, double *cdf)
{
	for (int b = 0; b < SEN_DRIFT_BINS; b++) {
		counts[b] = p->sum[dim][b] - (b ? p->sum[dim][b - 1] : 0);
		cdf[b] = p->sum[dim][b] / p->n[dim];
	}
}

/* What the squared difference of window and reference would make the design effect. */
static double difference(const struct sen_drift *d, unsigned int dim)
{
	const struct sen_drift_pool *w = &d->window, *r = &d->reference;
	double expected = (sen_pool_binomial(w, dim) + sen_pool_binomial(r, dim)) / 2, sum = 0;
	double n = w->n[dim] * r->n[dim] / (w->n[dim] + r->n[dim]);

	for (int b = 0; b < SEN_DRIFT_BINS; b++)
		sum += pow(w->sum[dim][b] / w->n[dim] - r->sum[dim][b] / r->n[dim], 2);
	return expected > 0 ? n * sum / expected : 0;
}

static void compare(const struct sen_drift *d, unsigned int dim, struct sen_drift_move *out)
{
	double a[SEN_DRIFT_BINS], b[SEN_DRIFT_BINS], fa[SEN_DRIFT_BINS], fb[SEN_DRIFT_BINS];
	double effect = fmax(sen_pool_design_effect(&d->reference, dim),
			     sen_pool_design_effect(&d->window, dim));

	effect = fmax(effect, d->quiet[dim]);
	shares(&d->reference, dim, a, fa);
	shares(&d->window, dim, b, fb);
	out->psi = sen_psi(a, b, SEN_DRIFT_BINS);
	out->ks = sen_ks(fa, fb, SEN_DRIFT_BINS);
	out->p = sen_ks_p(out->ks, fmax(d->reference.n[dim] / effect, 1),
			  fmax(d->window.n[dim] / effect, 1));
	out->shift = sen_wasserstein(fa, fb, SEN_DRIFT_BINS,
				     dim == SEN_DRIFT_SCORE ? SCORE_WIDTH : d->width);
}

static void compare_all(const struct sen_drift *d, const struct sen_drift_settings *settings,
			struct sen_drift_report *out)
{
	double p[SEN_DRIFT_DIMS];
	bool unlikely[SEN_DRIFT_DIMS];

	memset(out, 0, sizeof(*out));
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++) {
		struct sen_drift_move *m = &out->dim[dim];

		m->p = NAN;
		if (d->reference.n[dim] > 0 && d->window.n[dim] > 0)
			compare(d, dim, m);
		p[dim] = m->p;
	}
	sen_false_discovery(p, SEN_DRIFT_DIMS, settings->significance, unlikely);
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++) {
		struct sen_drift_move *m = &out->dim[dim], *most = &out->dim[out->most];

		m->moved = unlikely[dim] && m->psi >= settings->psi && m->shift >= settings->shift;
		if (m->moved > most->moved || (m->moved == most->moved && m->psi > most->psi))
			out->most = dim;
	}
}

/* ---- windows ---- */

static void clear_recent(struct sen_drift *d)
{
	memset(&d->recent, 0, sizeof(d->recent));
	memset(&d->coarse, 0, sizeof(d->coarse));
}

static void forget_away(struct sen_drift *d)
{
	memset(d->away, 0, sizeof(d->away));
	memset(d->pending, 0, sizeof(d->pending));
}

/* What the windows of the training time say of how much windows differ. */
static void begin_quiet(struct sen_drift *d)
{
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++) {
		if (d->coarse.slices[dim] < d->quiet_windows[dim])
			continue;
		d->quiet_windows[dim] = d->coarse.slices[dim];
		d->quiet[dim] = d->coarse.n[dim] > 0 ? sen_pool_design_effect(&d->coarse, dim) : 0;
	}
}

static void begin_slice(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms)
{
	d->mark = *total;
	d->mark_ms = now_ms;
}

static void begin_window(struct sen_drift *d)
{
	memset(&d->window, 0, sizeof(d->window));
}

void sen_drift_mark(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms)
{
	d->known = d->wanted = false;
	clear_recent(d);
	forget_away(d);
	memset(d->quiet, 0, sizeof(d->quiet));
	memset(d->quiet_windows, 0, sizeof(d->quiet_windows));
	begin_window(d);
	begin_slice(d, total, now_ms);
}

static void end_slice(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms)
{
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++)
		sen_pool_add(&d->window, dim, total->bin[dim], d->mark.bin[dim]);
	d->window.span_ms += now_ms - d->mark_ms;
	begin_slice(d, total, now_ms);
}

/* What is recent becomes the reference, if there is enough of it. */
static void take_reference(struct sen_drift *d)
{
	d->known = enough(&d->recent) && d->coarse.slices[0] >= REFERENCE_WINDOWS;
	if (!d->known)
		return;
	d->reference = d->recent;
	begin_quiet(d);
	d->wanted = false;
	clear_recent(d);
}

void sen_drift_adopt(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms)
{
	end_slice(d, total, now_ms);
	sen_pool_merge(&d->recent, &d->window);
	begin_window(d);
	forget_away(d);
	d->wanted = true;
	take_reference(d);
}

void sen_drift_want(struct sen_drift *d)
{
	d->wanted = !d->known;
}

void sen_drift_rebase(struct sen_drift *d, const struct sen_drift_counts *total, int64_t now_ms)
{
	begin_slice(d, total, now_ms);
}

void sen_drift_rescore(struct sen_drift *d, const struct sen_drift_counts *total)
{
	sen_pool_clear_dim(&d->reference, SEN_DRIFT_SCORE);
	sen_pool_clear_dim(&d->recent, SEN_DRIFT_SCORE);
	sen_pool_clear_dim(&d->coarse, SEN_DRIFT_SCORE);
	sen_pool_clear_dim(&d->window, SEN_DRIFT_SCORE);
	memcpy(d->mark.bin[SEN_DRIFT_SCORE], total->bin[SEN_DRIFT_SCORE],
	       sizeof(d->mark.bin[SEN_DRIFT_SCORE]));
	d->away[SEN_DRIFT_SCORE] = 0;
	d->quiet[SEN_DRIFT_SCORE] = 0;
}

bool sen_drift_due(const struct sen_drift *d, const struct sen_drift_settings *settings,
		   int64_t now_ms)
{
	return now_ms - d->mark_ms >= settings->window_ms / SLICES;
}

static void learn_quiet(struct sen_drift *d, unsigned int dim, double sum, double windows)
{
	double n = fmin(d->quiet_windows[dim] + windows, QUIET_MEMORY);

	d->quiet[dim] += (sum - windows * d->quiet[dim]) / n;
	d->quiet_windows[dim] = n;
}

/* A dimension that went away and came back has shown how it varies; one that stays away has not. */
static void count_dim(struct sen_drift *d, unsigned int dim, struct sen_drift_move *m)
{
	double ratio = isnan(m->p) ? 0 : difference(d, dim);

	if (m->moved) {
		d->away[dim]++;
		d->pending[dim] += ratio;
	} else {
		if (!isnan(m->p))
			learn_quiet(d, dim, ratio + d->pending[dim], 1 + d->away[dim]);
		d->away[dim] = 0;
		d->pending[dim] = 0;
	}
	m->windows = d->away[dim];
}

/* True if some dimension has been away for long enough. */
static bool count_away(struct sen_drift *d, const struct sen_drift_settings *settings,
		       struct sen_drift_report *report)
{
	bool any = false, drift = false;

	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++) {
		count_dim(d, dim, &report->dim[dim]);
		any |= report->dim[dim].moved;
		drift |= d->away[dim] >= settings->windows;
		if (d->away[dim] == 1)
			clear_recent(d);
	}
	if (d->recent.span_ms >= RECENT_WINDOWS * settings->window_ms && !any) {
		sen_pool_halve(&d->recent);
		sen_pool_halve(&d->coarse);
	}
	if (drift)
		forget_away(d);
	return drift;
}

static void keep_window(struct sen_drift *d)
{
	sen_pool_add_whole(&d->coarse, &d->window);
	sen_pool_merge(&d->recent, &d->window);
	begin_window(d);
}

static bool end_window(struct sen_drift *d, const struct sen_drift_settings *settings,
		       struct sen_drift_report *report)
{
	bool drift = false;

	if (!d->known) {
		keep_window(d);
		if (d->wanted)
			take_reference(d);
		return false;
	}
	compare_all(d, settings, report);
	drift = count_away(d, settings, report);
	if (!d->reference.n[SEN_DRIFT_SCORE])
		sen_pool_merge_dim(&d->reference, &d->window, SEN_DRIFT_SCORE);
	keep_window(d);
	return drift;
}

bool sen_drift_feed(struct sen_drift *d, const struct sen_drift_settings *settings,
		    const struct sen_drift_counts *total, bool explained, int64_t now_ms,
		    struct sen_drift_report *report)
{
	if (!sen_drift_due(d, settings, now_ms))
		return false;
	if (explained)
		begin_slice(d, total, now_ms);
	else
		end_slice(d, total, now_ms);
	/* A quiet link: the window goes on. */
	if (d->window.span_ms < settings->window_ms || !enough(&d->window))
		return false;
	return end_window(d, settings, report);
}
