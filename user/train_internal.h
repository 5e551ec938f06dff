/* SPDX-License-Identifier: BSD-2-Clause */
/* The stages of training: choose samples (train_set.c), measure a fit (calibrate.c). */
#ifndef SENTROID_TRAIN_INTERNAL_H
#define SENTROID_TRAIN_INTERNAL_H

#include "kmeans.h"
#include "train.h"

/* Samples by index into the array that training was given. */
struct sen_indices {
	uint32_t *at;
	size_t n;
};

/* Least radii in steps. A cluster of identical vectors is still no point; attacks vary more than the
 * few samples seen of them. */
#define SEN_RADIUS_FLOOR_BENIGN 2.0
#define SEN_RADIUS_FLOOR_ATTACK 6.0

/* Every parameter in range; -EINVAL with a message. */
int sen_train_check(const struct sen_train_params *p, struct sen_why *why);
/* The line of a failure that has none yet; returns err. */
int sen_train_fail(struct sen_why *why, int err);
/* Benign samples within their quotas, enough of them for so many centroids. */
int sen_train_choose(const struct sen_sample *samples, size_t n, const struct sen_train_params *p,
		     unsigned int centroids, struct sen_indices *fit, struct sen_why *why);
/* What the trainer knows of the record; command, inputs and time are the caller's to fill in. */
void sen_train_record(struct sen_model *model, const struct sen_train_params *p, size_t samples);

/* Samples with a label (and of a class, for attacks; any for class SEN_CLASS_NONE), in their order. */
int sen_select(const struct sen_sample *samples, size_t n, enum sen_label label,
	       unsigned int class_id, struct sen_indices *out);
/* Thin out sources until none has more than its quota, but keep at least `least` samples. */
int sen_apply_quota(const struct sen_sample *samples, struct sen_indices *set, double quota,
		    size_t least);
/* Split off a share in blocks that follow one another in time: neighbours are near-duplicates, and
 * drawn one by one they would put the same vectors on both sides. */
int sen_hold_back(struct sen_indices *set, double share, uint64_t seed, struct sen_indices *held);

/* `weights` as in the parameters of a training. */
void sen_fit_quantizer(const struct sen_sample *samples, const struct sen_indices *set,
		       const float *weights, struct sen_quantizer quantizer[SEN_DIMS]);
/* Quantized as the packet path does it, then as floats: n rows to free(), NULL when out of memory. */
float *sen_quantized_rows(const struct sen_sample *samples, const struct sen_indices *set,
			  const struct sen_quantizer quantizer[SEN_DIMS]);

/* Rows as a member sees them: features outside its mask are zero. */
void sen_mask_rows(const bool *mask, const float *rows, size_t n, float *out);

/* The 95th percentile of the distances to each centroid, 0 where fewer than `least` rows have it as
 * their nearest. Mean squared distance into *inertia. */
int sen_measure_radii(const struct sen_kmeans *c, const float *rows, size_t n, size_t least,
		      float radius[SEN_CENTROIDS_MAX], double *inertia);
/* None under half of the median, nor much over it, nor under the floor. */
void sen_bound_radii(float *radius, unsigned int count, double floor);

/* Fit the scoring members of a model from n quantized rows: k-means, radii, weights. 0, -ENOMEM,
 * -ECANCELED. */
int sen_fit_members(struct sen_model *model, const float *rows, size_t n,
		    const struct sen_train_params *p);

/* Score samples by the integers that the packet path computes, Q16; of a model with threshold 1 these are
 * in units of squared radii. */
int sen_score_samples(const struct sen_model *model, const struct sen_sample *samples,
		      const struct sen_indices *set, float *scores, struct sen_why *why);
/* The same for every benign sample by a model of threshold 1 that was fitted without the sample's host:
 * what the next new host will score. */
int sen_cross_scores(const struct sen_sample *samples, const struct sen_indices *set,
		     const struct sen_train_params *p, float *scores, struct sen_why *why);

/* From such scores the threshold that leaves at most the target share of the flows at or above it, times
 * the margin. */
int sen_find_threshold(const struct sen_sample *samples, const struct sen_indices *set,
		       const float *scores, const struct sen_train_params *params,
		       double *threshold, struct sen_why *why);
/*
 * Few hosts in a short time say little of the next one, and a threshold that is safe for any newcomer may
 * pass every attack there is. Where it would pass most of p->attacks, it comes down to half of them, if what
 * the model was fitted to stays well below.
 */
int sen_heed_attacks(struct sen_model *model, const struct sen_sample *samples,
		     const struct sen_indices *fit, const struct sen_train_params *p,
		     struct sen_why *why);
/* Share of the flows that have a sample with a score of `limit` (1.0: Q16 one) or more. */
int sen_flagged_share(const struct sen_sample *samples, const struct sen_indices *set,
		      const float *scores, double limit, double *share, struct sen_why *why);

#endif
