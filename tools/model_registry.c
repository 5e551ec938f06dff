// SPDX-License-Identifier: BSD-2-Clause
/* The agent's record of versions, seen from the command. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "model_command.h"
#include "paths.h"

int registry_of(const char *state_dir, const char *ifname, enum registry_use use,
		struct sen_registry **out, struct sen_why *why)
{
	char dir[PATH_MAX];
	int err = sen_check_ifname(ifname, why);

	*out = NULL;
	if (err)
		return err;
	if (!state_dir)
		state_dir = sen_config_defaults.state_dir;
	if ((size_t)snprintf(dir, sizeof(dir), "%s/%s/models", state_dir, ifname) >= sizeof(dir))
		return sen_why(why, -ENAMETOOLONG, NULL, "registry: %.64s...: %s", state_dir,
			       strerror(ENAMETOOLONG));
	/* Opening to write would make it. */
	if (access(dir, R_OK | X_OK))
		return errno == ENOENT ? 0 : path_error(why, -errno, "registry", dir);
	return use == REGISTRY_READ ? sen_registry_visit(dir, out, why) :
				      sen_registry_open(dir, out, why);
}

int no_versions(const char *ifname, struct sen_why *why)
{
	return sen_why(why, -ENOENT, "sentroidd keeps them from its first training on",
		       "models: %s: none are kept", ifname);
}

int open_registry(const char *state_dir, const char *ifname, enum registry_use use,
		  struct sen_registry **out, struct sen_why *why)
{
	int err = registry_of(state_dir, ifname, use, out, why);

	return err || *out ? err : no_versions(ifname, why);
}

const struct sen_registry_entry *registry_find(const struct sen_registry *r,
					       const struct sen_model_flat *model)
{
	const struct sen_registry_entry *entries;
	char digest[DIGEST_HEX];
	size_t n;

	if (!r)
		return NULL;
	digest_text(model->digest, digest);
	n = sen_registry_entries(r, &entries);
	for (size_t i = 0; i < n; i++)
		if (entries[i].version == model->version && !strcmp(entries[i].digest, digest))
			return &entries[i];
	return NULL;
}

void registry_record(const char *state_dir, const char *ifname, const struct sen_model_flat *model,
		     const char *reason)
{
	const struct sen_registry_entry *entry;
	struct sen_registry *r;
	struct sen_why why = { 0 };
	int err = registry_of(state_dir, ifname, REGISTRY_WRITE, &r, &why);

	entry = err ? NULL : registry_find(r, model);
	if (entry && (!entry->approved || sen_registry_production(r) != model->version))
		err = sen_registry_approve(r, model->version, reason, &why);
	if (err)
		note("%s: in force, but not recorded: %s", ifname, why.text);
	sen_registry_close(r);
}
