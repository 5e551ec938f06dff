// SPDX-License-Identifier: BSD-2-Clause
/* Which evaluations reach the agent, what they tell it, and that those that do not are counted. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "model_slot.h"
#include "harness.h"
#include "modelkit.h"

#define RING_EVENTS ((1u << 20) / (8 + sizeof(struct sen_event))) /* 8: the ring's own header */

static struct sen_model_flat model;

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

static void push_score(struct rig *rig, __u32 version, __u32 score)
{
	model_constant(&model, version, score, SEN_CLASS_SCAN);
	rig_push(rig, SEN_SLOT_ACTIVE, &model);
}

/* One evaluation: a flow of one packet. */
static struct sent evaluate(struct rig *rig, uint32_t n)
{
	struct packet p;

	/* To another target every now and then: one under flood would judge its flows without an entry. */
	return rig_send(rig, packet_udp(&p, HOST(1000 + n / 60000), 1000 + n % 60000,
					HOST(100000 + n / 256), 53, 20));
}

/* Every evaluation is either sent, withheld or lost, or was not asked for. */
static uint64_t accounted_for(const struct sen_stats *s)
{
	return s->events_sent + s->events_lost_rate + s->events_lost_full;
}

static void kinds_by_score(void **state)
{
	static const struct {
		__u32 score;
		enum sen_sample_kind kind;
		__u8 class_id, reason, verdict;
	} cases[] = {
		{ 0, SEN_SAMPLE_RANDOM, 0, SEN_REASON_NORMAL, SEN_VERDICT_PASS },
		{ SEN_ONE / 4 * 3 - 1, SEN_SAMPLE_RANDOM, 0, SEN_REASON_NORMAL, SEN_VERDICT_PASS },
		{ SEN_ONE / 4 * 3, SEN_SAMPLE_NEAR, 0, SEN_REASON_NORMAL, SEN_VERDICT_PASS },
		{ SEN_ONE - 1, SEN_SAMPLE_NEAR, 0, SEN_REASON_NORMAL, SEN_VERDICT_PASS },
		{ SEN_ONE, SEN_SAMPLE_FLAGGED, SEN_CLASS_SCAN, SEN_REASON_DISTANCE,
		  SEN_VERDICT_ALERT },
		{ ~0u, SEN_SAMPLE_FLAGGED, SEN_CLASS_SCAN, SEN_REASON_DISTANCE, SEN_VERDICT_ALERT },
	};
	struct rig *rig = *state;

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct sen_event *e;

		push_score(rig, i + 1, cases[i].score);
		evaluate(rig, i);
		e = rig_last_event(rig);
		assert_int_equal(rig->event_count, i + 1);
		assert_int_equal(e->kind, cases[i].kind);
		assert_int_equal(e->score, cases[i].score);
		assert_int_equal(e->class_id, cases[i].class_id);
		assert_int_equal(e->reason, cases[i].reason);
		assert_int_equal(e->verdict, cases[i].verdict);
	}
}

static void one_in_so_many(void **state)
{
	static const uint32_t every[] = { 1, 2, 7, 100 };
	struct rig *rig = *state;
	uint32_t n = 0;

	push_score(rig, 1, 100);
	for (size_t i = 0; i < sizeof(every) / sizeof(*every); i++) {
		uint64_t before;

		rig->policy.sample_every = every[i];
		rig_apply_policy(rig);
		do /* begin with a full count */
			before = rig_stats(rig).events_sent;
		while (evaluate(rig, n++), rig_stats(rig).events_sent == before);
		for (uint32_t k = 1; k <= 500; k++) {
			evaluate(rig, n++);
			assert_int_equal(rig_stats(rig).events_sent - before - 1, k / every[i]);
		}
	}
}

/* None of the ordinary ones; flagged and near ones all the same. */
static void none_at_random(void **state)
{
	struct rig *rig = *state;

	rig->policy.sample_every = 0;
	rig_apply_policy(rig);
	push_score(rig, 1, 100);
	for (uint32_t n = 0; n < 100; n++)
		evaluate(rig, n);
	assert_int_equal(rig_stats(rig).events_sent, 0);
	assert_int_equal(accounted_for(&(struct sen_stats[]){ rig_stats(rig) }[0]), 0);
	push_score(rig, 2, SEN_ONE - 1);
	evaluate(rig, 100);
	push_score(rig, 3, SEN_ONE);
	evaluate(rig, 101);
	assert_int_equal(rig_stats(rig).events_sent, 2);
}

