// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "allow.h"

/* Keys of both maps begin alike; that of IPv4 ends after four bytes of the address. */
static struct sen_allow6_key key_of(const struct sen_prefix *p)
{
	struct sen_allow6_key key = { .bits = p->bits };

	memcpy(key.addr, p->addr, sizeof(key.addr));
	return key;
}

static int map_of(const struct sen_allow *a, bool six)
{
	return six ? a->six : a->four;
}

int sen_allow_add(const struct sen_allow *a, const struct sen_prefix *p)
{
	const struct sen_allow6_key key = key_of(p);
	const __u8 value = 1;

	return bpf_map_update_elem(map_of(a, p->six), &key, &value, BPF_ANY) ? -errno : 0;
}

int sen_allow_remove(const struct sen_allow *a, const struct sen_prefix *p)
{
	const struct sen_allow6_key key = key_of(p);

	return bpf_map_delete_elem(map_of(a, p->six), &key) ? -errno : 0;
}

int sen_allow_add_all(const struct sen_allow *a, const struct sen_prefixes *list)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < list->count; i++)
		err = sen_allow_add(a, &list->at[i]);
	return err;
}

static int list_family(const struct sen_allow *a, bool six, struct sen_prefixes *out)
{
	struct sen_allow6_key key, next = { 0 };
	const void *from = NULL;
	int err = 0;

	while (!err && !bpf_map_get_next_key(map_of(a, six), from, &next)) {
		struct sen_prefix p = { .bits = next.bits, .six = six };

		memcpy(p.addr, next.addr, six ? SEN_ADDR_BYTES : 4);
		err = sen_prefixes_add(out, &p);
		key = next;
		from = &key;
	}
	return err || errno == ENOENT ? err : -errno;
}

static int compare(const void *a, const void *b)
{
	const struct sen_prefix *x = a, *y = b;
	int by_address = memcmp(x->addr, y->addr, sizeof(x->addr));

	if (x->six != y->six)
		return x->six - y->six;
	return by_address ? by_address : x->bits - y->bits;
}

int sen_allow_list(const struct sen_allow *a, struct sen_prefixes *out)
{
	int err;

	out->count = 0;
	err = list_family(a, false, out);
	if (!err)
		err = list_family(a, true, out);
	qsort(out->at, out->count, sizeof(out->at[0]), compare);
	return err;
}
