// SPDX-License-Identifier: BSD-2-Clause
/* Frames of any content, length and order through the packet path: nothing is read or written out of
 * bounds, and after each frame everything adds up. */
#include <stdio.h>
#include <string.h>

#include "../bpf/modelkit.h"
#include "input.h"
#include "native.h"
#include "plain.h"
#include "require.h"

#define START_NS 0x0600000000000000ull /* time may go back from here, and far ahead */
#define MODELS   6

/* enum sen_outcome of the packet path begins with it. */
#define PARSED 0

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sen_model_flat models[MODELS];

struct run {
	struct sen_policy policy;
	uint64_t now_ns;
	bool flood;
	struct sen_stats before; /* the frame at hand */
};

static void prepare(void)
{
	/* Small tables: entries are fought for. */
	static const struct native_options options = {
		.flows = 16, .sources = 16, .targets = 16, .pairs = 16, .own_mac = 0x020000000002
	};
	uint64_t random = 1;

	native_open(&options);
	model_constant(&models[0], 1, 2 * SEN_ONE, SEN_CLASS_SCAN);
	for (int i = 1; i < MODELS; i++)
		model_random(&models[i], i + 1, &random);
}

static void start(struct run *r, const uint8_t *options)
{
	unsigned int model = INPUT_MODEL(options[0]);

	native_reset();
	*r = (struct run){
		.now_ns = START_NS,
		.flood = INPUT_FLOOD(options[0]),
		.policy = {
			.mode = INPUT_MODE(options[0]),
			.eval_shift = options[1],
			.near = SEN_ONE / 2,
			.sample_every = 1 + (options[1] >> 5),
			.rate = { 1000, 1000, 1000 },
		},
	};
	memset(r->policy.action, SEN_VERDICT_DROP, SEN_CLASS_MAX / 2);
	native_set_policy(&r->policy);
	if (model)
		native_set_model(SEN_SLOT_ACTIVE, &models[(model - 1) % MODELS]);
	if (INPUT_SHADOW(options[0]))
		native_set_model(SEN_SLOT_SHADOW, &models[MODELS - 1]);
}

static void check_stats(const struct run *r, const struct native_result *result)
{
	const struct sen_stats *now = native_stats(), *before = &r->before;

	REQUIRE(now->packets == before->packets + 1);
	REQUIRE(now->packets ==
		now->parsed + now->not_ip + now->not_transport + now->truncated + now->errors);
	REQUIRE(now->errors == 0);
	REQUIRE(now->packets == now->pass + now->alert + now->drop + now->redirect);
	REQUIRE(now->parsed - before->parsed == (result->state.outcome == PARSED));
	REQUIRE(!now->drop || r->policy.mode == SEN_MODE_ENFORCE);
	REQUIRE(!now->alert || r->policy.mode != SEN_MODE_OBSERVE);
	REQUIRE(now->memo_hits <= now->evaluations);
	REQUIRE(now->flows_replaced <= now->flows_new);
	REQUIRE(!now->set_contended); /* nobody else is there */
}

static bool is_canonical(const struct sen_flow_key *key)
{
	__u64 a[2], b[2];

	if (key->proto == SEN_PROTO_ARP)
		return true;
	memcpy(a, key->addr[0], sizeof(a));
	memcpy(b, key->addr[1], sizeof(b));
	if (a[0] != b[0])
		return a[0] < b[0];
	if (a[1] != b[1])
		return a[1] < b[1];
	return key->port[0] <= key->port[1];
}

static void check_flow(const struct native_result *result, uint32_t wire_len)
{
	const struct sen_flow *f = result->entry;
	uint64_t packets = (uint64_t)f->packets[0] + f->packets[1];

	REQUIRE(result->state.side <= 1);
	REQUIRE(f->packets[result->state.side] > 0);
	REQUIRE(!result->state.opened || packets == 1);
	REQUIRE(is_canonical(&f->key));
	REQUIRE(!f->key.pad && f->key.vlan < 4096);
	/* An ICMP error belongs to the flow that it quotes, but its length is not that of such a flow. */
	REQUIRE(f->min_len <= wire_len || !result->state.opened);
	REQUIRE(f->bytes >= wire_len);
	REQUIRE(f->fragments <= packets);
	REQUIRE(f->credited <= packets);
	REQUIRE(f->evaluations >= 1 && f->evaluations <= packets);
	REQUIRE(f->score <= f->score_max);
	REQUIRE(!(f->flags & SEN_FLOW_DROP) || f->flags & SEN_FLOW_FLAGGED);
}

/* A packet without a flow has a reason not to have one. */
static void check_no_flow(const struct run *r, const struct native_result *result)
{
	const struct sen_stats *now = native_stats(), *before = &r->before;
	uint64_t without = now->flows_untracked - before->flows_untracked + now->flows_inherited -
			   before->flows_inherited;

	REQUIRE(without == (result->state.outcome == PARSED));
	REQUIRE(result->state.outcome == PARSED || result->verdict == SEN_VERDICT_PASS);
}

static void check_plain(const struct plain *p, const struct native_result *result)
{
	const struct sen_flow *f = result->entry;
	uint32_t from = result->state.side, to = !from;

	REQUIRE(result->state.outcome == PARSED);
	if (!f)
		return;
	REQUIRE(!memcmp(f->key.addr[from], p->from, sizeof(p->from)));
	REQUIRE(!memcmp(f->key.addr[to], p->to, sizeof(p->to)));
	REQUIRE(f->key.port[from] == p->sport);
	REQUIRE(f->key.port[to] == p->dport);
	REQUIRE(f->key.proto == p->proto);
	REQUIRE(f->key.vlan == 0);
	REQUIRE(f->min_len <= p->length);
	if (!result->state.opened)
		return;
	REQUIRE(f->min_len == (p->length > 65535 ? 65535 : p->length));
	REQUIRE(f->first_payload == p->payload);
	REQUIRE(f->fragments == 0);
}

static void run_frame(struct run *r, const struct input_header *h, const uint8_t *frame, size_t len)
{
	uint32_t wire_len = input_wire(h, len);
	struct native_result result;
	struct plain plain;

	r->now_ns += input_time(h);
	r->before = *native_stats();
	if (r->flood)
		native_targets_flooded();
	native_run(frame, len, wire_len, r->now_ns, &result);
	check_stats(r, &result);
	if (result.entry)
		check_flow(&result, wire_len);
	else
		check_no_flow(r, &result);
	if (plain_read(frame, len, wire_len, &plain))
		check_plain(&plain, &result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct input_header h;
	struct run r;

	if (!ready)
		prepare();
	ready = true;
	if (size < INPUT_OPTIONS)
		return 0;
	start(&r, data);
	for (size_t at = INPUT_OPTIONS; size - at >= sizeof(h); at += h.size) {
		memcpy(&h, data + at, sizeof(h));
		at += sizeof(h);
		h.size = h.size > size - at ? size - at : h.size;
		run_frame(&r, &h, data + at, h.size);
	}
	require(!native_tables_fault(), native_tables_fault());
	return 0;
}
