/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples, models and folders that several tests start from. */
#ifndef SENTROID_TEST_FIXTURE_H
#define SENTROID_TEST_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model.h"
#include "sample.h"
#include "sentroid/score.h"
#include "train.h"

#define FIXTURE_CLUSTERS 6

/* n benign samples around fixed centres, shifted by some raw units, of twenty sources. */
struct sen_sample *fixture_benign(size_t n, uint64_t seed, int shift);
/* Turn a sample into an attack far from every centre. */
void fixture_attack(struct sen_sample *s, uint64_t seed, unsigned int class_id);
/* The raw centre of a cluster. */
unsigned int fixture_centre(unsigned int cluster, unsigned int dim);

/* A small valid model with two members that score, one that names, and a class of its own. */
struct sen_model *fixture_model(void);

/* Default training with 12 centroids: twice as many as clusters. */
struct sen_train_params fixture_params(void);
/* A model that must come out. */
struct sen_model *fixture_train(const struct sen_sample *s, size_t n,
				const struct sen_train_params *p);
/* As the packet path scores it. */
struct sen_score fixture_score(const struct sen_model *m, const struct sen_sample *s);
/* Share of samples at or above the threshold. */
double fixture_flagged(const struct sen_model *m, const struct sen_sample *s, size_t n);
/* Distance in steps from a cluster's shifted centre to the nearest centroid of member e. */
double fixture_miss(const struct sen_model *m, unsigned int e, unsigned int cluster, int shift);

/* A fresh folder; fixture_remove() takes it away with the files in it. */
char *fixture_folder(void);
void fixture_remove(char *folder);
/* folder/name, to free(). */
char *fixture_path(const char *folder, const char *name);

#endif
