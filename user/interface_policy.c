// SPDX-License-Identifier: BSD-2-Clause
/* Nothing is dropped by the word of a model that was not learned here: to the shipped one all that it has not
 * seen may look like an attack. */
#include <errno.h>
#include <string.h>

#include "interface_internal.h"

enum sen_mode sen_interface_first_mode(const struct sen_config *config)
{
	return config->policy == SEN_MODE_ENFORCE ? SEN_MODE_ENFORCE_LEARNED : config->policy;
}

static void change(struct sen_interface *i, enum sen_mode from, enum sen_mode to, const char *why)
{
	struct sen_policy policy;
	int err = sen_dataplane_policy(i->dp, &policy);

	if (!err && policy.mode != from)
		return;
	policy.mode = to;
	if (!err)
		err = sen_dataplane_set_policy(i->dp, &policy);
	if (err)
		sen_log(SEN_LOG_ERROR, "%s: policy: %s", i->name, strerror(-err));
	else
		sen_log(SEN_LOG_NOTICE, "%s: %s", i->name, why);
}

void sen_interface_tick_policy(struct sen_interface *i)
{
	bool learned = sen_learner_status(i->learner)->version;

	if (learned)
		change(i, SEN_MODE_ENFORCE_LEARNED, SEN_MODE_ENFORCE,
		       "policy enforce from here on: the model in force was learned here");
	else if (i->learned)
		change(i, SEN_MODE_ENFORCE, SEN_MODE_ENFORCE_LEARNED,
		       "policy enforce rests until a model has been learned here again");
	i->learned = learned;
}
