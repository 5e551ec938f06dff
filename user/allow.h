/* SPDX-License-Identifier: BSD-2-Clause */
/* The allow list in the packet program's maps: what these hosts begin is not judged (bpf/allow.bpf.h). */
#ifndef SENTROID_ALLOW_H
#define SENTROID_ALLOW_H

#include "prefix.h"

/* Descriptors of the two maps. */
struct sen_allow {
	int four, six;
};

/* All of them take effect with the next evaluation of a flow, that is within a second of its traffic. 0 or a negative
 * errno. Adding what is there is no error; removing what is not is -ENOENT. */
int sen_allow_add(const struct sen_allow *a, const struct sen_prefix *p);
int sen_allow_remove(const struct sen_allow *a, const struct sen_prefix *p);
int sen_allow_add_all(const struct sen_allow *a, const struct sen_prefixes *list);
/* What is on it, IPv4 first, each in the order of its addresses. */
int sen_allow_list(const struct sen_allow *a, struct sen_prefixes *out);

#endif
