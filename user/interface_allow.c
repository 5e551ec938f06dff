// SPDX-License-Identifier: BSD-2-Clause
/* The allow list of the configuration, put into the packet program's, which operators may change as well. */
#include <errno.h>
#include <string.h>

#include "interface_internal.h"

static int remove_unlisted(const struct sen_allow *allow, const struct sen_prefixes *before,
			   const struct sen_prefixes *now)
{
	int err = 0;

	for (unsigned int n = 0; !err && n < before->count; n++) {
		if (sen_prefixes_have(now, &before->at[n]))
			continue;
		err = sen_allow_remove(allow, &before->at[n]);
		err = err == -ENOENT ? 0 : err;
	}
	return err;
}

void sen_interface_allow(struct sen_interface *i)
{
	const struct sen_prefixes *now = &i->env.config->allow;
	struct sen_allow allow;
	int err;

	if (!i->dp)
		return;
	allow = sen_dataplane_allow(i->dp);
	err = remove_unlisted(&allow, &i->allow, now);
	if (!err)
		err = sen_allow_add_all(&allow, now);
	if (err) {
		sen_log(SEN_LOG_WARNING,
			"%s: the allow list of the configuration is not in force: %s", i->name,
			err == -ENOSPC ? "the list in force is full" : strerror(-err));
		return;
	}
	i->allow = *now;
}
