// SPDX-License-Identifier: BSD-2-Clause
/* The states of learning, with a packet path and a clock made up here, and the real trainer. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "fixture.h"
#include "learner.h"
#include "sentroid/score.h"

#define SECOND 1000

/* What stands in for the kernel and for the trainer thread. */
struct fake {
	struct sen_model_flat active;
	bool has_model;
	int push_error;
	unsigned int pushes;
	struct sen_stats stats;
	struct sen_feature_hist hist;
	struct sen_training *submitted;
	unsigned int submissions;
	char said[64][256];
	unsigned int lines;
};

struct lab {
	struct fake fake;
	struct sen_config config;
	struct sen_registry *registry;
	struct sen_learner *learner;
	char *folder;
	int64_t now_ms;
	uint64_t seed;
};

static int fake_push(void *ctx, const struct sen_model_flat *model, struct sen_why *why)
{
	struct fake *f = ctx;

	if (f->push_error)
		return sen_why(why, f->push_error, NULL, "push: refused by the test");
	f->active = *model;
	f->has_model = true;
	f->pushes++;
	return 0;
}

static int fake_model(void *ctx, struct sen_model_flat *out)
{
	struct fake *f = ctx;

	if (!f->has_model)
		return -ENOENT;
	*out = f->active;
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

static const struct sen_learner_ops ops = {
	.push = fake_push,
	.model = fake_model,
	.stats = fake_stats,
	.feature_hist = fake_hist,
	.train = fake_train,
	.say = fake_say,
};

static bool has_said(const struct lab *l, const char *words)
{
	for (unsigned int i = 0; i < l->fake.lines && i < 64; i++)
		if (strstr(l->fake.said[i], words))
			return true;
	return false;
}

static enum sen_learner_state state_of(struct lab *l)
{
	return sen_learner_status(l->learner)->state;
}

/* A new agent on what the last one has left. */
static void start(struct lab *l)
{
	char *models = fixture_path(l->folder, "models");

	sen_learner_free(l->learner);
	sen_registry_close(l->registry);
	assert_int_equal(sen_registry_open(models, &l->registry, NULL), 0);
	assert_int_equal(sen_learner_new(&l->config, &ops, &l->fake, l->registry, &l->learner), 0);
	assert_int_equal(sen_learner_start(l->learner, l->now_ms, NULL), 0);
	free(models);
}

static int setup(void **state)
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
	l->config.drift_windows = 2;
	l->now_ms = 1000 * SECOND;
	l->folder = fixture_folder();
	start(l);
	*state = l;
	return 0;
}

static int teardown(void **state)
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

/* Events with the vectors of the fixture, scored by what is in force, as the packet path would. */
static void feed(struct lab *l, size_t n, int shift)
{
	struct sen_sample *s = fixture_benign(n, ++l->seed, shift);

	for (size_t i = 0; i < n; i++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 2 + i % 50, 4000, 1, 80);
		struct sen_lanes q;

		ev.vector = s[i].vector;
		ev.time_ns = (uint64_t)l->now_ms * 1000000 + i;
		ev.model_version = l->fake.has_model ? l->fake.active.version : 0;
		if (l->fake.has_model) {
			sen_quantize(l->fake.active.quantizer, &ev.vector, &q);
			ev.score = sen_score(&l->fake.active, &q).score;
		}
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, false);
	}
	free(s);
}

static void pass(struct lab *l, int64_t seconds)
{
	for (; seconds > 0; seconds--) {
		l->now_ms += SECOND;
		sen_learner_tick(l->learner, l->now_ms);
	}
}

static void finish_training(struct lab *l)
{
	struct sen_training *t = l->fake.submitted;
	atomic_bool cancel = false;

	assert_non_null(t);
	l->fake.submitted = NULL;
	sen_training_run(t, &cancel);
	sen_learner_trained(l->learner, t, l->now_ms);
}

static void reach_active(struct lab *l)
{
	feed(l, 1000, 0);
	pass(l, 21);
	finish_training(l);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
}

