/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples of one interface in SQLite (WAL): what learning draws from, what operators label.
 * Bounded by count and by age. Each stratum (benign, one per attack class, unlabelled) is a reservoir
 * of its own, so that rare classes are not washed out: every record gets a random key that grows with
 * the stratum's stream, and the lowest keys give way (weighted reservoir sampling by Efraimidis and
 * Spirakis 2006, with weights that grow exponentially in time; in logarithms, by the Gumbel trick).
 *
 * Records are kept in memory until sen_store_flush() writes them in one transaction: a crash costs
 * what came since the last flush and nothing else. Other processes may read and label meanwhile.
 */
#ifndef SENTROID_STORE_H
#define SENTROID_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample.h"
#include "sentroid/abi.h"
#include "why.h"

#define SEN_STORE_FILE "samples.db" /* below the state folder of the interface */

struct sen_record {
	int64_t id;               /* given by the store, never used again */
	struct sen_sample sample; /* time_ns is wall time; class_id of an unlabelled one is a guess */
	float confidence;         /* of the label, 0..1 */
	bool teaches;             /* taken for normal: labelled benign, or unlabelled and let in */
	bool trained;             /* was there at the last training; not to be given */
	int64_t upload;           /* that it came with, 0: seen live */
	/* Of the flow, for people; sample.source and sample.flow are made from it when drawn. */
	__u8 src[SEN_ADDR_BYTES];
	__u8 dst[SEN_ADDR_BYTES];
	uint16_t sport, dport;
	uint8_t proto;
	char reason[120]; /* why this label */
};

struct sen_store_limits {
	size_t samples; /* benign 3/4 (a third of it not trained on yet), unlabelled and attacks 1/8
			 * each; what is too much goes by and by */
	unsigned int days; /* older ones go */
};

struct sen_store_counts {
	size_t fresh;      /* that teach what is normal, in no training yet */
	size_t past;       /* the others of them */
	size_t unlabelled; /* between the marks, teaching nothing */
	size_t attack;
};

struct sen_store;

/* Open or make the database; path NULL: in memory. A file that is damaged or of another version is
 * moved aside, *moved (may be NULL) tells where to, or is empty. Free with sen_store_close().
 * Only while it opens does it wait for other processes. -ENOSPC, -EACCES, -EROFS, -EIO, ... */
int sen_store_open(const char *path, const struct sen_store_limits *limits, char moved[320],
		   struct sen_store **out, struct sen_why *why);
/* What waits is written, if it can be. */
void sen_store_close(struct sen_store *s);
/* Open one that an agent keeps, without making, checking or moving anything. `limits` are those of an agent
 * that has not noted its own in the file. -ENOENT: there is none; -EPROTO: of another version. */
int sen_store_visit(const char *path, const struct sen_store_limits *limits, struct sen_store **out,
		    struct sen_why *why);
void sen_store_limit(struct sen_store *s, const struct sen_store_limits *limits);

/* A record for the next flush, unless its reservoir would not keep it. */
void sen_store_add(struct sen_store *s, const struct sen_record *record);
/* Whether the next one added would push out another that waits. */
bool sen_store_full(const struct sen_store *s);
/* Write what was added and keep the bounds, in one transaction. On an error nothing has changed, and
 * what was to be written is dropped. -EBUSY: another process writes, all still waits. -EUCLEAN: the file
 * is damaged. */
int sen_store_flush(struct sen_store *s, int64_t wall_ms, struct sen_why *why);

/* Of what is written. */
struct sen_store_counts sen_store_counts(struct sen_store *s);

/* What a training takes; counts that do not fit the store are cut. Of `fresh` and `past` benign ones
 * (labelled so when drawn) random draws, but first what operators have labelled so; of attacks the
 * classes get shares by their weights. Only certain labels (rules, operators,
 * uploads) make an attack here. */
struct sen_store_wish {
	size_t fresh, past, attacks;
	const double *weights; /* of the built-in classes, others have 1; NULL: all alike */
	uint32_t least_score; /* of attacks by a model of this store, Q16, but for those that operators
			       * have named; 0: any attack */
};
/* How many were copied to `out`, which has room for all that is wished for, or a negative errno. */
long sen_store_draw(struct sen_store *s, const struct sen_store_wish *wish, struct sen_sample *out,
		    struct sen_why *why);
/* What was fresh is past from here on: it takes part in one update, not in two. */
int sen_store_settle(struct sen_store *s, struct sen_why *why);
/* A label by an operator, or, if `automatic`, back to the one without. */
struct sen_relabel {
	int64_t id;
	bool automatic;
	enum sen_label label;
	unsigned int class_id; /* of an attack */
};

/* All or none, at once for other processes. How many were changed; -ENOENT: one was not found. From a
 * `list` those that are gone are passed over, and those that are labelled so already, by whomever. */
long sen_store_relabel(struct sen_store *s, const struct sen_relabel *changes, size_t n, bool list,
		       struct sen_why *why);

enum sen_store_order {
	SEN_LIST_LATEST,
	SEN_LIST_UNCERTAIN /* only those without a certain label, nearest to the threshold first */
};
struct sen_store_filter {
	enum sen_store_order order;
	int label, class_id, origin; /* -1: any */
	size_t most;
};

/* Call fn for records; 0 or what it returned. */
int sen_store_list(struct sen_store *s, const struct sen_store_filter *filter,
		   int (*fn)(void *ctx, const struct sen_record *record), void *ctx,
		   struct sen_why *why);

struct sen_upload {
	int64_t id; /* given by the store */
	char sha256[65];
	char name[256];
	int64_t time_ms; /* wall clock */
};

/* An upload with its samples, in one transaction. -EEXIST: one of that digest is known, nothing has
 * changed. */
int sen_store_add_upload(struct sen_store *s, const struct sen_upload *upload,
			 struct sen_record *records, size_t n, struct sen_why *why);
/* Call fn (may be NULL) for those up to an id that are not archived; how many, or what fn returned. */
int sen_store_uploads(struct sen_store *s, int64_t upto,
		      int (*fn)(void *ctx, const struct sen_upload *upload), void *ctx,
		      struct sen_why *why);
int sen_store_archive_upload(struct sen_store *s, int64_t id, const char *where,
			     struct sen_why *why);
/* Forget what was taken for normal by its score alone: the baseline begins again. */
int sen_store_forget_normal(struct sen_store *s, struct sen_why *why);

#endif
