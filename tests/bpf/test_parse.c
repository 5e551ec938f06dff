// SPDX-License-Identifier: BSD-2-Clause
/*
 * Frames of every kind, whole, reversed, cut at every length and mutated. A model that flags everything
 * and a policy that drops what is flagged are in force: what has a flow is dropped, and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "fixtures.h"
#include "harness.h"
#include "modelkit.h"

static int open_dropping(void **state)
{
	static struct sen_model_flat model;
	struct rig *rig = rig_open(NULL);

	model_constant(&model, 1, 2 * SEN_ONE, SEN_CLASS_UNKNOWN);
	rig_push(rig, SEN_SLOT_ACTIVE, &model);
	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

/* The layer whose addresses the flow has: the innermost. */
static const struct layer *network_layer(const struct layer *l)
{
	const struct layer *net = NULL;

	for (; l->kind != LAYER_END; l++)
		if (l->kind == LAYER_IP4 || l->kind == LAYER_IP6 || l->kind == LAYER_ARP)
			net = l;
	assert_non_null(net);
	return net;
}

/* What the key holds on a side: a's address and port are those of the sender. */
static void assert_side(const char *name, const struct sen_flow *f, uint32_t side,
			enum layer_kind family, uint64_t number, uint16_t port)
{
	uint8_t addr[SEN_ADDR_BYTES];

	packet_addr(addr, family, number);
	if (memcmp(f->key.addr[side], addr, sizeof(addr)))
		fail_msg("%s: wrong address on side %u", name, side);
	expect(name, "port", f->key.port[side], port);
}

static void assert_flow(const struct fixture *x, const struct sen_flow *f, const struct sent *sent,
			const struct packet *p)
{
	const struct layer *net = network_layer(x->layers);
	bool arp = net->kind == LAYER_ARP;
	uint32_t about = net->id == ARP_QUESTION && net->claim != net->about ? net->about :
									       net->claim;

	expect(x->name, "protocol", f->key.proto, x->proto);
	expect(x->name, "VLAN", f->key.vlan, x->vlan);
	assert_side(x->name, f, sent->side, net->kind, net->from, x->sport);
	assert_side(x->name, f, !sent->side, arp ? LAYER_IP4 : net->kind, arp ? about : net->to,
		    x->dport);
	expect(x->name, "packets", f->packets[sent->side], 1);
	expect(x->name, "packets of the other side", f->packets[!sent->side], 0);
	expect(x->name, "bytes", f->bytes, p->len);
	expect(x->name, "length", f->min_len, x->length);
	expect(x->name, "payload", f->first_payload, x->payload);
	expect(x->name, "fragments", f->fragments, x->fragment);
}

static void assert_outcome(const char *name, const struct sent *sent, enum outcome outcome)
{
	expect(name, "outcome", sent->outcome, outcome);
	expect(name, "has a flow", sent->flow != NO_FLOW, outcome == PARSED);
	expect(name, "action", sent->action, outcome == PARSED ? DROPPED : PASSED);
}

static void every_frame_has_its_outcome(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (const struct fixture *x = fixtures; x->name; x++) {
		struct sent sent;

		rig_empty_tables(rig);
		sent = rig_send(rig, packet_build(&p, x->layers));
		assert_outcome(x->name, &sent, x->outcome);
		expect(x->name, "flows", rig_used(&rig->flows), x->outcome == PARSED);
		if (x->outcome == PARSED)
			assert_flow(x, rig_flow(rig, sent.flow), &sent, &p);
	}
	rig_assert_balance(rig);
}

/* The innermost packet goes the other way; what carries it stays, since a port tells a tunnel. */
static void turn_around(struct layer *layers)
{
	for (struct layer *l = layers + (network_layer(layers) - layers); l->kind != LAYER_END;
	     l++) {
		uint64_t from = l->from;
		uint16_t sport = l->sport;

		l->from = l->to;
		l->to = from;
		l->sport = l->dport;
		l->dport = sport;
	}
}

