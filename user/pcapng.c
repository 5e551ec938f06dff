// SPDX-License-Identifier: BSD-2-Clause
#include <byteswap.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pcapng.h"

#define SECOND_NS 1000000000ull
#define ORDER     0x1a2b3c4du /* in the byte order of the section */

#define BLOCK_HEADER  8 /* type and length; the length is there again at the end */
#define BLOCK_LEAST   12
#define BLOCK_MOST    (16u << 20) /* of libpcap, too: more is no length but damage */
#define SECTION_LEAST 28
#define BUFFER_BYTES  4096

#define INTERFACES_MAX 65536 /* the older packet blocks have 16 bits for them */

#define LINKTYPE_RAW 101 /* the one of those that can be read that libpcap has another number for */

enum block_type {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};

enum option {
	OPTION_END = 0,
	OPTION_TSRESOL = 9,
	OPTION_TSOFFSET = 14,
};

struct interface {
	int dlt;
	uint32_t snaplen;
	uint64_t parts; /* of a second, that stamps count */
	int64_t offset; /* seconds, to be added to them */
	bool seen;      /* a packet of it */
};

struct sen_pcapng {
	FILE *file;
	bool swapped; /* the section has the other byte order */
	struct interface *interfaces;
	size_t n, room; /* of those */
	uint8_t *block; /* the whole of the latest */
	size_t block_room;
	uint32_t type, length; /* its own */
	char fault[96];
};

/* What is left of a block, or of its options. */
struct cursor {
	const uint8_t *at;
	uint32_t left;
};

__attribute__((format(printf, 2, 3))) static int damaged(struct sen_pcapng *p, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(p->fault, sizeof(p->fault), fmt, args);
	va_end(args);
	return -EIO;
}

static uint16_t get16(const struct sen_pcapng *p, const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return p->swapped ? bswap_16(value) : value;
}

static uint32_t get32(const struct sen_pcapng *p, const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return p->swapped ? bswap_32(value) : value;
}

static uint64_t get64(const struct sen_pcapng *p, const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return p->swapped ? bswap_64(value) : value;
}

/* ---- Blocks ------------------------------------------------------------------------------------- */

static int cut_short(struct sen_pcapng *p)
{
	return damaged(p, "%s", ferror(p->file) ? strerror(errno) : "the file is cut short");
}

static int read_bytes(struct sen_pcapng *p, uint32_t at, uint32_t n)
{
	return fread(p->block + at, 1, n, p->file) == n ? 0 : cut_short(p);
}

static int make_room(struct sen_pcapng *p, uint32_t length)
{
	uint8_t *grown;

	if (length <= p->block_room)
		return 0;
	grown = realloc(p->block, length);
	if (!grown)
		return -ENOMEM;
	p->block = grown;
	p->block_room = length;
	return 0;
}

/* The type of a section header reads the same in both byte orders; what comes behind its length tells. */
static int read_order(struct sen_pcapng *p)
{
	int err = read_bytes(p, BLOCK_HEADER, 4);

	if (err)
		return err;
	p->swapped = false;
	p->swapped = get32(p, p->block + BLOCK_HEADER) != ORDER;
	return get32(p, p->block + BLOCK_HEADER) == ORDER ?
		       0 :
		       damaged(p, "a section header without a byte order");
}

static int check_length(struct sen_pcapng *p)
{
	uint32_t least = p->type == BLOCK_SECTION ? SECTION_LEAST : BLOCK_LEAST;

	p->length = get32(p, p->block + 4);
	if (p->length < least || p->length % 4 || p->length > BLOCK_MOST)
		return damaged(p, "a block of %u bytes", p->length);
	return 0;
}

