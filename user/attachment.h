/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the program that pins were made for is still where it was put. Pins outlive that: the program
 * may be taken off by another tool, and an interface may be removed, made anew under the same name or
 * renamed, or be in another network namespace than whoever asks.
 */
#ifndef SENTROID_ATTACHMENT_H
#define SENTROID_ATTACHMENT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentroid/abi.h"

enum sen_attachment {
	SEN_ATTACHMENT_HOLDS,
	SEN_ATTACHMENT_GONE,      /* the program from the interface, or the interface */
	SEN_ATTACHMENT_ELSEWHERE, /* of another network namespace, or of one that is no more */
};

/* Ask the kernel, by the index that the interface had: whatever its name is now. *frags, unless NULL, is
 * cleared where another member of a dispatcher keeps frames longer than a page from all. */
enum sen_attachment sen_attachment_look(const struct sen_meta *meta, bool *frags);
/* Id of the program that the interface itself names, a dispatcher or ours; 0: none. Cheap: while it stays
 * the same, so does the answer above. */
uint32_t sen_attachment_top(const struct sen_meta *meta);

/* Inode of the network namespace of the calling thread; 0 where that cannot be told. */
uint32_t sen_netns_here(void);
/* A path that leads into a network namespace: a name of ip-netns(8), or a process. False: none was found. */
bool sen_netns_path(uint32_t inode, char *path, size_t size);
/* Whether a network namespace is no more: nothing leads there, and the caller may ask every process. */
bool sen_netns_is_gone(uint32_t inode);

#endif
