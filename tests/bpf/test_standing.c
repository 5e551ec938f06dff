// SPDX-License-Identifier: BSD-2-Clause
/* The standing verdict: new flows to a target under flood take it over, and nothing else does. */
#include "harness.h"
#include "modelkit.h"

#define VICTIM   HOST(200)
#define BUSY     1024 /* new flows that make a target busy */
#define STANDING 128  /* ticks that a verdict stands */

static struct sen_model_flat model;

static void push_score(struct rig *rig, __u32 version, __u32 score)
{
	model_constant(&model, version, score, SEN_CLASS_SYN_FLOOD);
	rig_push(rig, SEN_SLOT_ACTIVE, &model);
}

/* One set for flows: crowded as soon as eight are there. */
static int open_crowded(void **state)
{
	struct rig *rig = rig_open(&(struct rig_sizes){ .flows = SEN_WAYS });

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	push_score(rig, 1, 2 * SEN_ONE);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

static struct sent syn(struct rig *rig, uint32_t n, uint32_t to)
{
	struct packet p;

	return rig_send(rig, packet_tcp(&p, HOST(10000 + n), 1000, to, 80, TCP_SYN, 0));
}

static void flood(struct rig *rig, uint32_t flows)
{
	for (uint32_t n = 0; n < flows; n++)
		syn(rig, n, VICTIM);
}

static uint64_t inherited(const struct rig *rig)
{
	return rig_stats(rig).flows_inherited;
}

static void flows_of_a_flood_inherit(void **state)
{
	struct rig *rig = *state;
	struct sen_stats before, after;
	struct sent sent;

	flood(rig, BUSY);
	assert_int_equal(inherited(rig), 0);
	before = rig_stats(rig);
	for (uint32_t n = 0; n < 100; n++) {
		sent = syn(rig, BUSY + n, VICTIM);
		assert_int_equal(sent.action, DROPPED);
		assert_int_equal(sent.flow, NO_FLOW);
	}
	after = rig_stats(rig);
	assert_int_equal(after.flows_inherited - before.flows_inherited, 100);
	assert_int_equal(after.drop - before.drop, 100);
	assert_int_equal(after.evaluations, before.evaluations);
	assert_int_equal(after.flows_new, before.flows_new);
	assert_int_equal(after.flows_replaced, before.flows_replaced);
	assert_null(rig_source(rig, LAYER_IP4, HOST(10000 + BUSY)));
	rig_assert_balance(rig);
}

/* The target's counters go on as if each of them had been evaluated. */
static void the_target_still_counts(void **state)
{
	struct rig *rig = *state;
	const struct sen_target *t;
	const uint32_t all = (BUSY + 500) * SEN_EVENT_UNIT;

	flood(rig, BUSY + 500);
	assert_int_equal(inherited(rig), 500);
	t = rig_target(rig, LAYER_IP4, VICTIM);
	assert_int_equal(t->flows_mid, all);
	assert_int_equal(t->packets_slow, all);
	assert_int_equal(t->half_open_slow, all);
	assert_int_equal(t->new_pairs_fast, all);
	assert_int_equal(t->empty_mid, all);
	assert_int_equal(t->sources_mid[0], ~0ull);
}

static void policy_decides_what_they_inherit(void **state)
{
	static const struct {
		enum sen_mode mode;
		uint32_t action;
		unsigned int pass, alert, drop;
	} cases[] = {
		{ SEN_MODE_OBSERVE, PASSED, 1, 0, 0 },
		{ SEN_MODE_ALERT, PASSED, 0, 1, 0 },
		{ SEN_MODE_ENFORCE, DROPPED, 0, 0, 1 },
		{ SEN_MODE_ENFORCE_LEARNED, PASSED, 0, 1, 0 }, /* this one was not */
	};
	struct rig *rig = *state;

	flood(rig, BUSY + 1);
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sen_stats before = rig_stats(rig), after;

		rig->policy.mode = cases[i].mode;
		rig_apply_policy(rig);
		assert_int_equal(syn(rig, 5000 + i, VICTIM).action, cases[i].action);
		after = rig_stats(rig);
		assert_int_equal(after.flows_inherited - before.flows_inherited, 1);
		assert_int_equal(after.pass - before.pass, cases[i].pass);
		assert_int_equal(after.alert - before.alert, cases[i].alert);
		assert_int_equal(after.drop - before.drop, cases[i].drop);
	}
}

