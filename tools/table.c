// SPDX-License-Identifier: BSD-2-Clause
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "table.h"

void table_row(struct table *t, const char *fmt, ...)
{
	char **more = realloc(t->row, (t->rows + 1) * sizeof(*more));
	va_list args;

	if (!more)
		errx(EXIT_FAILED, "printing a table: out of memory");
	t->row = more;
	va_start(args, fmt);
	if (vasprintf(&t->row[t->rows], fmt, args) < 0)
		errx(EXIT_FAILED, "printing a table: out of memory");
	va_end(args);
	t->rows++;
}

/* Length of the cell at p; *next begins the one behind it. */
static int cell_width(const char *p, const char **next)
{
	size_t n = strcspn(p, "\t");

	*next = p[n] ? p + n + 1 : p + n;
	return n;
}

static void measure(struct table *t)
{
	for (size_t r = 0; r < t->rows; r++) {
		const char *p = t->row[r];

		for (size_t c = 0; t->align[c]; c++) {
			int n = cell_width(p, &p);

			if (n > t->width[c])
				t->width[c] = n;
		}
	}
}

static void print_row(const struct table *t, const char *p)
{
	fputs(t->indent, stdout);
	for (size_t c = 0; t->align[c]; c++) {
		const char *cell = p, *gap = c ? "  " : "";
		int n = cell_width(p, &p);

		if (t->align[c] == '>')
			printf("%s%*s%.*s", gap, t->width[c] - n, "", n, cell);
		else if (*p) /* nothing behind the last */
			printf("%s%.*s%*s", gap, n, cell, t->width[c] - n, "");
		else
			printf("%s%.*s", n ? gap : "", n, cell);
	}
	putchar('\n');
}

void table_print(struct table *t)
{
	measure(t);
	for (size_t r = 0; r < t->rows; r++) {
		print_row(t, t->row[r]);
		free(t->row[r]);
	}
	free(t->row);
	t->row = NULL;
	t->rows = 0;
}
