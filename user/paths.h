/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things are. */
#ifndef SENTROID_PATHS_H
#define SENTROID_PATHS_H

#include <stddef.h>

#include "why.h"

/* The model that comes with the program: models/default.json of the source tree that the executable
 * was built in, or the installed one. -ENOENT with both places named. */
int sen_default_model_path(char *path, size_t size, struct sen_why *why);
/* A name that the kernel would accept for an interface, and that is safe in a path. */
int sen_check_ifname(const char *ifname, struct sen_why *why);

#endif
