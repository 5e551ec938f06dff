/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's structures for a native build: the same ones, without relocations. Comes before any
 * header that makes macros of true and false. */
#define BPF_NO_PRESERVE_ACCESS_INDEX
#include "../../../vmlinux.h"
