/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of HTML: what comes from files is escaped, what is undefined is a dash. */
#ifndef SENTROID_REPORT_HTML_H
#define SENTROID_REPORT_HTML_H

#include <stdio.h>

void html_begin(FILE *out, const char *title);
void html_end(FILE *out);
/* Text with the characters that mean something to HTML escaped. */
void html_text(FILE *out, const char *text);

/* Kinds of tables: rows named by a word, also with a list of words in the last column, or by something long,
 * such as a file. */
#define HTML_WORDS "words"
#define HTML_LISTS "words lists"
#define HTML_NAMES "names"

/* A table; headings are separated by '|', the first one is of the column that names the row. */
void html_table(FILE *out, const char *kind, const char *headings);
void html_table_end(FILE *out);
/* A row of a table: its name, its cells, its end. */
void html_row(FILE *out, const char *name);
void html_row_end(FILE *out);
void html_count(FILE *out, double n);
void html_share(FILE *out, double share); /* as a percentage */
void html_figure(FILE *out, double v, int decimals);
void html_words(FILE *out, const char *text);

#endif
