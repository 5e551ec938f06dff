/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every model version of one interface, immutable on disk: DIR/NNNNNN.json is the model, read-only,
 * DIR/history.jsonl one line an event (created, measured, staged, promoted, archived, pruned: when,
 * which, why). Of versions pruned long ago one line stays for all of them.
 */
#ifndef SENTROID_REGISTRY_H
#define SENTROID_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"
#include "model.h"

struct sen_registry;

/* How a model came about. */
struct sen_registry_origin {
	const char *kind; /* "baseline", "update", "full", ... */
	struct sen_facts params;
};

struct sen_registry_entry {
	unsigned int version;
	unsigned int parent;
	unsigned int reference; /* if the parent is forgotten: what bounds it */
	int64_t created_s;
	int64_t staged_s; /* since when it is in its stage; 0: since it was created */
	char digest[2 * SEN_DIGEST_BYTES + 1];
	char stage[16]; /* Development, Staging, Production, Archived */
	char reason[160];
	char kind[16];
	bool approved; /* an operator has put it into Production */
	bool pruned;   /* its file is gone, its record stays */
	struct sen_facts params;
	struct sen_facts metrics;
};

/* One line of the history. */
struct sen_registry_event {
	int64_t time_s;
	unsigned int version;
	const char *what; /* "created", "promoted", ... */
	const char *reason;
};

/* Open or create DIR. -EROFS, -EACCES, -ENOSPC with a message. */
int sen_registry_open(const char *dir, struct sen_registry **out, struct sen_why *why);
/* Open DIR to read it: nothing in it is made, mended or taken away. -ENOENT: there is none. */
int sen_registry_visit(const char *dir, struct sen_registry **out, struct sen_why *why);
void sen_registry_close(struct sen_registry *r);

/* Take in what other processes have written. */
int sen_registry_update(struct sen_registry *r, struct sen_why *why);

/* Number new versions above this one: a model in force that is not of the registry, so that the packet
 * path, which tells models apart by version, tells these apart, too. */
void sen_registry_number_above(struct sen_registry *r, unsigned int version);
/* Give the model the next version number, write it, stage Development. The file is complete and on
 * disk before the call returns, or nothing is. `origin` may be NULL. */
int sen_registry_add(struct sen_registry *r, struct sen_model *model,
		     const struct sen_registry_origin *origin, struct sen_why *why);
/* Record what was measured of a version; what has been measured before under other names stays. */
int sen_registry_measure(struct sen_registry *r, unsigned int version,
			 const struct sen_facts *metrics, struct sen_why *why);
/* Record a change of stage with its reason. Production archives the version that was in it. */
int sen_registry_stage(struct sen_registry *r, unsigned int version, const char *stage,
		       const char *reason, struct sen_why *why);
/* Into Production by an operator's decision, who answers for it: it also bounds its descendants. */
int sen_registry_approve(struct sen_registry *r, unsigned int version, const char *reason,
			 struct sen_why *why);
int sen_registry_load(struct sen_registry *r, unsigned int version, struct sen_model **out,
		      struct sen_why *why);
/* Version in Production, 0: none. */
unsigned int sen_registry_production(const struct sen_registry *r);
/* Version that was in Production before the present one, 0: none: where a rollback goes. */
unsigned int sen_registry_previous(const struct sen_registry *r);
/* Version in Staging, the latest of several, 0: none. */
unsigned int sen_registry_staged(const struct sen_registry *r);
/* The version that bounds how far this one may have drifted: the last of its ancestors, or itself, that
 * was no update or that an operator approved. 0: it is not known. */
unsigned int sen_registry_reference(const struct sen_registry *r, unsigned int version);
/* Delete the files of Archived versions but the latest `keep` and those that are still needed: to roll
 * back to, and as a reference. The record of what is pruned stays for a thousand versions, then it is
 * forgotten, too. *pruned (may be NULL): how many files. */
int sen_registry_prune(struct sen_registry *r, unsigned int keep, unsigned int *pruned,
		       struct sen_why *why);
/* Every event of a version, or of all (0), as it happened. */
int sen_registry_events(struct sen_registry *r, unsigned int version,
			void (*event)(void *ctx, const struct sen_registry_event *ev), void *ctx,
			struct sen_why *why);
/* NULL: there is no such version. Valid until the next change. */
const struct sen_registry_entry *sen_registry_find(const struct sen_registry *r,
						   unsigned int version);
/* All entries, oldest first, owned by the registry, valid until the next change. */
size_t sen_registry_entries(const struct sen_registry *r, const struct sen_registry_entry **out);

#endif
