// SPDX-License-Identifier: BSD-2-Clause
/* What each feature counts, and what it does not: driven by packets alone, read from the feature vectors of
 * events and from the maps. */
#include <string.h>

#include "hosts.h"

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

/* Packets are credited at decision points, each once, however many lie between. */
static void packets_are_credited_once(void **state)
{
	struct rig *rig = *state;

	for (uint32_t n = 1; n <= 64; n++) {
		udp(rig, HOST(1), 2000, SERVER, 53, 1);
		if (n & (n - 1))
			continue;
		assert_int_equal(source(rig, HOST(1))->packets_mid, E(n));
		assert_int_equal(feature(rig, SEN_FEATURE_PAIR_PACKETS_8), sen_lg_events(E(n)));
		assert_int_equal(target(rig, SERVER)->packets_slow, E(n));
		assert_int_equal(feature(rig, SEN_FEATURE_DST_PACKETS_64), sen_lg_events(E(n)));
		assert_int_equal(feature(rig, SEN_FEATURE_SRC_PACKETS_PER_FLOW),
				 sen_lg_events(E(n)) - sen_lg_events(E(1)));
		assert_int_equal(feature(rig, SEN_FEATURE_FLOW_PACKETS), sen_lg(n));
	}
	udp(rig, SERVER, 53, HOST(1), 2000, 1); /* an answer is credited to who asked */
	assert_int_equal(source(rig, HOST(1))->packets_mid, E(65));
	assert_int_equal(target(rig, SERVER)->flows_mid, E(1));
}

/* A target's own packets, and the connections that it owes an answer: those of TCP alone. */
static void answers_of_a_target(void **state)
{
	struct rig *rig = *state;

	for (uint16_t n = 1; n <= 16; n++) {
		tcp(rig, HOST(n), 2000, SERVER, 80, n % 2 ? TCP_SYN : TCP_ACK, 0);
		udp(rig, HOST(n), 2000, SERVER, 80, 10);
		assert_int_equal(target(rig, SERVER)->half_open_slow, E(n));
	}
	assert_int_equal(target(rig, SERVER)->answers_mid, 0);
	for (uint16_t n = 1; n <= 16; n++) {
		udp(rig, SERVER, 80, HOST(n), 2000, 10);
		tcp(rig, SERVER, 80, HOST(n), 2000, TCP_ACK, 0);
		assert_int_equal(feature(rig, SEN_FEATURE_DST_ANSWERS_8), sen_lg_events(E(2 * n)));
		assert_int_equal(feature(rig, SEN_FEATURE_DST_HALF_OPEN_64),
				 n < 8 ? sen_lg_events(E(16 - n)) - sen_lg_events(E(n)) : 0);
	}
}

/* Flows that the responder resets, each once; not those that the initiator does, or that end in peace. */
static void refused_flows(void **state)
{
	struct rig *rig = *state;

	for (uint16_t n = 1; n <= 5; n++) {
		tcp(rig, HOST(1), 2000 + n, SERVER, 22, TCP_SYN, 0);
		tcp(rig, SERVER, 22, HOST(1), 2000 + n, TCP_RST | TCP_ACK, 0);
		assert_int_equal(feature(rig, SEN_FEATURE_SRC_REFUSED_1), sen_lg_events(E(n)));
		tcp(rig, SERVER, 22, HOST(1), 2000 + n, TCP_RST, 0); /* over already */
	}
	tcp(rig, HOST(1), 3000, SERVER, 22, TCP_SYN, 0);
	tcp(rig, HOST(1), 3000, SERVER, 22, TCP_RST, 0);
	tcp(rig, HOST(1), 3001, SERVER, 22, TCP_SYN, 0);
	tcp(rig, SERVER, 22, HOST(1), 3001, TCP_FIN | TCP_ACK, 0);
	assert_int_equal(source(rig, HOST(1))->refused_fast, E(5));
	assert_null(rig_source(rig, LAYER_IP4, SERVER));
}

static void icmp_of_a_source(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (uint16_t n = 1; n <= 8; n++) {
		const struct layer layers[] = { IP4(HOST(1), HOST(100 + n)),
						ICMP(.flags = 8),
						{ 0 } };

		rig_send(rig, packet_build(&p, layers));
		rig_send(rig, packet_build(&p, layers)); /* the same flow */
		assert_int_equal(feature(rig, SEN_FEATURE_SRC_ICMP_8), sen_lg_events(E(n)));
	}
	udp(rig, HOST(1), 2000, SERVER, 53, 1);
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_ICMP_8), sen_lg_events(E(8)));
}

