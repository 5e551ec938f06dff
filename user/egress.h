/* SPDX-License-Identifier: BSD-2-Clause */
/* The program on the way out: a classifier on the interface's clsact hook. For loader.c alone. */
#ifndef SENTROID_EGRESS_H
#define SENTROID_EGRESS_H

#include <stdbool.h>

/* Attach a loaded classifier. *made_hook tells whether clsact had to be made first. -EEXIST: our place
 * among the interface's filters is taken. */
int sen_egress_attach(unsigned int ifindex, int prog_fd, bool *made_hook);
/* Take it off again, and the hook if it was made for it and nobody else has filters there. What is gone
 * already is no error. */
int sen_egress_detach(unsigned int ifindex, bool made_hook);

#endif
