/* SPDX-License-Identifier: BSD-2-Clause */
/* A learner with a packet path and a clock made up here, and the real trainer. */
#ifndef SENTROID_TEST_LEARNER_KIT_H
#define SENTROID_TEST_LEARNER_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learner.h"

/* What stands in for the kernel and for the trainer thread. */
struct fake {
	struct sen_model_flat active;
	bool has_model;
	struct sen_model_flat shadow;
	bool has_shadow;
	int push_error;
	void (*step)(void); /* called before and after a slot changes; may be NULL */
	unsigned int pushes;
	struct sen_stats stats;
	struct sen_feature_hist hist;
	struct sen_score_hist scores;
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

/* They take a struct fake for their context. */
extern const struct sen_learner_ops lab_ops;

/* For cmocka: an agent that has just begun its baseline. */
int lab_setup(void **state);
/* One that has had its first model in force for a while, and tries others beside it first. */
int lab_setup_canary(void **state);
/* With a first version just put in force; with a second one, under watch. */
int lab_setup_first(void **state);
int lab_setup_second(void **state);
int lab_teardown(void **state);

/* A new agent on what the last one has left. */
void lab_start(struct lab *l);
/* Events with the vectors of the fixture, scored by what is in force, as the packet path would. */
void lab_feed(struct lab *l, size_t n, int shift);
/* Attacks of a class, named by a rule or not. */
void lab_attack(struct lab *l, size_t n, unsigned int class_id, bool named);
/* Score an event by both slots and count it, as the packet path does. */
void lab_evaluate(struct fake *f, struct sen_event *ev);
/* Let time pass, a tick every second. */
void lab_pass(struct lab *l, int64_t seconds);
/* Run what was submitted, and give it back; as sen_learner_trained(). */
bool lab_finish_training(struct lab *l);
/* Through the baseline, to the first model. */
void lab_reach_active(struct lab *l);
/* And on, by an update, to the second one, under watch. */
void lab_reach_second(struct lab *l);
/* So many evaluations counted, so many of them flagged, and a second for the learner to see it. */
void lab_count(struct lab *l, uint64_t evaluations, uint64_t flagged);

enum sen_learner_state lab_state(struct lab *l);
/* What is on record of a version. */
const struct sen_registry_entry *lab_entry(const struct lab *l, unsigned int version);
/* `reason` is part of what the history says. */
void lab_expect_stage(const struct lab *l, unsigned int version, const char *stage,
		      const char *reason);
bool lab_has_said(const struct lab *l, const char *words);

#endif