static void both_directions_meet(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (const struct fixture *x = fixtures; x->name; x++) {
		struct layer answer[PACKET_LAYERS];
		struct sent there, back;

		if (x->outcome != PARSED || x->proto == SEN_PROTO_ARP)
			continue;
		rig_empty_tables(rig);
		memcpy(answer, x->layers, sizeof(answer));
		turn_around(answer);
		there = rig_send(rig, packet_build(&p, x->layers));
		back = rig_send(rig, packet_build(&p, answer));
		expect(x->name, "flow", back.flow, there.flow);
		expect(x->name, "side", back.side, !there.side);
		expect(x->name, "answered",
		       !!(rig_flow(rig, there.flow)->flags & SEN_FLOW_ANSWERED), 1);
	}
}

/* A cut frame is truncated, or else just what the whole one is; which of the two is known exactly
 * where the whole one has a flow. */
static void cut_once(struct rig *rig, const struct fixture *x, const struct packet *p, size_t len,
		     size_t wire)
{
	struct sent sent;
	char name[96];

	snprintf(name, sizeof(name), "%s, %zu of %zu bytes", x->name, len, p->len);
	rig_empty_tables(rig);
	sent = rig_send_cut(rig, p->data, len, wire);
	if (x->tunnel)
		assert_outcome(name, &sent, len == p->len ? x->outcome : sent.outcome);
	else if (x->outcome == PARSED)
		assert_outcome(name, &sent, len < p->needed ? TRUNCATED : PARSED);
	else if (sent.outcome != TRUNCATED || len == p->len)
		assert_outcome(name, &sent, x->outcome);
	else
		assert_outcome(name, &sent, TRUNCATED);
	expect(name, "flows", rig_used(&rig->flows), sent.outcome == PARSED);
	if (sent.outcome == PARSED)
		expect(name, "bytes", rig_flow(rig, sent.flow)->bytes, wire);
}

static void cut_at_every_length(void **state)
{
	struct rig *rig = *state;
	struct sen_stats before, after;
	uint64_t frames = 0;
	struct packet p;

	before = rig_stats(rig);
	for (const struct fixture *x = fixtures; x->name; x++) {
		packet_build(&p, x->layers);
		for (size_t len = PACKET_MIN; len <= p.len; len++, frames += 2) {
			cut_once(rig, x, &p, len, len);   /* the wire ended there */
			cut_once(rig, x, &p, len, p.len); /* the capture did */
		}
	}
	after = rig_stats(rig);
	assert_int_equal(after.packets - before.packets, frames);
	rig_assert_balance(rig);
}

static void count_reasons(uint64_t reasons[4], const struct sen_stats *s)
{
	reasons[PARSED] = s->parsed;
	reasons[NOT_IP] = s->not_ip;
	reasons[NOT_TRANSPORT] = s->not_transport;
	reasons[TRUNCATED] = s->truncated;
}

static void every_outcome_is_counted_as_such(void **state)
{
	struct rig *rig = *state;
	uint64_t before[4], after[4];
	struct sen_stats s;
	struct packet p;

	for (const struct fixture *x = fixtures; x->name; x++) {
		s = rig_stats(rig);
		count_reasons(before, &s);
		rig_send(rig, packet_build(&p, x->layers));
		s = rig_stats(rig);
		count_reasons(after, &s);
		for (int i = 0; i < 4; i++)
			expect(x->name, "counter", after[i] - before[i], i == (int)x->outcome);
	}
}

/* Bytes of good frames replaced at random: whatever comes of it, each frame has one outcome, and only
 * a frame with a flow may be dropped. */
static void mutated_frames(void **state)
{
	struct rig *rig = *state;
	uint64_t random = 1;
	size_t count = 0;
	struct packet p;

	while (fixtures[count].name)
		count++;
	for (int round = 0; round < 150000; round++) {
		packet_build(&p, fixtures[random_next(&random) % count].layers);
		for (int i = random_next(&random) % 6; i >= 0; i--)
			p.data[12 + random_next(&random) % (p.len - 12)] = random_next(&random);
		p.len = PACKET_MIN + random_next(&random) % (p.len - PACKET_MIN + 1);
		struct sent sent = rig_send(rig, &p);

		assert_true(sent.outcome <= TRUNCATED);
		if (sent.outcome != PARSED)
			assert_outcome("mutated frame", &sent, sent.outcome);
		else
			assert_true(sent.action == DROPPED || sent.flow == NO_FLOW);
	}
	rig_assert_balance(rig);
	assert_true(rig_stats(rig).truncated && rig_stats(rig).not_transport &&
		    rig_stats(rig).not_ip);
}

