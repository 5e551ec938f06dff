// SPDX-License-Identifier: BSD-2-Clause
/* Who gets an entry when there are fewer entries than flows, and who keeps it. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "table.h"

#define SERVER HOST(200)
#define WEAK   (2 * SEN_TICKS_PER_SEC)
#define LIFE   (64 * SEN_TICKS_PER_SEC)
#define UNIT   (1u << SEN_DEADLINE_SHIFT) /* deadlines are kept to so many ticks */

static int open_one_set(void **state)
{
	*state = rig_open(&(struct rig_sizes){ .flows = SEN_WAYS });
	return 0;
}

static int open_two_sets(void **state)
{
	*state = rig_open(&(struct rig_sizes){ .flows = 2 * SEN_WAYS });
	return 0;
}

static int open_few_hosts(void **state)
{
	*state = rig_open(
		&(struct rig_sizes){ .sources = SEN_WAYS, .targets = SEN_WAYS, .pairs = SEN_WAYS });
	return 0;
}

static int open_for_flood(void **state)
{
	*state = rig_open(&(struct rig_sizes){ .flows = 1 << 14 });
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

static struct sent from_client(struct rig *rig, uint32_t client, uint8_t flags)
{
	struct packet p;

	return rig_send(rig, packet_tcp(&p, client, 40000, SERVER, 80, flags, 0));
}

static struct sent to_client(struct rig *rig, uint32_t client, uint8_t flags)
{
	struct packet p;

	return rig_send(rig, packet_tcp(&p, SERVER, 80, client, 40000, flags, 0));
}

/* Three packets: opened, answered, alive. */
static struct sent establish(struct rig *rig, uint32_t client)
{
	from_client(rig, client, TCP_SYN);
	to_client(rig, client, TCP_SYN | TCP_ACK);
	return from_client(rig, client, TCP_ACK);
}

static uint32_t packets_of(struct rig *rig, const struct sent *sent)
{
	return rig_flow(rig, sent->flow)->packets[0] + rig_flow(rig, sent->flow)->packets[1];
}

static void live_flows_are_not_replaced(void **state)
{
	struct rig *rig = *state;
	struct sent sent;

	for (uint32_t i = 0; i < SEN_WAYS; i++)
		establish(rig, HOST(i));
	assert_int_equal(rig_stats(rig).flows_untracked, 0);
	sent = from_client(rig, HOST(100), TCP_SYN);
	assert_int_equal(sent.flow, NO_FLOW);
	assert_int_equal(sent.action, PASSED);
	from_client(rig, HOST(100), TCP_ACK);
	assert_int_equal(rig_stats(rig).flows_untracked, 2);
	assert_int_equal(rig_stats(rig).set_contended, 0);
	assert_int_equal(rig_stats(rig).flows_new, SEN_WAYS);
	assert_int_equal(rig_stats(rig).flows_replaced, 0);
	for (uint32_t i = 0; i < SEN_WAYS; i++) {
		sent = from_client(rig, HOST(i), TCP_ACK);
		assert_int_equal(packets_of(rig, &sent), 4);
	}
	rig_assert_balance(rig);
}

/* Sixteen flows hardly ever fall into two sets by halves. */
static void a_full_set_hands_on_to_the_next(void **state)
{
	struct rig *rig = *state;
	struct sent sent;

	for (uint32_t i = 0; i < 2 * SEN_WAYS; i++)
		from_client(rig, HOST(i), TCP_SYN);
	assert_int_equal(rig_stats(rig).flows_new, 2 * SEN_WAYS);
	assert_int_equal(rig_stats(rig).flows_replaced, 0);
	for (uint32_t i = 0; i < 2 * SEN_WAYS; i++) {
		sent = from_client(rig, HOST(i), TCP_SYN);
		assert_int_equal(packets_of(rig, &sent), 2);
	}
	assert_int_equal(rig_stats(rig).flows_new, 2 * SEN_WAYS);
}

static void a_closed_flow_makes_room(void **state)
{
	struct rig *rig = *state;
	struct sent closed, sent;

	for (uint32_t i = 0; i < SEN_WAYS; i++)
		establish(rig, HOST(i));
	closed = from_client(rig, HOST(3), TCP_FIN | TCP_ACK);
	sent = establish(rig, HOST(100));
	assert_int_equal(sent.flow, closed.flow);
	assert_int_equal(packets_of(rig, &sent), 3);
	assert_int_equal(rig_stats(rig).flows_replaced, 1);
	assert_int_equal(rig_stats(rig).flows_untracked, 0);
}

static void a_silent_flow_makes_room(void **state)
{
	struct rig *rig = *state;
	uint32_t start = rig_tick(rig);

	for (uint32_t i = 0; i < SEN_WAYS; i++)
		establish(rig, HOST(i));
	rig_set_tick(rig, start + LIFE / 2);
	for (uint32_t i = 1; i < SEN_WAYS; i++) /* all but the first speak again */
		from_client(rig, HOST(i), TCP_ACK);
	rig_set_tick(rig, start + LIFE - WEAK - UNIT);
	assert_int_equal(from_client(rig, HOST(100), TCP_SYN).flow, NO_FLOW);
	rig_set_tick(rig, start + LIFE - WEAK + 2 * UNIT);
	assert_int_not_equal(from_client(rig, HOST(100), TCP_SYN).flow, NO_FLOW);
	for (uint32_t i = 1; i < SEN_WAYS; i++)
		assert_false(from_client(rig, HOST(i), TCP_ACK).opened);
	assert_true(from_client(rig, HOST(0), TCP_ACK).opened);
}

/* Among flows of one packet the oldest goes, and a free entry comes before any of them. */
static void the_oldest_goes_first(void **state)
{
	struct rig *rig = *state;
	uint32_t entry[SEN_WAYS];

	for (uint32_t i = 0; i < SEN_WAYS; i++) {
		entry[i] = from_client(rig, HOST(i), TCP_SYN).flow;
		rig->now_ns += (uint64_t)UNIT << SEN_TICK_SHIFT;
	}
	assert_int_equal(rig_stats(rig).flows_replaced, 0);
	for (uint32_t i = 0; i < 3 * SEN_WAYS; i++) {
		assert_int_equal(from_client(rig, HOST(100 + i), TCP_SYN).flow,
				 entry[i % SEN_WAYS]);
		rig->now_ns += (uint64_t)UNIT << SEN_TICK_SHIFT;
	}
	assert_int_equal(rig_stats(rig).flows_replaced, 3 * SEN_WAYS);
}

/* A deadline from before the clock wrapped, 26 days ago or more, seems to lie ahead. */
static void a_deadline_beyond_all_lives_is_over(void **state)
{
	struct rig *rig = *state;

	for (uint32_t i = 0; i < SEN_WAYS; i++)
		establish(rig, HOST(i));
	rig_set_tick(rig, rig_tick(rig) - 600 * SEN_TICKS_PER_SEC);
	assert_int_not_equal(from_client(rig, HOST(100), TCP_SYN).flow, NO_FLOW);
}

#define ESTABLISHED 5000u
#define SPOOFED     200000u

static uint32_t established_host(uint32_t i)
{
	return 0x0a010000u + i;
}

/* Established flows, then spoofed SYNs for 20 s, then one packet more of each established one. */
static void established_flows_survive_a_flood(void **state)
{
	struct rig *rig = *state;
	uint32_t tracked = 0, kept = 0;
	uint64_t random = 7;
	struct packet p;
	char *was = calloc(ESTABLISHED, 1);

	for (uint32_t i = 0; i < ESTABLISHED; i++) {
		was[i] = establish(rig, established_host(i)).flow != NO_FLOW;
		tracked += was[i];
	}
	assert_true(tracked >= ESTABLISHED * 99 / 100);
	for (uint32_t i = 0; i < SPOOFED; i++) {
		rig_send(rig, packet_tcp(&p, random_next(&random), random_next(&random), SERVER, 80,
					 TCP_SYN, 0));
		rig_wait_ns(rig, 100000);
	}
	for (uint32_t i = 0; i < ESTABLISHED; i++) {
		struct sent sent = from_client(rig, established_host(i), TCP_ACK);

		kept += was[i] && sent.flow != NO_FLOW && packets_of(rig, &sent) == 4;
	}
	free(was);
	print_message("# established %u, in the table %u, kept their state %u\n", ESTABLISHED,
		      tracked, kept);
	assert_true(kept >= ESTABLISHED * 99 / 100);
	/* The flood fits the rest of the table, and replaces none but itself. */
	assert_true(rig_stats(rig).flows_replaced > SPOOFED * 9 / 10);
	assert_true(rig_stats(rig).flows_untracked < SPOOFED / 100);
	table_assert(&rig->flows, sizeof(struct sen_flow_key), rig->skel->rodata->sen_seed);
	rig_assert_balance(rig);
}

/* Every table, checked against the hash calculated natively. */
static void entries_lie_where_their_hash_says(void **state)
{
	const struct rig *rig = *state;
	const __u64 *seed = rig->skel->rodata->sen_seed;
	uint64_t random = 9;
	struct packet p;

	for (int i = 0; i < 5000; i++)
		rig_send(*state, packet_tcp(&p, random_next(&random), random_next(&random),
					    random_next(&random), 80, TCP_SYN, 0));
	assert_true(rig_used(&rig->flows) > 4500);
	assert_true(rig_used(&rig->pairs) > 3000);
	table_assert(&rig->flows, sizeof(struct sen_flow_key), seed);
	table_assert(&rig->sources, SEN_ADDR_BYTES, seed);
	table_assert(&rig->targets, SEN_ADDR_BYTES, seed);
	table_assert(&rig->pairs, sizeof(struct sen_pair_key), seed);
}

/* The tag of the flow of a client's SYN, as its entry would have it. */
static __u16 tag_of_client(const struct rig *rig, uint32_t client)
{
	struct sen_flow_key key = { .proto = 6 };
	uint8_t from[SEN_ADDR_BYTES], to[SEN_ADDR_BYTES];
	__u64 low[2][2];
	bool swap;

	packet_addr(from, LAYER_IP4, client);
	packet_addr(to, LAYER_IP4, SERVER);
	memcpy(low[0], from, sizeof(from));
	memcpy(low[1], to, sizeof(to));
	swap = low[0][0] > low[1][0] || (low[0][0] == low[1][0] && low[0][1] > low[1][1]);
	memcpy(key.addr[swap], from, sizeof(from));
	memcpy(key.addr[!swap], to, sizeof(to));
	key.port[swap] = 40000;
	key.port[!swap] = 80;
	return table_tag(&key, sizeof(key), rig->skel->rodata->sen_seed);
}

/* Flows of one set whose tags are the same: one look-up in some thousands meets that. */
static void equal_tags_are_not_equal_keys(void **state)
{
	enum {
		SAME = 4
	};
	struct rig *rig = *state;
	uint32_t clients[SAME], found = 1;
	struct sent sent[SAME];

	clients[0] = HOST(1);
	for (uint32_t c = HOST(2); found < SAME; c++)
		if (tag_of_client(rig, c) == tag_of_client(rig, clients[0]))
			clients[found++] = c;
	for (uint32_t i = 0; i < SAME; i++)
		sent[i] = establish(rig, clients[i]);
	for (uint32_t i = 0; i < SAME; i++) {
		assert_int_equal(from_client(rig, clients[i], TCP_ACK).flow, sent[i].flow);
		assert_int_equal(packets_of(rig, &sent[i]), 4);
		assert_int_equal(rig->flows.sets[0].tag[i], rig->flows.sets[0].tag[0]);
	}
	assert_int_equal(rig_stats(rig).flows_new, SAME);
	table_assert(&rig->flows, sizeof(struct sen_flow_key), rig->skel->rodata->sen_seed);
}

/* Hosts with several flows keep their entries for a while against any number of hosts with one. */
static void known_hosts_are_not_replaced(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (uint32_t i = 0; i < SEN_WAYS; i++)
		for (int flow = 0; flow < 4; flow++)
			rig_send(rig, packet_udp(&p, HOST(i), 1000 + flow, SERVER, 53, 1));
	assert_int_equal(rig_stats(rig).hosts_untracked, 0);
	rig_wait_ns(rig, 5 * SECOND_NS);
	for (uint32_t i = 100; i < 150; i++) /* source and pair find no room, the target is known */
		rig_send(rig, packet_udp(&p, HOST(i), 1000, SERVER, 53, 1));
	assert_int_equal(rig_stats(rig).hosts_untracked, 2 * 50);
	for (uint32_t i = 0; i < SEN_WAYS; i++)
		assert_int_equal(rig_source(rig, LAYER_IP4, HOST(i))->flows_slow,
				 4 * SEN_EVENT_UNIT);
	assert_null(rig_source(rig, LAYER_IP4, HOST(100)));
	assert_int_equal(rig_target(rig, LAYER_IP4, SERVER)->flows_mid,
			 (4 * SEN_WAYS + 50) * SEN_EVENT_UNIT);
}

/* Those with one flow make room after a moment, but not at once. */
static void passing_hosts_make_room(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (uint32_t i = 0; i < SEN_WAYS; i++)
		rig_send(rig, packet_udp(&p, HOST(i), 1000, SERVER, 53, 1));
	rig_wait_ns(rig, SECOND_NS);
	rig_send(rig, packet_udp(&p, HOST(100), 1000, SERVER, 53, 1));
	assert_null(rig_source(rig, LAYER_IP4, HOST(100)));
	rig_wait_ns(rig, 2 * SECOND_NS);
	rig_send(rig, packet_udp(&p, HOST(101), 1000, SERVER, 53, 1));
	assert_non_null(rig_source(rig, LAYER_IP4, HOST(101)));
	assert_int_equal(rig_used(&rig->sources), SEN_WAYS);
}

/* A host without an entry looks like one never seen before, each time. */
static void an_untracked_host_is_a_new_one(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (uint32_t i = 0; i < SEN_WAYS; i++)
		for (int flow = 0; flow < 2; flow++)
			rig_send(rig, packet_udp(&p, HOST(i), 1000 + flow, SERVER, 53, 1));
	for (int flow = 0; flow < 5; flow++) {
		rig_send(rig, packet_udp(&p, HOST(100), 1000 + flow, SERVER, 53, 1));
		const struct sen_event *e = rig_last_event(rig);

		assert_int_equal(e->vector.v[SEN_FEATURE_SRC_UNANSWERED_64],
				 sen_lg_events(SEN_EVENT_UNIT));
		assert_int_equal(e->vector.v[SEN_FEATURE_PAIR_FLOWS_64],
				 sen_lg_events(SEN_EVENT_UNIT));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(live_flows_are_not_replaced, open_one_set,
						close_rig),
		cmocka_unit_test_setup_teardown(a_full_set_hands_on_to_the_next, open_two_sets,
						close_rig),
		cmocka_unit_test_setup_teardown(a_closed_flow_makes_room, open_one_set, close_rig),
		cmocka_unit_test_setup_teardown(a_silent_flow_makes_room, open_one_set, close_rig),
		cmocka_unit_test_setup_teardown(the_oldest_goes_first, open_one_set, close_rig),
		cmocka_unit_test_setup_teardown(a_deadline_beyond_all_lives_is_over, open_one_set,
						close_rig),
		cmocka_unit_test_setup_teardown(equal_tags_are_not_equal_keys, open_one_set,
						close_rig),
		cmocka_unit_test_setup_teardown(established_flows_survive_a_flood, open_for_flood,
						close_rig),
		cmocka_unit_test_setup_teardown(entries_lie_where_their_hash_says, open_for_flood,
						close_rig),
		cmocka_unit_test_setup_teardown(known_hosts_are_not_replaced, open_few_hosts,
						close_rig),
		cmocka_unit_test_setup_teardown(passing_hosts_make_room, open_few_hosts, close_rig),
		cmocka_unit_test_setup_teardown(an_untracked_host_is_a_new_one, open_few_hosts,
						close_rig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
