// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "labels.h"

#define LINE_MAX_BYTES 4096
#define FIELDS_MAX     64
#define NAMES_MAX      UINT16_MAX

enum column {
	COLUMN_FRAME,
	COLUMN_LABEL,
	COLUMN_CLASS,
	COLUMN_SOURCE,
	COLUMN_COUNT
};

struct names {
	char **at;
	size_t n, last; /* last: the one that was asked for last */
};

struct entry {
	uint64_t frame;
	struct sen_frame_label label;
};

struct sen_labels {
	struct entry *entries; /* by frame */
	size_t n, room;
	struct names classes, sources;
};

struct reader {
	struct sen_labels *labels;
	const char *path;
	unsigned long long line;
	int column[COLUMN_COUNT]; /* -1: not there */
	struct sen_why *why;
};

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i]);
	free(names->at);
}

void sen_labels_free(struct sen_labels *l)
{
	if (!l)
		return;
	names_free(&l->classes);
	names_free(&l->sources);
	free(l->entries);
	free(l);
}

static int names_add(struct names *names, const char *name)
{
	char **grown = reallocarray(names->at, names->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	names->at = grown;
	names->at[names->n] = strdup(name);
	if (!names->at[names->n])
		return -ENOMEM;
	return names->n++;
}

/* Index of a name, which is added where it is new. Neighbouring lines mostly have the same. */
static int names_find(struct names *names, const char *name)
{
	if (names->n && !strcmp(names->at[names->last], name))
		return names->last;
	for (size_t i = 0; i < names->n; i++)
		if (!strcmp(names->at[i], name))
			return names->last = i;
	return names->n < NAMES_MAX ? names_add(names, name) : -ENOSPC;
}

__attribute__((format(printf, 2, 3))) static int refuse(const struct reader *r, const char *fmt,
							...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return sen_why(r->why, -EINVAL,
		       "a header line, then one line a frame: frame,label,class[,source]",
		       "reading labels: %s: line %llu: %s", r->path, r->line, text);
}

/* The next field of a line, cut off in place without the spaces around it, and *at behind it, NULL after the
 * last. A field may stand in double quotes, within which one is written as two (RFC 4180). NULL: a quote does
 * not end. */
static char *take_field(char **at)
{
	char *field = *at + strspn(*at, " \t"), *in = field, *out = field;
	bool quoted = *in == '"';

	in += quoted;
	while (*in && (quoted || *in != ',')) {
		if (quoted && *in == '"' && *++in != '"')
			quoted = false;
		else
			*out++ = *in++;
	}
	*at = *in ? in + 1 : NULL;
	while (out > field && (out[-1] == ' ' || out[-1] == '\t'))
		out--;
	*out = '\0';
	return quoted ? NULL : field;
}

/* Cut a line into its fields. Returns how many, or -EINVAL. */
static int split(struct reader *r, char *line, char *field[FIELDS_MAX])
{
	char *at = line;
	int n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (at) {
		if (n == FIELDS_MAX)
			return refuse(r, "more than %d columns", FIELDS_MAX);
		field[n] = take_field(&at);
		if (!field[n++])
			return refuse(r, "a quoted field does not end");
	}
	return n;
}

static int read_header(struct reader *r, char *line)
{
	static const char *const names[] = { "frame", "label", "class", "source", "source_file" };
	static const char mark[] = "\xef\xbb\xbf"; /* that spreadsheets begin a file with */
	size_t skip = strncmp(line, mark, strlen(mark)) ? 0 : strlen(mark);
	char *field[FIELDS_MAX];
	int n = split(r, line + skip, field);

	if (n < 0)
		return n;
	for (int c = 0; c < COLUMN_COUNT; c++)
		r->column[c] = -1;
	for (int i = 0; i < n; i++)
		for (int c = 0; c < COLUMN_COUNT; c++)
			if (!strcmp(field[i], names[c]))
				r->column[c] = i;
	for (int i = 0; i < n && r->column[COLUMN_SOURCE] < 0; i++)
		if (!strcmp(field[i], names[COLUMN_COUNT]))
			r->column[COLUMN_SOURCE] = i;
	for (int c = 0; c < COLUMN_SOURCE; c++)
		if (r->column[c] < 0)
			return refuse(r, "no column %s", names[c]);
	return 0;
}

static int add_entry(struct reader *r, const struct entry *entry)
{
	struct sen_labels *l = r->labels;

	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 65536;
		struct entry *grown = reallocarray(l->entries, room, sizeof(*grown));

		if (!grown)
			return sen_why(r->why, -ENOMEM, NULL, "reading labels: %s: out of memory",
				       r->path);
		l->entries = grown;
		l->room = room;
	}
	l->entries[l->n++] = *entry;
	return 0;
}

