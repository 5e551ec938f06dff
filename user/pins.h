/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder that an interface's program and maps are pinned in. */
#ifndef SENTROID_PINS_H
#define SENTROID_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include "why.h"

/* Path of the folder. */
void sen_pin_dir(char *out, size_t size, const char *ifname);
bool sen_pins_exist(const char *ifname);
/* -EEXIST, and what to do about it. */
int sen_pins_refuse(const char *ifname, struct sen_why *why);
/* Make the folder, and those above it, mounting bpffs at its usual place where it is not. -EEXIST: it is there,
 * and somebody else's; -ENOTSUP: the root of pins is set to somewhere else, which is no bpffs. */
int sen_pins_make(const char *ifname, struct sen_why *why);
/* Every pin and the folder, and the root where it is empty then. */
void sen_pins_remove(const char *ifname);

#endif
