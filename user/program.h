/* SPDX-License-Identifier: BSD-2-Clause */
/* The skeleton and what everyone who loads it sets first. For loader.c and offline.c alone. */
#ifndef SENTROID_PROGRAM_H
#define SENTROID_PROGRAM_H

#include "sentroid/abi.h"
/* After the structures that it refers to. */
#include "sentroid.skel.h"

/* Table sizes, hash keys and constants, before the verifier sees the program. `flows` is rounded up to
 * a power of two, 0 means the default. What only a replay needs is left out. 0 or a negative errno. */
int sen_program_configure(struct sentroid *skel, unsigned int flows);

#endif
