/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of `sentroid learn`. */
#ifndef SENTROID_LEARN_COMMAND_H
#define SENTROID_LEARN_COMMAND_H

#include "model_command.h"

int learn_upload(int argc, char **argv); /* learn_upload.c */

#endif