/* Frames of a capture may state any length: what does not fit 16 bits saturates, it does not wrap. */
static void huge_lengths_saturate(void **state)
{
	static const struct layer cases[][PACKET_LAYERS] = {
		{ IP4(HOST(1), HOST(2), .length = SAY(0)), UDP(1, 2) },
		{ IP4(HOST(1), HOST(2), .length = SAY(0)), ICMP(), PAD(0) },
		{ IP6(HOST(1), HOST(2), .length = SAY(0)), TCP(1, 2, TCP_ACK) },
	};
	struct rig *rig = *state;
	struct packet p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		packet_build(&p, cases[i]);
		struct sent sent = rig_send_cut(rig, p.data, p.len, p.len + 65536);

		assert_int_equal(rig_flow(rig, sent.flow)->min_len, 65535);
		assert_in_range(rig_flow(rig, sent.flow)->first_payload, 65535 - 40, 65535);
		assert_int_equal(rig_flow(rig, sent.flow)->bytes, p.len + 65536);
	}
}

/* Sorting addresses and ports each on their own makes one flow of these two. */
static void pairs_are_sorted_together(void **state)
{
	static const struct {
		uint32_t a, b;
		uint16_t x, y;
	} cases[] = {
		{ HOST(1), HOST(2), 80, 4000 },
		{ HOST(2), HOST(1), 80, 4000 },
		{ HOST(1), HOST(2), 1, 65535 },
		{ 0x01000002, 0x02000001, 53, 5353 }, /* order by first and by last byte differ */
	};
	struct rig *rig = *state;
	struct sent one, crossed;
	struct packet p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rig_empty_tables(rig);
		packet_tcp(&p, cases[i].a, cases[i].x, cases[i].b, cases[i].y, TCP_ACK, 0);
		one = rig_send(rig, &p);
		packet_tcp(&p, cases[i].a, cases[i].y, cases[i].b, cases[i].x, TCP_ACK, 0);
		crossed = rig_send(rig, &p);
		assert_true(crossed.opened);
		assert_int_not_equal(one.flow, crossed.flow);
		assert_int_equal(one.side, crossed.side);
		packet_tcp(&p, cases[i].b, cases[i].y, cases[i].a, cases[i].x, TCP_ACK, 0);
		assert_int_equal(rig_send(rig, &p).flow, one.flow);
	}
}

/* A host that talks to itself has two ends only by port. */
static void same_address_is_sorted_by_port(void **state)
{
	struct rig *rig = *state;
	struct sent there, back;
	struct packet p;

	there = rig_send(rig, packet_udp(&p, HOST(1), 7000, HOST(1), 53, 4));
	back = rig_send(rig, packet_udp(&p, HOST(1), 53, HOST(1), 7000, 4));
	assert_int_equal(there.flow, back.flow);
	assert_int_not_equal(there.side, back.side);
	assert_true(rig_flow(rig, there.flow)->key.port[0] <
		    rig_flow(rig, there.flow)->key.port[1]);
}

