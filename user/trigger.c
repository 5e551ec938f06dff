// SPDX-License-Identifier: BSD-2-Clause
#include "trigger.h"

static bool is_due(struct sen_due *due, bool full, const char *why)
{
	*due = (struct sen_due){ .full = full, .why = why };
	return true;
}

bool sen_trigger_due(const struct sen_trigger *t, const struct sen_trigger_settings *s,
		     int64_t now_ms, struct sen_due *due)
{
	int64_t since = now_ms - t->last_ms;

	if (t->asked || t->asked_full)
		return is_due(due, t->asked_full, "an operator's word");
	if (since < s->min_ms)
		return false;
	if (t->drift)
		return is_due(due, true, t->drift);
	if (t->uploads >= s->uploads)
		return is_due(due, true, "enough unique uploads");
	if (now_ms - t->last_full_ms >= s->full_ms)
		return is_due(due, true, "schedule");
	if (t->known_full && t->known >= 2 * t->known_full)
		return is_due(due, true, "twice the samples of the last training from scratch");
	if (t->samples >= s->samples)
		return is_due(due, false, "enough new samples");
	if (since >= s->max_ms)
		return is_due(due, false, "time is up");
	return false;
}

void sen_trigger_ask(struct sen_trigger *t, bool full)
{
	if (full)
		t->asked_full = true;
	else
		t->asked = true;
}

void sen_trigger_begin(struct sen_trigger *t, bool full, int64_t now_ms)
{
	t->last_ms = now_ms;
	t->samples = 0;
	t->asked = false;
	if (!full)
		return;
	t->asked_full = false;
	t->last_full_ms = now_ms;
	t->known_full = t->known;
}

int64_t sen_trigger_left(const struct sen_trigger *t, const struct sen_trigger_settings *s,
			 int64_t now_ms)
{
	int64_t update = t->last_ms + s->max_ms, full = t->last_full_ms + s->full_ms;
	int64_t left = (update < full ? update : full) - now_ms;

	return left > 0 ? left : 0;
}