/* Read the next block whole. 1, or 0 at the end of the file. */
static int read_block(struct sen_pcapng *p)
{
	size_t got = fread(p->block, 1, BLOCK_HEADER, p->file);
	uint32_t held = BLOCK_HEADER;
	int err;

	if (!got && feof(p->file))
		return 0;
	if (got < BLOCK_HEADER)
		return cut_short(p);
	p->type = get32(p, p->block);
	if (p->type == BLOCK_SECTION) {
		err = read_order(p);
		if (err)
			return err;
		held += 4;
	}
	err = check_length(p);
	if (!err)
		err = make_room(p, p->length);
	if (!err)
		err = read_bytes(p, held, p->length - held);
	if (err)
		return err;
	if (get32(p, p->block + p->length - 4) != p->length)
		return damaged(p, "a block with two lengths, %u and %u", p->length,
			       get32(p, p->block + p->length - 4));
	return 1;
}

static struct cursor body(const struct sen_pcapng *p)
{
	return (struct cursor){ p->block + BLOCK_HEADER, p->length - BLOCK_LEAST };
}

/* The next bytes of a block, NULL where there are not as many. */
static const uint8_t *take(struct cursor *c, uint32_t n)
{
	const uint8_t *at = c->at;

	if (n > c->left)
		return NULL;
	c->at += n;
	c->left -= n;
	return at;
}

static int begin_section(struct sen_pcapng *p)
{
	uint16_t major = get16(p, p->block + BLOCK_HEADER + 4);
	uint16_t minor = get16(p, p->block + BLOCK_HEADER + 6);

	p->n = 0;
	/* 1.2 is 1.0 with more types of blocks. */
	if (major == 1 && (minor == 0 || minor == 2))
		return 0;
	return damaged(p, "a section of version %u.%u", major, minor);
}

/* ---- Interfaces --------------------------------------------------------------------------------- */

static int set_resolution(struct sen_pcapng *p, struct interface *i, uint8_t code)
{
	unsigned int digits = code & 0x7f;

	if (digits > (code & 0x80 ? 63 : 19))
		return damaged(p, "an interface with stamps finer than 64 bits can tell");
	i->parts = 1;
	while (digits--)
		i->parts *= code & 0x80 ? 2 : 10;
	return 0;
}

static int read_options(struct sen_pcapng *p, struct cursor *c, struct interface *i)
{
	while (c->left) {
		const uint8_t *head = take(c, 4);
		uint16_t code = head ? get16(p, head) : 0, size = head ? get16(p, head + 2) : 0;
		const uint8_t *value = head ? take(c, (size + 3u) & ~3u) : NULL;

		if (!value || (code == OPTION_END && size) ||
		    (code == OPTION_TSRESOL && size != 1) || (code == OPTION_TSOFFSET && size != 8))
			return damaged(p, "an interface with damaged options");
		if (code == OPTION_END)
			return 0;
		if (code == OPTION_TSRESOL && set_resolution(p, i, *value))
			return -EIO;
		if (code == OPTION_TSOFFSET)
			i->offset = (int64_t)get64(p, value);
	}
	return 0;
}

static int add_interface(struct sen_pcapng *p)
{
	struct cursor c = body(p);
	const uint8_t *fixed = take(&c, 8);
	struct interface i = { .parts = 1000000 }, *grown;
	int err;

	if (!fixed)
		return damaged(p, "an interface block of %u bytes", p->length);
	if (p->n == INTERFACES_MAX)
		return damaged(p, "more than %d interfaces", INTERFACES_MAX);
	i.dlt = get16(p, fixed);
	if (i.dlt == LINKTYPE_RAW)
		i.dlt = DLT_RAW;
	i.snaplen = get32(p, fixed + 4);
	err = read_options(p, &c, &i);
	if (err)
		return err;
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 4;
		grown = reallocarray(p->interfaces, p->room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->interfaces = grown;
	}
	p->interfaces[p->n++] = i;
	return 0;
}

/* ---- Packets ------------------------------------------------------------------------------------ */

