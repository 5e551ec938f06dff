/* SPDX-License-Identifier: BSD-2-Clause */
/* alerts.jsonl: a line of JSON each time that an alert is opened or closed. */
#ifndef SENTROID_JOURNAL_H
#define SENTROID_JOURNAL_H

#include <cjson/cJSON.h>

/* Open it to append to; half a line that a crash has left is ended. A descriptor or a negative errno. */
int sen_journal_open(const char *path);
/* One line, whole or not at all; what could not be written leaves no trace. */
int sen_journal_write(int fd, const cJSON *entry);

#endif
