// SPDX-License-Identifier: BSD-2-Clause
/* The verdict that is kept with a flow, and what policy makes of it. */
#include "harness.h"
#include "modelkit.h"

#define CLIENT HOST(1)
#define SERVER HOST(2)

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

static struct sent udp(struct rig *rig, uint16_t payload)
{
	struct packet p;

	return rig_send(rig, packet_udp(&p, CLIENT, 5000, SERVER, 53, payload));
}

/* Between evaluations the flow's last verdict answers for it, and falls with the model. */
static void the_verdict_is_cached(void **state)
{
	struct rig *rig = *state;
	struct sent sent;

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	rig_push_constant(rig, 1, SEN_ONE);
	for (int n = 0; n < 7; n++)
		assert_int_equal((sent = udp(rig, 1)).action, DROPPED);
	assert_int_equal(rig_stats(rig).drop, 7);
	assert_int_equal(rig_stats(rig).evaluations, 3);
	assert_int_equal(rig_flow(rig, sent.flow)->class_id, SEN_CLASS_SCAN);
	assert_int_equal(rig_flow(rig, sent.flow)->reason, SEN_REASON_DISTANCE);

	rig_push_constant(rig, 2, SEN_ONE - 1);
	assert_int_equal(udp(rig, 1).action, PASSED);
	assert_int_equal(udp(rig, 1).action, PASSED);
	assert_int_equal(rig_stats(rig).evaluations, 4);
	assert_int_equal(rig_flow(rig, sent.flow)->class_id, SEN_CLASS_NONE);
	assert_int_equal(rig_flow(rig, sent.flow)->reason, SEN_REASON_NORMAL);
	rig_assert_balance(rig);
}

/* A change of policy needs no new evaluation. */
static void policy_rules_the_cached_verdict(void **state)
{
	static const struct {
		enum sen_mode mode;
		uint32_t action;
		unsigned int pass, alert, drop;
	} steps[] = {
		{ SEN_MODE_ENFORCE, DROPPED, 0, 0, 1 },
		{ SEN_MODE_ALERT, PASSED, 0, 1, 0 },
		{ SEN_MODE_OBSERVE, PASSED, 1, 0, 0 },
		{ SEN_MODE_ENFORCE, DROPPED, 0, 0, 1 },
	};
	struct rig *rig = *state;

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	rig_push_constant(rig, 1, 3 * SEN_ONE);
	for (int n = 0; n < 8; n++)
		udp(rig, 1);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct sen_stats before = rig_stats(rig), after;

		rig->policy.mode = steps[i].mode;
		rig_apply_policy(rig);
		assert_int_equal(udp(rig, 1).action, steps[i].action);
		after = rig_stats(rig);
		assert_int_equal(after.pass - before.pass, steps[i].pass);
		assert_int_equal(after.alert - before.alert, steps[i].alert);
		assert_int_equal(after.drop - before.drop, steps[i].drop);
		assert_int_equal(after.evaluations, before.evaluations);
	}
}

static void push_learned(struct rig *rig, __u32 version, bool learned)
{
	static struct sen_model_flat model;

	model_constant(&model, version, SEN_ONE, SEN_CLASS_SCAN);
	model.learned = learned;
	rig_push(rig, SEN_SLOT_ACTIVE, &model);
}

/* Nothing is dropped by the word of a model that comes from elsewhere, nor cached from one that does not. */
static void enforcing_what_was_learned_here(void **state)
{
	struct rig *rig = *state;
	struct sent sent = { 0 };

	rig->policy.mode = SEN_MODE_ENFORCE_LEARNED;
	rig_apply_policy(rig);
	push_learned(rig, 1, false);
	for (int n = 0; n < 7; n++)
		assert_int_equal(udp(rig, 1).action, PASSED);
	assert_int_equal(rig_stats(rig).alert, 7);
	push_learned(rig, 2, true);
	for (int n = 0; n < 7; n++)
		assert_int_equal((sent = udp(rig, 1)).action, DROPPED);
	assert_true(rig_flow(rig, sent.flow)->flags & SEN_FLOW_DROP);
	/* The same one, no longer answered for: between evaluations, too. */
	push_learned(rig, 2, false);
	assert_int_equal(udp(rig, 1).action, PASSED);
	assert_int_equal(rig_stats(rig).drop, 7);
	rig_assert_balance(rig);
}

/* What happens to a class is for policy to say. */
static void the_action_follows_the_class(void **state)
{
	struct rig *rig = *state;

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig->policy.action[SEN_CLASS_SCAN] = SEN_VERDICT_ALERT;
	rig_apply_policy(rig);
	rig_push_constant(rig, 1, SEN_ONE);
	assert_int_equal(udp(rig, 1).action, PASSED);
	assert_int_equal(rig_stats(rig).alert, 1);
	rig->policy.action[SEN_CLASS_SCAN] = SEN_VERDICT_DROP;
	rig_apply_policy(rig);
	assert_int_equal(udp(rig, 1).action, DROPPED);
}

static void observing_touches_nothing(void **state)
{
	struct rig *rig = *state;
	struct sent sent;

	rig->policy.mode = SEN_MODE_OBSERVE;
	rig_apply_policy(rig);
	rig_push_constant(rig, 1, SEN_ONE);
	for (int n = 0; n < 4; n++)
		assert_int_equal((sent = udp(rig, 1)).action, PASSED);
	assert_int_equal(rig_stats(rig).pass, 4);
	assert_int_equal(rig_stats(rig).flagged, 3); /* but it is seen */
	assert_true(rig_flow(rig, sent.flow)->flags & SEN_FLOW_FLAGGED);
	assert_int_equal(rig_last_event(rig)->verdict, SEN_VERDICT_PASS);
}

static void without_a_model_everything_passes(void **state)
{
	struct rig *rig = *state;
	struct sent sent;

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	for (int n = 0; n < 4; n++)
		assert_int_equal((sent = udp(rig, 1)).action, PASSED);
	assert_int_equal(rig_stats(rig).no_model, 3);
	assert_int_equal(rig_stats(rig).evaluations, 0);
	assert_int_equal(rig_flow(rig, sent.flow)->reason, SEN_REASON_NO_MODEL);
	assert_int_equal(rig_read_events(rig), 3); /* the first model is trained on them */
	rig_push_constant(rig, 1, SEN_ONE);
	assert_int_equal(udp(rig, 1).action, DROPPED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_verdict_is_cached),           TEST(policy_rules_the_cached_verdict),
		TEST(enforcing_what_was_learned_here), TEST(the_action_follows_the_class),
		TEST(observing_touches_nothing),       TEST(without_a_model_everything_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
