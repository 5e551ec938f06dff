/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures that operators drop into the folder `uploads` of an interface: in it, in `benign` or in a
 * folder named as an attack class below it. Each is analysed once it has stopped growing, counted once
 * by its SHA-256, and archived with a time stamp when a training has seen it:
 *
 *     uploads/FILE  uploads/benign/FILE  uploads/CLASS/FILE    to be analysed
 *     uploads/stored/SHA256                                    analysed, to be trained on
 *     uploads/archive/STAMP-NAME                               trained on
 *     uploads/rejected/NAME, NAME.reason                       of no use, and why
 *
 * The latter three are bounded by count and age. Long names are shortened there. A file that cannot be moved
 * is told once and passed over, until it changes or the agent is restarted.
 */
#ifndef SENTROID_UPLOADS_H
#define SENTROID_UPLOADS_H

#include "analyse.h"
#include "log.h"
#include "store.h"
#include "worker.h"

#define SEN_UPLOADS_FOLDER "uploads"

struct sen_uploads_ops {
	/* What samples are scored and labelled by: the model in force, whose it is, marks and margin. -ENOENT:
	 * none is in force. */
	int (*judge)(void *ctx, struct sen_analysis *out);
	struct sen_store *(*store)(void *ctx);
	void (*say)(void *ctx, enum sen_log_level level, const char *line);
};

struct sen_uploads_limits {
	unsigned int keep, days; /* files in each of the three folders, and for how long */
};

struct sen_uploads;

/* Makes the folders. `ops` is copied. */
int sen_uploads_open(const char *state_dir, struct sen_worker *worker,
		     const struct sen_uploads_ops *ops, void *ctx, struct sen_uploads **out,
		     struct sen_why *why);
void sen_uploads_limit(struct sen_uploads *u, const struct sen_uploads_limits *limits);
/* Take away the folders of a state folder, as far as they are empty. */
void sen_uploads_unmake(const char *state_dir);
/* The worker must have been stopped. Accepts NULL. */
void sen_uploads_close(struct sen_uploads *u);

/* Look for files, have the next one analysed; about once a second. */
void sen_uploads_tick(struct sen_uploads *u);
/* Unique ones that no training has seen. */
unsigned int sen_uploads_count(struct sen_uploads *u);
/* A training takes what the store holds now ... */
void sen_uploads_training_begins(struct sen_uploads *u);
/* ... and has ended: archive what it took. Only for one from scratch whose candidate was judged: one that
 * came to nothing, or an update, which takes a part of the samples, leaves them to count. */
void sen_uploads_training_done(struct sen_uploads *u);

#endif