static void set_time(struct sen_captured *r, const struct interface *i, uint64_t stamp)
{
	int64_t seconds;

	if (__builtin_add_overflow((int64_t)(stamp / i->parts), i->offset, &seconds) ||
	    seconds < 0 || (uint64_t)seconds >= UINT64_MAX / SECOND_NS) {
		r->stamp = SEN_STAMP_WRONG;
		return;
	}
	r->time_ns = (uint64_t)seconds * SECOND_NS +
		     (uint64_t)((unsigned __int128)(stamp % i->parts) * SECOND_NS / i->parts);
}

static struct interface *find_interface(struct sen_pcapng *p, struct sen_captured *r)
{
	struct interface *i;

	if (r->interface >= p->n) {
		damaged(p, "a packet of interface %u, which is not described", r->interface);
		return NULL;
	}
	i = &p->interfaces[r->interface];
	r->dlt = i->dlt;
	r->snaplen = i->snaplen;
	r->first = !i->seen;
	i->seen = true;
	return i;
}

static int take_data(struct sen_pcapng *p, struct cursor *c, struct sen_captured *r)
{
	r->data = take(c, r->captured);
	return r->data ?
		       1 :
		       damaged(p, "a packet of %u bytes in a block of %u", r->captured, p->length);
}

/* Length and what else there is; no stamp, and no interface but the first. */
static int read_simple(struct sen_pcapng *p, struct sen_captured *r)
{
	struct cursor c = body(p);
	const uint8_t *fixed = take(&c, 4);

	if (!fixed)
		return damaged(p, "a packet block of %u bytes", p->length);
	*r = (struct sen_captured){ .stamp = SEN_STAMP_NONE };
	if (!find_interface(p, r))
		return -EIO;
	r->original = get32(p, fixed);
	r->captured = r->snaplen && r->snaplen < r->original ? r->snaplen : r->original;
	return take_data(p, &c, r);
}

/* Both kinds have a header of the same size; the older one counts drops in what was half of the interface. */
static int read_packet(struct sen_pcapng *p, struct sen_captured *r)
{
	struct cursor c = body(p);
	const uint8_t *fixed = take(&c, 20);
	const struct interface *i;

	if (!fixed)
		return damaged(p, "a packet block of %u bytes", p->length);
	*r = (struct sen_captured){
		.interface = p->type == BLOCK_PACKET ? get16(p, fixed) : get32(p, fixed),
		.captured = get32(p, fixed + 12),
		.original = get32(p, fixed + 16),
	};
	i = find_interface(p, r);
	if (!i)
		return -EIO;
	set_time(r, i, (uint64_t)get32(p, fixed + 4) << 32 | get32(p, fixed + 8));
	return take_data(p, &c, r);
}

/* 1 and a packet, or 0 after a block that has none. */
static int handle_block(struct sen_pcapng *p, struct sen_captured *out)
{
	switch (p->type) {
	case BLOCK_SECTION:
		return begin_section(p);
	case BLOCK_INTERFACE:
		return add_interface(p);
	case BLOCK_SIMPLE:
		return read_simple(p, out);
	case BLOCK_PACKET:
	case BLOCK_ENHANCED:
		return read_packet(p, out);
	default:
		return 0;
	}
}

int sen_pcapng_next(struct sen_pcapng *p, struct sen_captured *out)
{
	int got;

	while ((got = read_block(p)) == 1) {
		got = handle_block(p, out);
		if (got)
			break;
	}
	return got;
}

int sen_pcapng_open(FILE *file, struct sen_pcapng **out)
{
	struct sen_pcapng *p = calloc(1, sizeof(*p));
	int err;

	*out = p;
	if (!p)
		return -ENOMEM;
	p->file = file;
	err = make_room(p, BUFFER_BYTES);
	if (!err)
		err = read_block(p);
	if (err == 1)
		err = p->type == BLOCK_SECTION ? begin_section(p) : damaged(p, "no section header");
	return err == -EIO ? -EINVAL : err;
}

const char *sen_pcapng_fault(const struct sen_pcapng *p)
{
	return p->fault;
}

void sen_pcapng_close(struct sen_pcapng *p)
{
	if (!p)
		return;
	free(p->interfaces);
	free(p->block);
	free(p);
}
