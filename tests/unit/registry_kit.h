/* SPDX-License-Identifier: BSD-2-Clause */
/* Registries that must open, and one in a folder of its own. */
#ifndef SENTROID_TEST_REGISTRY_KIT_H
#define SENTROID_TEST_REGISTRY_KIT_H

#include "registry.h"

struct shelf {
	char *folder;
	struct sen_registry *r;
};

struct sen_registry *registry_open(const char *folder);

/* For cmocka: nothing in it yet. */
int shelf_setup(void **state);
int shelf_teardown(void **state);
/* Open it anew, from what is on disk. */
void shelf_reopen(struct shelf *s);

#endif
