// SPDX-License-Identifier: BSD-2-Clause
/* What a flow's entry remembers, when a flow begins anew, and when it is evaluated. */
#include "harness.h"

#define CLIENT HOST(1)
#define SERVER HOST(2)
#define IDLE   (60 * SEN_TICKS_PER_SEC)

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

static struct sent tcp(struct rig *rig, uint8_t flags, uint16_t payload)
{
	struct packet p;

	return rig_send(rig, packet_tcp(&p, CLIENT, 40000, SERVER, 80, flags, payload));
}

static struct sent tcp_answer(struct rig *rig, uint8_t flags, uint16_t payload)
{
	struct packet p;

	return rig_send(rig, packet_tcp(&p, SERVER, 80, CLIENT, 40000, flags, payload));
}

static struct sent udp(struct rig *rig, uint16_t payload)
{
	struct packet p;

	return rig_send(rig, packet_udp(&p, CLIENT, 5000, SERVER, 53, payload));
}

static void everything_is_counted(void **state)
{
	struct rig *rig = *state;
	struct sent sent = tcp(rig, TCP_SYN, 0);
	struct sen_flow *f = rig_flow(rig, sent.flow);
	uint64_t first_ns = rig->now_ns;
	struct packet p;

	rig_wait_ns(rig, SECOND_NS);
	tcp_answer(rig, TCP_SYN | TCP_ACK, 0);
	tcp(rig, TCP_ACK, 0);
	tcp(rig, TCP_ACK | TCP_PSH, 100);
	tcp_answer(rig, TCP_ACK, 500);
	assert_int_equal(f->packets[sent.side], 3);
	assert_int_equal(f->packets[!sent.side], 2);
	assert_int_equal(f->bytes, 5 * 54 + 600);
	assert_int_equal(f->min_len, 40);
	assert_int_equal(f->first_payload, 100);
	assert_int_equal(f->fragments, 0);
	assert_int_equal(f->first_ns, first_ns);
	assert_int_equal(f->last, rig_tick(rig));
	assert_int_equal(f->flags & ~SEN_FLOW_INITIATOR_1,
			 SEN_FLOW_ANSWERED | SEN_FLOW_PAYLOAD | SEN_FLOW_SYN);

	const struct layer fragment[] = {
		IP4(CLIENT, SERVER, .more = true), TCP(40000, 80, TCP_ACK), PAYLOAD(8), { 0 }
	};

	rig_send(rig, packet_build(&p, fragment));
	assert_int_equal(f->fragments, 1);
	assert_int_equal(rig_stats(rig).flows_new, 1);
	rig_assert_balance(rig);
}

/* An error is credited to the flow of the packet that it quotes, from the other side; it answers nothing,
 * and where there is no such flow it is a packet between those who sent and got it. */
static void icmp_errors_belong_to_their_flow(void **state)
{
	static const struct layer cases[][PACKET_LAYERS] = {
		{ IP4(SERVER, CLIENT), ICMP(.flags = 3), IP4(CLIENT, SERVER), UDP(5000, 53) },
		{ IP4(HOST(99), CLIENT), ICMP(.flags = 11), IP4(CLIENT, SERVER), UDP(5000, 53) },
	};
	struct rig *rig = *state;
	struct sent sent = udp(rig, 40), error;
	struct sen_flow *f = rig_flow(rig, sent.flow);
	struct packet p;

	for (uint32_t i = 0; i < 2; i++) {
		error = rig_send(rig, packet_build(&p, cases[i]));
		assert_int_equal(error.flow, sent.flow);
		assert_int_equal(error.side, !sent.side);
		assert_int_equal(f->packets[!sent.side], i + 1);
	}
	assert_false(f->flags & SEN_FLOW_ANSWERED);
	assert_int_equal(f->min_len, 68);
	rig_empty_tables(rig);
	error = rig_send(rig, packet_build(&p, cases[1]));
	assert_int_equal(rig_flow(rig, error.flow)->key.proto, 1);
	assert_true(error.opened);
	assert_int_equal(rig_used(&rig->flows), 1);
}

/* Nobody is told of a flow but who sends in it: what another is told does not touch that flow. */
static void icmp_errors_to_others_are_their_own(void **state)
{
	static const struct layer cases[][PACKET_LAYERS] = {
		{ IP4(SERVER, HOST(98)), ICMP(.flags = 3), IP4(CLIENT, SERVER), UDP(5000, 53) },
		{ IP4(HOST(99), HOST(98)), ICMP(.flags = 3), IP4(CLIENT, SERVER), UDP(5000, 53) },
	};
	struct rig *rig = *state;
	struct sent sent = udp(rig, 40), error;
	struct packet p;

	for (uint32_t i = 0; i < 2; i++) {
		error = rig_send(rig, packet_build(&p, cases[i]));
		assert_true(error.flow != sent.flow);
		assert_int_equal(rig_flow(rig, error.flow)->key.proto, 1);
		assert_int_equal(rig_flow(rig, sent.flow)->packets[!sent.side], 0);
	}
}

