// SPDX-License-Identifier: BSD-2-Clause
/* What operators may ask of a learner. */
#include <errno.h>

#include "learner_internal.h"

int sen_learner_wrong_state(const struct sen_learner *l, const char *what, struct sen_why *why)
{
	return sen_why(why, -EAGAIN, NULL, "%s: learning is in state '%s'", what,
		       sen_learner_state_name(l->status.state));
}

int sen_learner_ask(struct sen_learner *l, bool full, struct sen_why *why)
{
	if (l->status.state != SEN_LEARNER_ACTIVE)
		return sen_learner_wrong_state(l, "train", why);
	sen_trigger_ask(&l->trigger, full);
	return 0;
}

void sen_learner_uploads(struct sen_learner *l, unsigned int count)
{
	l->trigger.uploads = count;
}
