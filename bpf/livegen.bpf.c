// SPDX-License-Identifier: GPL-2.0-only
/*
 * For user/livegen.c: turns the frames of a live test_run into a stream of flows and sends them out
 * of an interface. The kernel recycles frames, and who receives them may have changed them: all headers
 * are written anew.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

char _license[] SEC("license") = "GPL";

#define GEN_HEADERS    54     /* Ethernet, IPv4, TCP or UDP with 12 bytes of payload */
#define GEN_SOURCES    131072 /* 198.18.0.0/15, set aside for this by RFC 2544 */
#define GEN_FIRST_PORT 1024
#define GEN_ARP_BYTES  28 /* behind the Ethernet header */

/* With gen_mix, of every 16 frames one each is: */
#define GEN_PERIOD 16
enum gen_odd {
	GEN_NOT_IP = 11,    /* of an EtherType that is for experiments (IEEE 802) */
	GEN_NOT_TRANSPORT,  /* of an IP protocol that is for experiments (RFC 3692) */
	GEN_TRUNCATED,      /* cut inside its transport header */
	GEN_LATER_FRAGMENT, /* one whose first fragment never comes */
	GEN_ARP             /* a question */
};
#define GEN_CUT_BYTES 36

struct gen_frame {
	struct ethhdr eth;
	struct iphdr ip;
	__be16 source, dest;
	__be16 rest[8];
} __attribute__((packed));
_Static_assert(sizeof(struct gen_frame) == GEN_HEADERS, "headers without gaps");

/* Source address and port, and all checksums, as if these two were 0. */
const volatile __u16 gen_template[GEN_HEADERS / 2];
const volatile __u16 gen_arp[GEN_ARP_BYTES / 2]; /* sender's address 0 */
const volatile __u32 gen_flows = 1;
const volatile bool gen_mix;
const volatile __u32 gen_ifindex;
const volatile __u32 gen_ip_sum, gen_l4_sum; /* ones' complement sums of the rest */
const volatile __u32 gen_l4_check;           /* index of the checksum in `rest` */

__u64 gen_count; /* frames so far; one generator runs on one CPU */

static __always_inline __be16 checksum(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return bpf_htons((__u16)~sum);
}

static __always_inline void write_words(void *to, const volatile __u16 *from, int words)
{
	for (int i = 0; i < words; i++)
		((__u16 *)to)[i] = from[i];
}

static __always_inline void write_arp(struct gen_frame *f, __u32 address)
{
	struct {
		__be16 head[4];
		__u8 sender_mac[6];
		__be16 sender[2];
	} __attribute__((packed)) *arp = (void *)&f->ip;

	f->eth.h_proto = bpf_htons(0x0806);
	write_words(arp, gen_arp, GEN_ARP_BYTES / 2);
	arp->sender[0] = bpf_htons(address >> 16);
	arp->sender[1] = bpf_htons(address);
}

/* Make a whole frame an odd one. Wrong checksums are what a stack would see; no parser looks at them. */
static __always_inline long make_odd(struct xdp_md *ctx, struct gen_frame *f, __u32 odd,
				     __u32 address)
{
	switch (odd) {
	case GEN_NOT_IP:
		f->eth.h_proto = bpf_htons(0x88b5);
		return 0;
	case GEN_NOT_TRANSPORT:
		f->ip.protocol = 253;
		return 0;
	case GEN_LATER_FRAGMENT:
		f->ip.frag_off = bpf_htons(1);
		f->ip.id = f->source;
		return 0;
	case GEN_ARP:
		write_arp(f, address);
		return 0;
	case GEN_TRUNCATED:
		return bpf_xdp_adjust_tail(ctx, GEN_CUT_BYTES - (int)(ctx->data_end - ctx->data));
	default:
		return 0;
	}
}

SEC("xdp")
int livegen(struct xdp_md *ctx)
{
	struct gen_frame *f = (void *)(long)ctx->data;
	__u32 n, address, folded;
	__u64 count;
	__u16 port;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	count = gen_count++;
	n = count % gen_flows;
	address = 0xc6120000 + n % GEN_SOURCES;
	port = GEN_FIRST_PORT + n / GEN_SOURCES;
	write_words(f, gen_template, GEN_HEADERS / 2);
	f->ip.saddr = bpf_htonl(address);
	f->source = bpf_htons(port);
	folded = (address >> 16) + (address & 0xffff);
	f->ip.check = checksum(gen_ip_sum + folded);
	f->rest[gen_l4_check & 7] = checksum(gen_l4_sum + folded + port);
	if (gen_mix && make_odd(ctx, f, count % GEN_PERIOD, address))
		return XDP_ABORTED;
	return bpf_redirect(gen_ifindex, 0);
}
