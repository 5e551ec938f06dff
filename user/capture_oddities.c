// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "capture_oddities.h"
#include "link.h"

#define LENGTH_MOST (16u << 20) /* far beyond what offloading makes of packets */

static const char *text_of(enum sen_oddity kind)
{
#define TEXT(id, text) text,
	static const char *const texts[] = { SEN_ODDITIES(TEXT) };
#undef TEXT
	return texts[kind];
}

__attribute__((format(printf, 2, 3))) static void tell(const struct sen_oddities *o,
						       const char *fmt, ...)
{
	char text[400];
	va_list args;

	if (!o->note)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	o->note(o->ctx, text);
}

static void count(struct sen_oddities *o, enum sen_oddity kind, const struct sen_frame *frame)
{
	if (!o->n[kind]++)
		tell(o, "%s: frame %llu: %s", o->path, (unsigned long long)frame->number,
		     text_of(kind));
}

/* Each interface is named. */
static void count_foreign(struct sen_oddities *o, const struct sen_captured *r,
			  const struct sen_frame *frame)
{
	char name[SEN_LINK_TEXT];

	o->n[SEN_ODDITY_FOREIGN]++;
	if (r->first)
		tell(o,
		     "%s: frame %llu: interface %u: %s: cannot be made Ethernet: its frames are left out",
		     o->path, (unsigned long long)frame->number, r->interface,
		     sen_link_text(r->dlt, name));
}

bool sen_odd_length(const struct sen_captured *r)
{
	return r->original < r->captured || r->original > LENGTH_MOST;
}

void sen_oddities_look(struct sen_oddities *o, const struct sen_captured *r,
		       const struct sen_frame *frame)
{
	o->frames++;
	o->stamped += r->time_ns > 0;
	if (frame->foreign) {
		count_foreign(o, r, frame);
		return;
	}
	if (sen_odd_length(r))
		count(o, SEN_ODDITY_LENGTH, frame);
	if (r->snaplen && r->captured > r->snaplen)
		count(o, SEN_ODDITY_SNAPLEN, frame);
	if (r->stamp == SEN_STAMP_WRONG)
		count(o, SEN_ODDITY_STAMP, frame);
	if (r->stamp == SEN_STAMP_NONE)
		count(o, SEN_ODDITY_UNSTAMPED, frame);
}

void sen_oddities_sum(const struct sen_oddities *o)
{
	for (int kind = 0; kind < SEN_ODDITY_COUNT; kind++)
		if (o->n[kind] > 1)
			tell(o, "%s: %llu frames in all: %s", o->path,
			     (unsigned long long)o->n[kind], text_of(kind));
	if (o->frames && !o->stamped)
		tell(o, "%s: no frame has a time stamp: all are taken for simultaneous", o->path);
}
