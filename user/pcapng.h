/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng (draft-ietf-opsawg-pcapng). libpcap reads it only as far as all interfaces of a file are alike; here
 * each has its own link type, snapshot length and clock, and sections may differ in their byte order.
 */
#ifndef SENTROID_PCAPNG_H
#define SENTROID_PCAPNG_H

#include <stdio.h>

#include "captured.h"

#define SEN_PCAPNG_MAGIC "\n\r\r\n" /* that files begin with */

struct sen_pcapng;

/* Read the header of the first section. -EINVAL: it is none, see sen_pcapng_fault(); -ENOMEM. Whatever this
 * returns, *out is to be closed. `file` stays the caller's; an empty one has no packets. */
int sen_pcapng_open(FILE *file, struct sen_pcapng **out);
/* 1 and the next packet, 0 at the end, -EIO where the rest cannot be read, -ENOMEM. */
int sen_pcapng_next(struct sen_pcapng *p, struct sen_captured *out);
/* What is wrong with the file, in a few words. */
const char *sen_pcapng_fault(const struct sen_pcapng *p);
void sen_pcapng_close(struct sen_pcapng *p);

#endif
