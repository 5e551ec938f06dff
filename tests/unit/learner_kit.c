// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "fixture.h"
#include "learner_kit.h"
#include "sentroid/score.h"

#define SECOND 1000

static void step(const struct fake *f)
{
	if (f->step)
		f->step();
}

static int fake_push(void *ctx, enum sen_slot slot, const struct sen_model_flat *model,
		     struct sen_why *why)
{
	struct fake *f = ctx;

	if (f->push_error)
		return sen_why(why, f->push_error, NULL, "push: refused by the test");
	step(f);
	if (slot == SEN_SLOT_SHADOW) {
		f->shadow = *model;
		f->has_shadow = true;
	} else {
		f->active = *model;
		f->has_model = true;
		f->pushes++;
	}
	step(f);
	return 0;
}

static int fake_model(void *ctx, enum sen_slot slot, struct sen_model_flat *out)
{
	struct fake *f = ctx;

	if (slot == SEN_SLOT_ACTIVE ? !f->has_model : !f->has_shadow)
		return -ENOENT;
	*out = slot == SEN_SLOT_ACTIVE ? f->active : f->shadow;
	return 0;
}

static int fake_clear(void *ctx, enum sen_slot slot)
{
	struct fake *f = ctx;

	step(f);
	*(slot == SEN_SLOT_ACTIVE ? &f->has_model : &f->has_shadow) = false;
	step(f);
	return 0;
}

static int fake_stats(void *ctx, struct sen_stats *out)
{
	struct fake *f = ctx;

	*out = f->stats;
	return 0;
}

static int fake_hist(void *ctx, struct sen_feature_hist *out)
{
	struct fake *f = ctx;

	*out = f->hist;
	return 0;
}

static int fake_score_hist(void *ctx, struct sen_score_hist *out)
{
	struct fake *f = ctx;

	*out = f->scores;
	return 0;
}

static int fake_train(void *ctx, struct sen_training *training)
{
	struct fake *f = ctx;

	assert_null(f->submitted);
	f->submitted = training;
	f->submissions++;
	return 0;
}

static void fake_say(void *ctx, enum sen_log_level level, const char *line)
{
	struct fake *f = ctx;

	(void)level;
	snprintf(f->said[f->lines++ % 64], sizeof(f->said[0]), "%s", line);
}

const struct sen_learner_ops lab_ops = {
	.push = fake_push,
	.model = fake_model,
	.clear = fake_clear,
	.stats = fake_stats,
	.feature_hist = fake_hist,
	.score_hist = fake_score_hist,
	.train = fake_train,
	.say = fake_say,
};

bool lab_has_said(const struct lab *l, const char *words)
{
	for (unsigned int i = 0; i < l->fake.lines && i < 64; i++)
		if (strstr(l->fake.said[i], words))
			return true;
	return false;
}

enum sen_learner_state lab_state(struct lab *l)
{
	return sen_learner_status(l->learner)->state;
}

void lab_start(struct lab *l)
{
	char *models = fixture_path(l->folder, "models");

	sen_learner_free(l->learner);
	sen_registry_close(l->registry);
	assert_int_equal(sen_registry_open(models, &l->registry, NULL), 0);
	assert_int_equal(sen_learner_new(&l->config, &lab_ops, &l->fake, l->registry, &l->learner),
			 0);
	assert_int_equal(sen_learner_start(l->learner, l->now_ms, NULL), 0);
	free(models);
}

int lab_setup(void **state)
{
	struct lab *l = calloc(1, sizeof(*l));

	l->config = sen_config_defaults;
	l->config.baseline_seconds = 20;
	l->config.baseline_samples = 5000;
	l->config.train_centroids = 8;
	l->config.learn_samples = 400;
	l->config.learn_interval = 600;
	l->config.learn_min_interval = 10;
	l->config.drift_window = 60;
	l->config.canary_evaluations = 0;
	l->config.drift_windows = 2;
	l->now_ms = 1000 * SECOND;
	l->folder = fixture_folder();
	lab_start(l);
	*state = l;
	return 0;
}

int lab_teardown(void **state)
{
	struct lab *l = *state;
	char *models = fixture_path(l->folder, "models");

	sen_training_free(l->fake.submitted);
	sen_learner_free(l->learner);
	sen_registry_close(l->registry);
	fixture_remove(models);
	fixture_remove(l->folder);
	free(l);
	return 0;
}

