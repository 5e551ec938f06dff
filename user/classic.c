// SPDX-License-Identifier: BSD-2-Clause
#include <byteswap.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "classic.h"

#define SECOND_NS 1000000000ull

#define MAGIC_MICRO     0xa1b2c3d4u
#define MAGIC_NANO      0xa1b23c4du
#define MAGIC_PATCHED   0xa1b2cd34u /* of Linux patches long ago, with longer records */
#define SNAPLEN_AT      16
#define SNAPLEN_LIBPCAP 262144u /* the longest packet that it takes */

struct sen_classic {
	pcap_t *pcap;
	uint32_t parts; /* of a second, that stamps count */
	uint32_t snaplen;
};

static uint32_t get32(const uint8_t *at, bool swapped)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return swapped ? bswap_32(value) : value;
}

static bool is_magic(uint32_t value)
{
	return value == MAGIC_MICRO || value == MAGIC_NANO || value == MAGIC_PATCHED;
}

/* libpcap cuts packets to the snapshot length of the header and says nothing. So it is shown a larger one. */
static void raise_snaplen(struct sen_classic *c, uint8_t *head, bool swapped)
{
	uint32_t most = swapped ? bswap_32(SNAPLEN_LIBPCAP) : SNAPLEN_LIBPCAP;

	c->snaplen = get32(head + SNAPLEN_AT, swapped);
	if (c->snaplen < SNAPLEN_LIBPCAP)
		memcpy(head + SNAPLEN_AT, &most, sizeof(most));
}

int sen_classic_open(FILE *file, uint8_t *head, size_t n, struct sen_classic **out, char *fault)
{
	struct sen_classic *c = calloc(1, sizeof(*c));
	bool swapped = n == SEN_CLASSIC_HEADER && !is_magic(get32(head, false));
	bool nano = n == SEN_CLASSIC_HEADER && get32(head, swapped) == MAGIC_NANO;

	if (!c)
		return -ENOMEM;
	if (n == SEN_CLASSIC_HEADER && is_magic(get32(head, swapped)))
		raise_snaplen(c, head, swapped);
	c->parts = nano ? 1000000000 : 1000000;
	/* In its own precision: libpcap would scale what is no fraction until it looks like one. */
	c->pcap = pcap_fopen_offline_with_tstamp_precision(
		file, nano ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO, fault);
	if (!c->pcap) {
		free(c);
		return -EINVAL;
	}
	*out = c;
	return 0;
}

int sen_classic_dlt(const struct sen_classic *c)
{
	return pcap_datalink(c->pcap);
}

int sen_classic_next(struct sen_classic *c, struct sen_captured *out)
{
	struct pcap_pkthdr *header;
	const unsigned char *data;
	int got = pcap_next_ex(c->pcap, &header, &data);
	uint32_t fraction;

	if (got != 1)
		return got == PCAP_ERROR_BREAK ? 0 : -EIO;
	*out = (struct sen_captured){
		.data = data,
		.captured = header->caplen,
		.original = header->len,
		.snaplen = c->snaplen,
		.dlt = pcap_datalink(c->pcap),
	};
	/* Both are 32 bits without a sign; libpcap takes them for signed ones. */
	fraction = (uint32_t)header->ts.tv_usec;
	if (fraction >= c->parts)
		out->stamp = SEN_STAMP_WRONG;
	else
		out->time_ns = (uint32_t)header->ts.tv_sec * SECOND_NS +
			       fraction * (SECOND_NS / c->parts);
	return 1;
}

const char *sen_classic_fault(const struct sen_classic *c)
{
	return pcap_geterr(c->pcap);
}

void sen_classic_close(struct sen_classic *c)
{
	if (!c)
		return;
	pcap_close(c->pcap);
	free(c);
}