/* What is quoted has the extension headers that it was sent with; a later fragment has no ports to go by. */
static void icmp_errors_quote_extension_headers(void **state)
{
	static const struct {
		struct layer layers[PACKET_LAYERS];
		bool followed;
	} cases[] = {
		{ { IP6(HOST(99), CLIENT), ICMP6(.flags = 1), IP6(CLIENT, SERVER), UDP(5000, 53) },
		  true },
		{ { IP6(HOST(99), CLIENT), ICMP6(.flags = 3), IP6(CLIENT, SERVER), EXT(EXT_HOP),
		    EXT(EXT_DEST, .size = 24), EXT(EXT_FRAGMENT, .more = true), UDP(5000, 53) },
		  true },
		{ { IP6(HOST(99), CLIENT), ICMP6(.flags = 1), IP6(CLIENT, SERVER),
		    EXT(EXT_FRAGMENT, .offset = 9, .next = SAY(17)), PAYLOAD(8) },
		  false },
		{ { IP6(HOST(99), CLIENT), ICMP6(.flags = 1), IP6(CLIENT, SERVER),
		    EXT(EXT_DEST, .size = 24, .header = SAY(200)), UDP(5000, 53) },
		  false },
	};
	static const struct layer packet[] = { IP6(CLIENT, SERVER), UDP(5000, 53), { 0 } };
	struct rig *rig = *state;
	struct sent sent, error;
	struct packet p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rig_empty_tables(rig);
		sent = rig_send(rig, packet_build(&p, packet));
		error = rig_send(rig, packet_build(&p, cases[i].layers));
		assert_int_equal(error.flow == sent.flow, cases[i].followed);
		assert_int_equal(rig_flow(rig, error.flow)->fragments, 0);
	}
}

/* Nor is there such a flow when it has been silent for so long that it is over, and its entry is left. */
static void icmp_errors_do_not_open_the_flow_again(void **state)
{
	static const struct layer layers[] = {
		IP4(HOST(99), CLIENT), ICMP(.flags = 11), IP4(CLIENT, SERVER), UDP(5000, 53), { 0 }
	};
	struct rig *rig = *state;
	struct sent sent = udp(rig, 40), error;
	struct packet p;

	rig_wait_ns(rig, 63 * SECOND_NS);
	error = rig_send(rig, packet_build(&p, layers));
	assert_true(error.flow != sent.flow);
	assert_int_equal(rig_flow(rig, error.flow)->key.proto, 1);
	assert_int_equal(rig_flow(rig, error.flow)->min_len, 56);
	assert_int_equal(rig_flow(rig, sent.flow)->packets[!sent.side], 0);
}

/* Who opened the flow, by its first packet, from both ends of the key. */
static void the_initiator(void **state)
{
	static const struct {
		const char *name;
		struct layer l4;
		bool sender;
	} cases[] = {
		{ "UDP: the sender", UDP(53, 5000), true },
		{ "UDP to the lower port: the sender", UDP(5000, 53), true },
		{ "SYN to a high port: the sender", TCP(80, 40000, TCP_SYN), true },
		{ "SYN to a low port: the sender", TCP(40000, 80, TCP_SYN), true },
		{ "SYN-ACK: the client", TCP(80, 40000, TCP_SYN | TCP_ACK), false },
		{ "middle, from the client", TCP(40000, 80, TCP_ACK), true },
		{ "middle, from the server", TCP(80, 40000, TCP_ACK), false },
		{ "RST from the lower port", TCP(80, 40000, TCP_RST), false },
		{ "middle, equal ports", TCP(179, 179, TCP_ACK), true },
		{ "FIN alone from the lower port: a scan", TCP(1, 22, TCP_FIN), true },
		{ "no flags from the lower port: a scan", TCP(1, 22, 0), true },
	};
	struct rig *rig = *state;
	struct packet p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int up = 0; up < 2; up++) {
			const struct layer layers[] = { IP4(HOST(1 + up), HOST(2 - up)),
							cases[i].l4,
							{ 0 } };

			rig_empty_tables(rig);
			struct sent sent = rig_send(rig, packet_build(&p, layers));
			uint8_t flags = rig_flow(rig, sent.flow)->flags;
			bool opener = !!(flags & SEN_FLOW_INITIATOR_1);

			assert_int_equal(sent.side, up);
			expect(cases[i].name, "initiator is the sender", opener == sent.side,
			       cases[i].sender);
			expect(cases[i].name, "answered", !!(flags & SEN_FLOW_ANSWERED),
			       !cases[i].sender);
		}
	}
}

