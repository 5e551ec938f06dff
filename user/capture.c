// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "link.h"
#include "stream.h"

struct sen_capture {
	pcap_t *pcap; /* owns the file of the stream */
	const struct sen_stream *stream;
	const struct sen_link *link; /* NULL: Ethernet */
	uint8_t *wrapped;            /* a frame behind the Ethernet header made for it */
	size_t room;                 /* bytes of that */
	char path[160]; /* for messages: the end of a long one, so that there is room for the reason */
	uint64_t number;
};

static int find_link(struct sen_capture *c, struct sen_why *why)
{
	int dlt = pcap_datalink(c->pcap);
	const char *name = pcap_datalink_val_to_name(dlt);

	c->link = sen_link_find(dlt);
	if (c->link || dlt == DLT_EN10MB)
		return 0;
	return sen_why(why, -ENOTSUP,
		       "Ethernet, raw IP, loopback, Linux cooked, PPP and HDLC can be replayed",
		       "opening capture: %s: link type %d (%s)", c->path, dlt,
		       name ? name : "unknown");
}

static int open_pcap(struct sen_capture *c, const char *path, struct sen_why *why)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	const char *fault;
	FILE *file;
	int err = sen_stream_open(path, &file, &c->stream, why);

	if (err)
		return err;
	c->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (c->pcap)
		return 0;
	fault = sen_stream_fault(c->stream);
	sen_why(why, -EINVAL, "pcap and pcapng files can be read, also packed by gzip or zstd",
		"opening capture: %s: %s", c->path,
		fault                      ? fault :
		strstr(text, "only got 0") ? "the file is empty" :
					     text);
	fclose(file);
	return -EINVAL;
}

int sen_capture_open(const char *path, struct sen_capture **out, struct sen_why *why)
{
	struct sen_capture *c = calloc(1, sizeof(*c));
	size_t len = strlen(path), most = sizeof(c->path) - sizeof("...");
	int err;

	if (!c)
		return sen_why(why, -ENOMEM, NULL, "opening capture: %s: out of memory", path);
	snprintf(c->path, sizeof(c->path), "%s%s", len > most ? "..." : "",
		 len > most ? path + len - most : path);
	err = open_pcap(c, path, why);
	if (!err)
		err = find_link(c, why);
	if (err)
		sen_capture_close(c);
	else
		*out = c;
	return err;
}

/* Put an Ethernet header in the place of the frame's own. */
static int wrap(struct sen_capture *c, struct sen_frame *frame)
{
	uint8_t eth[SEN_ETH_BYTES], *grown;
	uint32_t header = sen_link_read(c->link, frame->data, frame->captured, eth);
	uint32_t rest = frame->captured - header, len = rest + SEN_ETH_BYTES;

	if (c->room < len) {
		grown = realloc(c->wrapped, len);
		if (!grown)
			return -ENOMEM;
		c->wrapped = grown;
		c->room = len;
	}
	memcpy(c->wrapped, eth, SEN_ETH_BYTES);
	memcpy(c->wrapped + SEN_ETH_BYTES, frame->data + header, rest);
	frame->data = c->wrapped;
	frame->captured = len;
	/* Files may claim any length. */
	frame->wire_len -= header;
	if (frame->wire_len <= UINT32_MAX - SEN_ETH_BYTES)
		frame->wire_len += SEN_ETH_BYTES;
	return 0;
}

int sen_capture_next(struct sen_capture *c, struct sen_frame *frame, struct sen_why *why)
{
	struct pcap_pkthdr *header;
	int got = pcap_next_ex(c->pcap, &header, &frame->data);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1) {
		const char *fault = sen_stream_fault(c->stream);

		return sen_why(why, -EIO, NULL, "reading capture: %s: after frame %llu: %s",
			       c->path, (unsigned long long)c->number,
			       fault ? fault : pcap_geterr(c->pcap));
	}
	frame->captured = header->caplen;
	frame->wire_len = header->len < header->caplen ? header->caplen : header->len;
	/* With nanosecond precision tv_usec holds nanoseconds. */
	frame->time_ns = (uint64_t)header->ts.tv_sec * 1000000000ull + header->ts.tv_usec;
	frame->number = ++c->number;
	frame->file = c->path;
	if (c->link && wrap(c, frame))
		return sen_why(why, -ENOMEM, NULL, "reading capture: %s: out of memory", c->path);
	return 1;
}

void sen_capture_close(struct sen_capture *c)
{
	if (!c)
		return;
	if (c->pcap)
		pcap_close(c->pcap);
	free(c->wrapped);
	free(c);
}
