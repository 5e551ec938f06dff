/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every model version of one interface, immutable on disk: DIR/NNNNNN.json is the model,
 * DIR/history.jsonl one line an event (created, promoted, refused, rolled back: when, which, why).
 */
#ifndef SENTROID_REGISTRY_H
#define SENTROID_REGISTRY_H

#include <stddef.h>

#include "model.h"

struct sen_registry;

struct sen_registry_entry {
	unsigned int version;
	unsigned int parent;
	int64_t created_s;
	char digest[2 * SEN_DIGEST_BYTES + 1];
	char stage[16]; /* Development, Staging, Production, Archived */
	char reason[160];
};

/* Open or create DIR. -EROFS, -EACCES, -ENOSPC with a message. */
int sen_registry_open(const char *dir, struct sen_registry **out, struct sen_why *why);
void sen_registry_close(struct sen_registry *r);

/* Number new versions above this one: a model in force that is not of the registry, so that the packet
 * path, which tells models apart by version, tells these apart, too. */
void sen_registry_number_above(struct sen_registry *r, unsigned int version);
/* Give the model the next version number, write it, stage Development. The file is complete and on
 * disk before the call returns, or nothing is. */
int sen_registry_add(struct sen_registry *r, struct sen_model *model, struct sen_why *why);
/* Record a change of stage with its reason. Production archives the version that was in it. */
int sen_registry_stage(struct sen_registry *r, unsigned int version, const char *stage,
		       const char *reason, struct sen_why *why);
int sen_registry_load(struct sen_registry *r, unsigned int version, struct sen_model **out,
		      struct sen_why *why);
/* Version in Production, 0: none. */
unsigned int sen_registry_production(const struct sen_registry *r);
/* Version that was in Production before the present one, 0: none: where a rollback goes. */
unsigned int sen_registry_previous(const struct sen_registry *r);
/* All entries, oldest first, owned by the registry, valid until the next change. */
size_t sen_registry_entries(const struct sen_registry *r, const struct sen_registry_entry **out);

#endif