static void the_first_payload_stays(void **state)
{
	struct rig *rig = *state;
	struct sent sent = udp(rig, 0);

	assert_false(rig_flow(rig, sent.flow)->flags & SEN_FLOW_PAYLOAD);
	udp(rig, 33);
	udp(rig, 44);
	assert_int_equal(rig_flow(rig, sent.flow)->first_payload, 33);
	assert_true(rig_flow(rig, sent.flow)->flags & SEN_FLOW_PAYLOAD);
}

/* Every combination of a closing and a following packet: only a bare SYN opens anew. */
static void a_syn_reopens_a_closed_flow(void **state)
{
	static const struct {
		uint8_t closing, next;
		bool reopens;
	} cases[] = {
		{ TCP_FIN | TCP_ACK, TCP_SYN, true },
		{ TCP_RST, TCP_SYN, true },
		{ TCP_FIN | TCP_ACK, TCP_ACK, false },
		{ TCP_RST, TCP_ACK, false },
		{ TCP_FIN, TCP_SYN | TCP_ACK, false },
		{ TCP_ACK, TCP_SYN, false },
		{ TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK, false },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rig_empty_tables(rig);
		struct sen_stats before = rig_stats(rig);

		tcp(rig, TCP_SYN, 0);
		tcp_answer(rig, TCP_SYN | TCP_ACK, 9);
		tcp(rig, cases[i].closing, 0);
		struct sent sent = tcp(rig, cases[i].next, 0);
		struct sen_flow *f = rig_flow(rig, sent.flow);

		assert_int_equal(sent.opened, cases[i].reopens);
		assert_int_equal(f->packets[0] + f->packets[1], cases[i].reopens ? 1 : 4);
		assert_int_equal(rig_stats(rig).flows_new - before.flows_new, 1 + cases[i].reopens);
		assert_int_equal(rig_used(&rig->flows), 1);
		if (!cases[i].reopens)
			continue;
		assert_int_equal(f->flags & ~SEN_FLOW_INITIATOR_1, SEN_FLOW_SYN);
		assert_int_equal(f->first_payload, 0);
		assert_int_equal(f->evaluations, 1);
	}
}

static void silence_ends_a_flow(void **state)
{
	struct rig *rig = *state;
	uint32_t start = rig_tick(rig);
	struct sent sent;

	udp(rig, 1);
	udp(rig, 1);
	rig_set_tick(rig, start + IDLE); /* as long as a flow may be silent */
	sent = udp(rig, 1);
	assert_false(sent.opened);
	assert_int_equal(rig_flow(rig, sent.flow)->packets[sent.side], 3);
	rig_set_tick(rig, start + 2 * IDLE + 1); /* one tick longer */
	sent = udp(rig, 1);
	assert_true(sent.opened);
	assert_int_equal(rig_flow(rig, sent.flow)->packets[sent.side], 1);
	assert_int_equal(rig_flow(rig, sent.flow)->first_ns, rig->now_ns);
	assert_int_equal(rig_stats(rig).flows_new, 2);
	assert_int_equal(rig_stats(rig).flows_replaced, 0);
}

/* The clock of ticks wraps after 52 days, in the middle of a flow. */
static void the_clock_may_wrap(void **state)
{
	struct rig *rig = *state;
	struct sent sent;

	rig_set_tick(rig, ~0u - 10);
	udp(rig, 1);
	rig->now_ns += 20ull << SEN_TICK_SHIFT;
	assert_true(rig_tick(rig) < 10);
	sent = udp(rig, 1);
	assert_false(sent.opened);
	rig->now_ns += (uint64_t)(IDLE + 1) << SEN_TICK_SHIFT;
	assert_true(udp(rig, 1).opened);
}

static void evaluated_at_powers_of_two(void **state)
{
	struct rig *rig = *state;
	uint32_t evaluations = 0;

	rig_push_constant(rig, 1, SEN_ONE / 2);
	for (uint32_t n = 1; n <= 300; n++) {
		struct sent sent = udp(rig, 10);

		evaluations += !(n & (n - 1));
		assert_int_equal(rig_flow(rig, sent.flow)->evaluations, evaluations);
	}
	assert_int_equal(rig_stats(rig).evaluations, evaluations);
	assert_int_equal(rig_stats(rig).no_model, 0);
}

/* The first answer, the first payload and the first FIN or RST are worth an evaluation, their
 * repetitions are not. */
