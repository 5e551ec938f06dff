/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SENTROID_ALLOW_COMMAND_H
#define SENTROID_ALLOW_COMMAND_H

#include <cjson/cJSON.h>

#include "prefix.h"

/* An array of texts, to be deleted or added to something; NULL: out of memory. */
cJSON *allow_json(const struct sen_prefixes *list);

#endif
