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
	sen_captures_damage_fn damage;
	void *ctx;
	struct source *last; /* whose frame was handed out: only then may it go on */
	size_t n;
	struct source source[];
};

static void advance(struct sen_captures *c, struct source *s)
{
	struct sen_why why;
	int got = sen_capture_next(s->capture, &s->frame, &why);

	if (got == 1)
		return;
	if (!got && !s->frame.number)
		sen_why(&why, -ENODATA, NULL, "reading capture: %s: no packets", s->path);
	if (got < 0 || !s->frame.number)
		c->damage(c->ctx, &why);
	sen_capture_close(s->capture);
	s->capture = NULL;
}

int sen_captures_open(const char *const *files, sen_captures_damage_fn damage, void *ctx,
		      struct sen_captures **out, struct sen_why *why)
{
	struct sen_captures *c;
	size_t n = 0;
	int err = 0;

	while (files[n])
		n++;
	c = calloc(1, sizeof(*c) + n * sizeof(c->source[0]));
	if (!c)
		return sen_why(why, -ENOMEM, NULL, "opening captures: out of memory");
	c->damage = damage;
	c->ctx = ctx;
	for (; !err && c->n < n; c->n++) {
		c->source[c->n].path = files[c->n];
		err = sen_capture_open(files[c->n], &c->source[c->n].capture, why);
	}
	if (err) {
		sen_captures_close(c);
		return err;
	}
	for (size_t i = 0; i < n; i++)
		advance(c, &c->source[i]);
	*out = c;
	return 0;
}

bool sen_captures_next(struct sen_captures *c, struct sen_frame *frame)
{
	struct source *first = NULL;

	if (c->last && c->last->capture)
		advance(c, c->last);
	for (size_t i = 0; i < c->n; i++) {
		struct source *s = &c->source[i];

		if (s->capture && (!first || s->frame.time_ns < first->frame.time_ns))
			first = s;
	}
	c->last = first;
	if (first)
		*frame = first->frame;
	return first;
}

void sen_captures_close(struct sen_captures *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		sen_capture_close(c->source[i].capture);
	free(c);
}