static void evaluated_at_changes(void **state)
{
	struct rig *rig = *state;
	struct sent sent = tcp(rig, TCP_SYN, 0);
	struct sen_flow *f = rig_flow(rig, sent.flow);

	for (int i = 1; i < 8; i++)
		tcp(rig, TCP_ACK, 0);
	assert_int_equal(f->evaluations, 4);
	tcp_answer(rig, TCP_ACK, 0);
	assert_int_equal(f->evaluations, 5);
	tcp_answer(rig, TCP_ACK, 0);
	assert_int_equal(f->evaluations, 5);
	tcp(rig, TCP_ACK, 1);
	assert_int_equal(f->evaluations, 6);
	tcp_answer(rig, TCP_ACK, 1);
	assert_int_equal(f->evaluations, 6);
	tcp(rig, TCP_FIN | TCP_ACK, 0);
	assert_int_equal(f->evaluations, 7);
	tcp_answer(rig, TCP_FIN | TCP_ACK, 0);
	assert_int_equal(f->evaluations, 7);
}

/* A long flow is looked at once in 2^shift ticks, however many packets it has. */
static void evaluated_by_time(void **state)
{
	struct rig *rig = *state;
	const uint32_t shift = 8, intervals = 20;
	uint32_t before;
	struct sen_flow *f;
	struct sent sent;

	for (int n = 0; n < 1024; n++)
		sent = udp(rig, 1);
	f = rig_flow(rig, sent.flow);
	rig->policy.eval_shift = shift;
	rig_apply_policy(rig);
	before = f->evaluations;
	for (uint32_t tick = 0; tick < intervals << shift; tick += 8) {
		rig->now_ns += 8ull << SEN_TICK_SHIFT;
		udp(rig, 1);
	}
	assert_true(f->packets[0] + f->packets[1] < 2048); /* no power of two among them */
	assert_int_equal(f->evaluations - before, intervals);
	rig->now_ns += 10ull << (shift + SEN_TICK_SHIFT); /* a pause is one evaluation, not ten */
	udp(rig, 1);
	assert_int_equal(f->evaluations - before, intervals + 1);
}

/* Flows that began together do not all fall due together. */
static void evaluations_by_time_are_spread(void **state)
{
	struct rig *rig = *state;
	uint32_t due[16] = { 0 }, evaluations = 0;
	struct packet p;

	rig_set_tick(rig, 1 << 20);
	for (int n = 0; n < 3 * 64; n++)
		rig_send(rig, packet_udp(&p, CLIENT, 1000 + n % 64, SERVER, 53, 1));
	rig->policy.eval_shift = 10;
	rig_apply_policy(rig);
	for (int slot = 0; slot < 16; slot++) {
		uint64_t before = rig_stats(rig).no_model;

		rig->now_ns += 64ull << SEN_TICK_SHIFT;
		for (int n = 0; n < 64; n++)
			rig_send(rig, packet_udp(&p, CLIENT, 1000 + n, SERVER, 53, 1));
		due[slot] = rig_stats(rig).no_model - before;
		if (slot != 0 && slot != 4 && slot != 12) /* packets 4, 8 and 16 */
			assert_true(due[slot] <= 16);
		evaluations += due[slot];
	}
	assert_true(evaluations >= 64);
}

static void evaluated_when_the_model_changes(void **state)
{
	struct rig *rig = *state;
	struct sen_flow *f;
	struct sent sent;

	rig_push_constant(rig, 1, 1000);
	for (int n = 0; n < 5; n++)
		sent = udp(rig, 1);
	f = rig_flow(rig, sent.flow);
	assert_int_equal(f->evaluations, 3);
	assert_int_equal(f->score, 1000);
	assert_int_equal(f->version, 1);
	rig_push_constant(rig, 2, 500);
	udp(rig, 1);
	udp(rig, 1);
	assert_int_equal(f->evaluations, 4);
	assert_int_equal(f->score, 500);
	assert_int_equal(f->score_max, 1000);
	assert_int_equal(f->version, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_is_counted),
		TEST(icmp_errors_belong_to_their_flow),
		TEST(icmp_errors_to_others_are_their_own),
		TEST(icmp_errors_quote_extension_headers),
		TEST(icmp_errors_do_not_open_the_flow_again),
		TEST(the_initiator),
		TEST(the_first_payload_stays),
		TEST(a_syn_reopens_a_closed_flow),
		TEST(silence_ends_a_flow),
		TEST(the_clock_may_wrap),
		TEST(evaluated_at_powers_of_two),
		TEST(evaluated_at_changes),
		TEST(evaluated_by_time),
		TEST(evaluations_by_time_are_spread),
		TEST(evaluated_when_the_model_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