static void a_verdict_lapses_and_is_renewed(void **state)
{
	struct rig *rig = *state;
	uint64_t evaluations;
	uint32_t start = rig_tick(rig);

	flood(rig, BUSY + 1);
	assert_int_equal(inherited(rig), 1);
	evaluations = rig_stats(rig).evaluations;
	rig_set_tick(rig, start + STANDING - 1);
	assert_int_equal(syn(rig, 5000, VICTIM).flow, NO_FLOW);
	rig_set_tick(rig, start + STANDING);
	assert_int_not_equal(syn(rig, 5001, VICTIM).flow, NO_FLOW); /* evaluated in full */
	assert_int_equal(rig_stats(rig).evaluations, evaluations + 1);
	assert_int_equal(syn(rig, 5002, VICTIM).flow, NO_FLOW);
	push_score(rig, 257, SEN_ONE - 1); /* no longer flagged, and the same low byte */
	rig_set_tick(rig, start + 2 * STANDING);
	assert_int_equal(syn(rig, 5003, VICTIM).action, PASSED);
	assert_int_not_equal(syn(rig, 5004, VICTIM).flow, NO_FLOW);
	assert_int_equal(inherited(rig), 3);
}

static void a_verdict_falls_with_its_model(void **state)
{
	struct rig *rig = *state;

	flood(rig, BUSY + 1);
	push_score(rig, 2, SEN_ONE - 1);
	assert_int_equal(syn(rig, 5000, VICTIM).action, PASSED);
	assert_int_equal(inherited(rig), 1);
}

/* The clock of ticks comes round: a verdict of weeks ago is not one of the next moment. */
static void a_verdict_of_long_ago_is_over(void **state)
{
	struct rig *rig = *state;
	uint32_t start = rig_tick(rig);

	flood(rig, BUSY + 1);
	assert_int_equal(inherited(rig), 1);
	for (unsigned int n = 1; n < 16; n++) {
		rig_set_tick(rig, start + (n << 28));
		for (uint32_t i = 0; i < 2 * SEN_WAYS; i++) /* the table is crowded by others */
			syn(rig, 5000 + i, HOST(201 + i));
		assert_int_not_equal(syn(rig, 6000, VICTIM).flow, NO_FLOW);
		assert_int_equal(inherited(rig), 1);
	}
}

/* Only what looks like the flood: new, of its protocol, to its target. */
static void others_are_judged_by_themselves(void **state)
{
	static const struct layer cases[][PACKET_LAYERS] = {
		{ IP4(HOST(5000), VICTIM), TCP(1000, 80, TCP_SYN) }, /* the flood itself */
		{ IP4(HOST(5000), HOST(201)), TCP(1000, 80, TCP_SYN) },
		{ IP4(HOST(5000), VICTIM), UDP(1000, 80) },
		{ IP4(HOST(5000), VICTIM), ICMP() },
		{ IP4(HOST(5000), VICTIM), TCP(40000, 80, TCP_ACK) },
		{ IP4(VICTIM, HOST(5000)), TCP(80, 40000, TCP_SYN | TCP_ACK) },
		{ IP4(VICTIM, HOST(5000)), TCP(1000, 80, TCP_SYN) },
	};
	struct rig *rig = *state;
	struct packet p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t before;

		rig_empty_tables(rig);
		flood(rig, BUSY + 1);
		before = inherited(rig);
		rig_send(rig, packet_build(&p, cases[i]));
		assert_int_equal(inherited(rig) - before, i == 0);
	}
}

