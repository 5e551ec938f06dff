// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests/net/livegen.c: turns the frames of a live test_run into a stream of flows and sends them out
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

struct gen_frame {
	struct ethhdr eth;
	struct iphdr ip;
	__be16 source, dest;
	__be16 rest[8];
} __attribute__((packed));
_Static_assert(sizeof(struct gen_frame) == GEN_HEADERS, "headers without gaps");

/* Source address and port, and all checksums, as if these two were 0. */
const volatile __u16 gen_template[GEN_HEADERS / 2];
const volatile __u32 gen_flows = 1;
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

SEC("xdp")
int livegen(struct xdp_md *ctx)
{
	struct gen_frame *f = (void *)(long)ctx->data;
	__u32 n, address;
	__u16 port;

	if ((void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	n = gen_count++ % gen_flows;
	address = 0xc6120000 + n % GEN_SOURCES;
	port = GEN_FIRST_PORT + n / GEN_SOURCES;
#pragma unroll
	for (int i = 0; i < GEN_HEADERS / 2; i++)
		((__u16 *)f)[i] = gen_template[i];
	f->ip.saddr = bpf_htonl(address);
	f->source = bpf_htons(port);
	address = (address >> 16) + (address & 0xffff);
	f->ip.check = checksum(gen_ip_sum + address);
	f->rest[gen_l4_check & 7] = checksum(gen_l4_sum + address + port);
	return bpf_redirect(gen_ifindex, 0);
}
