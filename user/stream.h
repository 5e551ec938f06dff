/* SPDX-License-Identifier: BSD-2-Clause */
/* Files as streams, whatever they are packed with: gzip (RFC 1952) and Zstandard (RFC 8878) are told by
 * their content, not by their name. */
#ifndef SENTROID_STREAM_H
#define SENTROID_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "why.h"

#define SEN_STREAM_HEAD 24 /* bytes that can be looked at before anything is read */

struct sen_stream;

/* Open a file for reading, "-" for standard input. `stream` lives as long as `file` is open. -ENOENT,
 * -EACCES, -EISDIR, ..., -ENOMEM. */
int sen_stream_open(const char *path, FILE **file, struct sen_stream **stream, struct sen_why *why);
/* What the file begins with, unpacked, `n` bytes of it: fewer only where there are no more. To be asked for
 * before anything is read, and read as it is then: it may be changed. */
uint8_t *sen_stream_head(struct sen_stream *s, size_t *n);
/* Why reading failed although the file could be read: a few words on the packed data, or NULL. */
const char *sen_stream_fault(const struct sen_stream *s);

#endif
