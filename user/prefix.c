// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prefix.h"

static unsigned int whole(const struct sen_prefix *p)
{
	return p->six ? 128 : 32;
}

/* Clear what lies behind the prefix; true if there was something. */
static bool cut(struct sen_prefix *p)
{
	const struct sen_prefix before = *p;

	for (unsigned int bit = p->bits; bit < whole(p); bit++)
		p->addr[bit / 8] &= ~(0x80 >> bit % 8);
	return memcmp(before.addr, p->addr, sizeof(p->addr)) != 0;
}

static bool parse_address(const char *text, struct sen_prefix *p)
{
	memset(p, 0, sizeof(*p));
	if (inet_pton(AF_INET, text, p->addr) == 1)
		return true;
	p->six = true;
	return inet_pton(AF_INET6, text, p->addr) == 1;
}

/* Packets of IPv4 are never looked up as IPv6. */
static void unmap(struct sen_prefix *p)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!p->six || p->bits < 96 || memcmp(p->addr, mapped, sizeof(mapped)))
		return;
	memmove(p->addr, p->addr + 12, 4);
	memset(p->addr + 4, 0, 12);
	p->bits -= 96;
	p->six = false;
}

/* The length behind the slash; -1: none. */
static int parse_bits(const char *text, unsigned int most)
{
	char *end;
	long bits;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	bits = strtol(text, &end, 10);
	return errno || *end || bits > (long)most ? -1 : (int)bits;
}

static int refuse(struct sen_why *why, const char *text, const char *reason, const char *hint)
{
	return sen_why(why, -EINVAL, hint, "prefix: %s: %s", text, reason);
}

int sen_prefix_parse(const char *text, struct sen_prefix *out, struct sen_why *why)
{
	static const char hint[] = "such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32";
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN], network[SEN_PREFIX_TEXT];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct sen_prefix p;
	int bits;

	if (len >= sizeof(address))
		return refuse(why, text, "no IP address", hint);
	memcpy(address, text, len);
	address[len] = 0;
	if (!parse_address(address, &p))
		return refuse(why, text, "no IP address", hint);
	bits = slash ? parse_bits(slash + 1, whole(&p)) : (int)whole(&p);
	if (bits < 0)
		return refuse(why, text, "bad length of a prefix", hint);
	p.bits = bits;
	if (cut(&p)) {
		sen_prefix_text(&p, network);
		return sen_why(why, -EINVAL, "give the network, or the address alone",
			       "prefix: %s: the network is %s", text, network);
	}
	unmap(&p);
	if (!p.bits)
		return refuse(why, text, "that is everybody",
			      "policy observe, or detach, is for that");
	*out = p;
	return 0;
}

void sen_prefix_text(const struct sen_prefix *p, char text[SEN_PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(p->six ? AF_INET6 : AF_INET, p->addr, address, sizeof(address));
	if (p->bits == whole(p))
		snprintf(text, SEN_PREFIX_TEXT, "%s", address);
	else
		snprintf(text, SEN_PREFIX_TEXT, "%s/%u", address, p->bits);
}

static bool prefix_equal(const struct sen_prefix *a, const struct sen_prefix *b)
{
	return a->six == b->six && a->bits == b->bits && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool sen_prefixes_have(const struct sen_prefixes *list, const struct sen_prefix *p)
{
	for (unsigned int i = 0; i < list->count; i++)
		if (prefix_equal(&list->at[i], p))
			return true;
	return false;
}

int sen_prefixes_add(struct sen_prefixes *list, const struct sen_prefix *p)
{
	if (sen_prefixes_have(list, p))
		return 0;
	if (list->count == SEN_ALLOW_MAX)
		return -ENOSPC;
	list->at[list->count++] = *p;
	return 0;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && isblank((unsigned char)text[len - 1]))
		text[--len] = 0;
	return text;
}

static int add_text(const char *text, struct sen_prefixes *list, struct sen_why *why)
{
	struct sen_prefix p = { 0 };
	int err = sen_prefix_parse(text, &p, why);

	if (err)
		return err;
	err = sen_prefixes_add(list, &p);
	return err ? sen_why(why, err, "put hosts together in one prefix",
			     "prefix: %s: there are %u already", text, SEN_ALLOW_MAX) :
		     0;
}

int sen_prefixes_parse(const char *line, struct sen_prefixes *list, struct sen_why *why)
{
	unsigned int before = list->count;
	char *copy = strdup(line), *rest = copy, *item;
	int err = copy ? 0 : -ENOMEM;

	if (err)
		return sen_why(why, err, NULL, "prefix: out of memory");
	while (!err && (item = strsep(&rest, ",")))
		err = add_text(trim(item), list, why);
	free(copy);
	if (err)
		list->count = before;
	return err;
}
