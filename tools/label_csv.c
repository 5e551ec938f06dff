// SPDX-License-Identifier: BSD-2-Clause
/* sentroid label export, import: labels as CSV (RFC 4180). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "endpoint.h"
#include "label.h"
#include "label_command.h"
#include "samplelog.h"
#include "sentroid/score.h"

#define FIELDS_MAX 64

/* ---- export ---- */

static void write_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

struct export
{
	FILE *out;
	struct sen_class_names names;
};

static int write_record(void *ctx, const struct sen_record *r)
{
	const struct sen_sample *x = &r->sample;
	char time[TIME_TEXT], src[SEN_ADDR_TEXT], dst[SEN_ADDR_TEXT], label[SEN_CLASS_NAME_MAX];
	const struct export *ex = ctx;
	FILE *out = ex->out;

	time_text((int64_t)(x->time_ns / 1000000000), time);
	sen_addr_format(r->src, src);
	sen_addr_format(r->dst, dst);
	fprintf(out, "%lld,%s,%s,%.2f,%s,%.4f,%u,%u,%s,%u,%s,%u,", (long long)r->id,
		sen_label_text(x->label, x->class_id, &ex->names, label),
		sen_origin_name(x->origin), r->confidence, time, x->score / (double)SEN_ONE,
		x->model_version, r->proto, src, r->sport, dst, r->dport);
	write_quoted(out, r->reason);
	for (int d = 0; d < SEN_MEASURES; d++)
		fprintf(out, ",%u", x->vector.v[d]);
	return fputc('\n', out) == EOF ? -errno : 0;
}

static void write_header(FILE *out)
{
	fputs("id,label,by,confidence,time,score,model,proto,src,sport,dst,dport,reason", out);
#define FEATURE_COLUMN(id, name, help) fputs("," name, out);
	SEN_FEATURES(FEATURE_COLUMN)
	SEN_CIRCUMSTANCES(FEATURE_COLUMN)
	fputc('\n', out);
}

static int export_to(struct sen_store *store, struct export *ex, const char *path,
		     struct sen_why *why)
{
	struct sen_store_filter all = { SEN_LIST_LATEST, -1, -1, -1, 1u << 30 };
	int err;

	ex->out = path ? fopen(path, "we") : stdout;
	if (!ex->out)
		return sen_why(why, -errno, NULL, "export: %s: %s", path, strerror(errno));
	write_header(ex->out);
	err = sen_store_list(store, &all, write_record, ex, why);
	if (path && fclose(ex->out) && !err)
		err = sen_why(why, -errno, NULL, "export: %s: %s", path, strerror(errno));
	return err;
}

int label_export(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "output", 'o', "FILE", 0, "There instead of to standard output", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "label export",
		.args = "[IFACE]",
		.doc = "Write all samples with their labels, flows and features as CSV.",
		.most = 1,
		.options = options,
		.option = samples_option,
	};
	struct samples_options o = { .state_dir = sen_config_defaults.state_dir };
	const char *arg[SYNTAX_ARGS];
	struct sen_store *store = NULL;
	struct sen_why why = { 0 };
	struct export ex;
	int err;

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	err = samples_of(o.state_dir, arg[0], &store, &ex.names, &why);
	if (!err)
		err = export_to(store, &ex, o.out, &why);
	sen_store_close(store);
	return err ? fail(&why) : EXIT_DONE;
}

/* ---- import ---- */

struct import {
	const char *path;
	unsigned long line;
	int id, label; /* their columns */
	struct sen_class_names names;
	struct sen_relabel *changes;
	size_t n, room;
};

static int bad_line(const struct import *im, struct sen_why *why, const char *what,
		    const char *text)
{
	return sen_why(why, -EINVAL, "nothing has been changed", "import: %s:%lu: %s: '%.40s'",
		       im->path, im->line, what, text);
}

static int read_header(struct import *im, char *const *field, int n, struct sen_why *why)
{
	im->id = im->label = -1;
	for (int i = 0; i < n; i++) {
		if (!strcmp(field[i], "id"))
			im->id = i;
		if (!strcmp(field[i], "label"))
			im->label = i;
	}
	return im->id < 0 || im->label < 0 ?
		       bad_line(im, why, "no columns id and label", field[0]) :
		       0;
}

static int read_change(struct import *im, char *const *field, int n, struct sen_why *why)
{
	struct sen_relabel change = { 0 }, *grown;
	char *end;

	if (n <= im->id || n <= im->label || !field[im->id] || !field[im->label])
		return bad_line(im, why, "too few fields", field[0]);
	change.id = strtoll(field[im->id], &end, 10);
	if (*end || end == field[im->id] || change.id < 1)
		return bad_line(im, why, "not a number of a sample", field[im->id]);
	if (parse_label(field[im->label], &im->names, &change))
		return bad_line(im, why, "not a label", field[im->label]);
	if (!im->changes || im->n == im->room) {
		im->room = im->room ? 2 * im->room : 256;
		grown = reallocarray(im->changes, im->room, sizeof(*grown));
		if (!grown)
			return sen_why(why, -ENOMEM, NULL, "import: out of memory");
		im->changes = grown;
	}
	im->changes[im->n++] = change;
	return 0;
}

static int read_changes(struct import *im, struct sen_why *why)
{
	FILE *in = fopen(im->path, "re");
	char *line = NULL, *field[FIELDS_MAX] = { NULL };
	size_t room = 0;
	int err = 0, n;

	if (!in)
		return sen_why(why, -errno, NULL, "import: %s: %s", im->path, strerror(errno));
	while (!err && getline(&line, &room, in) >= 0) {
		im->line++;
		n = sen_csv_split(line, field, FIELDS_MAX);
		if (im->line == 1)
			err = read_header(im, field, n, why);
		else if (n > 1 || field[0][0])
			err = read_change(im, field, n, why);
	}
	free(line);
	fclose(in);
	return !err && !im->line ? bad_line(im, why, "empty", "") : err;
}

int label_import(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "interface", 'i', "IFACE", 0, "Whose samples, where there are several", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "label import",
		.args = "FILE.csv",
		.doc = "Label samples as a CSV with the columns id and label says, all or none; `auto` takes a "
		       "label back. What it says already, and samples no longer "
		       "kept, are passed over.",
		.least = 1,
		.most = 1,
		.options = options,
		.option = samples_option,
	};
	struct samples_options o = { .state_dir = sen_config_defaults.state_dir };
	struct import im = { 0 };
	const char *arg[SYNTAX_ARGS];
	struct sen_store *store = NULL;
	struct sen_why why = { 0 };
	long done;

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	im.path = arg[0];
	done = samples_of(o.state_dir, o.ifname, &store, &im.names, &why);
	if (!done)
		done = read_changes(&im, &why);
	if (!done)
		done = sen_store_relabel(store, im.changes, im.n, true, &why);
	sen_store_close(store);
	free(im.changes);
	if (done < 0)
		return fail(&why);
	printf("%ld of %zu samples labelled anew\n", done, im.n);
	return EXIT_DONE;
}
