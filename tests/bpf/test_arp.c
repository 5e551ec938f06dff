// SPDX-License-Identifier: BSD-2-Clause
/* ARP: which claims count against their sender. */
#include "harness.h"

#define ASKER   0x020000000001
#define OWNER   0x020000000002
#define SPOOFER 0x020000000066
#define GATEWAY HOST(254)

static int open_rig(void **state)
{
	*state = rig_open(NULL);
	return 0;
}

/* The frames of packet.h are for this host. */
static int open_addressed(void **state)
{
	*state = rig_open(&(struct rig_sizes){ .own_mac = PACKET_TO });
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

/* A question that tells all who hear it that the asker has this address. */
static void ask_as(struct rig *rig, uint64_t asker, uint32_t ip, uint32_t target)
{
	struct packet p;

	rig_send(rig, packet_arp(&p, ARP_QUESTION, asker, ip, target));
}

static void ask(struct rig *rig, uint64_t asker, uint32_t target)
{
	ask_as(rig, asker, HOST(asker & 0xff), target);
}

static void claim(struct rig *rig, uint64_t mac, uint32_t ip)
{
	struct packet p;

	rig_send(rig, packet_arp(&p, ARP_ANSWER, mac, ip, HOST(1)));
}

/* How many claims count against a MAC. */
static uint32_t unsolicited(struct rig *rig, uint64_t mac)
{
	const struct sen_source *s = rig_source(rig, LAYER_ARP, mac);

	return s ? s->unsolicited_slow / SEN_EVENT_UNIT : 0;
}

static void an_answer_is_welcome(void **state)
{
	struct rig *rig = *state;

	ask(rig, ASKER, GATEWAY);
	rig_wait_ns(rig, SECOND_NS / 1000);
	claim(rig, OWNER, GATEWAY);
	assert_int_equal(unsolicited(rig, OWNER), 0);
	assert_int_equal(unsolicited(rig, ASKER), 0);
	assert_int_equal(rig_last_event(rig)->vector.v[SEN_FEATURE_SRC_UNSOLICITED_64], 0);
	assert_int_equal(rig_last_event(rig)->key.proto, SEN_PROTO_ARP);
}

static void a_claim_without_a_question(void **state)
{
	struct rig *rig = *state;

	claim(rig, SPOOFER, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 1);
	assert_int_equal(rig_last_event(rig)->vector.v[SEN_FEATURE_SRC_UNSOLICITED_64],
			 sen_lg_events(SEN_EVENT_UNIT));
	ask(rig, ASKER, HOST(7)); /* about another address */
	claim(rig, SPOOFER, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 2);
}

static void a_question_for_ones_own_address_is_a_claim(void **state)
{
	struct rig *rig = *state;

	ask_as(rig, SPOOFER, GATEWAY, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 1);
}

/* Who asks for an address and then claims it himself has been asked by nobody. */
static void a_question_of_ones_own_excuses_nothing(void **state)
{
	struct rig *rig = *state;

	ask(rig, SPOOFER, GATEWAY);
	claim(rig, SPOOFER, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 1);
}

static void an_answer_that_comes_late(void **state)
{
	struct rig *rig = *state;

	ask(rig, ASKER, GATEWAY);
	rig->now_ns += (2ull * SEN_TICKS_PER_SEC - 1) << SEN_TICK_SHIFT;
	claim(rig, OWNER, GATEWAY);
	assert_int_equal(unsolicited(rig, OWNER), 0);
	ask(rig, ASKER, GATEWAY);
	rig->now_ns += (2ull * SEN_TICKS_PER_SEC) << SEN_TICK_SHIFT;
	claim(rig, OWNER, GATEWAY);
	assert_int_equal(unsolicited(rig, OWNER), 1);
}

static void a_question_is_answered_once(void **state)
{
	struct rig *rig = *state;

	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	assert_int_equal(unsolicited(rig, OWNER), 1);
}

/* Somebody else than the owner answers: twice the offence, asked or not, and it stays the owner's. */
static void a_contested_address(void **state)
{
	struct rig *rig = *state;

	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	ask(rig, ASKER, GATEWAY);
	claim(rig, SPOOFER, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 2);
	claim(rig, SPOOFER, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 4);
	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	assert_int_equal(unsolicited(rig, OWNER), 0);
}

/* An owner that has been silent for a minute has left, and no longer. */
static void an_address_that_moved(void **state)
{
	struct rig *rig = *state;
	uint32_t start = rig_tick(rig);

	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	rig_set_tick(rig, start + 60 * SEN_TICKS_PER_SEC - 1);
	ask(rig, ASKER, GATEWAY);
	claim(rig, SPOOFER, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 2);
	rig_set_tick(rig, start + 60 * SEN_TICKS_PER_SEC);
	ask(rig, ASKER, GATEWAY);
	claim(rig, SPOOFER + 1, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER + 1), 0);
	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY); /* now it is the newcomer's */
	assert_int_equal(unsolicited(rig, OWNER), 2);
}