/* What the packet path makes of a vector: both slots, counted. */
static struct sen_score score_slot(struct fake *f, enum sen_slot slot, const struct sen_vector *x)
{
	const struct sen_model_flat *m = slot == SEN_SLOT_ACTIVE ? &f->active : &f->shadow;
	struct sen_score score;
	struct sen_lanes q;

	sen_quantize(m->quantizer, x, &q);
	score = sen_score(m, &q);
	f->scores.bin[slot][sen_lg(score.score) / (SEN_LG_OCTAVE / 2)]++;
	return score;
}

void lab_evaluate(struct fake *f, struct sen_event *ev)
{
	bool flagged, shadow;

	if (!f->has_model)
		return;
	ev->model_version = f->active.version;
	ev->score = score_slot(f, SEN_SLOT_ACTIVE, &ev->vector).score;
	flagged = ev->score >= SEN_ONE;
	f->stats.evaluations++;
	f->stats.flagged += flagged;
	if (!f->has_shadow)
		return;
	shadow = score_slot(f, SEN_SLOT_SHADOW, &ev->vector).score >= SEN_ONE;
	f->stats.shadow_evaluations++;
	f->stats.shadow_only_active += flagged && !shadow;
	f->stats.shadow_only_shadow += shadow && !flagged;
}

void lab_feed(struct lab *l, size_t n, int shift)
{
	struct sen_sample *s = fixture_benign(n, ++l->seed, shift);

	for (size_t i = 0; i < n; i++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 2 + i % 50, 4000, 1, 80);

		ev.vector = s[i].vector;
		ev.time_ns = (uint64_t)l->now_ms * 1000000 + i;
		lab_evaluate(&l->fake, &ev);
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, "", false);
	}
	free(s);
}

void lab_attack(struct lab *l, size_t n, unsigned int class_id, bool named)
{
	for (size_t i = 0; i < n; i++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
		struct sen_sample s = { 0 };

		fixture_attack(&s, ++l->seed, class_id);
		ev.vector = s.vector;
		ev.time_ns = (uint64_t)l->now_ms * 1000000 + i;
		lab_evaluate(&l->fake, &ev);
		sen_learner_sample(l->learner, &ev, named ? class_id : SEN_CLASS_NONE, "", named);
	}
}

void lab_pass(struct lab *l, int64_t seconds)
{
	for (; seconds > 0; seconds--) {
		l->now_ms += SECOND;
		sen_learner_tick(l->learner, l->now_ms);
	}
}

bool lab_finish_training(struct lab *l)
{
	struct sen_training *t = l->fake.submitted;
	atomic_bool cancel = false;

	assert_non_null(t);
	l->fake.submitted = NULL;
	sen_training_run(t, &cancel);
	return sen_learner_trained(l->learner, t, l->now_ms);
}

void lab_reach_active(struct lab *l)
{
	lab_feed(l, 1000, 0);
	lab_pass(l, 21);
	lab_finish_training(l);
	assert_int_equal(lab_state(l), SEN_LEARNER_ACTIVE);
}

void lab_reach_second(struct lab *l)
{
	lab_reach_active(l);
	lab_feed(l, 1000, 0);
	lab_pass(l, 601);
	lab_finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
}

void lab_count(struct lab *l, uint64_t evaluations, uint64_t flagged)
{
	l->fake.stats.evaluations += evaluations;
	l->fake.stats.flagged += flagged;
	lab_pass(l, 1);
}

int lab_setup_canary(void **state)
{
	struct lab *l;

	lab_setup(state);
	l = *state;
	l->config.canary_evaluations = 2000;
	l->config.canary_seconds = 20;
	sen_learner_configure(l->learner, &l->config);
	lab_reach_active(l);
	lab_pass(l, 31);
	return 0;
}

const struct sen_registry_entry *lab_entry(const struct lab *l, unsigned int version)
{
	const struct sen_registry_entry *e = sen_registry_find(l->registry, version);

	assert_non_null(e);
	return e;
}

void lab_expect_stage(const struct lab *l, unsigned int version, const char *stage,
		      const char *reason)
{
	const struct sen_registry_entry *e = lab_entry(l, version);

	assert_string_equal(e->stage, stage);
	if (!strstr(e->reason, reason))
		fail_msg("\"%s\" does not speak of \"%s\"", e->reason, reason);
}

int lab_setup_first(void **state)
{
	lab_setup(state);
	lab_reach_active(*state);
	return 0;
}

int lab_setup_second(void **state)
{
	lab_setup(state);
	lab_reach_second(*state);
	return 0;
}
