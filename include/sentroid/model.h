/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model as the packet path reads it: flat, fixed-size, integers only, never changed once it is
 * in a map. user/model.h holds the same model as training and files see it.
 */
#ifndef SENTROID_MODEL_H
#define SENTROID_MODEL_H

#include "sentroid/limits.h"
#include "sentroid/names.h"
#include "sentroid/types.h"

#define SEN_CLASS_NAME_MAX 24
#define SEN_DIGEST_BYTES   32

/* A quantized vector: value d in lane d % 4 of word d / 4, 16 bits a lane. */
struct sen_lanes {
	__u64 w[SEN_WORDS];
};
SEN_ASSERT_SIZE(struct sen_lanes, 32);

/* q = clamp((raw * scale + bias) >> 16, 0, SEN_QMAX). */
struct sen_quantizer {
	__s32 scale; /* Q16, > 0 */
	__s32 bias;  /* Q16 */
};
SEN_ASSERT_SIZE(struct sen_quantizer, 8);

struct sen_centroid {
	struct sen_lanes lanes; /* lanes of each word in reversed order, see sen_dot() */
	__s64 base; /* |c|^2 << 8 | own index: one subtraction gives a sortable distance */
};
SEN_ASSERT_SIZE(struct sen_centroid, 40);

struct sen_member {
	struct sen_lanes mask;                   /* 0xffff in the lanes that the member looks at */
	__u32 count;                             /* centroids in use, 1..SEN_CENTROIDS_MAX */
	__u32 weight;                            /* Q16; all weights together make SEN_ONE */
	__u32 inverse_radius[SEN_CENTROIDS_MAX]; /* 2^24 / radius^2, radius in quantizer steps */
	__u8 class_of[SEN_CENTROIDS_MAX];        /* enum sen_class or a custom id */
	struct sen_centroid centroid[SEN_CENTROIDS_MAX];
};
SEN_ASSERT_SIZE(struct sen_member, 2920);

/*
 * Members that score come first; those behind them, of weight 0, hold labelled centroids and only name
 * what was flagged. score = threshold_inverse * weighted mean of d^2 / r^2, in Q16: SEN_ONE is the threshold.
 */
struct sen_model_flat {
	__u32 magic;                   /* SEN_ABI_MAGIC */
	__u32 features;                /* SEN_FEATURES_VERSION */
	__u32 version;                 /* 1.. in the registry of one interface */
	__u32 parent;                  /* version it was trained from, 0: none */
	__u8 digest[SEN_DIGEST_BYTES]; /* SHA-256 of the model file's canonical body */
	__u64 created_s;               /* Unix time, seconds */
	__u32 members;                 /* 1..SEN_MEMBERS_MAX, of both kinds */
	__u32 scoring;                 /* 1..members: how many of them score */
	__u32 threshold_inverse;       /* Q16 */
	__u32 learned; /* 1: by the agent of the interface that it is in force on; no part of the digest */
	struct sen_quantizer quantizer[SEN_DIMS];
	char class_name[SEN_CLASS_MAX - SEN_CLASS_CUSTOM][SEN_CLASS_NAME_MAX];
	struct sen_member member[SEN_MEMBERS_MAX];
};
SEN_ASSERT_SIZE(struct sen_model_flat, 24328);

#endif
