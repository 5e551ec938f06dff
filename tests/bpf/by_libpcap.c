// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pcap/pcap.h>
#include <stddef.h>

#include "by_libpcap.h"

#define DLT_RAW_OPENBSD 14

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

struct by_libpcap by_libpcap(const char *path)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, text);
	struct by_libpcap out = { .err = pcap ? 0 : -EINVAL };
	struct pcap_pkthdr *header;
	const unsigned char *data;
	int got = PCAP_ERROR_BREAK;

	if (!pcap)
		return out;
	if (!is_known(pcap_datalink(pcap)))
		out.err = -ENOTSUP;
	while (!out.err && (got = pcap_next_ex(pcap, &header, &data)) == 1)
		out.frames++;
	out.broken = got != PCAP_ERROR_BREAK;
	pcap_close(pcap);
	return out;
}
