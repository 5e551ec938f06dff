/* SPDX-License-Identifier: BSD-2-Clause */
/* Pairs of virtual interfaces, in the network namespace of the calling thread. */
#ifndef SENTROID_VETH_H
#define SENTROID_VETH_H

/* Make a pair with so many queues each and set both ends up. It goes with its namespace. 0 or a negative
 * errno. */
int sen_veth_make(const char *name, const char *peer, unsigned int queues);

#endif
