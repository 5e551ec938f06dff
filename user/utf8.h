/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of files and classes may be any bytes; JSON and HTML may not. */
#ifndef SENTROID_UTF8_H
#define SENTROID_UTF8_H

/* A copy, to free(), with U+FFFD for each byte that is not UTF-8; NULL when out of memory, or of NULL. */
char *sen_utf8_mended(const char *text);

#endif
