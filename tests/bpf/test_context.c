// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is remembered of the hosts around a flow: driven by packets alone, read from the maps and from
 * the feature vectors of events.
 */
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

static void unanswered_flows_add_up(void **state)
{
	struct rig *rig = *state;

	for (uint16_t n = 1; n <= 40; n++) {
		tcp(rig, HOST(1), 2000 + n, SERVER, 80, TCP_SYN, 0);
		assert_int_equal(source(rig, HOST(1))->flows_slow, E(n));
		assert_int_equal(feature(rig, SEN_FEATURE_SRC_UNANSWERED_64), sen_lg_events(E(n)));
	}
	for (uint16_t n = 1; n <= 40; n++) { /* each answer takes one back, once */
		tcp(rig, SERVER, 80, HOST(1), 2000 + n, TCP_SYN | TCP_ACK, 0);
		assert_int_equal(source(rig, HOST(1))->unanswered_slow, E(40 - n));
		assert_int_equal(feature(rig, SEN_FEATURE_SRC_UNANSWERED_64),
				 sen_lg_events(E(40 - n)));
	}
	tcp(rig, SERVER, 80, HOST(1), 2001, TCP_ACK, 0);
	assert_int_equal(source(rig, HOST(1))->unanswered_slow, 0);
	assert_int_equal(source(rig, HOST(1))->flows_slow, E(40));
	assert_null(rig_source(rig, LAYER_IP4, SERVER)); /* who answers opens nothing */
}

static void empty_flows_are_taken_back(void **state)
{
	struct rig *rig = *state;
	struct sen_pair *pair;

	for (uint16_t n = 1; n <= 10; n++)
		tcp(rig, HOST(1), 2000 + n, SERVER, 80, TCP_SYN, 0);
	pair = rig_pair(rig, HOST(1), SERVER, 80, 6);
	assert_non_null(pair);
	assert_int_equal(source(rig, HOST(1))->empty_mid, E(10));
	assert_int_equal(target(rig, SERVER)->empty_mid, E(10));
	assert_int_equal(pair->empty_slow, E(10));
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_EMPTY_8), sen_lg_events(E(10)));
	assert_int_equal(feature(rig, SEN_FEATURE_DST_EMPTY_8), sen_lg_events(E(10)));
	assert_int_equal(feature(rig, SEN_FEATURE_PAIR_EMPTY_64), sen_lg_events(E(10)));

	tcp(rig, SERVER, 80, HOST(1), 2001, TCP_ACK, 100); /* from either side */
	tcp(rig, HOST(1), 2002, SERVER, 80, TCP_ACK, 5);
	tcp(rig, HOST(1), 2002, SERVER, 80, TCP_ACK, 5); /* only the first counts */
	assert_int_equal(source(rig, HOST(1))->empty_mid, E(8));
	assert_int_equal(target(rig, SERVER)->empty_mid, E(8));
	assert_int_equal(pair->empty_slow, E(8));
	udp(rig, HOST(1), 3000, SERVER, 53, 20); /* never was empty */
	assert_int_equal(source(rig, HOST(1))->empty_mid, E(8));
}

/* Counters may have decayed below what is to be taken back. */
static void nothing_falls_below_zero(void **state)
{
	struct rig *rig = *state;

	rig_set_tick(rig, 4 << SEN_WINDOW_SLOW);
	tcp(rig, HOST(1), 2000, SERVER, 80, TCP_SYN, 0);
	rig_set_tick(rig, (4 << SEN_WINDOW_SLOW) + (3 << SEN_WINDOW_MID));
	tcp(rig, SERVER, 80, HOST(1), 2000, TCP_SYN | TCP_ACK, 10);
	assert_int_equal(source(rig, HOST(1))->unanswered_slow, 0);
	assert_int_equal(source(rig, HOST(1))->empty_mid, 0);
	assert_int_equal(source(rig, HOST(1))->unanswered_slow, 0);
	assert_int_equal(target(rig, SERVER)->empty_mid, 0);
}

