/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of comma-separated values, as fast as a replay makes them. printf() would take longer than the
 * packets. Errors are kept for the end. */
#ifndef SENTROID_CSV_H
#define SENTROID_CSV_H

#include <stdint.h>

#include "why.h"

struct sen_csv;

/* Begin the file with its header line. Unless it is no plain file, what is there stays until the new one is
 * closed. */
int sen_csv_open(const char *path, const char *header, struct sen_csv **out, struct sen_why *why);
/* Fields of a line, each set off from the one before it. */
void sen_csv_number(struct sen_csv *csv, uint64_t value);
/* value / scale with so many decimals, rounded half up. */
void sen_csv_decimal(struct sen_csv *csv, uint64_t value, uint64_t scale, unsigned int decimals);
void sen_csv_text(struct sen_csv *csv, const char *text);
void sen_csv_end_line(struct sen_csv *csv);
/* Write what is left and put the file in its place; also frees. NULL is nothing to do. */
int sen_csv_close(struct sen_csv *csv, struct sen_why *why);
/* Leave what was there as it was; also frees. NULL is nothing to do. */
void sen_csv_discard(struct sen_csv *csv);

#endif
