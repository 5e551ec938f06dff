// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "livegen.h"
#include "livegen.skel.h"

#define HEADERS     54
#define FRAME_BYTES 60
#define BATCH       64 /* a veth's ring holds 256 */

struct sen_livegen {
	struct livegen *skel;
	unsigned int ifindex;
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t sum16(const uint8_t *at, size_t bytes)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < bytes; i += 2)
		sum += at[i] << 8 | at[i + 1];
	return sum;
}

static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* Headers with all that is the same in every frame, and the sums over them. */
static void fill_template(struct livegen__rodata *ro, const struct sen_livegen_options *o)
{
	uint8_t f[HEADERS] = { 0 }, *ip = f + 14, *l4 = f + 34;
	const uint16_t l4_len = HEADERS - 34;

	memcpy(f, o->mac, 6);
	memcpy(f + 6, own_mac, 6);
	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, HEADERS - 14);
	ip[8] = 64;
	ip[9] = o->udp ? IPPROTO_UDP : IPPROTO_TCP;
	memcpy(ip + 16, &o->ip, 4);
	put16(l4 + 2, o->port ? o->port : o->udp ? 53 : 80);
	if (o->udp) {
		put16(l4 + 4, l4_len);
	} else {
		l4[12] = 5 << 4;
		l4[13] = 0x02;
		put16(l4 + 14, 65535);
	}
	memcpy((void *)ro->gen_template, f, sizeof(f));
	ro->gen_ip_sum = sum16(ip, 20);
	ro->gen_l4_sum = sum16(l4, l4_len) + sum16(ip + 16, 4) + ip[9] + l4_len;
	ro->gen_l4_check = o->udp ? 1 : 6;
}

/* A question of the host that the other frames come from, for their target. */
static void fill_arp(struct livegen__rodata *ro, const struct sen_livegen_options *o)
{
	uint8_t arp[sizeof(ro->gen_arp)] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	memcpy(arp + 8, own_mac, 6);
	memcpy(arp + 24, &o->ip, 4);
	memcpy((void *)ro->gen_arp, arp, sizeof(arp));
}

int sen_livegen_open(const struct sen_livegen_options *o, struct sen_livegen **out)
{
	struct sen_livegen *gen = calloc(1, sizeof(*gen));
	int err;

	if (!gen)
		return -ENOMEM;
	gen->ifindex = o->ifindex;
	gen->skel = livegen__open();
	err = gen->skel ? 0 : -errno;
	if (!err) {
		fill_template(gen->skel->rodata, o);
		fill_arp(gen->skel->rodata, o);
		gen->skel->rodata->gen_mix = o->mix;
		gen->skel->rodata->gen_flows = o->flows;
		gen->skel->rodata->gen_ifindex = o->ifindex;
		err = livegen__load(gen->skel);
	}
	if (err)
		sen_livegen_close(gen);
	else
		*out = gen;
	return err;
}

int sen_livegen_send(struct sen_livegen *gen, unsigned int frames)
{
	uint8_t frame[FRAME_BYTES] = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame), .ingress_ifindex = gen->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = frames,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = frames < BATCH ? frames : BATCH);

	return bpf_prog_test_run_opts(bpf_program__fd(gen->skel->progs.livegen), &opts);
}

unsigned long long sen_livegen_made(const struct sen_livegen *gen)
{
	return gen->skel->bss->gen_count;
}

void sen_livegen_close(struct sen_livegen *gen)
{
	if (!gen)
		return;
	livegen__destroy(gen->skel);
	free(gen);
}
