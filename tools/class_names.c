// SPDX-License-Identifier: BSD-2-Clause
/* The classes that the model in force of an interface has names of its own for. */
#include <string.h>

#include "learn_command.h"

static bool names_in_force(const char *ifname, struct sen_class_names *out)
{
	static struct sen_model_flat model;
	struct sen_dataplane *dp;
	int err;

	if (sen_dataplane_open(ifname, &dp, NULL))
		return false;
	err = sen_dataplane_model(dp, SEN_SLOT_ACTIVE, &model);
	sen_dataplane_close(dp);
	if (err)
		return false;
	*out = sen_class_names_of(&model);
	return true;
}

void class_names_of(const char *state_dir, const char *ifname, struct sen_class_names *out)
{
	struct sen_registry *registry = NULL;
	struct sen_model *model = NULL;
	unsigned int version;

	memset(out, 0, sizeof(*out));
	if (names_in_force(ifname, out))
		return;
	/* Not attached: what was in force last, and will be again. */
	if (registry_of(state_dir, ifname, REGISTRY_READ, &registry, NULL) || !registry)
		return;
	version = sen_registry_production(registry);
	if (version && !sen_registry_load(registry, version, &model, NULL))
		memcpy(out->own, model->class_name, sizeof(out->own));
	sen_model_free(model);
	sen_registry_close(registry);
}
