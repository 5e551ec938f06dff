/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cursor over a frame, and the endpoints that parsers fill in. Each parser checks the bounds, advances
 * and leaves what comes next; none trusts a length that the packet states beyond the bytes that are
 * there.
 */
#ifndef SENTROID_CURSOR_BPF_H
#define SENTROID_CURSOR_BPF_H

#include "maps.bpf.h"

struct cursor {
	void *start;
	void *pos;
	void *end;
	struct xdp_md *xdp;    /* the frame's context, this */
	struct __sk_buff *skb; /* or that */
	bool is_skb; /* which one, known when compiled: the other must not even be called */
};

/* The next n bytes, or NULL where the frame ends before them. */
#define cursor_take(c, type)                                                            \
	({                                                                              \
		type *taken = (c)->pos;                                                 \
		(void *)(taken + 1) <= (c)->end ? ((c)->pos = taken + 1, taken) : NULL; \
	})

#define SEN_HEADERS_MAX 2047 /* bytes of headers that are walked */

/*
 * Bring the cursor to where it is: as a bounded distance from the start. However it got there, the
 * verifier sees the same from here on, and follows one path instead of one for every way there. False
 * past the bound.
 */
static __always_inline bool cursor_settle(struct cursor *c)
{
	__u64 offset = (long)c->pos - (long)c->start;

	if (offset > SEN_HEADERS_MAX)
		return false;
	c->pos = c->start + offset;
	return true;
}

/* Put the cursor aside, as a distance from the start; false past the bound. */
static __always_inline bool cursor_save(const struct cursor *c, struct sen_scratch *s)
{
	__u64 offset = (long)c->pos - (long)c->start;

	s->offset = offset;
	return offset <= SEN_HEADERS_MAX;
}

static __always_inline void cursor_restore(struct cursor *c, const struct sen_scratch *s)
{
	c->pos = c->start + (s->offset & SEN_HEADERS_MAX);
}

/*
 * name(cursor, scratch): body(cursor, scratch) behind a wall, where the verifier checks it once and not
 * again for every way that leads there. Packet pointers do not pass such walls; a context does, so the
 * cursor goes through as what was saved of it. `failed` is the answer where the scratch is missing.
 */
#ifdef __bpf__
#define SEN_BY_CONTEXT(name, body, failed)                                             \
	__noinline int name##_xdp(struct xdp_md *ctx)                                  \
	{                                                                              \
		struct cursor c = cursor_of(ctx);                                      \
		struct sen_scratch *s = scratch_of_cpu();                              \
                                                                                       \
		return s ? (int)body(&c, s) : (int)(failed);                           \
	}                                                                              \
	__noinline int name##_skb(struct __sk_buff *ctx)                               \
	{                                                                              \
		struct cursor c = cursor_of(ctx);                                      \
		struct sen_scratch *s = scratch_of_cpu();                              \
                                                                                       \
		return s ? (int)body(&c, s) : (int)(failed);                           \
	}                                                                              \
	static __always_inline int name(const struct cursor *c, struct sen_scratch *s) \
	{                                                                              \
		(void)s;                                                               \
		return c->is_skb ? name##_skb(c->skb) : name##_xdp(c->xdp);            \
	}
#else
#define SEN_BY_CONTEXT(name, body, failed)                                       \
	static __always_inline int name(struct cursor *c, struct sen_scratch *s) \
	{                                                                        \
		return (int)body(c, s);                                          \
	}
#endif

#define cursor_of(context)                                        \
	((struct cursor){ .start = (void *)(long)(context)->data, \
			  .pos = (void *)(long)(context)->data,   \
			  .end = (void *)(long)(context)->data_end })

/*
 * Addresses and keys are written in the words that they are read in: a load that spans several stores
 * waits until all of them have left the pipeline, and everything before them with them.
 */
static __always_inline void addr_from_ipv4(union sen_addr *a, __be32 ip)
{
	a->d[0] = 0;
	a->d[1] = bpf_cpu_to_be64(0xffffull << 32 | bpf_ntohl(ip));
}

static __always_inline void addr_from_ipv6(union sen_addr *a, const struct in6_addr *ip)
{
	const __u64 *words = (const void *)ip;

	a->d[0] = words[0];
	a->d[1] = words[1];
}

/* Ports, VLAN and protocol: the last word of a key. */
static __always_inline void key_seal(struct sen_flow_key *key, __u16 port0, __u16 port1)
{
	union {
		struct {
			__u16 port[2], vlan;
			__u8 proto, pad;
		};
		__u64 word;
	} tail = { { { port0, port1 }, key->vlan, key->proto, 0 } };

	*(__u64 *)key->port = tail.word;
}

static __always_inline __u16 length16(__u32 len)
{
	return len > 0xffff ? 0xffff : len;
}

/* Sort (address, port) pairs together, by masks: a branch here would be taken at random. */
static __always_inline void key_canonical(struct sen_packet *p, struct sen_endpoints *e)
{
	union sen_addr *out = (union sen_addr *)p->key.addr;
	bool same = e->from.d[0] == e->to.d[0] && e->from.d[1] == e->to.d[1];
	bool above = e->from.d[0] > e->to.d[0] ||
		     (e->from.d[0] == e->to.d[0] && e->from.d[1] > e->to.d[1]);
	__u64 swap = above || (same && e->sport > e->dport);
	__u64 mask = -swap;
	__u64 d0 = (e->from.d[0] ^ e->to.d[0]) & mask;
	__u64 d1 = (e->from.d[1] ^ e->to.d[1]) & mask;
	__u16 port = (e->sport ^ e->dport) & mask;

	out[0].d[0] = e->from.d[0] ^ d0;
	out[0].d[1] = e->from.d[1] ^ d1;
	out[1].d[0] = e->to.d[0] ^ d0;
	out[1].d[1] = e->to.d[1] ^ d1;
	key_seal(&p->key, e->sport ^ port, e->dport ^ port);
	p->side = swap;
}

#endif
