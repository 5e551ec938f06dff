// SPDX-License-Identifier: BSD-2-Clause
#include "plain.h"

#include <string.h>

#define ETH 14
#define TCP 6
#define UDP 17

static uint32_t get16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

/* Ports that tunnels are looked for at, or may be one day: VXLAN, Geneve, GTP-U, Teredo, MPLS, GRE, L2TP. */
static bool may_be_tunnel(uint32_t port)
{
	static const uint16_t ports[] = { 4789, 8472, 4790, 6081, 2152, 3544, 6635, 4754, 1701 };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (port == ports[i])
			return true;
	return false;
}

static void mapped(uint8_t out[16], const uint8_t *ip)
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, ip, 4);
}

/* Bytes of the IP header, 0 where it is not plain. */
static uint32_t read_ip4(const uint8_t *ip, size_t len, uint32_t *stated, struct plain *out)
{
	if (len < 20 || ip[0] != 0x45 || (ip[6] & 0x3f) || ip[7])
		return 0;
	*stated = get16(ip + 2);
	out->proto = ip[9];
	mapped(out->from, ip + 12);
	mapped(out->to, ip + 16);
	return 20;
}

static uint32_t read_ip6(const uint8_t *ip, size_t len, uint32_t *stated, struct plain *out)
{
	if (len < 40 || ip[0] / 16 != 6)
		return 0;
	*stated = get16(ip + 4) ? get16(ip + 4) + 40 : 0;
	out->proto = ip[6];
	memcpy(out->from, ip + 8, 16);
	memcpy(out->to, ip + 24, 16);
	return 40;
}

static bool read_ports(const uint8_t *l4, size_t len, uint32_t rest, struct plain *out)
{
	uint32_t header = 8;

	if (len < (out->proto == TCP ? 20 : 8))
		return false;
	out->sport = get16(l4);
	out->dport = get16(l4 + 2);
	if (out->proto == TCP)
		header = l4[12] / 16 < 5 ? 20 : l4[12] / 16 * 4;
	out->payload = rest > header ? rest - header : 0;
	return out->proto == TCP || (!may_be_tunnel(out->sport) && !may_be_tunnel(out->dport));
}

bool plain_read(const uint8_t *frame, size_t len, uint32_t wire_len, struct plain *out)
{
	const uint8_t *ip = frame + ETH;
	uint32_t header = 0, stated = 0, rest;

	if (len < ETH)
		return false;
	if (get16(frame + 12) == 0x0800)
		header = read_ip4(ip, len - ETH, &stated, out);
	else if (get16(frame + 12) == 0x86dd)
		header = read_ip6(ip, len - ETH, &stated, out);
	if (!header || (out->proto != TCP && out->proto != UDP))
		return false;
	out->length = wire_len - ETH;
	if (stated && stated < out->length)
		out->length = stated;
	rest = out->length > header ? out->length - header : 0;
	if (rest > 65535)
		rest = 65535;
	return read_ports(ip + header, len - ETH - header, rest, out);
}
