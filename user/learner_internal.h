/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the learner: learner.c (states), learner_samples.c (samples, triggers),
 * learner_store.c, learner_drift.c, learner_model.c (models in force), learner_candidate.c (the way there),
 * learner_watch.c (the way back), learner_rest.c, learner_takeover.c. */
#ifndef SENTROID_LEARNER_INTERNAL_H
#define SENTROID_LEARNER_INTERNAL_H

#include "canary.h"
#include "learner.h"
#include "label.h"
#include "performance.h"
#include "store.h"
#include "trigger.h"
#include "watch.h"

#define SEN_ATTACKS_KEPT 2000

/* What tells one model in the kernel from another. */
struct model_id {
	unsigned int version;
	__u8 digest[SEN_DIGEST_BYTES];
};

/* A model that has passed the gate, on its way into force. */
struct sen_candidate {
	struct sen_model *model; /* registered; NULL once it is in force */
	struct sen_model_flat *flat;
	enum sen_training_kind kind;
	char reason[192]; /* what it was trained for */
	double false_positives;
	double shipped_recall; /* NAN: not known */
	double seconds;
	bool in_shadow;  /* the canary is on; else it waits for the slot ... */
	char waits[256]; /* ... and why */
	struct sen_canary canary;
};

struct sen_learner {
	struct sen_config config;
	struct sen_learner_ops ops;
	void *ctx;
	struct sen_registry *registry;
	struct sen_learner_status status;

	struct sen_model *in_force;  /* NULL in the first baseline */
	struct sen_model *previous;  /* where a roll-back goes; NULL: look into the registry */
	struct sen_model *reference; /* bounds the drift of what descends from it */
	struct sen_sample *shipped;  /* attacks that every candidate is tried on */
	size_t shipped_n;
	double shipped_known; /* share of them that the shipped model itself flags */
	struct sen_model_flat
		*starting; /* the shipped model, for when there is none trained here; or NULL */
	struct sen_candidate *candidate; /* NULL: there is none */
	unsigned int reference_wanted;   /* version that the registry has it from, 0: itself */
	unsigned int condemned; /* version that is to be rolled back and is still in force, 0: none */
	unsigned int rests_after; /* version rolled back for which learning rests, 0: none */
	bool paused;              /* by an operator */
	bool rest_stale;          /* over, but still on record */
	unsigned int unrecorded; /* version rolled back that the registry still has in Production */
	bool unrecorded_told;
	bool started;
	char roll_back_reason[160];
	struct model_id active; /* found in or put into the active slot last */
	bool foreign;           /* and it is not in_force: somebody else put it there */

	struct sen_store *store;
	char *store_path;        /* NULL: in memory */
	bool store_failing;      /* and it has been said */
	unsigned int store_busy; /* times in a row that another process held it */
	bool forget_again;       /* sen_learner_forget_normal() met that */
	int64_t epoch_ms;        /* wall time at 0 of the clock that callers give */
	struct sen_marks marks;
	struct sen_score_hist marks_since;
	unsigned int marks_version; /* of the model whose scores they are of */
	int64_t marks_ms;
	struct sen_trigger trigger;
	uint64_t baseline_samples;
	uint64_t window_samples; /* since the last drift window: all, and those of known attacks */
	uint64_t window_explained;

	struct sen_drift *drift;         /* of all traffic, by the histograms in the kernel */
	struct sen_drift *sample_drift;  /* of samples taken at random, on finer bins */
	struct sen_drift_counts sampled; /* those samples */
	struct sen_performance performance;
	int64_t *judged; /* samples that operators have labelled and that have been judged, latest first */
	size_t judged_n;
	bool drifted;
	char drift_reason[160];
	struct sen_watch watch;

	int64_t baseline_ms;
	int64_t paused_until_ms;
	int64_t checked_ms;
};

__attribute__((format(printf, 3, 4))) void sen_learner_say(struct sen_learner *l,
							   enum sen_log_level level,
							   const char *fmt, ...);
/* Learn anew what is normal; the model in force stays meanwhile. */
void sen_learner_begin_baseline(struct sen_learner *l, int64_t now_ms);
void sen_learner_begin_active(struct sen_learner *l, int64_t now_ms);

/* The store: replace or open what store_path names, in memory where it is NULL. */
int sen_learner_store_open(struct sen_learner *l, struct sen_why *why);
/* Tell of an operation of the store that has failed (once), or that all is well again. */
void sen_learner_store_result(struct sen_learner *l, int err, const struct sen_why *why);
void sen_learner_store_flush(struct sen_learner *l, int64_t now_ms);
/* The marks that labels go by, from what has been scored lately. */
void sen_learner_tick_marks(struct sen_learner *l, int64_t now_ms);
/* Benign samples without which there is no first model. */
size_t sen_learner_samples_needed(const struct sen_learner *l);
/* The counters of the packet path may have begun anew: what they say counts from here on. */
void sen_learner_rebase_marks(struct sen_learner *l, int64_t now_ms);
void sen_learner_rebase_drift(struct sen_learner *l, int64_t now_ms);
/* Begin a reference of what traffic is like, or take that of late for it. */
void sen_learner_mark_drift(struct sen_learner *l, bool adopt, int64_t now_ms);
/* Where there is none the next traffic becomes it. */
void sen_learner_want_drift(struct sen_learner *l);
/* Another model scores from now on. */
void sen_learner_rescore_drift(struct sen_learner *l);
void sen_learner_tick_drift(struct sen_learner *l, int64_t now_ms);
/* What the model in force made of a sample that a rule or an operator has labelled. */
void sen_learner_judge_labelled(struct sen_learner *l, bool attack, bool flagged);
/* Likewise of those that operators have labelled since the last time. */
void sen_learner_judge_operators(struct sen_learner *l);
/* What was taken for normal by its score alone no longer is. */
void sen_learner_forget_normal(struct sen_learner *l);

