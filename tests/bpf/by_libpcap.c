// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pcap/pcap.h>
#include <stddef.h>
#include <string.h>

#include "by_libpcap.h"

#define DLT_RAW_OPENBSD 14
#define PCAPNG_MAJOR    1 /* the classic format is at 2 */

/* Link types that docs/replay.md promises. */
static bool is_known(int dlt)
{
	static const int known[] = {
		DLT_EN10MB, DLT_RAW,       DLT_RAW_OPENBSD, DLT_IPV4, DLT_IPV6,   DLT_NULL,
		DLT_LOOP,   DLT_LINUX_SLL, DLT_LINUX_SLL2,  DLT_PPP,  DLT_C_HDLC,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == dlt)
			return true;
	return false;
}

static bool is_timid(const char *text)
{
	static const char *const known[] = {
		"different from",
		"different byte orders",
		"bigger than snaplen",
		"no Interface Description",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(text, known[i]))
			return true;
	return false;
}

void by_libpcap_open(const char *path, struct by_libpcap *b)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO,
							       text);

	*b = (struct by_libpcap){ .err = pcap ? 0 : -EINVAL, .pcap = pcap };
	b->timid = !pcap && is_timid(text);
	if (pcap && !is_known(pcap_datalink(pcap)))
		b->err = -ENOTSUP;
}

bool by_libpcap_next(struct by_libpcap *b)
{
	struct pcap_pkthdr *header;
	int got = b->pcap ? pcap_next_ex(b->pcap, &header, &b->data) : PCAP_ERROR;

	if (got == 1) {
		b->captured = header->caplen;
		b->cut = header->caplen >= (unsigned int)pcap_snapshot(b->pcap);
		b->seconds = (uint64_t)header->ts.tv_sec;
		b->nanoseconds = (uint64_t)header->ts.tv_usec;
		return true;
	}
	b->broken = got != PCAP_ERROR_BREAK;
	if (b->broken && b->pcap && pcap_major_version(b->pcap) == PCAPNG_MAJOR)
		b->timid = b->timid || is_timid(pcap_geterr(b->pcap));
	return false;
}

void by_libpcap_close(struct by_libpcap *b)
{
	if (b->pcap)
		pcap_close(b->pcap);
}
