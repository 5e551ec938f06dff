/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From samples to a model: quantizer from robust percentiles, an ensemble of mini-batch K-means
 * (Sculley 2010, k-means++ start by Arthur and Vassilvitskii 2007), radii from quantiles of member
 * distances, threshold by cross-validation over hosts (crossval.c). Pure functions: no clock, no I/O,
 * the same input and seed give the same model.
 */
#ifndef SENTROID_TRAIN_H
#define SENTROID_TRAIN_H

#include <stdatomic.h>
#include <stddef.h>

#include "model.h"
#include "sample.h"

struct sen_train_params {
	unsigned int members;   /* ensemble size, 1..SEN_MEMBERS_MAX - 1 */
	unsigned int centroids; /* of each member, 2..SEN_CENTROIDS_MAX */
	/* Full: share of the features that a member sees, drawn by the seed, at least 4 of them; 1: all. */
	double subspace;
	uint64_t seed;
	double target_fpr;       /* share of benign flows that may reach the threshold */
	double threshold_margin; /* the threshold is that quantile times this, >= 1 */
	double holdout; /* incremental: share of the samples kept from fitting for the threshold */
	unsigned int batch; /* samples of a mini-batch */
	unsigned int epochs;
	double source_quota; /* largest share of a batch that one source may fill, 0..1 */
	double max_shift;    /* incremental: largest movement of a centroid, in its radii ... */
	double max_drift; /* ... and largest distance of all movements from `reference`, in its radii */
	double trim;      /* incremental: share of a batch, the farthest, that moves nothing */
	/* Incremental: the model that bounds the drift of its descendants: centroids by max_drift, radii
	 * and threshold to a quarter more. NULL: unbounded. */
	const struct sen_model *reference;
	/* Full: how much a difference in each feature counts, 0..2 of SEN_DIMS; NULL: all alike, as for
	 * vectors that are not the packet path's. */
	const float *weights;
	const atomic_bool *cancel; /* polled between batches; NULL: not cancellable */
	/* Full: model whose custom class names are taken over, so that attack samples of those
	 * classes can be named; NULL: none, and such samples are left out. */
	const struct sen_model *class_names;
	/* Full: attacks of which half are to be flagged, if normal traffic times the margin stays below; they
	 * are neither fitted nor named. NULL: none. */
	const struct sen_sample *attacks;
	size_t attacks_n;
};

/* Of the packet path's features. */
extern const float sen_feature_weights[SEN_DIMS];

/* 3 members x 32 centroids, 0.1 % false positives, margin 2, a fifth held back, ... */
extern const struct sen_train_params sen_train_defaults;

/* Fit a model from benign samples; attack-labelled ones become labelled centroids (a member of
 * weight 0) by class. Samples with no label are ignored.
 * -ENODATA: too few benign samples (fewer than 4 a centroid), -ECANCELED, -ENOMEM. */
int sen_train_full(const struct sen_sample *samples, size_t n,
		   const struct sen_train_params *params, struct sen_model **out,
		   struct sen_why *why);

/* Move the centroids of a model by fresh benign samples, at learning rate 1 / mass; quantizer kept,
 * radii and threshold re-estimated within bounds. `parent` is not changed. Errors as above. */
int sen_train_incremental(const struct sen_model *parent, const struct sen_sample *samples,
			  size_t n, const struct sen_train_params *params, struct sen_model **out,
			  struct sen_why *why);

#endif
