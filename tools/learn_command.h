/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of `sentroid learn`. */
#ifndef SENTROID_LEARN_COMMAND_H
#define SENTROID_LEARN_COMMAND_H

#include "label.h"
#include "model_command.h"

int learn_upload(int argc, char **argv); /* learn_upload.c */

/* What the model in force calls its own classes; empty where that cannot be known. class_names.c */
void class_names_of(const char *state_dir, const char *ifname, struct sen_class_names *out);

#endif