/* A bucket of one second's worth, refilled as time passes; each kind has its own. */
static void limited_by_rate(void **state)
{
	static const __u32 scores[] = { SEN_ONE, SEN_ONE - 1, 0 };
	struct rig *rig = *state;
	uint32_t n = 0;

	for (int kind = 0; kind < SEN_SAMPLE_KINDS; kind++)
		rig->policy.rate[kind] = 10 * (kind + 1);
	rig_apply_policy(rig);
	for (uint32_t kind = 0; kind < SEN_SAMPLE_KINDS; kind++) {
		uint32_t rate = rig->policy.rate[kind];
		struct sen_stats before = rig_stats(rig), after;

		push_score(rig, kind + 1, scores[kind]);
		for (int i = 0; i < 100; i++) /* at once */
			evaluate(rig, n++);
		after = rig_stats(rig);
		assert_int_equal(after.events_sent - before.events_sent, rate);
		assert_int_equal(after.events_lost_rate - before.events_lost_rate, 100 - rate);
		for (int tenth = 0; tenth < 100; tenth++) { /* steadily, for ten seconds */
			rig->now_ns += (SEN_TICKS_PER_SEC / 10ull) << SEN_TICK_SHIFT;
			for (int i = 0; i < 20; i++)
				evaluate(rig, n++);
		}
		before = after;
		after = rig_stats(rig);
		assert_in_range(after.events_sent - before.events_sent, rate * 10 - rate / 10 - 1,
				rate * 10);
		assert_int_equal(accounted_for(&after) - accounted_for(&before), 2000);
	}
	rig_read_events(rig);
	assert_int_equal(rig->event_count, rig_stats(rig).events_sent);
}

static void silence_saves_one_second(void **state)
{
	struct rig *rig = *state;

	rig->policy.rate[SEN_SAMPLE_FLAGGED] = 5;
	rig_apply_policy(rig);
	push_score(rig, 1, SEN_ONE);
	for (uint32_t hour = 1; hour <= 3; hour++) {
		for (uint32_t n = 0; n < 50; n++)
			evaluate(rig, 50 * hour + n);
		assert_int_equal(rig_stats(rig).events_sent, 5 * hour);
		rig_wait_ns(rig, 3600 * SECOND_NS);
	}
}

/* Nobody reads: what does not fit is counted, and packets go on. */
static void losses_of_a_full_ring(void **state)
{
	struct rig *rig = *state;
	const uint32_t count = RING_EVENTS + 1000;
	struct sen_stats s;

	push_score(rig, 1, SEN_ONE);
	for (uint32_t n = 0; n < count; n++) {
		assert_int_equal(evaluate(rig, n).action, PASSED);
		rig_wait_ns(rig, SECOND_NS / 1000);
	}
	s = rig_stats(rig);
	assert_in_range(s.events_sent, RING_EVENTS - 1, RING_EVENTS);
	assert_int_equal(s.events_sent + s.events_lost_full, count);
	assert_int_equal(s.alert, count);
	assert_int_equal(rig_read_events(rig), s.events_sent);
	evaluate(rig, count); /* there is room again */
	assert_int_equal(rig_stats(rig).events_sent, s.events_sent + 1);
	rig_assert_balance(rig);
}

static void what_an_event_tells(void **state)
{
	struct rig *rig = *state;
	const struct sen_event *e;
	const struct sen_flow *f;
	struct sent sent;
	struct packet p;

	push_score(rig, 77, SEN_ONE + 5);
	rig_send(rig, packet_tcp(&p, HOST(9), 40000, HOST(3), 443, TCP_SYN, 0));
	rig_wait_ns(rig, SECOND_NS);
	sent = rig_send(rig, packet_tcp(&p, HOST(3), 443, HOST(9), 40000, TCP_SYN | TCP_ACK, 30));
	f = rig_flow(rig, sent.flow);
	e = rig_last_event(rig);
	assert_int_equal(rig->event_count, 2);
	assert_int_equal(e->version, SEN_EVENT_VERSION);
	assert_int_equal(e->time_ns, rig->now_ns);
	assert_memory_equal(&e->key, &f->key, sizeof(e->key));
	assert_int_equal(e->key.port[sent.side], 443);
	assert_int_equal(e->model_version, 77);
	assert_int_equal(e->score, SEN_ONE + 5);
	assert_int_equal(e->packets, 2);
	assert_int_equal(e->evaluations, 2);
	assert_int_equal(e->bytes, 54 + 84);
	assert_int_equal(e->flow_flags, f->flags);
	assert_int_equal(e->flow_flags & ~SEN_FLOW_INITIATOR_1,
			 SEN_FLOW_ANSWERED | SEN_FLOW_PAYLOAD | SEN_FLOW_SYN | SEN_FLOW_FLAGGED);
	assert_int_equal(!!(e->flow_flags & SEN_FLOW_INITIATOR_1), !sent.side);
	assert_int_equal(e->vector.v[SEN_FEATURE_FLOW_PACKETS], sen_lg(2));
	assert_int_equal(e->vector.v[SEN_FEATURE_FLOW_FIRST_PAYLOAD], sen_lg(30));
	assert_int_equal(e->pad, 0);
}

