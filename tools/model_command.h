/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of `sentroid model`. */
#ifndef SENTROID_MODEL_COMMAND_H
#define SENTROID_MODEL_COMMAND_H

#include "command.h"
#include "dataplane.h"
#include "registry.h"

int model_show(int argc, char **argv);     /* model_show.c */
int model_list(int argc, char **argv);     /* model_list.c */
int model_rollback(int argc, char **argv); /* model_rollback.c */
int model_promote(int argc, char **argv);  /* model_promote.c */
int model_diff(int argc, char **argv);     /* model_version.c */
int model_prune(int argc, char **argv);    /* model_keep.c */
int model_export(int argc, char **argv);   /* model_keep.c */

/* `model show` of a version on disk: the exit code. */
int model_show_version(const char *state_dir, const char *ifname, unsigned int version, bool json);

/* Options of every model command that reads a registry. */
enum {
	KEY_STATE_DIR = 0x200,
	KEY_KEEP,
	KEY_MODEL_JSON
};
#define JSON_OPTION                                              \
	{                                                        \
		"json", KEY_MODEL_JSON, NULL, 0, "Print JSON", 0 \
	}
#define STATE_DIR_OPTION                                                                           \
	{                                                                                          \
		"state-dir", KEY_STATE_DIR, "DIR", 0, "Where models are kept (/var/lib/sentroid)", \
			0                                                                          \
	}

enum registry_use {
	REGISTRY_READ, /* changes nothing on disk */
	REGISTRY_WRITE
};
/* Registry of an interface below the state folder (NULL: the usual one), which is not made if there is
 * none: *out is NULL then. 0 or a negative errno. */
int registry_of(const char *state_dir, const char *ifname, enum registry_use use,
		struct sen_registry **out, struct sen_why *why);
/* The same, but an error where there is none. */
int open_registry(const char *state_dir, const char *ifname, enum registry_use use,
		  struct sen_registry **out, struct sen_why *why);
/* Of an interface without versions: -ENOENT. */
int no_versions(const char *ifname, struct sen_why *why);
/* For struct syntax, with a struct registry_options as its input. */
struct registry_options {
	const char *state_dir;
	bool json;
	unsigned int keep;
};
int on_registry_option(int key, const char *value, void *input);
/* Entry of just this model, NULL if the registry (may be NULL) has none. */
const struct sen_registry_entry *registry_find(const struct sen_registry *r,
					       const struct sen_model_flat *model);
/* A model put in force by hand goes into Production if its interface's registry knows it, so that the
 * agent stays with it. What prevents that is told; the model is in force all the same. */
void registry_record(const char *state_dir, const char *ifname, const struct sen_model_flat *model,
		     const char *reason);

/* "7 (0123456789ab)" */
#define MODEL_TEXT 32
const char *model_text(const struct sen_model_flat *model, char text[MODEL_TEXT]);

#endif
