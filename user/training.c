// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "training.h"

/* Every fifth of fifty stretches of time (or of all samples, where they are fewer) is kept from training, for the gate: neighbours in time are
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
	size_t kept = 0, held_n = 0, blocks = n < HOLD_BLOCKS ? n : HOLD_BLOCKS;

	if (!held)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (i * blocks / n % HOLD_EVERY == HOLD_EVERY - 1)
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
	t->params.attacks = t->shipped;
	t->params.attacks_n = t->shipped_n;
	return sen_train_full(t->samples, fit, &t->params, &t->model, &t->why);
}

/* A first model that flags few is told of, not refused: the one that it replaces knows these attacks, but
 * nothing of this network, and what rules name they name with any model. One that flags none is no model,
 * unless the shipped one does no better. */
static int try_shipped(struct sen_training *t)
{
	struct sen_validation *v = &t->validation;
	int err = sen_validate_shipped(t->model, t->in_force, t->shipped, t->shipped_n, &t->gate,
				       v);

	if (err != -EKEYREJECTED || t->kind != SEN_TRAINING_BASELINE ||
	    (v->shipped_recall <= SEN_FLAGS_NONE && t->shipped_known > SEN_FLAGS_NONE))
		return err;
	*v->reason = '\0';
	return 0;
}

static int judge(struct sen_training *t, struct sen_sample *held, size_t n)
{
	int err;

	spare_attacks(t, held, n);
	relax_gate(&t->gate, held, n);
	err = sen_validate(t->model, t->in_force, held, n, &t->gate, &t->validation);
	if (!err)
		err = try_shipped(t);
	if (!err && t->kind != SEN_TRAINING_BASELINE)
		err = sen_validate_slide(t->reference, held, n, t->shipped, t->shipped_n, &t->gate,
					 &t->validation);
	return err ? sen_why(&t->why, err, NULL, "validate: %s", t->validation.reason) : 0;
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
	return err ? err : judge(t, t->samples + fit, t->n - fit);
}

void sen_training_run(struct sen_training *t, const atomic_bool *cancel)
{
	int64_t began = sen_now_ms();

	t->params.cancel = cancel;
	t->err = run(t);
	t->seconds = (sen_now_ms() - began) / 1000.0;
}
