// SPDX-License-Identifier: BSD-2-Clause
/*
 * The threshold by cross-validation over sources (Stone 1974; whole groups are left out, as samples of
 * one host resemble each other): every sample is scored by a model that was fitted without its host.
 * Samples held back at random only show how well the hosts seen are remembered; a threshold set on those
 * flags most of what the next new host does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "sentroid/score.h"
#include "train_internal.h"

#define FOLDS 10
#define FIT_MOST \
	20000 /* samples that a fold's model is fitted from: more do not move a threshold */
#define HOST_SHARE  0.1 /* a host with more is the network itself, and no newcomer to it */
#define HOST_BLOCKS 25  /* such a one is left out by stretches of time */

struct unit {
	uint64_t source;
	uint32_t position; /* in the set */
};

static int by_source(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

static unsigned int smallest(const size_t *load)
{
	unsigned int least = 0;

	for (unsigned int k = 1; k < FOLDS; k++)
		if (load[k] < load[least])
			least = k;
	return least;
}

/* A host goes into one fold whole, the emptiest; one that makes up much of the traffic goes into all. */
static void deal(const struct unit *u, size_t n, uint8_t *fold)
{
	size_t load[FOLDS] = { 0 }, run;

	for (size_t i = 0; i < n; i += run) {
		unsigned int k = smallest(load);

		for (run = 1; i + run < n && u[i + run].source == u[i].source;)
			run++;
		for (size_t j = 0; j < run; j++) {
			if (run > HOST_SHARE * n)
				k = j * HOST_BLOCKS / run % FOLDS;
			fold[u[i + j].position] = k;
			load[k]++;
		}
	}
}

static int assign_folds(const struct sen_sample *samples, const struct sen_indices *set,
			uint8_t *fold)
{
	struct unit *u = malloc((set->n ? set->n : 1) * sizeof(*u));

	if (!u)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++)
		u[i] = (struct unit){ samples[set->at[i]].source, i };
	qsort(u, set->n, sizeof(*u), by_source);
	deal(u, set->n, fold);
	free(u);
	return 0;
}

/* Those of the set that are in the fold, or those that are not. */
static size_t part(const struct sen_indices *set, const uint8_t *fold, unsigned int k, bool in,
		   struct sen_indices *out)
{
	out->n = 0;
	for (size_t i = 0; i < set->n; i++)
		if ((fold[i] == k) == in)
			out->at[out->n++] = set->at[i];
	return out->n;
}

/* Evenly spread ones of them, where there are too many. */
static void thin_out(struct sen_indices *set, size_t most)
{
	if (set->n <= most)
		return;
	for (size_t i = 0; i < most; i++)
		set->at[i] = set->at[i * set->n / most];
	set->n = most;
}

/* Fit without fold k, score fold k. */
static int run_fold(const struct sen_sample *samples, const struct sen_indices *set,
		    const uint8_t *fold, unsigned int k, const struct sen_train_params *p,
		    struct sen_indices *some, float *scores, struct sen_why *why)
{
	struct sen_model *model = calloc(1, sizeof(*model));
	float *rows = NULL, *own = NULL;
	size_t n, next = 0;
	int err = -ENOMEM;

	n = part(set, fold, k, false, some);
	thin_out(some, FIT_MOST);
	if (!model)
		goto out;
	sen_fit_quantizer(samples, some, p->weights, model->quantizer);
	rows = sen_quantized_rows(samples, some, model->quantizer);
	own = malloc((set->n - n + 1) * sizeof(*own));
	if (!rows || !own)
		goto out;
	err = sen_fit_members(model, rows, some->n, p);
	if (err)
		goto out;
	model->threshold = 1;
	sen_model_round(model);
	part(set, fold, k, true, some);
	err = sen_score_samples(model, samples, some, own, why);
	for (size_t i = 0; !err && i < set->n; i++)
		if (fold[i] == k)
			scores[i] = own[next++];
out:
	free(own);
	free(rows);
	sen_model_free(model);
	return err;
}

int sen_cross_scores(const struct sen_sample *samples, const struct sen_indices *set,
		     const struct sen_train_params *p, float *scores, struct sen_why *why)
{
	struct sen_indices some = { .at = malloc((set->n ? set->n : 1) * sizeof(*some.at)) };
	uint8_t *fold = malloc(set->n ? set->n : 1);
	size_t size[FOLDS] = { 0 };
	int err = -ENOMEM;

	if (!some.at || !fold)
		goto out;
	err = assign_folds(samples, set, fold);
	for (size_t i = 0; !err && i < set->n; i++)
		size[fold[i]]++;
	for (unsigned int k = 0; !err && k < FOLDS; k++)
		if (size[k])
			err = run_fold(samples, set, fold, k, p, &some, scores, why);
out:
	free(fold);
	free(some.at);
	return err;
}
