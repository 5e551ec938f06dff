/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things are. */
#ifndef SENTROID_PATHS_H
#define SENTROID_PATHS_H

#include <stddef.h>

#include "model.h"
#include "why.h"

/* The model that comes with the program: models/default.json of the source tree that the executable
 * was built in, or the installed one. -ENOENT with both places named. */
int sen_default_model_path(char *path, size_t size, struct sen_why *why);
/* That model, or the one of a path unless it is NULL. Free with sen_model_free(). Errors of sen_model_load(), too. */
int sen_model_load_or_default(const char *path, struct sen_model **out, struct sen_why *why);
/* A name that the kernel would accept for an interface, and that is safe in a path. */
int sen_check_ifname(const char *ifname, struct sen_why *why);

#endif
