/* SPDX-License-Identifier: BSD-2-Clause */
/* Files written whole or not at all. */
#ifndef SENTROID_FSUTIL_H
#define SENTROID_FSUTIL_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

#include "why.h"

/* Replace PATH, or the file that a link there leads to, by data: temporary file beside it, fsync, rename, fsync of
 * the folder. */
int sen_write_atomic(const char *path, const void *data, size_t len, struct sen_why *why);
/* Whether sen_write_atomic() would get as far as writing, for what takes long before it: 0, or its error. */
int sen_check_writable(const char *path, struct sen_why *why);
/* Write a new read-only file, whole or not at all. -EEXIST: there is one of that name, which stays. */
int sen_write_once(const char *path, const void *data, size_t len, struct sen_why *why);
/* A new file beside PATH, by a mode that the umask narrows, to be renamed to it when it is whole; its name into
 * tmp. A descriptor or a negative errno. */
int sen_open_temporary(const char *path, mode_t mode, char *tmp, size_t size);
/* Append one line to an open file, whole or not at all. */
int sen_write_line(int fd, const char *line);
/* The same by path, and fsync. */
int sen_append_line(const char *path, const char *line, struct sen_why *why);
/* Whole file into memory, NUL behind it; *data to free(). -EFBIG past `max` bytes. */
int sen_read_file(const char *path, size_t max, char **data, size_t *len, struct sen_why *why);
/* mkdir -p with mode 0750. */
int sen_make_dirs(const char *path, struct sen_why *why);
/* SHA-256 as 64 hex digits and a NUL. */
int sen_sha256_hex(const void *data, size_t len, char hex[65]);
/* The same of a file of any size; `cancel` is polled and may be NULL. */
int sen_sha256_file(const char *path, const atomic_bool *cancel, char hex[65], struct sen_why *why);

#endif