/* Floods of two protocols at once: each has its own verdict, and neither ends the other's. */
static void a_mixed_flood_inherits_as_well(void **state)
{
	struct rig *rig = *state;
	uint64_t evaluations, before;
	struct packet p;

	for (uint32_t n = 0; n < BUSY; n++) {
		syn(rig, 2 * n, VICTIM);
		rig_send(rig, packet_udp(&p, HOST(10001 + 2 * n), 1000, VICTIM, 80, 10));
	}
	before = inherited(rig);
	evaluations = rig_stats(rig).evaluations;
	for (uint32_t n = BUSY; n < BUSY + 50; n++) {
		syn(rig, 2 * n, VICTIM);
		rig_send(rig, packet_udp(&p, HOST(10001 + 2 * n), 1000, VICTIM, 80, 10));
	}
	assert_int_equal(inherited(rig) - before, 100);
	assert_int_equal(rig_stats(rig).evaluations, evaluations);
	rig_assert_balance(rig);
}

/* The same address in another VLAN is another host. */
static void a_verdict_is_of_a_vlan(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	for (uint32_t n = 0; n < BUSY + 10; n++) {
		const struct layer layers[] = {
			VLAN(10), IP4(HOST(10000 + n), VICTIM), TCP(1000, 80, TCP_SYN), { 0 }
		};

		rig_send(rig, packet_build(&p, layers));
	}
	assert_int_equal(inherited(rig), 10);
	syn(rig, 5000, VICTIM);
	assert_int_equal(inherited(rig), 10);
}

/* A flow that has an entry is judged as before. */
static void known_flows_keep_their_own(void **state)
{
	struct rig *rig = *state;
	struct sent sent;
	struct packet p;

	push_score(rig, 2, SEN_ONE - 1);
	syn(rig, 0, VICTIM);
	rig_send(rig, packet_tcp(&p, VICTIM, 80, HOST(10000), 1000, TCP_SYN | TCP_ACK, 0));
	push_score(rig, 1, 2 * SEN_ONE);
	for (uint32_t n = 1; n < BUSY + 10; n++)
		syn(rig, n, VICTIM);
	assert_true(inherited(rig) > 0);
	sent = rig_send(rig, packet_tcp(&p, HOST(10000), 1000, VICTIM, 80, TCP_ACK, 5));
	assert_int_not_equal(sent.flow, NO_FLOW);
	assert_false(sent.opened);
	assert_int_equal(rig_flow(rig, sent.flow)->packets[sent.side], 2);
}

static void not_where_nothing_is_flagged(void **state)
{
	struct rig *rig = *state;

	push_score(rig, 2, SEN_ONE - 1);
	flood(rig, 2 * BUSY);
	assert_int_equal(inherited(rig), 0);
	assert_int_equal(rig_stats(rig).evaluations, 2 * BUSY);
}

static void not_where_there_is_room(void **state)
{
	struct rig *rig = rig_open(&(struct rig_sizes){ .flows = 1 << 16 });

	(void)state;
	push_score(rig, 1, 2 * SEN_ONE);
	flood(rig, 2 * BUSY);
	assert_int_equal(inherited(rig), 0);
	assert_int_equal(rig_stats(rig).flows_new, 2 * BUSY);
	rig_close(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_crowded, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flows_of_a_flood_inherit),         TEST(the_target_still_counts),
		TEST(policy_decides_what_they_inherit), TEST(a_verdict_lapses_and_is_renewed),
		TEST(a_verdict_falls_with_its_model),   TEST(a_verdict_of_long_ago_is_over),
		TEST(others_are_judged_by_themselves),  TEST(a_mixed_flood_inherits_as_well),
		TEST(known_flows_keep_their_own),       TEST(a_verdict_is_of_a_vlan),
		TEST(not_where_nothing_is_flagged),     cmocka_unit_test(not_where_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
