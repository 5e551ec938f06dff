/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How well scores rank what is malicious above what is benign: the figures of an evaluation, by their
 * textbook definitions, exact in the presence of ties. A figure that its input leaves undefined (no
 * positives, no negatives) is NAN, never a lucky 0 or 1.
 */
#ifndef SENTROID_RANKING_H
#define SENTROID_RANKING_H

#include <stdbool.h>
#include <stddef.h>

struct sen_ranking; /* scored items; ranked when first asked a question */

/* What a threshold makes of the items: flagged where score >= threshold. */
struct sen_confusion {
	size_t true_positives, false_positives, true_negatives, false_negatives;
	double fpr, tpr, precision, f1, balanced_accuracy;
};

/* A point of the ROC and of the precision-recall curve: what the best-scored items up to one score give. */
struct sen_curve_point {
	double score; /* flagged where score >= this */
	double fpr, tpr, precision;
};

/* NULL when out of memory. */
struct sen_ranking *sen_ranking_new(void);
void sen_ranking_free(struct sen_ranking *r);
/* Add an item of a finite score. -ENOMEM. */
int sen_ranking_add(struct sen_ranking *r, double score, bool positive);
size_t sen_ranking_positives(const struct sen_ranking *r);
size_t sen_ranking_negatives(const struct sen_ranking *r);

/* Area under the ROC curve: the chance that a positive scores above a negative, ties counting half
 * (Mann-Whitney; Fawcett, "An introduction to ROC analysis", 2006). */
double sen_ranking_auc(struct sen_ranking *r);
/* Sum over the distinct scores of the gain in recall times the precision there; no interpolation
 * (Davis and Goadrich 2006). */
double sen_ranking_average_precision(struct sen_ranking *r);
/* The score that an item must exceed so that at most the share `fpr` of negatives does. The lowest score
 * there is where all may; NAN without negatives. */
double sen_ranking_cut(struct sen_ranking *r, double fpr);
/* Share of positives above that cut: recall at a false-positive rate that is not exceeded. */
double sen_ranking_recall_at(struct sen_ranking *r, double fpr);
void sen_ranking_confusion(const struct sen_ranking *r, double threshold,
			   struct sen_confusion *out);
/* Up to `max` >= 2 points of the curve, from the highest score down, thinned evenly in the logarithm of
 * the false positives. Returns how many, 0 where either kind is missing. */
size_t sen_ranking_curve(struct sen_ranking *r, struct sen_curve_point *out, size_t max);

#endif