static int read_line(struct reader *r, char *line)
{
	char *field[FIELDS_MAX], *end;
	const char *frame, *label, *source;
	struct entry entry = { 0 };
	int n = split(r, line, field), class_index, source_index;

	if (n < 0)
		return n;
	for (int c = 0; c < COLUMN_COUNT; c++)
		if (r->column[c] >= n)
			return refuse(r, "%d columns, and the header has more", n);
	frame = field[r->column[COLUMN_FRAME]];
	label = field[r->column[COLUMN_LABEL]];
	source = r->column[COLUMN_SOURCE] < 0 ? "" : field[r->column[COLUMN_SOURCE]];
	errno = 0;
	entry.frame = strtoull(frame, &end, 10);
	if (*frame < '0' || *frame > '9' || *end || errno || !entry.frame)
		return refuse(r, "frame: %.40s: not a number from 1", frame);
	if (strcmp(label, "0") && strcmp(label, "1"))
		return refuse(r, "label: %.40s: not 0 or 1", label);
	class_index = names_find(&r->labels->classes, field[r->column[COLUMN_CLASS]]);
	source_index = names_find(&r->labels->sources, source);
	if (class_index < 0 || source_index < 0)
		return refuse(r, "too many classes or sources");
	entry.label.malicious = *label == '1';
	entry.label.class_index = class_index;
	entry.label.source_index = source_index;
	return add_entry(r, &entry);
}

static int by_frame(const void *a, const void *b)
{
	uint64_t x = ((const struct entry *)a)->frame, y = ((const struct entry *)b)->frame;

	return x < y ? -1 : x > y;
}

static int settle(struct reader *r)
{
	struct sen_labels *l = r->labels;

	if (!l->n)
		return refuse(r, "no frame has a label");
	qsort(l->entries, l->n, sizeof(*l->entries), by_frame);
	for (size_t i = 1; i < l->n; i++)
		if (l->entries[i].frame == l->entries[i - 1].frame)
			return sen_why(r->why, -EINVAL, NULL,
				       "reading labels: %s: frame %llu has two labels", r->path,
				       (unsigned long long)l->entries[i].frame);
	return 0;
}

static int read_all(struct reader *r, gzFile in)
{
	char line[LINE_MAX_BYTES];
	int err = 0, code;

	while (!err && gzgets(in, line, sizeof(line))) {
		r->line++;
		if (strlen(line) == sizeof(line) - 1)
			err = refuse(r, "longer than %zu bytes", sizeof(line) - 2);
		else if (r->line == 1)
			err = read_header(r, line);
		else if (line[strspn(line, " \t\r\n")])
			err = read_line(r, line);
	}
	/* The last line of a cut file is wrong, too, but that is not what is wrong with it. */
	gzerror(in, &code);
	if (code != Z_OK)
		return sen_why(r->why, -EIO, NULL, "reading labels: %s: line %llu: damaged file",
			       r->path, r->line);
	return err ? err : settle(r);
}

int sen_labels_read(const char *path, struct sen_labels **out, struct sen_why *why)
{
	struct reader r = { .path = path, .why = why, .labels = calloc(1, sizeof(*r.labels)) };
	gzFile in;
	int err;

	if (!r.labels)
		return sen_why(why, -ENOMEM, NULL, "reading labels: %s: out of memory", path);
	in = gzopen(path, "re"); /* reads what is not compressed as it is */
	if (in) {
		err = read_all(&r, in);
		gzclose(in);
	} else {
		err = sen_why(why, -errno, NULL, "reading labels: %s: %s", path, strerror(errno));
	}
	if (err)
		sen_labels_free(r.labels);
	else
		*out = r.labels;
	return err;
}

bool sen_labels_get(const struct sen_labels *l, uint64_t frame, struct sen_frame_label *out)
{
	struct entry key = { .frame = frame };
	const struct entry *found;

	/* Where every frame has a label, it has the place of its number. */
	if (frame <= l->n && l->entries[frame - 1].frame == frame)
		found = &l->entries[frame - 1];
	else
		found = bsearch(&key, l->entries, l->n, sizeof(key), by_frame);
	if (found)
		*out = found->label;
	return found;
}

uint64_t sen_labels_last(const struct sen_labels *l)
{
	return l->entries[l->n - 1].frame;
}

size_t sen_labels_count(const struct sen_labels *l)
{
	return l->n;
}

size_t sen_labels_classes(const struct sen_labels *l)
{
	return l->classes.n;
}

const char *sen_labels_class(const struct sen_labels *l, unsigned int index)
{
	return l->classes.at[index];
}

size_t sen_labels_sources(const struct sen_labels *l)
{
	return l->sources.n;
}

const char *sen_labels_source(const struct sen_labels *l, unsigned int index)
{
	return l->sources.at[index];
}