static void baseline_waits_for_time_and_samples(void **state)
{
	struct lab *l = *state;

	assert_int_equal(state_of(l), SEN_LEARNER_BASELINE);
	assert_true(sen_learner_withholds_novelties(l->learner));
	feed(l, 30, 0);
	pass(l, 100);
	assert_int_equal(l->fake.submissions, 0); /* time is up, but of what should it learn? */
	feed(l, 1000, 0);
	pass(l, 1);
	assert_int_equal(l->fake.submissions, 1);
	finish_training(l);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
	assert_false(sen_learner_withholds_novelties(l->learner));
	assert_int_equal(l->fake.pushes, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_true(has_said(l, "model 1 promoted"));
}

static void enough_samples_end_the_baseline_early(void **state)
{
	struct lab *l = *state;

	feed(l, 4999, 0);
	pass(l, 2);
	assert_int_equal(l->fake.submissions, 0);
	feed(l, 1, 0);
	pass(l, 1);
	assert_int_equal(l->fake.submissions, 1);
}

static void attacks_are_no_part_of_the_baseline(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	for (int i = 0; i < 2000; i++)
		sen_learner_sample(l->learner, &ev, SEN_CLASS_SCAN, false);
	pass(l, 30);
	assert_int_equal(l->fake.submissions, 0);
	assert_int_equal(sen_learner_status(l->learner)->attack, 2000);
	assert_int_equal(sen_learner_status(l->learner)->benign, 0);
}

static void new_samples_trigger_an_update(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	feed(l, 300, 0);
	pass(l, 11);
	assert_int_equal(l->fake.submissions, 1);
	feed(l, 300, 0);
	pass(l, 1);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_UPDATE);
	finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(l->fake.active.parent, 1);
	assert_int_equal(sen_registry_production(l->registry), 2);
	assert_int_equal(sen_learner_status(l->learner)->fresh, 0);
	/* Not again at once, however many there are. */
	feed(l, 2000, 0);
	pass(l, 9);
	assert_int_equal(l->fake.submissions, 2);
	pass(l, 1);
	assert_int_equal(l->fake.submissions, 3);
}

static void time_triggers_without_new_samples(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	pass(l, 599);
	assert_int_equal(l->fake.submissions, 1);
	pass(l, 2);
	assert_int_equal(l->fake.submissions, 2);
	finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
}

static void samples_amid_an_attack_teach_nothing(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 20, 4000, 1, 80);
	struct lab *l = *state;

	for (int i = 0; i < 2000; i++)
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, true);
	pass(l, 30);
	assert_int_equal(l->fake.submissions, 0);
	assert_int_equal(sen_learner_status(l->learner)->skipped, 2000);
}

static void flagged_and_doubtful_samples_teach_nothing(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 2, 4000, 1, 80);
	struct lab *l = *state;
	uint64_t before;

	reach_active(l);
	before = sen_learner_status(l->learner)->benign;
	ev.model_version = l->fake.active.version;
	for (int i = 0; i < 1000; i++) {
		ev.score = SEN_ONE * 2;
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, false);
		ev.score = (uint32_t)(SEN_ONE * 0.96);
		sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, false);
	}
	/* Nor does what another model has scored. */
	ev.score = 0;
	ev.model_version++;
	sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, false);
	assert_int_equal(sen_learner_status(l->learner)->benign, before);
	ev.model_version--;
	sen_learner_sample(l->learner, &ev, SEN_CLASS_NONE, false);
	assert_int_equal(sen_learner_status(l->learner)->benign, before + 1);
}

