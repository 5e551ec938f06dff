// SPDX-License-Identifier: BSD-2-Clause
/* Packets in pieces: which flow each piece belongs to. */
#include "harness.h"

static int open_rig(void **state)
{
	*state = rig_open(NULL);
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

static struct sent fragment(struct rig *rig, uint16_t ident, uint16_t offset,
			    enum layer_kind family)
{
	const struct layer tail = { .kind = LAYER_PAYLOAD, .size = 64 };
	struct layer v4[] = { IP4(HOST(1), HOST(2), .ident = ident, .offset = offset, .more = true,
				  .next = SAY(17)),
			      tail,
			      tail,
			      { 0 } };
	struct layer v6[] = { IP6(HOST(1), HOST(2)),
			      EXT(EXT_FRAGMENT, .ident = ident, .offset = offset, .more = true,
				  .next = SAY(17)),
			      tail,
			      tail,
			      { 0 } };
	struct layer *layers = family == LAYER_IP4 ? v4 : v6;
	struct packet p;

	if (!offset)
		layers[family == LAYER_IP4 ? 1 : 2] = (struct layer)UDP(1000, 53);
	return rig_send(rig, packet_build(&p, layers));
}

/* A TCP header in pieces (RFC 1858): an opening, to the port that the first piece names, and the others
 * are of its flow. What is behind the piece in the frame is padding, and says nothing. */
static void a_tcp_header_in_pieces_opens_its_flow(void **state)
{
	static const struct {
		uint16_t bytes, padding;
	} cases[] = { { 8, 0 }, { 8, 18 }, { 16, 0 }, { 16, 10 } };
	struct rig *rig = *state;
	const struct sen_flow *f;
	struct sent first, sent;
	struct packet p;

	for (uint16_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct layer head[] = { IP4(HOST(1), HOST(2), .ident = i, .more = true,
						  .next = SAY(6)),
					      OTHER(6, cases[i].bytes, 0x03, 0xe8, 0x00, 22 + i),
					      { .kind = LAYER_PAD, .size = cases[i].padding },
					      { 0 } };
		const struct layer tail[] = { IP4(HOST(1), HOST(2), .ident = i,
						  .offset = cases[i].bytes / 8, .next = SAY(6)),
					      { .kind = LAYER_PAYLOAD,
						.size = 20 - cases[i].bytes },
					      { 0 } };

		first = rig_send(rig, packet_build(&p, head));
		assert_int_equal(first.outcome, PARSED);
		f = rig_flow(rig, first.flow);
		assert_int_equal(f->key.port[!first.side], 22 + i);
		assert_int_equal(f->key.port[first.side], 1000);
		assert_true(f->flags & SEN_FLOW_SYN);
		assert_int_equal(!!(f->flags & SEN_FLOW_INITIATOR_1), first.side);
		sent = rig_send(rig, packet_build(&p, tail));
		assert_int_equal(sent.flow, first.flow);
		assert_int_equal(f->fragments, 2);
	}
}

/* The fragments behind the first have no ports: they find their flow by the packet's id, for a while. */
static void later_fragments_join_their_flow(void **state)
{
	static const enum layer_kind families[] = { LAYER_IP4, LAYER_IP6 };
	struct rig *rig = *state;

	for (int i = 0; i < 2; i++) {
		uint64_t unjoined = rig_stats(rig).fragments_unjoined;
		struct sent first, sent;

		rig_empty_tables(rig);
		first = fragment(rig, 100, 0, families[i]);
		sent = fragment(rig, 100, 9, families[i]);
		assert_int_equal(sent.flow, first.flow);
		assert_int_equal(sent.side, first.side);
		rig_wait_ns(rig, 29 * SECOND_NS);
		assert_int_equal(fragment(rig, 100, 18, families[i]).flow, first.flow);
		assert_int_equal(rig_flow(rig, first.flow)->fragments, 3);
		assert_int_equal(rig_stats(rig).fragments_unjoined, unjoined);

		sent = fragment(rig, 101, 9, families[i]); /* of another packet */
		assert_int_not_equal(sent.flow, first.flow);
		assert_int_equal(rig_flow(rig, sent.flow)->key.port[0], 0);
		assert_int_equal(rig_flow(rig, sent.flow)->key.port[1], 0);
		rig_wait_ns(rig, 2 * SECOND_NS); /* ids come round again */
		assert_int_equal(fragment(rig, 100, 27, families[i]).flow, sent.flow);
		assert_int_equal(rig_stats(rig).fragments_unjoined, unjoined + 2);
	}
}

/* Two VLANs may have the same hosts, and these the same ids. */
static void fragments_of_another_vlan_do_not_join(void **state)
{
	static const struct layer cases[][PACKET_LAYERS] = {
		{ VLAN(1), IP4(HOST(1), HOST(2), .ident = 5, .more = true), UDP(7, 8),
		  PAYLOAD(64) },
		{ VLAN(1), IP4(HOST(1), HOST(2), .ident = 5, .offset = 9, .next = SAY(17)),
		  PAYLOAD(16) },
		{ VLAN(2), IP4(HOST(1), HOST(2), .ident = 5, .offset = 9, .next = SAY(17)),
		  PAYLOAD(16) },
	};
	static const unsigned int unjoined[] = { 0, 0, 1 };
	struct rig *rig = *state;
	struct packet p;

	for (int i = 0; i < 3; i++) {
		rig_send(rig, packet_build(&p, cases[i]));
		assert_int_equal(rig_stats(rig).fragments_unjoined, unjoined[i]);
	}
}

/* However many packets share what little memory there is, no fragment joins another's flow. */
static void fragments_of_strangers_do_not_join(void **state)
{
	struct rig *rig = *state;
	struct sent first = fragment(rig, 1, 0, LAYER_IP4);

	for (uint32_t ident = 2; ident < 40000; ident++)
		assert_int_not_equal(fragment(rig, ident, 9, LAYER_IP4).flow, first.flow);
	assert_int_equal(rig_stats(rig).fragments_unjoined, 40000 - 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tcp_header_in_pieces_opens_its_flow),
		TEST(later_fragments_join_their_flow),
		TEST(fragments_of_another_vlan_do_not_join),
		TEST(fragments_of_strangers_do_not_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
