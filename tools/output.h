/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a command is told to write, looked at before anything is read. */
#ifndef SENTROID_TOOLS_OUTPUT_H
#define SENTROID_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Two names of one file, which need not be there yet. Of devices and pipes only the same name is the same. */
bool is_same_file(const char *a, const char *b);

/* Explain and return nonzero if writing `path` would replace one of the inputs; - is standard input, NULL
 * entries are passed over. A path of NULL is no output. */
int check_no_input(const char *option, const char *path, const char *const *inputs, size_t n);
/* The same if it would replace any capture or flow table: in `--flows *.pcap` the first of the captures is
 * taken for what to write. */
int check_no_recording(const char *option, const char *path);

#endif
