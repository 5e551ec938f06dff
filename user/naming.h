/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flagged evaluation is taken for. Rules that are certain (rules.h) raise alerts by themselves; what
 * only names needs less: the model has said already that something is wrong.
 */
#ifndef SENTROID_NAMING_H
#define SENTROID_NAMING_H

#include "sentroid/abi.h"

/* Why an evaluation is called what it is; what comes later weighs more. */
enum sen_ground {
	SEN_GROUND_NONE,    /* nothing is wrong, or nothing is known */
	SEN_GROUND_NEAREST, /* the nearest labelled centroid of a class that has this protocol */
	SEN_GROUND_SIGNS,   /* thresholds below those of the rules */
	SEN_GROUND_OWN,     /* the nearest labelled centroid is of a class of the operator's own */
	SEN_GROUND_RULE     /* what sen_rules_classify() is certain of */
};

struct sen_name {
	/* SEN_CLASS_UNKNOWN where it is flagged and nothing is known, SEN_CLASS_NONE where nothing is wrong. */
	unsigned int class_id;
	enum sen_ground ground;
	const char *sign; /* in words, of SEN_GROUND_SIGNS; else NULL */
};

/* Name an evaluation of which sen_rules_classify() says `rule`. */
struct sen_name sen_name_of(const struct sen_event *ev, unsigned int rule);

#endif
