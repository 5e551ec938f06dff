// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "ranking.h"

struct item {
	double score;
	bool positive;
};

struct sen_ranking {
	struct item *items; /* once ranked, the highest score first */
	size_t n, room, positives;
	bool ranked;
};

/* Items of one score, and all above it. */
struct step {
	double score;
	size_t positives, negatives; /* of this score */
	size_t true_positives, false_positives;
};

struct sen_ranking *sen_ranking_new(void)
{
	return calloc(1, sizeof(struct sen_ranking));
}

void sen_ranking_free(struct sen_ranking *r)
{
	if (!r)
		return;
	free(r->items);
	free(r);
}

int sen_ranking_add(struct sen_ranking *r, double score, bool positive)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 4096;
		struct item *grown = reallocarray(r->items, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		r->items = grown;
		r->room = room;
	}
	r->items[r->n++] = (struct item){ score, positive };
	r->positives += positive;
	r->ranked = false;
	return 0;
}

size_t sen_ranking_positives(const struct sen_ranking *r)
{
	return r->positives;
}

size_t sen_ranking_negatives(const struct sen_ranking *r)
{
	return r->n - r->positives;
}

static int highest_first(const void *a, const void *b)
{
	double x = ((const struct item *)a)->score, y = ((const struct item *)b)->score;

	return x < y ? 1 : -(x > y);
}

static void rank(struct sen_ranking *r)
{
	if (!r->ranked && r->n)
		qsort(r->items, r->n, sizeof(*r->items), highest_first);
	r->ranked = true;
}

/* The next distinct score down from item *at; false at the end. */
static bool next_step(const struct sen_ranking *r, size_t *at, struct step *s)
{
	if (*at >= r->n)
		return false;
	s->score = r->items[*at].score;
	s->positives = s->negatives = 0;
	for (; *at < r->n && r->items[*at].score == s->score; ++*at) {
		s->positives += r->items[*at].positive;
		s->negatives += !r->items[*at].positive;
	}
	s->true_positives += s->positives;
	s->false_positives += s->negatives;
	return true;
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

double sen_ranking_auc(struct sen_ranking *r)
{
	struct step s = { 0 };
	double area = 0;
	size_t at = 0;

	rank(r);
	/* Trapezoids: positives above a negative count whole, those level with it half. */
	while (next_step(r, &at, &s))
		area += s.negatives * (s.true_positives - s.positives / 2.0);
	return share(area, (double)r->positives * sen_ranking_negatives(r));
}

double sen_ranking_average_precision(struct sen_ranking *r)
{
	struct step s = { 0 };
	double sum = 0;
	size_t at = 0;

	rank(r);
	while (next_step(r, &at, &s))
		sum += s.positives * ((double)s.true_positives / at);
	return share(sum, r->positives);
}

double sen_ranking_cut(struct sen_ranking *r, double fpr)
{
	size_t negatives = sen_ranking_negatives(r), seen = 0;
	size_t allowed = floor(fpr * negatives + 1e-9); /* 0.01 * 100 is a little under 1 */

	if (!negatives)
		return NAN;
	rank(r);
	for (size_t i = 0; i < r->n; i++)
		if (!r->items[i].positive && seen++ == allowed)
			return r->items[i].score;
	return -INFINITY;
}

double sen_ranking_recall_at(struct sen_ranking *r, double fpr)
{
	double cut = sen_ranking_cut(r, fpr);
	size_t found = 0;

	if (isnan(cut))
		return NAN;
	for (size_t i = 0; i < r->n && r->items[i].score > cut; i++)
		found += r->items[i].positive;
	return share(found, r->positives);
}

void sen_ranking_confusion(const struct sen_ranking *r, double threshold, struct sen_confusion *out)
{
	size_t flagged = 0, found = 0, negatives = sen_ranking_negatives(r);

	for (size_t i = 0; i < r->n; i++)
		if (r->items[i].score >= threshold) {
			flagged++;
			found += r->items[i].positive;
		}
	*out = (struct sen_confusion){
		.true_positives = found,
		.false_positives = flagged - found,
		.false_negatives = r->positives - found,
		.true_negatives = negatives - (flagged - found),
	};
	out->fpr = share(out->false_positives, negatives);
	out->tpr = share(found, r->positives);
	out->precision = share(found, flagged);
	out->f1 = share(2.0 * found, flagged + r->positives);
	out->balanced_accuracy = (out->tpr + 1 - out->fpr) / 2;
}

/* Which of `cells` cells a number of false positives falls into, in steps of equal ratio. */
static size_t cell_of(size_t false_positives, size_t negatives, size_t cells)
{
	return log1p(false_positives) / log1p(negatives) * (cells - 1);
}

/* Each cell keeps its last point, so that both ends of the curve are there. */
size_t sen_ranking_curve(struct sen_ranking *r, struct sen_curve_point *out, size_t max)
{
	size_t negatives = sen_ranking_negatives(r), n = 0, at = 0, cell, last = 0;
	struct step s = { 0 };

	if (!negatives || !r->positives || max < 2)
		return 0;
	rank(r);
	while (next_step(r, &at, &s)) {
		cell = cell_of(s.false_positives, negatives, max);
		if (!n || cell != last)
			n++;
		last = cell;
		out[n - 1] = (struct sen_curve_point){
			.score = s.score,
			.fpr = (double)s.false_positives / negatives,
			.tpr = (double)s.true_positives / r->positives,
			.precision = (double)s.true_positives / at,
		};
	}
	return n;
}
