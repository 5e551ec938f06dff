// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"

struct sen_capture {
	pcap_t *pcap;
	char path[256];
	uint64_t number;
};

int sen_capture_open(const char *path, struct sen_capture **out, struct sen_why *why)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct sen_capture *c = calloc(1, sizeof(*c));
	int link, err;

	if (!c)
		return sen_why(why, -ENOMEM, NULL, "opening capture: %s: out of memory", path);
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->pcap) {
		err = sen_why(why, -EINVAL, "pcap and pcapng files can be read",
			      "opening capture: %s: %s", path, text);
		goto fail;
	}
	link = pcap_datalink(c->pcap);
	if (link != DLT_EN10MB) {
		err = sen_why(why, -ENOTSUP, "only Ethernet captures can be replayed",
			      "opening capture: %s: link type %s", path,
			      pcap_datalink_val_to_name(link) ? pcap_datalink_val_to_name(link) :
								"unknown");
		goto fail;
	}
	*out = c;
	return 0;
fail:
	sen_capture_close(c);
	return err;
}

int sen_capture_next(struct sen_capture *c, struct sen_frame *frame, struct sen_why *why)
{
	struct pcap_pkthdr *header;
	int got = pcap_next_ex(c->pcap, &header, &frame->data);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1)
		return sen_why(why, -EIO, NULL, "reading capture: %s: after frame %llu: %s",
			       c->path, (unsigned long long)c->number, pcap_geterr(c->pcap));
	frame->captured = header->caplen;
	frame->wire_len = header->len < header->caplen ? header->caplen : header->len;
	/* With nanosecond precision tv_usec holds nanoseconds. */
	frame->time_ns = (uint64_t)header->ts.tv_sec * 1000000000ull + header->ts.tv_usec;
	frame->number = ++c->number;
	return 1;
}

void sen_capture_close(struct sen_capture *c)
{
	if (!c)
		return;
	if (c->pcap)
		pcap_close(c->pcap);
	free(c);
}