/* Who hears a question learns its sender's address from it: a false one poisons as well as a claim. */
static void a_question_in_anothers_name(void **state)
{
	struct rig *rig = *state;

	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	ask_as(rig, SPOOFER, GATEWAY, HOST(1));
	assert_int_equal(unsolicited(rig, SPOOFER), 2);
	assert_int_equal(rig_last_event(rig)->vector.v[SEN_FEATURE_SRC_UNSOLICITED_64],
			 sen_lg_events(2 * SEN_EVENT_UNIT));
	ask_as(rig, SPOOFER, GATEWAY, HOST(1));
	assert_int_equal(unsolicited(rig, SPOOFER), 4);
	ask_as(rig, OWNER, GATEWAY, HOST(1));
	assert_int_equal(unsolicited(rig, OWNER), 0);
}

/* An owner that asks is there, though nobody asks for it; and nobody else's question says so. */
static void an_owner_that_only_asks(void **state)
{
	struct rig *rig = *state;
	uint32_t start = rig_tick(rig), minute = 60 * SEN_TICKS_PER_SEC;

	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	rig_set_tick(rig, start + minute - 1);
	ask_as(rig, OWNER, GATEWAY, HOST(1));
	rig_set_tick(rig, start + 2 * minute - 2);
	ask_as(rig, SPOOFER, GATEWAY, HOST(1));
	assert_int_equal(unsolicited(rig, SPOOFER), 2);
	rig_set_tick(rig, start + 2 * minute - 1);
	/* The owner may have left: no offence, but no claim either. */
	ask_as(rig, SPOOFER + 1, GATEWAY, HOST(1));
	assert_int_equal(unsolicited(rig, SPOOFER + 1), 0);
	ask_as(rig, OWNER, GATEWAY, HOST(1));
	claim(rig, SPOOFER + 2, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER + 2), 2);
}

/* Who cries first, unasked, does not make a spoofer of the host that has the address. */
static void an_unasked_claim_makes_no_owner(void **state)
{
	struct rig *rig = *state;

	claim(rig, SPOOFER, HOST(1));
	ask(rig, ASKER, GATEWAY);
	assert_int_equal(unsolicited(rig, ASKER), 0);
	ask(rig, SPOOFER, HOST(1)); /* nor does an answer to himself */
	claim(rig, SPOOFER, HOST(1));
	ask_as(rig, OWNER, GATEWAY, HOST(1));
	claim(rig, ASKER, HOST(1));
	assert_int_equal(unsolicited(rig, ASKER), 0);
	claim(rig, SPOOFER, HOST(1));
	assert_int_equal(unsolicited(rig, SPOOFER), 4);
}

/* Nobody owns 0.0.0.0, which stands for "none yet" (RFC 5227), even where somebody has claimed it. */
static void a_probe_says_nothing_of_its_sender(void **state)
{
	struct rig *rig = *state;

	ask(rig, SPOOFER, 0);
	claim(rig, OWNER, 0);
	ask_as(rig, ASKER, 0, GATEWAY);
	assert_int_equal(unsolicited(rig, ASKER), 0);
}

/* Who has claimed nothing owns nothing, however often he asks. */
static void a_question_makes_no_owner(void **state)
{
	struct rig *rig = *state;

	ask_as(rig, ASKER, HOST(1), GATEWAY);
	ask_as(rig, SPOOFER, HOST(1), GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 0);
	assert_null(rig_target(rig, LAYER_IP4, HOST(1)));
	assert_int_equal(rig_used(&rig->targets), 1);
	ask_as(rig, OWNER, HOST(2), HOST(1)); /* known from here on, but nobody's */
	ask_as(rig, ASKER, HOST(1), GATEWAY);
	ask_as(rig, SPOOFER, HOST(1), GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 0);
	claim(rig, ASKER, HOST(1));
	assert_int_equal(unsolicited(rig, ASKER), 0);
}

/* The questions of this host leave by the other way: answers to it need none, but may contradict. */
static void answers_to_this_host(void **state)
{
	struct rig *rig = *state;

	claim(rig, OWNER, GATEWAY);
	assert_int_equal(unsolicited(rig, OWNER), 0);
	claim(rig, SPOOFER, GATEWAY);
	assert_int_equal(unsolicited(rig, SPOOFER), 2);
	claim(rig, OWNER, GATEWAY);
	assert_int_equal(unsolicited(rig, OWNER), 0);
}

/* However often and fast it is asked: an answered question is no offence. */
static void questions_in_quick_succession(void **state)
{
	struct rig *rig = *state;

	rig->policy.eval_shift = SEN_WINDOW_FAST; /* as on an interface */
	rig_apply_policy(rig);
	for (int n = 0; n < 100; n++) {
		ask(rig, ASKER, GATEWAY);
		rig_wait_ns(rig, SECOND_NS / 1000);
		claim(rig, OWNER, GATEWAY);
		rig_wait_ns(rig, SECOND_NS / 10);
	}
	assert_int_equal(unsolicited(rig, OWNER), 0);
}

