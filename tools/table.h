/* SPDX-License-Identifier: BSD-2-Clause */
/* Aligned columns on stdout. */
#ifndef SENTROID_TABLE_H
#define SENTROID_TABLE_H

#include <stddef.h>

#define TABLE_COLUMNS 12

struct table {
	const char *align; /* for each column '<' or '>' */
	const char *indent;
	char **row; /* cells separated by tabs; the first row is the heading */
	size_t rows;
	int width[TABLE_COLUMNS]; /* of what has been printed: what follows is aligned with it */
};

/* Add a row; its cells are separated by tabs. Out of memory ends the program. */
__attribute__((format(printf, 2, 3))) void table_row(struct table *t, const char *fmt, ...);
/* Print and empty it. */
void table_print(struct table *t);

#endif