/* What the gate says is final: recorded, and nothing more. */
static void refused_candidates_change_nothing(void **state)
{
	const struct sen_registry_entry *entries;
	struct lab *l = *state;
	struct sen_training *t;

	reach_active(l);
	pass(l, 601);
	t = l->fake.submitted;
	assert_non_null(t);
	l->fake.submitted = NULL;
	sen_training_run(t, NULL);
	assert_int_equal(t->err, 0);
	t->err = -EKEYREJECTED;
	snprintf(t->validation.reason, sizeof(t->validation.reason), "flags everything");
	sen_learner_trained(l->learner, t, l->now_ms);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(l->fake.pushes, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_int_equal(sen_registry_entries(l->registry, &entries), 2);
	assert_string_equal(entries[1].stage, "Archived");
	assert_non_null(strstr(entries[1].reason, "flags everything"));
	assert_int_equal(sen_learner_status(l->learner)->refused, 1);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
}

static void failed_push_keeps_the_model_in_force(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	pass(l, 601);
	l->fake.push_error = -ENOSPC;
	finish_training(l);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_int_equal(sen_learner_status(l->learner)->version, 1);
	assert_int_equal(sen_learner_status(l->learner)->failed, 1);
	l->fake.push_error = 0;
	pass(l, 601);
	finish_training(l);
	assert_int_equal(sen_registry_production(l->registry), l->fake.active.version);
	assert_true(l->fake.active.version > 1);
}

static void update(struct lab *l)
{
	pass(l, 601);
	finish_training(l);
}

static void excursion_rolls_back_once(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	l->fake.stats.evaluations = 10000;
	pass(l, 31);
	update(l);
	assert_int_equal(l->fake.active.version, 2);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 40;
	pass(l, 1);
	assert_int_equal(l->fake.active.version, 2); /* 4 %: within the limit */
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 300;
	pass(l, 1);
	assert_int_equal(l->fake.active.version, 1);
	assert_int_equal(sen_registry_production(l->registry), 1);
	assert_int_equal(state_of(l), SEN_LEARNER_PAUSED);
	assert_true(has_said(l, "rolled back to model 1"));
	assert_int_equal(sen_learner_status(l->learner)->rolled_back, 1);
	/* No learning while it rests, nor a second roll-back. */
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 1000;
	feed(l, 2000, 0);
	pass(l, 3000);
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.active.version, 1);
	pass(l, 700);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
}

static void attack_after_promotion_is_no_excursion(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	reach_active(l);
	pass(l, 31);
	update(l);
	ev.score = 9 * SEN_ONE;
	for (int i = 0; i < 100; i++)
		sen_learner_sample(l->learner, &ev, SEN_CLASS_SYN_FLOOD, false);
	l->fake.stats.evaluations += 100000;
	l->fake.stats.flagged += 99000;
	pass(l, 31);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
}

static void bad_first_model_begins_the_baseline_again(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 500;
	pass(l, 1);
	assert_int_equal(state_of(l), SEN_LEARNER_BASELINE);
	assert_true(sen_learner_withholds_novelties(l->learner));
	feed(l, 1000, 0);
	pass(l, 21);
	finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
}

static void next_agent_goes_on(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	start(l);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(l->fake.pushes, 1);
	assert_int_equal(sen_learner_status(l->learner)->version, 1);
	assert_true(has_said(l, "takes over"));
	feed(l, 600, 0);
	pass(l, 11);
	finish_training(l);
	assert_int_equal(l->fake.active.version, 2);
}

static void next_agent_restores_production(void **state)
{
	struct lab *l = *state;

	reach_active(l);
	/* Attached anew: the shipped model, which happens to have the same number. */
	l->fake.active.digest[0] ^= 1;
	start(l);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
	assert_int_equal(l->fake.pushes, 2);
	assert_int_equal(l->fake.active.version, 1);
	assert_true(has_said(l, "pushed again"));
}

static void someone_elses_model_holds_learning(void **state)
{
	struct sen_model_flat own;
	struct lab *l = *state;

	reach_active(l);
	own = l->fake.active;
	l->fake.active.version = 77;
	l->fake.active.digest[0] ^= 1;
	pass(l, 6);
	assert_int_equal(state_of(l), SEN_LEARNER_HELD);
	feed(l, 2000, 0);
	pass(l, 2000);
	assert_int_equal(l->fake.submissions, 1);
	assert_int_equal(l->fake.active.version, 77);
	l->fake.active = own;
	pass(l, 6);
	assert_int_equal(state_of(l), SEN_LEARNER_ACTIVE);
}

