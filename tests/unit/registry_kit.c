// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>

#include "fixture.h"
#include "registry_kit.h"

struct sen_registry *registry_open(const char *folder)
{
	struct sen_registry *r = NULL;
	struct sen_why why = { 0 };

	if (sen_registry_open(folder, &r, &why))
		fail_msg("%s", why.text);
	return r;
}

int shelf_setup(void **state)
{
	struct shelf *s = calloc(1, sizeof(*s));

	s->folder = fixture_folder();
	s->r = registry_open(s->folder);
	*state = s;
	return 0;
}

int shelf_teardown(void **state)
{
	struct shelf *s = *state;

	sen_registry_close(s->r);
	fixture_remove(s->folder);
	free(s);
	return 0;
}

void shelf_reopen(struct shelf *s)
{
	sen_registry_close(s->r);
	s->r = NULL;
	s->r = registry_open(s->folder);
}
