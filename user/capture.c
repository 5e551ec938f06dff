// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "capture_oddities.h"
#include "classic.h"
#include "link.h"
#include "pcapng.h"
#include "stream.h"

struct sen_capture {
	struct sen_classic *classic; /* owns the file */
	struct sen_pcapng *pcapng;   /* or this one reads it */
	FILE *file;                  /* that is closed here; NULL: not */
	struct sen_stream *stream;
	uint8_t *wrapped; /* a frame behind the Ethernet header made for it */
	size_t room;      /* bytes of that */
	char path[160]; /* for messages: the end of a long one, so that there is room for the reason */
	uint64_t number, used;
	int foreign_dlt; /* the latest link type that cannot be made Ethernet */
	struct sen_oddities oddities;
};

/* ---- Opening ------------------------------------------------------------------------------------ */

static int refuse_link(const struct sen_capture *c, const char *doing, int dlt, struct sen_why *why)
{
	char name[SEN_LINK_TEXT];

	return sen_why(why, -ENOTSUP,
		       "Ethernet, raw IP, loopback, Linux cooked, PPP and HDLC can be replayed",
		       "%s capture: %s: %s", doing, c->path, sen_link_text(dlt, name));
}

static int refuse_file(const struct sen_capture *c, const char *fault, struct sen_why *why)
{
	const char *packed = sen_stream_fault(c->stream);

	return sen_why(why, -EINVAL,
		       "pcap and pcapng files can be read, also packed by gzip or zstd",
		       "opening capture: %s: %s", c->path,
		       packed                      ? packed :
		       strstr(fault, "only got 0") ? "the file is empty" :
						     fault);
}

static int open_classic(struct sen_capture *c, uint8_t *head, size_t n, struct sen_why *why)
{
	char fault[PCAP_ERRBUF_SIZE] = "";
	int dlt, err = sen_classic_open(c->file, head, n, &c->classic, fault);

	if (err == -EINVAL)
		return refuse_file(c, fault, why);
	if (err)
		return sen_why(why, err, NULL, "opening capture: %s: out of memory", c->path);
	c->file = NULL;
	dlt = sen_classic_dlt(c->classic);
	return sen_link_known(dlt) ? 0 : refuse_link(c, "opening", dlt, why);
}

static int open_pcapng(struct sen_capture *c, struct sen_why *why)
{
	int err = sen_pcapng_open(c->file, &c->pcapng);

	if (err == -EINVAL)
		return refuse_file(c, sen_pcapng_fault(c->pcapng), why);
	return err ? sen_why(why, err, NULL, "opening capture: %s: out of memory", c->path) : 0;
}

static int open_format(struct sen_capture *c, const char *path, struct sen_why *why)
{
	int err = sen_stream_open(path, &c->file, &c->stream, why);
	uint8_t *head;
	size_t n;

	if (err)
		return err;
	head = sen_stream_head(c->stream, &n);
	if (n >= strlen(SEN_PCAPNG_MAGIC) &&
	    !memcmp(head, SEN_PCAPNG_MAGIC, strlen(SEN_PCAPNG_MAGIC)))
		return open_pcapng(c, why);
	return open_classic(c, head, n, why);
}

int sen_capture_open(const char *path, sen_capture_note_fn note, void *ctx,
		     struct sen_capture **out, struct sen_why *why)
{
	struct sen_capture *c = calloc(1, sizeof(*c));
	size_t len = strlen(path), most = sizeof(c->path) - sizeof("...");
	int err;

	if (!c)
		return sen_why(why, -ENOMEM, NULL, "opening capture: %s: out of memory", path);
	snprintf(c->path, sizeof(c->path), "%s%s", len > most ? "..." : "",
		 len > most ? path + len - most : path);
	c->oddities = (struct sen_oddities){ .note = note, .ctx = ctx, .path = c->path };
	err = open_format(c, path, why);
	if (err)
		sen_capture_close(c);
	else
		*out = c;
	return err;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

/* Put an Ethernet header in the place of the frame's own. */
static int wrap(struct sen_capture *c, const struct sen_link *link, struct sen_frame *frame)
{
	uint8_t eth[SEN_ETH_BYTES], *grown;
	uint32_t header = sen_link_read(link, frame->data, frame->captured, eth);
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
	frame->wire_len += SEN_ETH_BYTES - header;
	return 0;
}

static int make_frame(struct sen_capture *c, const struct sen_captured *r, struct sen_frame *frame)
{
	const struct sen_link *link = sen_link_find(r->dlt);

	*frame = (struct sen_frame){
		.data = r->data,
		.captured = r->captured,
		.wire_len = sen_odd_length(r) ? r->captured : r->original,
		.time_ns = r->time_ns,
		.number = ++c->number,
		.file = c->path,
		.foreign = !sen_link_known(r->dlt),
	};
	sen_oddities_look(&c->oddities, r, frame);
	if (frame->foreign) {
		c->foreign_dlt = r->dlt;
		return 0;
	}
	c->used++;
	return link ? wrap(c, link, frame) : 0;
}

static int no_more(const struct sen_capture *c, struct sen_why *why)
{
	return c->number && !c->used ? refuse_link(c, "reading", c->foreign_dlt, why) : 0;
}

static int tell_damage(const struct sen_capture *c, struct sen_why *why)
{
	const char *fault = sen_stream_fault(c->stream);

	if (!fault)
		fault = c->pcapng ? sen_pcapng_fault(c->pcapng) : sen_classic_fault(c->classic);
	if (!c->used)
		return sen_why(why, -EINVAL, NULL,
			       "reading capture: %s: not one frame of it can be read: %s", c->path,
			       fault);
	return sen_why(why, -EIO, NULL, "reading capture: %s: after frame %llu: %s", c->path,
		       (unsigned long long)c->number, fault);
}

int sen_capture_next(struct sen_capture *c, struct sen_frame *frame, struct sen_why *why)
{
	struct sen_captured record;
	int got = c->pcapng ? sen_pcapng_next(c->pcapng, &record) :
			      sen_classic_next(c->classic, &record);

	if (got == 1 && !make_frame(c, &record, frame))
		return 1;
	if (got == 1 || got == -ENOMEM)
		return sen_why(why, -ENOMEM, NULL, "reading capture: %s: out of memory", c->path);
	sen_oddities_sum(&c->oddities);
	return got ? tell_damage(c, why) : no_more(c, why);
}

void sen_capture_close(struct sen_capture *c)
{
	if (!c)
		return;
	sen_classic_close(c->classic);
	sen_pcapng_close(c->pcapng);
	if (c->file)
		fclose(c->file);
	free(c->wrapped);
	free(c);
}
