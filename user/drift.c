// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drift.h"

/* With fewer, chance alone moves the index: by about bins / evaluations. */
#define LEAST_EVALUATIONS 1000

struct sen_drift {
	bool known;         /* there is a reference */
	unsigned int moved; /* windows in a row that left it */
	int64_t mark_ms;
	struct sen_feature_hist mark;
	struct sen_feature_hist reference;
};

int sen_drift_new(struct sen_drift **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void sen_drift_free(struct sen_drift *d)
{
	free(d);
}

static void subtract(struct sen_feature_hist *out, const struct sen_feature_hist *total,
		     const struct sen_feature_hist *before)
{
	for (int f = 0; f < SEN_DIMS; f++)
		for (int b = 0; b < SEN_FEATURE_BINS; b++)
			out->bin[f][b] = total->bin[f][b] - before->bin[f][b];
}

/* Every evaluation falls into one bin of each feature: any of them counts all. */
static uint64_t evaluations(const struct sen_feature_hist *h)
{
	uint64_t n = 0;

	for (int b = 0; b < SEN_FEATURE_BINS; b++)
		n += h->bin[0][b];
	return n;
}

double sen_psi(const __u64 *a, const __u64 *b, unsigned int bins)
{
	double na = 0.5 * bins, nb = na, psi = 0;

	for (unsigned int i = 0; i < bins; i++) {
		na += (double)a[i];
		nb += (double)b[i];
	}
	/* Half a count in every bin: empty ones must not make it infinite. */
	for (unsigned int i = 0; i < bins; i++) {
		double p = ((double)a[i] + 0.5) / na, q = ((double)b[i] + 0.5) / nb;

		psi += (p - q) * log(p / q);
	}
	return psi;
}

void sen_drift_mark(struct sen_drift *d, const struct sen_feature_hist *total, int64_t now_ms)
{
	d->mark = *total;
	d->mark_ms = now_ms;
	d->moved = 0;
}

void sen_drift_adopt(struct sen_drift *d, const struct sen_feature_hist *total, int64_t now_ms)
{
	subtract(&d->reference, total, &d->mark);
	d->known = evaluations(&d->reference) >= LEAST_EVALUATIONS;
	sen_drift_mark(d, total, now_ms);
}

static struct sen_drift_report most_moved(const struct sen_feature_hist *reference,
					  const struct sen_feature_hist *window)
{
	struct sen_drift_report most = { .psi = -1 };

	for (int f = 0; f < SEN_DIMS; f++) {
		double psi = sen_psi(reference->bin[f], window->bin[f], SEN_FEATURE_BINS);

		if (psi > most.psi)
			most = (struct sen_drift_report){ .feature = f, .psi = psi };
	}
	return most;
}

bool sen_drift_due(const struct sen_drift *d, const struct sen_drift_settings *settings,
		   int64_t now_ms)
{
	return now_ms - d->mark_ms >= settings->window_ms;
}

bool sen_drift_feed(struct sen_drift *d, const struct sen_drift_settings *settings,
		    const struct sen_feature_hist *total, bool explained, int64_t now_ms,
		    struct sen_drift_report *report)
{
	struct sen_feature_hist window;
	struct sen_drift_report most;
	unsigned int moved = d->moved;

	if (!sen_drift_due(d, settings, now_ms))
		return false;
	subtract(&window, total, &d->mark);
	if (!explained && evaluations(&window) < LEAST_EVALUATIONS)
		return false; /* a quiet link: the window goes on */
	if (explained || !d->known) {
		if (!explained) {
			d->reference = window;
			d->known = true;
		}
		sen_drift_mark(d, total, now_ms);
		return false;
	}
	most = most_moved(&d->reference, &window);
	if (report)
		*report = most;
	sen_drift_mark(d, total, now_ms);
	d->moved = most.psi >= settings->psi ? moved + 1 : 0;
	return d->moved >= settings->windows;
}
