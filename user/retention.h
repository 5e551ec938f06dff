/* SPDX-License-Identifier: BSD-2-Clause */
/* Folders that files come into and nobody clears. */
#ifndef SENTROID_RETENTION_H
#define SENTROID_RETENTION_H

#include <stdint.h>

/* Delete the files of a folder that came there before a time (Unix seconds), and of the others all but the
 * latest `keep`. How many went, or a negative errno. */
int sen_retain_files(const char *folder, unsigned int keep, int64_t since_s);

#endif