/* All counters at once, at window boundaries and between them. */
static void counters_halve_at_boundaries(void **state)
{
	static const uint32_t start = (1000 << SEN_WINDOW_SLOW) + 5;
	static const struct {
		uint32_t after;
		unsigned int mid, slow; /* halvings by then */
	} steps[] = {
		{ 0, 0, 0 },
		{ (1 << SEN_WINDOW_MID) - 6, 0, 0 },
		{ (1 << SEN_WINDOW_MID) - 5, 1, 0 },
		{ (3 << SEN_WINDOW_MID), 3, 0 },
		{ (1 << SEN_WINDOW_SLOW) - 6, 7, 0 },
		{ (1 << SEN_WINDOW_SLOW) - 5, 8, 1 },
		{ (4 << SEN_WINDOW_SLOW), 32, 4 },
		{ (40 << SEN_WINDOW_SLOW), 320, 40 },
	};
	const uint32_t flows = 64, sum = E(64);
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		unsigned int mid = steps[i].mid < 31 ? steps[i].mid : 31;
		unsigned int slow = steps[i].slow < 31 ? steps[i].slow : 31;

		rig_empty_tables(rig);
		rig_set_tick(rig, start);
		for (uint16_t n = 0; n < flows; n++)
			tcp(rig, HOST(1), 2000 + n, SERVER, 80, TCP_SYN, 0);
		rig_set_tick(rig, start + steps[i].after);
		tcp(rig, HOST(1), 9999, SERVER, 80, TCP_SYN, 0);
		const struct sen_source *s = source(rig, HOST(1));
		const struct sen_target *t = target(rig, SERVER);
		const struct sen_pair *q = rig_pair(rig, HOST(1), SERVER, 80, 6);

		assert_int_equal(s->empty_mid, (sum >> mid) + E(1));
		assert_int_equal(s->unanswered_slow, (sum >> slow) + E(1));
		assert_int_equal(s->flows_slow, (sum >> slow) + E(1));
		assert_int_equal(s->new_pairs_slow,
				 (E(1) >> slow) + (steps[i].after > TEN_MINUTES ? E(1) : 0));
		assert_int_equal(s->flows_mid, (sum >> mid) + E(1));
		assert_int_equal(s->packets_mid, (sum >> mid) + E(1));
		assert_int_equal(t->half_open_slow, (sum >> slow) + E(1));
		assert_int_equal(t->empty_mid, (sum >> mid) + E(1));
		assert_int_equal(t->flows_mid, (sum >> mid) + E(1));
		assert_int_equal(t->packets_slow, (sum >> slow) + E(1));
		assert_int_equal(q->flows_mid, (sum >> mid) + E(1));
		assert_int_equal(q->flows_slow, (sum >> slow) + E(1));
		assert_int_equal(q->packets_mid, (sum >> mid) + E(1));
		assert_int_equal(q->empty_mid, (sum >> mid) + E(1));
		assert_int_equal(q->empty_slow, (sum >> slow) + E(1));
		assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_8),
				 sen_lg_events((sum >> mid) + E(1)));
		assert_int_equal(feature(rig, SEN_FEATURE_PAIR_FLOWS_64),
				 sen_lg_events((sum >> slow) + E(1)));
	}
}

/* Two CPUs may see their clocks in another order than they reach a host. A step back, here over a
 * boundary of every window, changes nothing but the order. */
static void a_clock_that_steps_back(void **state)
{
	struct rig *rig = *state;
	uint32_t boundary = 1000 << SEN_WINDOW_SLOW;

	rig_set_tick(rig, boundary);
	for (uint16_t n = 0; n < 32; n++)
		tcp(rig, HOST(1), 2000 + n, SERVER, 80, TCP_SYN, 0);
	rig_set_tick(rig, boundary - 1);
	tcp(rig, HOST(1), 3000, SERVER, 80, TCP_SYN, 0);
	rig_set_tick(rig, boundary + 1);
	tcp(rig, HOST(1), 3001, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->empty_mid, E(34));
	assert_int_equal(source(rig, HOST(1))->flows_slow, E(34));
	assert_int_equal(target(rig, SERVER)->flows_mid, E(34));
	assert_int_equal(target(rig, SERVER)->packets_slow, E(34));
	assert_int_equal(rig_pair(rig, HOST(1), SERVER, 80, 6)->flows_slow, E(34));
}

/* The clock of ticks wraps after 52 days: one boundary like any other. */
static void the_clock_may_wrap(void **state)
{
	struct rig *rig = *state;

	rig_set_tick(rig, ~0u - 2000);
	for (uint16_t n = 0; n < 32; n++)
		tcp(rig, HOST(1), 2000 + n, SERVER, 80, TCP_SYN, 0);
	rig->now_ns += 2010ull << SEN_TICK_SHIFT;
	tcp(rig, HOST(1), 3000, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->empty_mid, E(17));
	assert_int_equal(source(rig, HOST(1))->flows_slow, E(17));
}

static void counters_saturate(void **state)
{
	struct rig *rig = *state;

	tcp(rig, HOST(1), 2000, SERVER, 80, TCP_SYN, 0);
	source(rig, HOST(1))->unanswered_slow = ~0u - 5;
	target(rig, SERVER)->packets_slow = ~0u;
	tcp(rig, HOST(1), 2001, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->unanswered_slow, ~0u);
	assert_int_equal(target(rig, SERVER)->packets_slow, ~0u);
	assert_int_equal(feature(rig, SEN_FEATURE_DST_PACKETS_64), sen_lg_events(~0u));
}

