/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples as CSV (RFC 4180), as `sentroid label export` writes them: a header line, a line a sample. Columns
 * are found by their names; those of all features must be there, `label`, `by`, `src`, `dst`, `sport`,
 * `dport` and `proto` may be. It is the log of flows that carries what a model looks at.
 */
#ifndef SENTROID_SAMPLELOG_H
#define SENTROID_SAMPLELOG_H

#include <stdbool.h>

#include "label.h"

/* Split a line in place, taking quotes off; how many fields, at most `most`. */
int sen_csv_split(char *line, char **field, int most);

/* Whether a file begins like one. */
bool sen_samplelog_is(const char *path);
/* Call fn for each record: vector, flow, label and origin (NONE where not given), no score. `names`: of the
 * model in force, NULL: none; a class that another model has the number but no name of is an unknown one.
 * -EINVAL with file and line: not understood, what came before stands. 0 or what fn returned. */
int sen_samplelog_read(const char *path, const struct sen_class_names *names,
		       int (*fn)(void *ctx, const struct sen_record *record), void *ctx,
		       struct sen_why *why);

#endif
