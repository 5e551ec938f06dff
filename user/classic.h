/* SPDX-License-Identifier: BSD-2-Clause */
/* The classic pcap format and its variants, by libpcap. */
#ifndef SENTROID_CLASSIC_H
#define SENTROID_CLASSIC_H

#include <stddef.h>
#include <stdio.h>

#include "captured.h"

#define SEN_CLASSIC_HEADER 24 /* bytes of the header of a file */

struct sen_classic;

/* `head` is what the file begins with, `n` bytes, as they will be read from it: may be changed here.
 * -EINVAL, and why in `fault`, which has room for PCAP_ERRBUF_SIZE; -ENOMEM. From then on `file` belongs to
 * this, unless it failed. */
int sen_classic_open(FILE *file, uint8_t *head, size_t n, struct sen_classic **out, char *fault);
/* libpcap's number of the link type. */
int sen_classic_dlt(const struct sen_classic *c);
/* 1 and the next packet, 0 at the end, -EIO where the rest cannot be read. */
int sen_classic_next(struct sen_classic *c, struct sen_captured *out);
/* What is wrong with the file, in a few words. */
const char *sen_classic_fault(const struct sen_classic *c);
void sen_classic_close(struct sen_classic *c);

#endif