static void drift_trains_from_scratch(void **state)
{
	struct lab *l = *state;

	for (int d = 0; d < SEN_DIMS; d++)
		l->fake.hist.bin[d][3] += 5000;
	reach_active(l);
	/* Three windows like before, then two unlike. */
	for (int w = 0; w < 3; w++) {
		for (int d = 0; d < SEN_DIMS; d++)
			l->fake.hist.bin[d][3] += 5000;
		pass(l, 61);
	}
	assert_int_equal(l->fake.submissions, 1);
	for (int w = 0; w < 2; w++) {
		for (int d = 0; d < SEN_DIMS; d++)
			l->fake.hist.bin[d][d == SEN_FEATURE_FLOW_MIN_LEN ? 9 : 3] += 5000;
		pass(l, 61);
	}
	assert_int_equal(l->fake.submissions, 2);
	assert_int_equal(l->fake.submitted->kind, SEN_TRAINING_FULL);
	assert_true(has_said(l, "flow_min_len has moved"));
}

static void attacks_are_no_drift(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct lab *l = *state;

	for (int d = 0; d < SEN_DIMS; d++)
		l->fake.hist.bin[d][3] += 5000;
	reach_active(l);
	for (int w = 0; w < 5; w++) {
		for (int d = 0; d < SEN_DIMS; d++)
			l->fake.hist.bin[d][12] += 50000;
		for (int i = 0; i < 1000; i++)
			sen_learner_sample(l->learner, &ev, SEN_CLASS_SYN_FLOOD, false);
		pass(l, 61);
	}
	assert_int_equal(l->fake.submissions, 1);
	assert_int_equal(sen_learner_status(l->learner)->drifts, 0);
}

static void without_history_it_learns_on(void **state)
{
	struct sen_learner *learner;
	struct lab *l = *state;

	assert_int_equal(sen_learner_new(&l->config, &ops, &l->fake, NULL, &learner), 0);
	sen_learner_free(l->learner);
	l->learner = learner;
	assert_int_equal(sen_learner_start(learner, l->now_ms, NULL), 0);
	reach_active(l);
	assert_int_equal(l->fake.active.version, 1);
	assert_false(sen_learner_status(learner)->history);
	update(l);
	assert_int_equal(l->fake.active.version, 2);
	l->fake.stats.evaluations += 1000;
	l->fake.stats.flagged += 500;
	pass(l, 1);
	assert_int_equal(l->fake.active.version, 1); /* the one before is still in memory */
}

static void switched_off_it_only_watches(void **state)
{
	struct lab *l = *state;

	l->config.learn_enabled = 0;
	start(l);
	assert_int_equal(state_of(l), SEN_LEARNER_OFF);
	feed(l, 6000, 0);
	pass(l, 700);
	assert_int_equal(l->fake.submissions, 0);
	assert_false(sen_learner_withholds_novelties(l->learner));
	l->config.learn_enabled = 1;
	sen_learner_configure(l->learner, &l->config);
	pass(l, 1);
	assert_int_equal(state_of(l), SEN_LEARNER_BASELINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(baseline_waits_for_time_and_samples),
		TEST(enough_samples_end_the_baseline_early),
		TEST(attacks_are_no_part_of_the_baseline),
		TEST(new_samples_trigger_an_update),
		TEST(time_triggers_without_new_samples),
		TEST(samples_amid_an_attack_teach_nothing),
		TEST(flagged_and_doubtful_samples_teach_nothing),
		TEST(refused_candidates_change_nothing),
		TEST(failed_push_keeps_the_model_in_force),
		TEST(excursion_rolls_back_once),
		TEST(attack_after_promotion_is_no_excursion),
		TEST(bad_first_model_begins_the_baseline_again),
		TEST(next_agent_goes_on),
		TEST(next_agent_restores_production),
		TEST(someone_elses_model_holds_learning),
		TEST(drift_trains_from_scratch),
		TEST(attacks_are_no_drift),
		TEST(without_history_it_learns_on),
		TEST(switched_off_it_only_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