static void the_flow_remembers_its_judgement(void **state)
{
	struct rig *rig = *state;
	const struct sen_event *e;
	struct sent sent;

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	push_score(rig, 5, 2 * SEN_ONE);
	sent = evaluate(rig, 0);
	e = rig_last_event(rig);
	assert_int_equal(e->verdict, SEN_VERDICT_DROP);
	assert_true(e->flow_flags & SEN_FLOW_DROP);
	assert_int_equal(rig_flow(rig, sent.flow)->score, e->score);
	assert_int_equal(rig_flow(rig, sent.flow)->score_max, e->score);
	assert_int_equal(rig_flow(rig, sent.flow)->class_id, e->class_id);
	assert_int_equal(rig_flow(rig, sent.flow)->version, e->model_version);
}

/* Pushes models in turn while packets pass; a model's score says which it is. */
#define FIRST_VERSION 1001 /* more than one byte */
#define PUSHES        60

static __u32 score_of_version(__u32 version)
{
	return version % 2 ? SEN_ONE / 2 + version : 2 * SEN_ONE + version;
}

struct pusher {
	int models_fd;
	atomic_bool done;
	int err;
};

static void *push_in_turn(void *arg)
{
	static struct sen_model_flat m;
	struct pusher *p = arg;

	for (__u32 version = FIRST_VERSION + 1; version < FIRST_VERSION + PUSHES; version++) {
		model_constant(&m, version, score_of_version(version),
			       version % 2 ? SEN_CLASS_SCAN : SEN_CLASS_SYN_FLOOD);
		p->err |= sen_model_slot_set(p->models_fd, SEN_SLOT_ACTIVE, &m);
	}
	atomic_store(&p->done, true);
	return NULL;
}

static void assert_whole(const struct sen_event *e)
{
	bool flagged = e->score >= SEN_ONE;

	assert_int_equal(e->score, score_of_version(e->model_version));
	assert_int_equal(e->class_id, flagged ? SEN_CLASS_SYN_FLOOD : SEN_CLASS_NONE);
	assert_int_equal(e->kind, flagged ? SEN_SAMPLE_FLAGGED : SEN_SAMPLE_RANDOM);
	assert_int_equal(!!(e->flow_flags & SEN_FLOW_FLAGGED), flagged);
}

static void no_event_mixes_two_models(void **state)
{
	struct rig *rig = *state;
	struct pusher pusher = { .models_fd = bpf_map__fd(rig->skel->maps.models) };
	unsigned int versions = 0, last = 0;
	pthread_t thread;

	push_score(rig, FIRST_VERSION, score_of_version(FIRST_VERSION));
	assert_int_equal(pthread_create(&thread, NULL, push_in_turn, &pusher), 0);
	for (uint32_t n = 0; !atomic_load(&pusher.done); n++) {
		evaluate(rig, n);
		rig_wait_ns(rig, SECOND_NS / 1000);
		if (n % 1000 == 0)
			rig_read_events(rig);
	}
	pthread_join(thread, NULL);
	assert_int_equal(pusher.err, 0);
	assert_int_equal(rig_read_events(rig), rig_stats(rig).evaluations);
	for (size_t i = 0; i < rig->event_count; i++) {
		assert_whole(&rig->events[i]);
		assert_true(rig->events[i].model_version >= last);
		versions += rig->events[i].model_version != last;
		last = rig->events[i].model_version;
	}
	print_message("# %zu events of %u models\n", rig->event_count, versions);
	assert_true(versions > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kinds_by_score),
		TEST(one_in_so_many),
		TEST(none_at_random),
		TEST(limited_by_rate),
		TEST(silence_saves_one_second),
		TEST(losses_of_a_full_ring),
		TEST(what_an_event_tells),
		TEST(the_flow_remembers_its_judgement),
		TEST(no_event_mixes_two_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
