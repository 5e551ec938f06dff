// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "model_internal.h"
#include "select.h"
#include "train_internal.h"
#include "training.h"

/* Every fifth of fifty stretches of time is kept from training, for the gate: neighbours in time are
 * near-duplicates, and drawn one by one they would stand on both sides. */
#define HOLD_BLOCKS   50
#define HOLD_EVERY    5
#define LEAST_ATTACKS 20 /* held out, to judge by them */

const char *sen_training_name(enum sen_training_kind kind)
{
	static const char *const names[] = { "baseline", "update", "full" };

	return names[kind];
}

struct sen_training *sen_training_new(enum sen_training_kind kind, size_t max)
{
	struct sen_training *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->kind = kind;
	t->params = sen_train_defaults;
	t->gate = sen_gate_defaults;
	t->samples = calloc(max ? max : 1, sizeof(*t->samples));
	if (t->samples)
		return t;
	free(t);
	return NULL;
}

void sen_training_free(struct sen_training *t)
{
	if (!t)
		return;
	sen_model_free(t->model);
	sen_model_free(t->in_force);
	sen_model_free(t->reference);
	free(t->samples);
	free(t->shipped);
	free(t);
}

static int by_time(const void *a, const void *b)
{
	const struct sen_sample *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* Parts the samples into those to fit, in their order, and behind them those held out. */
static int part(struct sen_sample *samples, size_t n, size_t *fit)
{
	struct sen_sample *held = malloc((n ? n : 1) * sizeof(*held));
	size_t kept = 0, held_n = 0;

	if (!held)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (i * HOLD_BLOCKS / n % HOLD_EVERY == HOLD_EVERY - 1)
			held[held_n++] = samples[i];
		else
			samples[kept++] = samples[i];
	}
	memcpy(samples + kept, held, held_n * sizeof(*held));
	free(held);
	*fit = kept;
	return 0;
}

/* Two flagged of a few held out prove nothing yet. */
static void relax_gate(struct sen_gate *gate, const struct sen_sample *held, size_t n)
{
	size_t benign = 0;
	double few;

	for (size_t i = 0; i < n; i++)
		benign += held[i].label == SEN_LABEL_BENIGN;
	few = benign ? 2.5 / benign : 0;
	if (few > gate->max_false_positives)
		gate->max_false_positives = few < 0.2 ? few : 0.2;
}

/*
 * A first model is judged by benign samples alone, and a handful of attacks proves nothing either way:
 * what rules have named so far may be few and of one kind, and has its rule anyway.
 */
static void spare_attacks(const struct sen_training *t, struct sen_sample *held, size_t n)
{
	size_t attacks = 0;

	for (size_t i = 0; i < n; i++)
		attacks += held[i].label == SEN_LABEL_ATTACK;
	if (t->kind != SEN_TRAINING_BASELINE && attacks >= LEAST_ATTACKS)
		return;
	for (size_t i = 0; i < n; i++)
		if (held[i].label == SEN_LABEL_ATTACK)
			held[i].label = SEN_LABEL_NONE;
}

static int fit_model(struct sen_training *t, size_t fit)
{
	t->params.reference = t->reference;
	if (t->kind == SEN_TRAINING_UPDATE)
		return sen_train_incremental(t->in_force, t->samples, fit, &t->params, &t->model,
					     &t->why);
	t->params.class_names = t->in_force;
	return sen_train_full(t->samples, fit, &t->params, &t->model, &t->why);
}

/* Scores of samples with a label in units of the threshold: the one that a share of them lies below. 0
 * where there are none. */
static int score_quantile(struct sen_training *t, const struct sen_sample *samples, size_t n,
			  enum sen_label label, double share, double *out)
{
	struct sen_indices set = { 0 };
	float *scores = malloc((n ? n : 1) * sizeof(*scores));
	int err = scores ? sen_select(samples, n, label, SEN_CLASS_NONE, &set) : -ENOMEM;

	if (!err)
		err = sen_score_samples(t->model, samples, &set, scores, &t->why);
	*out = 0;
	if (!err && set.n)
		*out = sen_select_value(scores, set.n, (size_t)(share * (set.n - 1))) / SEN_ONE;
	free(scores);
	free(set.at);
	return err;
}

/*
 * Few hosts in a short time say little of the next one, and a threshold that is safe for any newcomer may
 * pass every attack there is. Where it would pass most of those that are shipped, it comes down to half of
 * them, if what is known of normal traffic stays well below.
 */
static int heed_shipped(struct sen_training *t)
{
	double attacks, benign, factor;
	int err = score_quantile(t, t->shipped, t->shipped_n, SEN_LABEL_ATTACK, 0.5, &attacks);

	if (!err)
		err = score_quantile(t, t->samples, t->n, SEN_LABEL_BENIGN,
				     1 - t->params.target_fpr, &benign);
	if (err || !t->shipped_n)
		return err;
	factor = fmax(attacks, benign * t->params.threshold_margin);
	if (factor < 1)
		t->model->threshold = fmax(t->model->threshold * factor, 1);
	sen_model_round(t->model);
	return 0;
}

/* A first model is told of, not refused: the one that it replaces knows these attacks, but nothing of this
 * network, and what rules name they name with any model. */
static int try_shipped(struct sen_training *t)
{
	int err = sen_validate_shipped(t->model, t->in_force, t->shipped, t->shipped_n, &t->gate,
				       &t->validation);

	if (err != -EKEYREJECTED || t->kind != SEN_TRAINING_BASELINE)
		return err;
	*t->validation.reason = '\0';
	return 0;
}

static int run(struct sen_training *t)
{
	size_t fit;
	int err;

	qsort(t->samples, t->n, sizeof(*t->samples), by_time);
	err = part(t->samples, t->n, &fit);
	if (err)
		return sen_why(&t->why, err, NULL, "train: %s", strerror(-err));
	err = fit_model(t, fit);
	if (err)
		return err;
	if (t->kind != SEN_TRAINING_UPDATE) {
		err = heed_shipped(t);
		if (err)
			return err;
	}
	spare_attacks(t, t->samples + fit, t->n - fit);
	relax_gate(&t->gate, t->samples + fit, t->n - fit);
	err = sen_validate(t->model, t->in_force, t->samples + fit, t->n - fit, &t->gate,
			   &t->validation);
	if (!err)
		err = try_shipped(t);
	return err ? sen_why(&t->why, err, NULL, "validate: %s", t->validation.reason) : 0;
}

void sen_training_run(struct sen_training *t, const atomic_bool *cancel)
{
	int64_t began = sen_now_ms();

	t->params.cancel = cancel;
	t->err = run(t);
	t->seconds = (sen_now_ms() - began) / 1000.0;
}