/* A pair that is spoken to for the first time, or again after a long silence, counts on both hosts. */
static void new_pairs(void **state)
{
	struct rig *rig = *state;
	uint32_t now = 1000 << SEN_WINDOW_SLOW;

	rig_set_tick(rig, now);
	for (uint16_t n = 1; n <= 4; n++)
		tcp(rig, HOST(1), 2000 + n, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->new_pairs_slow, E(1));
	tcp(rig, HOST(1), 2000, SERVER, 81, TCP_SYN, 0);
	udp(rig, HOST(1), 2000, SERVER, 80, 1);
	tcp(rig, HOST(2), 2000, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->new_pairs_slow, E(3));
	assert_int_equal(source(rig, HOST(2))->new_pairs_slow, E(1));
	assert_int_equal(target(rig, SERVER)->new_pairs_fast, E(4));
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_NEW_PAIRS_64), sen_lg_events(E(1)));
	assert_int_equal(feature(rig, SEN_FEATURE_DST_NEW_PAIRS_1), sen_lg_events(E(4)));

	rig_set_tick(rig, now += TEN_MINUTES);
	tcp(rig, HOST(2), 2001, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(target(rig, SERVER)->new_pairs_fast, 0);
	rig_set_tick(rig, now += TEN_MINUTES + 1);
	tcp(rig, HOST(2), 2002, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(target(rig, SERVER)->new_pairs_fast, E(1));
}

/* A pair is (initiator, responder, service, protocol): the client's port plays no part. */
static void pairs(void **state)
{
	struct rig *rig = *state;

	for (uint16_t n = 1; n <= 5; n++) {
		tcp(rig, HOST(1), 2000 + n, SERVER, 80, TCP_SYN, 0);
		assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_8), sen_lg_events(E(n)));
		tcp(rig, SERVER, 80, HOST(1), 2000 + n, TCP_SYN | TCP_ACK, 0);
		assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_8), sen_lg_events(E(n)));
	}
	tcp(rig, HOST(1), 2000, SERVER, 81, TCP_SYN, 0);
	assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_64), sen_lg_events(E(1)));
	udp(rig, HOST(1), 2000, SERVER, 80, 1);
	assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_64), sen_lg_events(E(1)));
	tcp(rig, SERVER, 2000, HOST(1), 80, TCP_SYN, 0); /* the other way round */
	assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_64), sen_lg_events(E(1)));
	tcp(rig, HOST(2), 2000, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_64), sen_lg_events(E(1)));
	assert_int_equal(rig_used(&rig->pairs), 5);
	assert_int_equal(rig_pair(rig, HOST(1), SERVER, 80, 6)->flows_slow, E(5));
}

/* Entries of a table with this VLAN, where it can be read, and this IPv4 address. */
static unsigned int entries_of(const struct rig_table *table, uint16_t vlan, uint32_t host)
{
	const uint8_t tail[8] = { vlan >> 8,  vlan,       0xff,      0xff,
				  host >> 24, host >> 16, host >> 8, host };
	unsigned int n = 0;

	for (unsigned int way = 0; way < table->capacity; way++) {
		const uint8_t *addr = rig_table_entry(table, way);

		n += addr && !memcmp(addr + 8, tail, sizeof(tail));
	}
	return n;
}

/* Addresses may be the same in two VLANs: their hosts are others. */
static void hosts_of_two_vlans(void **state)
{
	static const struct layer cases[][PACKET_LAYERS] = {
		{ IP4(HOST(1), SERVER), UDP(1000, 53) },
		{ VLAN(10), IP4(HOST(1), SERVER), UDP(1000, 53) },
		{ VLAN(20), IP4(HOST(1), SERVER), UDP(1000, 53) },
		{ IP6(HOST(1), SERVER), UDP(1000, 53) },
		{ VLAN(10), IP6(HOST(1), SERVER), UDP(1000, 53) },
		{ VLAN(20), IP6(HOST(1), SERVER), UDP(1000, 53) },
	};
	const size_t count = sizeof(cases) / sizeof(*cases);
	struct rig *rig = *state;
	struct packet p;

	for (size_t i = 0; i < count; i++)
		for (int n = 0; n < 2; n++)
			rig_send(rig, packet_build(&p, cases[i]));
	assert_int_equal(rig_used(&rig->sources), count);
	assert_int_equal(rig_used(&rig->targets), count);
	assert_int_equal(rig_used(&rig->pairs), count);
	assert_int_equal(source(rig, HOST(1))->packets_mid, E(2));
	for (uint16_t vlan = 0; vlan <= 20; vlan += 10) {
		assert_int_equal(entries_of(&rig->sources, vlan, HOST(1)), 1);
		assert_int_equal(entries_of(&rig->targets, vlan, SERVER), 1);
	}
}

static void features_of_the_flow(void **state)
{
	struct rig *rig = *state;
	struct packet p;
	const struct layer layers[] = {
		IP4(HOST(1), SERVER, .more = true), UDP(7, 8), PAYLOAD(72), { 0 }
	};

	rig_send(rig, packet_build(&p, layers));
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_MIN_LEN), sen_lg(100));
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_FIRST_PAYLOAD), sen_lg(72));
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_IS_TCP), 0);
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_IS_UDP), SEN_LG_YES);
	tcp(rig, HOST(1), 1000, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_IS_TCP), SEN_LG_YES);
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_MIN_LEN), sen_lg(40));
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_IS_UDP), 0);
	rig_send(rig, packet_arp(&p, ARP_QUESTION, 1, HOST(1), HOST(2)));
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_IS_TCP), 0);
	assert_int_equal(feature(rig, SEN_FEATURE_FLOW_IS_UDP), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_are_credited_once),
		TEST(answers_of_a_target),
		TEST(refused_flows),
		TEST(icmp_of_a_source),
		TEST(new_pairs),
		TEST(pairs),
		TEST(hosts_of_two_vlans),
		TEST(features_of_the_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
