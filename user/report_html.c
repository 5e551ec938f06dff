// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report_html.h"

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;color:#222;background:#fff;max-width:62rem;"
	"margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #ddd}\n"
	"table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.15rem .55rem;text-align:right;border-bottom:1px solid #eee;"
	"font-weight:normal}td{white-space:nowrap}\n"
	"thead th{color:#666;border-bottom:1px solid #aaa;vertical-align:bottom}\n"
	"th:first-child{text-align:left}.words th:first-child{white-space:nowrap}\n"
	".names th:first-child{min-width:18em;overflow-wrap:anywhere}\n"
	".lists td:last-child{text-align:left;white-space:normal}\n"
	"dt{color:#666;float:left;clear:left;width:9rem}dd{margin-left:9.5rem;"
	"overflow-wrap:anywhere}\n"
	"code{font-size:.9em}p,dd{max-width:46rem}.note{color:#666;font-size:.92em}\n"
	"svg{max-width:100%;height:auto}.pair{display:flex}.pair svg{width:50%}\n"
	"@page{margin:14mm}\n"
	"@media print{body{margin:0;padding:0;max-width:none;font-size:9pt}"
	"table{font-size:7.5pt}th,td{padding:.1rem .3rem}"
	"h2{break-after:avoid}tr,svg{break-inside:avoid}}\n";

void html_text(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
}

void html_begin(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<meta name=\"viewport\" content=\"width=device-width\"><title>",
	      out);
	html_text(out, title);
	fprintf(out, "</title><style>\n%s</style></head><body>\n<h1>", style);
	html_text(out, title);
	fputs("</h1>\n", out);
}

void html_end(FILE *out)
{
	fputs("</body></html>\n", out);
}

void html_table(FILE *out, const char *kind, const char *headings)
{
	fprintf(out, "<table class=\"%s\"><thead><tr>", kind);
	while (*headings) {
		int len = strcspn(headings, "|");

		fprintf(out, "<th>%.*s</th>", len, headings);
		headings += len + (headings[len] == '|');
	}
	fputs("</tr></thead><tbody>\n", out);
}

void html_table_end(FILE *out)
{
	fputs("</tbody></table>\n", out);
}

void html_row(FILE *out, const char *name)
{
	fputs("<tr><th>", out);
	html_text(out, name);
	fputs("</th>", out);
}

void html_row_end(FILE *out)
{
	fputs("</tr>\n", out);
}

void html_figure(FILE *out, double v, int decimals)
{
	if (isfinite(v))
		fprintf(out, "<td>%.*f</td>", decimals, v);
	else
		fputs("<td>&ndash;</td>", out);
}

void html_count(FILE *out, double n)
{
	html_figure(out, n, 0);
}

void html_share(FILE *out, double share)
{
	if (isfinite(share))
		fprintf(out, "<td>%.2f&thinsp;%%</td>", 100 * share);
	else
		html_figure(out, share, 0);
}

void html_words(FILE *out, const char *text)
{
	fputs("<td>", out);
	html_text(out, text);
	fputs("</td>", out);
}
