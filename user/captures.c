// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "captures.h"

struct source {
	struct sen_capture *capture; /* NULL: it is over */
	struct sen_frame frame;      /* its next one */
	const char *path;
};

struct sen_captures {
	struct sen_captures_options options;
	uint64_t count;
	struct source *last; /* whose frame was handed out: only then may it go on */
	size_t n;
	struct source source[];
};

/* Whether there is a next frame or not: 0. */
static int advance(struct sen_captures *c, struct source *s, struct sen_why *why)
{
	struct sen_why damage;
	int got = sen_capture_next(s->capture, &s->frame, &damage);

	if (got == 1)
		return 0;
	if (got < 0 && got != -EIO) {
		if (why)
			*why = damage;
		return got;
	}
	if (!got && !s->frame.number)
		sen_why(&damage, -ENODATA, NULL, "reading capture: %s: no packets", s->path);
	if (got < 0 || !s->frame.number)
		c->options.damage(c->options.ctx, &damage);
	sen_capture_close(s->capture);
	s->capture = NULL;
	return 0;
}

static int open_sources(struct sen_captures *c, size_t n, struct sen_why *why)
{
	int err = 0;

	for (; !err && c->n < n; c->n++) {
		c->source[c->n].path = c->options.files[c->n];
		err = sen_capture_open(c->source[c->n].path, c->options.note, c->options.ctx,
				       &c->source[c->n].capture, why);
	}
	for (size_t i = 0; !err && i < n; i++)
		err = advance(c, &c->source[i], why);
	return err;
}

int sen_captures_open(const struct sen_captures_options *options, struct sen_captures **out,
		      struct sen_why *why)
{
	struct sen_captures *c;
	size_t n = 0;
	int err;

	while (options->files[n])
		n++;
	c = calloc(1, sizeof(*c) + n * sizeof(c->source[0]));
	if (!c)
		return sen_why(why, -ENOMEM, NULL, "opening captures: out of memory");
	c->options = *options;
	err = open_sources(c, n, why);
	if (err)
		sen_captures_close(c);
	else
		*out = c;
	return err;
}

static struct source *earliest(struct sen_captures *c)
{
	struct source *first = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct source *s = &c->source[i];

		if (s->capture && (!first || s->frame.time_ns < first->frame.time_ns))
			first = s;
	}
	return first;
}

int sen_captures_next(struct sen_captures *c, struct sen_frame *frame, struct sen_why *why)
{
	do {
		int err = c->last && c->last->capture ? advance(c, c->last, why) : 0;

		if (err)
			return err;
		c->last = earliest(c);
		if (!c->last)
			return 0;
		c->last->frame.place = ++c->count;
	} while (c->last->frame.foreign);
	*frame = c->last->frame;
	return 1;
}

uint64_t sen_captures_count(const struct sen_captures *c)
{
	return c->count;
}

void sen_captures_close(struct sen_captures *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		sen_capture_close(c->source[i].capture);
	free(c);
}
