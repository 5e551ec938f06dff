/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes of IPv4 and IPv6 addresses, as people write them (RFC 4632, RFC 4291). */
#ifndef SENTROID_PREFIX_H
#define SENTROID_PREFIX_H

#include <stdbool.h>

#include "sentroid/abi.h"
#include "why.h"

struct sen_prefix {
	__u8 addr[SEN_ADDR_BYTES]; /* network order; IPv4 in the first four bytes, zeros behind */
	__u8 bits;
	bool six; /* IPv6 */
};

struct sen_prefixes {
	unsigned int count;
	struct sen_prefix at[SEN_ALLOW_MAX];
};

#define SEN_PREFIX_TEXT 56

/* "10.1.2.3", "10.0.0.0/8", "2001:db8::/32". IPv4 written as ::ffff:a.b.c.d is IPv4. -EINVAL: it is none, or the address
 * has bits behind the prefix, or it is of length 0 and names everybody. */
int sen_prefix_parse(const char *text, struct sen_prefix *out, struct sen_why *why);
/* With its length, unless that is of a whole address. */
void sen_prefix_text(const struct sen_prefix *p, char text[SEN_PREFIX_TEXT]);

bool sen_prefixes_have(const struct sen_prefixes *list, const struct sen_prefix *p);
/* Add one that is not there yet. -ENOSPC: full. */
int sen_prefixes_add(struct sen_prefixes *list, const struct sen_prefix *p);
/* Add those of a line, separated by commas. As the two above; the list is as before then. */
int sen_prefixes_parse(const char *line, struct sen_prefixes *list, struct sen_why *why);

#endif
