// SPDX-License-Identifier: BSD-2-Clause
/* What operators may ask of a learner. */
#include <errno.h>

#include "learner_internal.h"

static int wrong_state(const struct sen_learner *l, const char *what, struct sen_why *why)
{
	return sen_why(why, -EAGAIN, NULL, "%s: learning is in state '%s'", what,
		       sen_learner_state_name(l->status.state));
}

int sen_learner_ask(struct sen_learner *l, bool full, struct sen_why *why)
{
	if (l->status.state != SEN_LEARNER_ACTIVE)
		return wrong_state(l, "train", why);
	sen_trigger_ask(&l->trigger, full);
	return 0;
}

int sen_learner_pause(struct sen_learner *l, unsigned int seconds, int64_t now_ms,
		      struct sen_why *why)
{
	if (l->status.state != SEN_LEARNER_ACTIVE && l->status.state != SEN_LEARNER_PAUSED)
		return wrong_state(l, "pause", why);
	sen_learner_abandon(l, "an operator has paused learning");
	l->status.state = SEN_LEARNER_PAUSED;
	l->paused_until_ms = seconds ? now_ms + 1000ll * seconds : INT64_MAX;
	if (seconds)
		sen_learner_say(l, SEN_LOG_NOTICE, "learning rests for %u s, as an operator asked",
				seconds);
	else
		sen_learner_say(l, SEN_LOG_NOTICE, "learning rests, as an operator asked");
	return 0;
}

int sen_learner_resume(struct sen_learner *l, int64_t now_ms, struct sen_why *why)
{
	if (l->status.state != SEN_LEARNER_PAUSED)
		return wrong_state(l, "resume", why);
	l->paused_until_ms = now_ms;
	return 0;
}

void sen_learner_uploads(struct sen_learner *l, unsigned int count)
{
	l->trigger.uploads = count;
}
