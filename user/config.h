/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operator may set, with its defaults: an ini file over a const struct. */
#ifndef SENTROID_CONFIG_H
#define SENTROID_CONFIG_H

#include <stddef.h>
#include <stdio.h>

#include "prefix.h"
#include "sentroid/names.h"

#define SEN_CONFIG_PATH "/etc/sentroid/sentroid.conf"

struct sen_config {
	char listen[64];
	char state_dir[256];
	unsigned int log_level; /* enum sen_log_level */

	unsigned int attach_mode; /* enum sen_attach_mode */
	unsigned int policy;      /* enum sen_mode */
	unsigned int attach_egress;
	unsigned int attach_flows;
	struct sen_prefixes allow;

	unsigned int baseline_seconds;
	unsigned int baseline_samples;

	unsigned int learn_enabled;
	double label_low_mark;
	double label_high_mark;
	double learn_margin;
	unsigned int learn_uncertain;
	unsigned int learn_samples;
	unsigned int learn_interval;
	unsigned int learn_full_interval;
	unsigned int learn_min_interval;
	unsigned int learn_uploads;

	unsigned int store_samples;
	unsigned int store_days;

	unsigned int uploads_keep;
	unsigned int uploads_days;

	double weights[SEN_CLASS_BUILTIN_COUNT]; /* of attacks, by class */
	unsigned int train_members;
	unsigned int train_centroids;
	double train_target_fpr;
	double train_threshold_margin;

	unsigned int drift_window;
	unsigned int drift_windows;
	double drift_psi;
	double drift_shift;
	double drift_significance;

	unsigned int canary_evaluations;
	unsigned int canary_seconds;
	double canary_extra;
	double canary_agreement;
	double canary_shift;

	unsigned int watch_seconds;
	double watch_share;
	double watch_factor;
	double watch_shift;
	unsigned int watch_pause;

	unsigned int registry_keep;

	unsigned int alerts_capacity;
	unsigned int alerts_update;
	unsigned int alerts_idle;
	unsigned int alerts_novelty_samples;
	unsigned int alerts_novelty_window;
	unsigned int alerts_novelty_hold;
	double alerts_novelty_score;
};

extern const struct sen_config sen_config_defaults;

/* Words for enum sen_mode, in its order; NULL ends them. */
extern const char *const sen_policy_words[];
/* One of them, "unknown" for what is none. */
const char *sen_policy_word(unsigned int mode);

/* Told of each bad line. */
typedef void (*sen_config_error_fn)(void *ctx, const char *file, unsigned int line,
				    const char *what);

/* Read a file over what is in *config. 0; -EINVAL: bad lines, each of them told, *config unchanged;
 * otherwise the negative errno of the file. */
int sen_config_load(struct sen_config *config, const char *path, sen_config_error_fn error,
		    void *ctx);
/* The same from an open stream; `name` stands in messages. */
int sen_config_read(struct sen_config *config, FILE *in, const char *name,
		    sen_config_error_fn error, void *ctx);
/* A commented file that sets nothing: every option with its help, its range and its value here. */
void sen_config_print(FILE *out, const struct sen_config *config);

#endif
