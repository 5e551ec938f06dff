// SPDX-License-Identifier: BSD-2-Clause
#include "fixtures.h"

#define A HOST(1)
#define B HOST(2)
#define SYN_TO_80 TCP(1000, 80, TCP_SYN)
#define DNS       UDP(1000, 53)

#define TCP_80  .proto = 6, .sport = 1000, .dport = 80
#define UDP_53  .proto = 17, .sport = 1000, .dport = 53
#define NO_PORT(p) .proto = (p)

const struct fixture fixtures[] = {
	/* What every network carries. */
	{ "TCP SYN", { IP4(A, B), SYN_TO_80 }, TCP_80, .length = 40 },
	{ "TCP SYN from the higher address", { IP4(B, A), SYN_TO_80 }, TCP_80, .length = 40 },
	{ "TCP with options and payload",
	  { IP4(A, B), TCP(1000, 80, TCP_ACK, .size = 12), PAYLOAD(100) },
	  TCP_80, .length = 152, .payload = 100 },
	{ "TCP in a padded frame", { IP4(A, B), SYN_TO_80, PAD(6) }, TCP_80, .length = 40 },
	{ "UDP", { IP4(A, B), DNS, PAYLOAD(30) }, UDP_53, .length = 58, .payload = 30 },
	{ "UDP without payload", { IP4(A, B), DNS }, UDP_53, .length = 28 },
	{ "UDP of full size", { IP4(A, B), DNS, PAYLOAD(1472) }, UDP_53, .length = 1500,
	  .payload = 1472 },
	{ "ICMP echo", { IP4(A, B), ICMP(), PAYLOAD(56) }, NO_PORT(1), .length = 84,
	  .payload = 56 },
	{ "IPv6 TCP SYN", { IP6(A, B), SYN_TO_80 }, TCP_80, .length = 60 },
	{ "IPv6 UDP", { IP6(A, B), DNS, PAYLOAD(30) }, UDP_53, .length = 78, .payload = 30 },
	{ "IPv6 between subnets", { IP6(A | 7ull << 32, B), DNS }, UDP_53, .length = 48 },
	{ "ICMPv6 echo", { IP6(A, B), ICMP6(), PAYLOAD(8) }, NO_PORT(58), .length = 56,
	  .payload = 8 },

	/* ARP: who asks or claims, and for which address. */
	{ "ARP question", { ARP(ARP_QUESTION, 0x1234567890ab, A, B) }, NO_PORT(SEN_PROTO_ARP),
	  .length = 28 },
	{ "ARP answer", { ARP(ARP_ANSWER, 0xfedcba098765, A, B), PAD(18) },
	  NO_PORT(SEN_PROTO_ARP), .length = 28 },
	{ "gratuitous ARP", { ARP(ARP_QUESTION, 1, A, A) }, NO_PORT(SEN_PROTO_ARP), .length = 28 },
	{ "ARP in a VLAN", { VLAN(9), ARP(ARP_ANSWER, 2, A, B) }, NO_PORT(SEN_PROTO_ARP),
	  .vlan = 9, .length = 28 },

	/* Tags; the outermost one counts. */
	{ "VLAN", { VLAN(100), IP4(A, B), DNS }, UDP_53, .vlan = 100, .length = 28 },
	{ "VLAN with priority", { VLAN(0xe064), IP4(A, B), DNS }, UDP_53, .vlan = 100,
	  .length = 28 },
	{ "QinQ", { QINQ(200), VLAN(100), IP6(A, B), SYN_TO_80 }, TCP_80, .vlan = 200,
	  .length = 60 },
	{ "four tags", { QINQ(4), VLAN(3), VLAN(2), VLAN(1), IP4(A, B), DNS }, UDP_53, .vlan = 4,
	  .length = 28 },
	{ "five tags", { QINQ(5), VLAN(4), VLAN(3), VLAN(2), VLAN(1), IP4(A, B), DNS },
	  .outcome = NOT_IP },

	/* IPv4 options and fragments. */
	{ "IPv4 options", { IP4(A, B, .size = 4), DNS }, UDP_53, .length = 32 },
	{ "IPv4 with all options", { IP4(A, B, .size = 40), SYN_TO_80, PAYLOAD(5) }, TCP_80,
	  .length = 85, .payload = 5 },
	{ "first IPv4 fragment", { IP4(A, B, .more = true), DNS, PAYLOAD(64) }, UDP_53,
	  .length = 92, .payload = 64, .fragment = true },
	{ "later IPv4 fragment", { IP4(A, B, .offset = 9, .more = true, .next = SAY(17)),
				   PAYLOAD(64) },
	  NO_PORT(17), .length = 84, .payload = 64, .fragment = true },
	{ "last IPv4 fragment with options",
	  { IP4(A, B, .size = 24, .offset = 8191, .next = SAY(17)), PAYLOAD(6) },
	  NO_PORT(17), .length = 50, .payload = 6, .fragment = true },

	/* IPv6 extension headers. */
	{ "hop by hop", { IP6(A, B), EXT(EXT_HOP), ICMP6() }, NO_PORT(58), .length = 56 },
	{ "every extension",
	  { IP6(A, B), EXT(EXT_HOP), EXT(EXT_DEST, .size = 8), EXT(EXT_ROUTING, .size = 16),
	    EXT(EXT_AH, .size = 16), EXT(EXT_MOBILITY), SYN_TO_80, PAYLOAD(3) },
	  TCP_80, .length = 40 + 8 + 16 + 24 + 24 + 8 + 20 + 3, .payload = 3 },
	{ "a long extension", { IP6(A, B), EXT(EXT_DEST, .size = 2040), DNS, PAYLOAD(1) }, UDP_53,
	  .length = 40 + 2048 + 9, .payload = 1 },
	{ "first IPv6 fragment", { IP6(A, B), EXT(EXT_FRAGMENT, .more = true), DNS, PAYLOAD(16) },
	  UDP_53, .length = 72, .payload = 16, .fragment = true },
	{ "later IPv6 fragment",
	  { IP6(A, B), EXT(EXT_HOP), EXT(EXT_FRAGMENT, .offset = 3, .next = SAY(17)), PAYLOAD(16) },
	  NO_PORT(17), .length = 72, .payload = 16, .fragment = true },
	{ "no next header", { IP6(A, B), EXT(EXT_DEST) }, .outcome = NOT_TRANSPORT },
	{ "an extension longer than the frame", { IP6(A, B), EXT(EXT_DEST, .header = SAY(200)), DNS },
	  .outcome = TRUNCATED },

	/* Lengths that lie. Never more than is there, never less than nothing. */
	{ "total length too large", { IP4(A, B, .length = SAY(1500)), SYN_TO_80, PAYLOAD(10) },
	  TCP_80, .length = 50, .payload = 10 },
	{ "total length too small", { IP4(A, B, .length = SAY(45)), SYN_TO_80, PAYLOAD(10) },
	  TCP_80, .length = 45, .payload = 5 },
	{ "total length inside the transport header",
	  { IP4(A, B, .length = SAY(30)), SYN_TO_80, PAYLOAD(10) }, TCP_80, .length = 30 },
	{ "total length inside the IP header",
	  { IP4(A, B, .length = SAY(3)), SYN_TO_80, PAYLOAD(10) }, TCP_80, .length = 3 },
	{ "total length 0, as segmentation leaves it",
	  { IP4(A, B, .length = SAY(0)), SYN_TO_80, PAYLOAD(10) }, TCP_80, .length = 50,
	  .payload = 10 },
	{ "header length 4", { IP4(A, B, .header = SAY(4)), DNS }, .outcome = NOT_IP },
	{ "header length 0", { IP4(A, B, .header = SAY(0)), DNS }, .outcome = NOT_IP },
	{ "header length beyond the frame", { IP4(A, B, .header = SAY(15)), DNS },
	  .outcome = TRUNCATED },
	{ "header length beyond a later fragment",
	  { IP4(A, B, .header = SAY(15), .offset = 1, .next = SAY(17)), PAYLOAD(30) },
	  .outcome = TRUNCATED },
	{ "version 6 in IPv4", { IP4(A, B, .version = SAY(6)), DNS }, .outcome = NOT_IP },
	{ "version 4 in IPv6", { IP6(A, B, .version = SAY(4)), DNS }, .outcome = NOT_IP },
	{ "IPv6 length too large", { IP6(A, B, .length = SAY(9000)), DNS, PAYLOAD(7) }, UDP_53,
	  .length = 55, .payload = 7 },
	{ "IPv6 length too small", { IP6(A, B, .length = SAY(10)), DNS, PAYLOAD(7) }, UDP_53,
	  .length = 50, .payload = 2 },
	{ "IPv6 length 0", { IP6(A, B, .length = SAY(0)), DNS, PAYLOAD(7) }, UDP_53, .length = 55,
	  .payload = 7 },
	{ "UDP length too large", { IP4(A, B), UDP(1000, 53, .length = SAY(999)), PAYLOAD(7) },
	  UDP_53, .length = 35, .payload = 7 },
	{ "TCP header shorter than it can be",
	  { IP4(A, B), TCP(1000, 80, TCP_ACK, .header = SAY(0)), PAYLOAD(7) }, TCP_80,
	  .length = 47, .payload = 7 },
	{ "TCP header of four words",
	  { IP4(A, B), TCP(1000, 80, TCP_ACK, .header = SAY(4)), PAYLOAD(7) }, TCP_80,
	  .length = 47, .payload = 7 },
	{ "TCP header beyond the packet",
	  { IP4(A, B), TCP(1000, 80, TCP_ACK, .header = SAY(15)), PAYLOAD(7) }, TCP_80,
	  .length = 47 },

	/* Everything else passes, and is counted. */
	{ "LLDP", { OTHER(0x88cc, 46) }, .outcome = NOT_IP },
	{ "802.3 with a length", { OTHER(0x0026, 46) }, .outcome = NOT_IP },
	{ "ethertype 0", { OTHER(0, 46) }, .outcome = NOT_IP },
	{ "MPLS", { OTHER(0x8847, 46) }, .outcome = NOT_IP },
	{ "another ethertype in a VLAN", { VLAN(7), OTHER(0x88cc, 46) }, .outcome = NOT_IP },
	{ "SCTP", { IP4(A, B), OTHER(132, 20) }, .outcome = NOT_TRANSPORT },
	{ "GRE in IPv6", { IP6(A, B), EXT(EXT_HOP), OTHER(47, 20) }, .outcome = NOT_TRANSPORT },
	{ "IP in IP", { IP4(A, B, .next = SAY(4)), IP4(B, A), DNS }, .outcome = NOT_TRANSPORT },
	{ "a later fragment of another transport",
	  { IP4(A, B, .offset = 9, .next = SAY(47)), PAYLOAD(20) }, .outcome = NOT_TRANSPORT },
	{ 0 }
};
