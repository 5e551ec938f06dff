/* SPDX-License-Identifier: BSD-2-Clause */
/* The slots of a `models` map, by its descriptor: what is in force, and what is tried beside it. */
#ifndef SENTROID_MODEL_SLOT_H
#define SENTROID_MODEL_SLOT_H

#include "sentroid/abi.h"

/* Put a model into a slot by one pointer swap: a fresh inner map is filled, frozen, then stored.
 * Packets in flight finish with the model they began with. 0 or a negative errno. */
int sen_model_slot_set(int models_fd, enum sen_slot slot, const struct sen_model_flat *model);
/* Copy the model of a slot. -ENOENT: empty. */
int sen_model_slot_get(int models_fd, enum sen_slot slot, struct sen_model_flat *out);
/* Empty it. */
int sen_model_slot_clear(int models_fd, enum sen_slot slot);

#endif