/* Protocols, VLANs and address families keep flows of the same numbers apart. */
static void what_keeps_flows_apart(void **state)
{
	static const struct layer cases[][PACKET_LAYERS] = {
		{ IP4(HOST(1), HOST(2)), TCP(9, 10, TCP_ACK) },
		{ IP4(HOST(1), HOST(2)), UDP(9, 10) },
		{ VLAN(1), IP4(HOST(1), HOST(2)), UDP(9, 10) },
		{ VLAN(2), IP4(HOST(1), HOST(2)), UDP(9, 10) },
		{ IP4(HOST(1), HOST(2)), ICMP() },
		{ IP6(HOST(1), HOST(2)), UDP(9, 10) },
		{ IP6(HOST(1), HOST(2) | 1ull << 32), UDP(9, 10) },
		{ IP6(HOST(1) | 1ull << 32, HOST(2)), UDP(9, 10) },
		{ ARP(ARP_QUESTION, 5, HOST(1), HOST(2)) },
	};
	size_t count = sizeof(cases) / sizeof(*cases);
	struct rig *rig = *state;
	struct packet p;

	for (size_t i = 0; i < count; i++)
		assert_true(rig_send(rig, packet_build(&p, cases[i])).opened);
	assert_int_equal(rig_used(&rig->flows), count);
}

#define EXTENSIONS 5

static const struct layer extensions[EXTENSIONS] = {
	EXT(EXT_HOP),           EXT(EXT_ROUTING, .size = 16),
	EXT(EXT_AH, .size = 4), EXT(EXT_DEST, .size = 8),
	EXT(EXT_MOBILITY),
};

/* Extension headers as the digits of a number: every order, every repetition, up to five of them. */
static void extensions_in_any_order(void **state)
{
	struct rig *rig = *state;
	struct packet p;
	int orders = 1;

	for (int n = 0; n <= EXTENSIONS; n++, orders *= EXTENSIONS) {
		for (int order = 0; order < orders; order++) {
			struct layer layers[PACKET_LAYERS] = { IP6(1, 2) };
			int digits = order, i;

			for (i = 1; i <= n; i++, digits /= EXTENSIONS)
				layers[i] = extensions[digits % EXTENSIONS];
			layers[i++] = (struct layer)UDP(1000, 53);
			layers[i] = (struct layer)PAYLOAD(33);
			rig_empty_tables(rig);
			struct sent sent = rig_send(rig, packet_build(&p, layers));

			expect("extension chain", "outcome", sent.outcome, PARSED);
			expect("extension chain", "port",
			       rig_flow(rig, sent.flow)->key.port[!sent.side], 53);
			expect("extension chain", "payload",
			       rig_flow(rig, sent.flow)->first_payload, 33);
		}
	}
}

/* Eight extension headers are walked; behind more of them nobody looks. */
static void extensions_up_to_the_bound(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (int n = 0; n < PACKET_LAYERS - 3; n++) {
		struct layer layers[PACKET_LAYERS] = { IP6(1, 2) };

		for (int i = 1; i <= n; i++)
			layers[i] = (struct layer)EXT(EXT_DEST, .size = 8 * (i % 3));
		layers[n + 1] = (struct layer)TCP(1000, 80, TCP_SYN);
		rig_empty_tables(rig);
		struct sent sent = rig_send(rig, packet_build(&p, layers));

		assert_outcome("extension chain", &sent, n <= 8 ? PARSED : NOT_TRANSPORT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_frame_has_its_outcome, open_dropping,
						close_rig),
		cmocka_unit_test_setup_teardown(both_directions_meet, open_dropping, close_rig),
		cmocka_unit_test_setup_teardown(cut_at_every_length, open_dropping, close_rig),
		cmocka_unit_test_setup_teardown(every_outcome_is_counted_as_such, open_dropping,
						close_rig),
		cmocka_unit_test_setup_teardown(huge_lengths_saturate, open_dropping, close_rig),
		cmocka_unit_test_setup_teardown(mutated_frames, open_dropping, close_rig),
		cmocka_unit_test_setup_teardown(pairs_are_sorted_together, open_dropping,
						close_rig),
		cmocka_unit_test_setup_teardown(same_address_is_sorted_by_port, open_dropping,
						close_rig),
		cmocka_unit_test_setup_teardown(what_keeps_flows_apart, open_dropping, close_rig),
		cmocka_unit_test_setup_teardown(extensions_in_any_order, open_dropping, close_rig),
		cmocka_unit_test_setup_teardown(extensions_up_to_the_bound, open_dropping,
						close_rig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