/* Decay, or another CPU, may have left fewer than an answer takes back. */
static void more_answers_than_flows(void **state)
{
	struct rig *rig = *state;

	tcp(rig, HOST(1), 2000, SERVER, 80, TCP_SYN, 0);
	target(rig, SERVER)->half_open_slow = 1;
	tcp(rig, SERVER, 80, HOST(1), 2000, TCP_SYN | TCP_ACK, 0);
	assert_int_equal(target(rig, SERVER)->half_open_slow, 0);
	assert_int_equal(feature(rig, SEN_FEATURE_DST_HALF_OPEN_64), 0);
}

/* One bit for each distinct item, the same for the same item; the estimate within reach of the truth. */
static void distinct_ports(void **state)
{
	struct rig *rig = *state;

	for (int again = 0; again < 3; again++)
		for (uint16_t n = 0; n < 3; n++)
			tcp(rig, HOST(1), 2000 + 10 * again + n, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(sen_popcount(source(rig, HOST(1))->ports_mid[0]), 1);
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_PORTS_8), sen_lg(1));
	for (uint16_t port = 1; port <= 1000; port++)
		tcp(rig, HOST(1), 3000, SERVER, port, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->ports_mid[0], ~0ull);
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_PORTS_8), sen_lg_distinct(~0ull));
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_HOSTS_64), sen_lg(1));
}

static void estimates_follow_the_truth(void **state)
{
	struct rig *rig = *state;

	for (uint32_t n = 1; n <= 64; n *= 2) {
		uint32_t source_sum = 0, target_sum = 0;

		for (uint32_t trial = 0; trial < 16; trial++) {
			uint32_t scanner = HOST(1000 + trial), victim = HOST(2000 + trial);

			rig_empty_tables(rig);
			for (uint32_t i = 0; i < n; i++)
				tcp(rig, scanner, 1000, HOST(5000 + 64 * trial + i), 80, TCP_SYN,
				    0);
			source_sum += feature(rig, SEN_FEATURE_SRC_HOSTS_64);
			for (uint32_t i = 0; i < n; i++)
				tcp(rig, HOST(9000 + 64 * trial + i), 1000, victim, 80, TCP_SYN, 0);
			target_sum += feature(rig, SEN_FEATURE_DST_SOURCES_8);
		}
		assert_in_range(source_sum / 16, sen_lg(n) * 9 / 10, sen_lg(n) * 11 / 10);
		assert_in_range(target_sum / 16, sen_lg(n) * 9 / 10, sen_lg(n) * 11 / 10);
	}
}

/* The present window and the one before count; what is older is gone. */
static void bitmaps_take_turns(void **state)
{
	const uint32_t start = 1000 << SEN_WINDOW_SLOW;
	struct rig *rig = *state;
	__u64 first;

	rig_set_tick(rig, start);
	tcp(rig, HOST(1), 2000, SERVER, 80, TCP_SYN, 0);
	first = source(rig, HOST(1))->ports_mid[0];
	rig_set_tick(rig, start + (1 << SEN_WINDOW_MID));
	tcp(rig, HOST(1), 2001, SERVER, 81, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->ports_mid[1], first);
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_PORTS_8), sen_lg_distinct(3)); /* two bits */
	assert_int_equal(target(rig, SERVER)->sources_mid[1], target(rig, SERVER)->sources_mid[0]);
	rig_set_tick(rig, start + (2 << SEN_WINDOW_MID));
	tcp(rig, HOST(1), 2002, SERVER, 81, TCP_SYN, 0);
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_PORTS_8), sen_lg(1));
	rig_set_tick(rig, start + (4 << SEN_WINDOW_MID));
	tcp(rig, HOST(1), 2003, SERVER, 80, TCP_SYN, 0);
	assert_int_equal(source(rig, HOST(1))->ports_mid[0], first);
	assert_int_equal(source(rig, HOST(1))->ports_mid[1], 0);
	/* All that lies within one slow window. */
	assert_int_equal(source(rig, HOST(1))->hosts_slow[1], 0);
	rig_set_tick(rig, start + (1 << SEN_WINDOW_SLOW));
	tcp(rig, HOST(1), 2004, HOST(201), 80, TCP_SYN, 0);
	assert_int_equal(feature(rig, SEN_FEATURE_SRC_HOSTS_64), sen_lg_distinct(3));
}

