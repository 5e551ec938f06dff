// SPDX-License-Identifier: BSD-2-Clause
#include <pcap/pcap.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "link.h"

#define ETH_SOURCE 6
#define ETH_TYPE   12

#define ETHERTYPE_NONE 0 /* passed and counted, like all that is not IP */
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_MPLS 0x8847

#define DLT_RAW_OPENBSD 14 /* what files hold that OpenBSD's tcpdump wrote */

struct sen_link {
	int dlt;
	uint32_t header; /* bytes, at least */
	/* Writes EtherType and, where it is known, the sender's MAC; returns the header's true length. */
	uint32_t (*read)(const uint8_t *data, uint8_t *eth);
};

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void set_type(uint8_t *eth, uint16_t type)
{
	eth[ETH_TYPE] = type >> 8;
	eth[ETH_TYPE + 1] = type;
}

static uint32_t read_ip(const uint8_t *data, uint8_t *eth)
{
	uint8_t version = data[0] >> 4;

	set_type(eth, version == 4 ? ETHERTYPE_IPV4 :
		      version == 6 ? ETHERTYPE_IPV6 :
				     ETHERTYPE_NONE);
	return 0;
}

/* The address family, four bytes in the order of the machine that captured. AF_INET is 2 everywhere,
 * AF_INET6 is not: Linux, NetBSD and OpenBSD, FreeBSD, macOS. */
static uint32_t read_loopback(const uint8_t *data, uint8_t *eth)
{
	uint8_t family = data[0] | data[3];

	if (data[1] || data[2] || (data[0] && data[3]))
		family = 0;
	set_type(eth, family == 2 ? ETHERTYPE_IPV4 :
		      family == 10 || family == 24 || family == 28 || family == 30 ?
				    ETHERTYPE_IPV6 :
				    ETHERTYPE_NONE);
	return 4;
}

/* Packet type, ARPHRD, address length, address, protocol. */
static uint32_t read_sll(const uint8_t *data, uint8_t *eth)
{
	if (get16(data + 4) == 6)
		memcpy(eth + ETH_SOURCE, data + 6, 6);
	set_type(eth, get16(data + 14));
	return 16;
}

/* Protocol, reserved, interface, ARPHRD, packet type, address length, address. */
static uint32_t read_sll2(const uint8_t *data, uint8_t *eth)
{
	if (data[11] == 6)
		memcpy(eth + ETH_SOURCE, data + 12, 6);
	set_type(eth, get16(data));
	return 20;
}

/* RFC 1661 and 1662: address and control may be left out, and a protocol below 256 may have one byte. */
static uint32_t read_ppp(const uint8_t *data, uint8_t *eth)
{
	uint32_t at = data[0] == 0xff && data[1] == 0x03 ? 2 : 0;
	uint16_t protocol = data[at] & 1 ? data[at] : get16(data + at);

	set_type(eth, protocol == 0x21  ? ETHERTYPE_IPV4 :
		      protocol == 0x57  ? ETHERTYPE_IPV6 :
		      protocol == 0x281 ? ETHERTYPE_MPLS :
					  ETHERTYPE_NONE);
	return at + (data[at] & 1 ? 1 : 2);
}

/* Address, control, EtherType. */
static uint32_t read_hdlc(const uint8_t *data, uint8_t *eth)
{
	set_type(eth, get16(data + 2));
	return 4;
}

static const struct sen_link links[] = {
	{ DLT_RAW, 1, read_ip },         { DLT_RAW_OPENBSD, 1, read_ip },
	{ DLT_IPV4, 1, read_ip },        { DLT_IPV6, 1, read_ip },
	{ DLT_NULL, 4, read_loopback },  { DLT_LOOP, 4, read_loopback },
	{ DLT_LINUX_SLL, 16, read_sll }, { DLT_LINUX_SLL2, 20, read_sll2 },
	{ DLT_PPP, 4, read_ppp },        { DLT_C_HDLC, 4, read_hdlc },
};

const struct sen_link *sen_link_find(int dlt)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].dlt == dlt)
			return &links[i];
	return NULL;
}

bool sen_link_known(int dlt)
{
	return dlt == DLT_EN10MB || sen_link_find(dlt);
}

const char *sen_link_text(int dlt, char text[SEN_LINK_TEXT])
{
	const char *name = pcap_datalink_val_to_name(dlt);

	snprintf(text, SEN_LINK_TEXT, "link type %d (%s)", dlt, name ? name : "unknown");
	return text;
}

uint32_t sen_link_read(const struct sen_link *link, const uint8_t *data, uint32_t len,
		       uint8_t eth[SEN_ETH_BYTES])
{
	memset(eth, 0, SEN_ETH_BYTES);
	if (len >= link->header)
		return link->read(data, eth);
	/* IP of no bytes: truncated. */
	set_type(eth, ETHERTYPE_IPV4);
	return len;
}