/* Start a training if one is due. */
void sen_learner_tick_baseline(struct sen_learner *l, int64_t now_ms);
void sen_learner_tick_triggers(struct sen_learner *l, int64_t now_ms);

/* The best that the models on the way to the one in force are on record with, since a baseline or an operator
 * has answered for one. */
struct sen_standard sen_learner_standard(const struct sen_learner *l);
/* What tells one set of class weights from another on record. */
double sen_learner_weights_mark(const struct sen_learner *l);
/* Write down a model and what is known of it, giving it its number and digest. */
int sen_learner_register(struct sen_learner *l, struct sen_training *t, struct sen_why *why);
void sen_learner_set_stage(struct sen_learner *l, unsigned int version, const char *stage,
			   const char *reason);
/* The model in force matters more than its record. */
void sen_learner_history_failed(struct sen_learner *l, const struct sen_why *why);

/* A candidate has passed the gate: into the canary, or into force where there is none to run beside. */
int sen_learner_stage(struct sen_learner *l, struct sen_training *t, int64_t now_ms);
void sen_learner_tick_candidate(struct sen_learner *l, int64_t now_ms);
/* A sample that the model in force has scored. */
void sen_learner_try_candidate(struct sen_learner *l, const struct sen_event *ev, bool named,
			       bool explained);
/* It is in force already, by an operator's hand. */
void sen_learner_forget_candidate(struct sen_learner *l);
/* Give the candidate up, if there is one. */
void sen_learner_abandon(struct sen_learner *l, const char *why);
/* After a restart: go on with what was staged, or archive it. */
void sen_learner_resume_candidate(struct sen_learner *l);
/* Accepts NULL. */
void sen_candidate_free(struct sen_candidate *c);

/* Record a candidate that the gate has refused. */
void sen_learner_refuse(struct sen_learner *l, struct sen_training *t);
/* A candidate comes into force. */
void sen_learner_begin_watch(struct sen_learner *l, const struct sen_candidate *c, int64_t now_ms);
/* Go on where the agent before this one, or the program before the present one, has ended. */
void sen_learner_resume_watch(struct sen_learner *l, int64_t now_ms);
void sen_learner_tick_watch(struct sen_learner *l, int64_t now_ms);
/* Write a roll-back down that could not be written down before: until then a restart would bring the bad
 * version back. */
void sen_learner_record_roll_back(struct sen_learner *l);
/* Learning rests until then, or longer; what is switched off stays so. */
void sen_learner_rest(struct sen_learner *l, int64_t until_ms);
/* Write down that it rests as long as configured, since a version was rolled back. */
void sen_learner_record_rest(struct sen_learner *l, unsigned int version);
/* After a restart: what is left of a rest, or of an operator's pause. */
void sen_learner_resume_rest(struct sen_learner *l, int64_t now_ms);
/* Learning goes on: on record, so that it does after a restart, too. */
void sen_learner_end_rest(struct sen_learner *l);
/* Likewise, unless an operator has paused it. */
void sen_learner_end_rest_after(struct sen_learner *l);
/* Of so many seconds those left, in ms, by the wall clock, which may have been set: never more than all. */
int64_t sen_learner_left_ms(int64_t since_s, int64_t seconds);
/* -EAGAIN. */
int sen_learner_wrong_state(const struct sen_learner *l, const char *what, struct sen_why *why);
/* Old versions go, by the configuration. */
void sen_learner_prune(struct sen_learner *l);
/* Make a model of ours the one in force, in the kernel and here; takes over `model`. */
int sen_learner_enforce(struct sen_learner *l, struct sen_model *model, struct sen_why *why);
/* The same for a model that is in the kernel already. */
void sen_learner_adopt(struct sen_learner *l, struct sen_model *model, const struct model_id *id);
/* There is no model in force any more that the learner answers for. */
void sen_learner_disown(struct sen_learner *l);
/* The bounds of the model in force, which another process may have changed. */
void sen_learner_check_reference(struct sen_learner *l);
/* Whether a model is a version of this registry. */
bool sen_learner_owns(struct sen_learner *l, const struct model_id *id);
/* What the active slot holds. */
int sen_learner_read_active(struct sen_learner *l, struct model_id *id);
/* Notice when somebody else has changed the active slot. */
void sen_learner_check_active(struct sen_learner *l, int64_t now_ms);
bool sen_model_id_equal(const struct model_id *a, const struct model_id *b);
void sen_model_id_text(const struct model_id *id, char text[32]);

#endif