/* A sender must not be able to choose its bit: it depends on the key that the loader sets. */
static void bitmap_bits_differ_by_port(void **state)
{
	struct rig *rig = *state;
	__u64 all = 0;

	for (uint16_t port = 0; port < 512; port++) {
		tcp(rig, HOST(1000 + port), 2000, SERVER, port, TCP_SYN, 0);
		__u64 bit = source(rig, HOST(1000 + port))->ports_mid[0];

		assert_int_equal(sen_popcount(bit), 1);
		all |= bit;
	}
	assert_int_equal(all, ~0ull);
}

/* Nor by what two halves of an IPv6 address come to under a sum that anyone can do: these all come to the
 * same under the multiplier of a well-known hash. */
static void bitmap_bits_differ_by_address(void **state)
{
	const struct layer layers[] = { IP6(HOST(1), HOST(2)), UDP(1000, 53), { 0 } };
	struct rig *rig = *state;
	struct packet p;

	for (uint64_t n = 1; n <= 256; n++) {
		const uint64_t halves[2] = { n * 0x0100000000000000ull | 0xfd,
					     -(n * 0x0100000000000000ull | 0xfd) *
						     0xff51afd7ed558ccdull };

		packet_build(&p, layers);
		memcpy(p.data + 14 + 8, halves, sizeof(halves));
		rig_send(rig, &p);
	}
	assert_true(feature(rig, SEN_FEATURE_DST_SOURCES_8) >= sen_lg_distinct(~0ull >> 8));
}

/* A flow of more packets than its counters hold goes on being credited. */
static void packets_are_credited_past_2_32(void **state)
{
	struct rig *rig = *state;
	struct packet p;
	struct sent sent = rig_send(rig, packet_udp(&p, HOST(1), 1000, SERVER, 53, 40));
	struct sen_flow *f = rig_flow(rig, sent.flow);
	uint32_t before = rig_pair(rig, HOST(1), SERVER, 53, 17)->packets_mid;

	f->packets[sent.side] = f->credited = 0xfffffffb;
	for (int i = 0; i < 12; i++)
		rig_send(rig, &p);
	f->flags &= ~SEN_FLOW_PAYLOAD; /* a decision point */
	rig_send(rig, packet_udp(&p, HOST(1), 1000, SERVER, 53, 40));
	assert_int_equal(f->packets[sent.side], 8);
	assert_int_equal(rig_pair(rig, HOST(1), SERVER, 53, 17)->packets_mid, before + E(13));
}

static int open_small(void **state)
{
	*state = rig_open(&(struct rig_sizes){ .sources = SEN_WAYS, .targets = SEN_WAYS });
	return 0;
}

static void syns(struct rig *rig, uint32_t from, uint32_t to, uint16_t flows)
{
	for (uint16_t n = 1; n <= flows; n++)
		tcp(rig, from, 2000 + n, to, 80, TCP_SYN, 0);
}

/* Two flows from each of many sources, or to each of many targets, do not keep others out for long. */
static void hosts_stay_as_long_as_they_earn(void **state)
{
	struct rig *rig = *state;

	syns(rig, HOST(1), HOST(101), 80);
	for (uint32_t n = 2; n <= SEN_WAYS; n++)
		syns(rig, HOST(n), HOST(100 + n), 2);
	syns(rig, HOST(50), HOST(150), 1);
	assert_null(rig_source(rig, LAYER_IP4, HOST(50)));
	assert_null(rig_target(rig, LAYER_IP4, HOST(150)));
	rig_wait_ns(rig, 5 * SECOND_NS);
	for (uint32_t n = 50; n < 50 + SEN_WAYS - 1; n++) {
		syns(rig, HOST(n), HOST(100 + n), 1);
		assert_non_null(rig_source(rig, LAYER_IP4, HOST(n)));
		assert_non_null(rig_target(rig, LAYER_IP4, HOST(100 + n)));
	}
	rig_wait_ns(rig, 90 * SECOND_NS);
	for (uint32_t n = 60; n < 60 + 2 * SEN_WAYS; n++)
		syns(rig, HOST(n), HOST(100 + n), 1);
	assert_non_null(rig_source(rig, LAYER_IP4, HOST(1)));
	assert_non_null(rig_target(rig, LAYER_IP4, HOST(101)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unanswered_flows_add_up),
		TEST(empty_flows_are_taken_back),
		TEST(nothing_falls_below_zero),
		TEST(counters_halve_at_boundaries),
		TEST(a_clock_that_steps_back),
		TEST(the_clock_may_wrap),
		TEST(counters_saturate),
		TEST(more_answers_than_flows),
		TEST(distinct_ports),
		TEST(estimates_follow_the_truth),
		TEST(bitmaps_take_turns),
		TEST(bitmap_bits_differ_by_port),
		TEST(bitmap_bits_differ_by_address),
		TEST(packets_are_credited_past_2_32),
		cmocka_unit_test_setup_teardown(hosts_stay_as_long_as_they_earn, open_small,
						close_rig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
