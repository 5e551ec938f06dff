/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Learns what is normal on one interface. First a baseline: everything that no rule names is taken
 * for normal, and the first model is trained from it. Then, without end: samples well below the
 * threshold keep the model up to date; a candidate must pass the gate, run beside the model in force for a
 * while, is put in force by one pointer swap, watched, and taken back if it flags what nobody can explain.
 *
 * Single-threaded; times are milliseconds of the monotonic clock, given by the caller. What it needs
 * of the packet path and of the trainer comes through `ops`.
 */
#ifndef SENTROID_LEARNER_H
#define SENTROID_LEARNER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "drift.h"
#include "label.h"
#include "log.h"
#include "performance.h"
#include "registry.h"
#include "sentroid/abi.h"
#include "training.h"

#define SEN_LEARNER_STATES(X)   \
	X(BASELINE, "baseline") \
	X(ACTIVE, "active")     \
	X(PAUSED, "paused")     \
	X(HELD, "held")         \
	X(OFF, "off")

#define SEN_ENUM_LEARNER(id, name) SEN_LEARNER_##id,
enum sen_learner_state {
	SEN_LEARNER_STATES(SEN_ENUM_LEARNER) SEN_LEARNER_STATE_COUNT
};

struct sen_learner_ops {
	/* A slot: replace, read (-ENOENT: empty), empty it. */
	int (*push)(void *ctx, enum sen_slot slot, const struct sen_model_flat *model,
		    struct sen_why *why);
	int (*model)(void *ctx, enum sen_slot slot, struct sen_model_flat *out);
	int (*clear)(void *ctx, enum sen_slot slot);
	int (*stats)(void *ctx, struct sen_stats *out);
	int (*feature_hist)(void *ctx, struct sen_feature_hist *out);
	int (*score_hist)(void *ctx, struct sen_score_hist *out);
	/* Run it elsewhere, then give it back by sen_learner_trained(). On error it stays the caller's. */
	int (*train)(void *ctx, struct sen_training *training);
	void (*say)(void *ctx, enum sen_log_level level, const char *line);
};

struct sen_learner_status {
	enum sen_learner_state state;
	bool history;         /* versions are kept on disk */
	bool training;        /* one is running */
	unsigned int version; /* of the model in force that the learner answers for, 0: none */
	char digest[2 * SEN_DIGEST_BYTES + 1];
	uint64_t benign;   /* samples taken for normal */
	uint64_t attack;   /* samples named by a rule */
	uint64_t skipped;  /* flagged, too near the threshold, amid an attack: they teach nothing */
	size_t reservoir;  /* kept that have trained */
	size_t fresh;      /* kept that have not */
	size_t unlabelled; /* kept, between the marks */
	size_t attacks;    /* kept, of all classes */
	unsigned int uploads;
	bool asked;     /* an operator's word waits */
	int64_t next_s; /* until the next training by time alone */
	size_t needed;  /* benign samples without which there is no first model */
	uint64_t promoted;
	uint64_t refused;
	uint64_t failed;
	uint64_t rolled_back;
	uint64_t drifts;
	int64_t last_success_s; /* Unix time, 0: never */
	double last_seconds;
	uint64_t last_samples;
	unsigned int reference; /* version that bounds the drift of the model in force, 0: none */
	unsigned int candidate; /* version in the canary, 0: none */
	const char *candidate_waits; /* why it is not in the shadow slot; empty: it is */
	uint64_t canary_evaluations;
	double canary_agreement;
	double threshold_fpr;          /* of the model in force on samples held back */
	struct sen_drift_report drift; /* of the last window, all traffic */
	struct sen_drift_report sample_drift;
	double drift_psi; /* of the feature that moved most in the last window */
	const char *drift_feature;
	double labelled_error[SEN_PERFORMANCE_KINDS]; /* share judged wrong; NAN: too few */
	char note[512];                               /* the latest line said */
};

struct sen_learner;

/* registry may be NULL: without history. `ops` is copied. */
int sen_learner_new(const struct sen_config *config, const struct sen_learner_ops *ops, void *ctx,
		    struct sen_registry *registry, struct sen_learner **out);
void sen_learner_free(struct sen_learner *l);
void sen_learner_configure(struct sen_learner *l, const struct sen_config *config);

/* Keep the samples in a file from now on; what was kept so far goes. On an error they stay in memory, and
 * the learner goes on all the same. */
int sen_learner_keep(struct sen_learner *l, const char *path, struct sen_why *why);
/* The attacks that the shipped model has labelled centroids of are what every candidate is tried on, beside
 * local samples; and a first model that goes bad gives way to it. -ENOMEM, or as sen_model_flatten(). */
int sen_learner_hold_out(struct sen_learner *l, const struct sen_model *shipped);
/* Take over what is in force, or begin with a baseline. Again when the program has been attached anew: its
 * counters have then begun anew, too. */
int sen_learner_start(struct sen_learner *l, int64_t now_ms, struct sen_why *why);
/* Wall time at 0 of the clock that callers give: it may have been set since the start. */
void sen_learner_set_epoch(struct sen_learner *l, int64_t epoch_ms);
/* A sample with what a rule says of it and why, SEN_CLASS_NONE if none. `explained`: it may look odd because of
 * an attack that is known, or hide behind it: it is neither held against a model nor learned from. */
void sen_learner_sample(struct sen_learner *l, const struct sen_event *ev, unsigned int rule_class,
			const char *rule_reason, bool explained);
/* About once a second. */
void sen_learner_tick(struct sen_learner *l, int64_t now_ms);
/* A training is back; it is freed here. True: one from scratch whose candidate goes its way, or was refused on
 * record; false for what came to nothing, and for updates. */
bool sen_learner_trained(struct sen_learner *l, struct sen_training *training, int64_t now_ms);

/* An operator's word: train as soon as nothing else runs; from scratch if `full`. -EAGAIN: not while it is
 * in this state. */
int sen_learner_ask(struct sen_learner *l, bool full, struct sen_why *why);
/* Rest for so many seconds, 0: until resumed. What is being trained comes to nothing; the caller may cancel
 * it. -EAGAIN likewise. */
int sen_learner_pause(struct sen_learner *l, unsigned int seconds, int64_t now_ms,
		      struct sen_why *why);
int sen_learner_resume(struct sen_learner *l, int64_t now_ms, struct sen_why *why);
/* Unique uploads that no training has seen. */
void sen_learner_uploads(struct sen_learner *l, unsigned int count);
/* The samples, for what else adds to them. */
struct sen_store *sen_learner_store(struct sen_learner *l);
const struct sen_marks *sen_learner_marks(const struct sen_learner *l);

/* While the baseline is learned, what is new is no news. */
bool sen_learner_withholds_novelties(const struct sen_learner *l);
const struct sen_learner_status *sen_learner_status(struct sen_learner *l);
const char *sen_learner_state_name(enum sen_learner_state state);
/* An object to cJSON_Delete(). */
cJSON *sen_learner_json(const struct sen_learner_status *status);

#endif