/* Many ask one host, which answers each of them. */
static void questions_from_many(void **state)
{
	struct rig *rig = *state;

	for (int n = 0; n < 100; n++) {
		ask(rig, ASKER + 10 + n, GATEWAY);
		rig_wait_ns(rig, SECOND_NS / 1000);
		claim(rig, OWNER, GATEWAY);
		rig_wait_ns(rig, SECOND_NS / 10);
	}
	assert_int_equal(unsolicited(rig, OWNER), 0);
}

/* Each claim of a flood of them counts. */
static void every_false_claim_counts(void **state)
{
	struct rig *rig = *state;

	for (uint32_t n = 0; n < 20; n++) {
		claim(rig, SPOOFER, HOST(100 + n));
		assert_int_equal(unsolicited(rig, SPOOFER), n + 1);
	}
}

/* Of the last packet's sender, in any VLAN. */
static uint32_t told(struct rig *rig)
{
	return rig_last_event(rig)->vector.v[SEN_FEATURE_SRC_UNSOLICITED_64];
}

static void say(struct rig *rig, uint16_t vlan, uint16_t op, uint64_t mac, uint32_t ip,
		uint32_t target)
{
	const struct layer layers[] = { VLAN(vlan), ARP(op, mac, ip, target), { 0 } };
	struct packet p;

	rig_send(rig, packet_build(&p, layers));
}

/* Each VLAN has a gateway, and both gateways have the same address, as they do in many places. */
static void an_address_in_two_vlans(void **state)
{
	struct rig *rig = *state;

	for (int n = 0; n < 12; n++) {
		uint16_t vlan = n % 2 ? 10 : 20;

		say(rig, vlan, ARP_QUESTION, ASKER, HOST(1), GATEWAY);
		say(rig, vlan, ARP_ANSWER, OWNER + vlan, GATEWAY, HOST(1));
		assert_int_equal(told(rig), 0);
		assert_int_equal(rig_last_event(rig)->key.vlan, vlan);
	}
	/* A question in one is none in the other, and an owner of one has no say in the other. */
	say(rig, 10, ARP_QUESTION, ASKER, HOST(1), GATEWAY);
	say(rig, 20, ARP_ANSWER, OWNER + 20, GATEWAY, HOST(1));
	assert_int_equal(told(rig), sen_lg_events(SEN_EVENT_UNIT));
	say(rig, 10, ARP_ANSWER, OWNER + 20, GATEWAY, HOST(1));
	assert_int_equal(told(rig), sen_lg_events(2 * SEN_EVENT_UNIT));
	/* The same for who asks. */
	say(rig, 10, ARP_QUESTION, OWNER + 10, GATEWAY, HOST(1));
	assert_int_equal(told(rig), 0);
	say(rig, 20, ARP_QUESTION, SPOOFER, GATEWAY, HOST(1));
	assert_int_equal(told(rig), sen_lg_events(2 * SEN_EVENT_UNIT));
	say(rig, 30, ARP_QUESTION, SPOOFER + 1, GATEWAY, HOST(1));
	assert_int_equal(told(rig), 0);
}

/* ARP has no answers within a flow: each side's claims are flows of their own. */
static void arp_flows_are_not_answered(void **state)
{
	struct rig *rig = *state;

	ask(rig, ASKER, GATEWAY);
	claim(rig, OWNER, GATEWAY);
	assert_int_equal(rig_used(&rig->flows), 2);
	assert_int_equal(rig_stats(rig).flows_new, 2);
	for (size_t i = 0; i < rig_read_events(rig); i++)
		assert_int_equal(rig->events[i].flow_flags, 0);
	assert_non_null(rig_target(rig, LAYER_IP4, GATEWAY));
	assert_non_null(rig_source(rig, LAYER_ARP, ASKER));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_welcome),
		TEST(a_claim_without_a_question),
		TEST(a_question_for_ones_own_address_is_a_claim),
		TEST(a_question_of_ones_own_excuses_nothing),
		TEST(an_answer_that_comes_late),
		TEST(a_question_is_answered_once),
		TEST(a_contested_address),
		TEST(an_address_that_moved),
		TEST(a_question_in_anothers_name),
		TEST(an_owner_that_only_asks),
		TEST(an_unasked_claim_makes_no_owner),
		TEST(a_probe_says_nothing_of_its_sender),
		TEST(a_question_makes_no_owner),
		cmocka_unit_test_setup_teardown(answers_to_this_host, open_addressed, close_rig),
		TEST(questions_in_quick_succession),
		TEST(questions_from_many),
		TEST(every_false_claim_counts),
		TEST(an_address_in_two_vlans),
		TEST(arp_flows_are_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
