// SPDX-License-Identifier: BSD-2-Clause
/* What a flow of a replay is called, of all that its samples were taken for. */
#include <netinet/in.h>

#include "event.h"
#include "fixture.h"
#include "flowlog.h"

/* A flow to a service that is not the web, flagged from its first frame on, a slowloris to the nearest centroid. */
static struct sen_event begin(struct sen_flowlog *log)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 902);
	struct sen_frame frame = { .wire_len = 74, .time_ns = 1000, .clock_ns = 1000 };
	struct sen_replay_result result = { .parsed = 1, .opened = 1, .evaluated = 1 };

	ev.score = result.score = 2 * SEN_ONE;
	ev.class_id = result.class_id = SEN_CLASS_SLOWLORIS;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	ev.time_ns = 1000;
	result.key = ev.key;
	assert_int_equal(sen_flowlog_add(log, &frame, &result, NULL), 0);
	return ev;
}

static void expect(struct sen_flowlog *log, const struct sen_event *ev, unsigned int class_id)
{
	sen_flowlog_name(log, ev);
	assert_int_equal(sen_flow_class(sen_flowlog_get(log, 0)), class_id);
}

static void the_best_ground_counts(void **state)
{
	struct sen_flowlog *log = sen_flowlog_new();
	struct sen_event ev = begin(log), plain = ev, sign = ev, rule = ev;

	(void)state;
	assert_int_equal(sen_flow_class(sen_flowlog_get(log, 0)), SEN_CLASS_SLOWLORIS);
	/* Many thin ones, as its centroid would have it; then one that it cannot be. */
	event_plain(&plain, SEN_FEATURE_PAIR_FLOWS_64, 5);
	plain.class_id = SEN_CLASS_BRUTE_FORCE;
	expect(log, &plain, SEN_CLASS_BRUTE_FORCE);
	plain.class_id = SEN_CLASS_SLOWLORIS;
	expect(log, &plain, SEN_CLASS_UNKNOWN);
	event_plain(&sign, SEN_FEATURE_PAIR_FLOWS_64, 30);
	expect(log, &sign, SEN_CLASS_BRUTE_FORCE);
	expect(log, &plain, SEN_CLASS_BRUTE_FORCE);
	rule.flow_flags &= (__u8)~SEN_FLOW_PAYLOAD;
	event_plain(&rule, SEN_FEATURE_SRC_PORTS_8, 100);
	event_window(&rule, SEN_FEATURE_SRC_EMPTY_8, 100);
	expect(log, &rule, SEN_CLASS_SCAN);
	expect(log, &sign, SEN_CLASS_SCAN);
	sen_flowlog_free(log);
}

static void a_sample_of_before_names_no_successor(void **state)
{
	struct sen_flowlog *log = sen_flowlog_new();
	struct sen_event ev = begin(log);

	(void)state;
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_64, 30);
	ev.time_ns = 999;
	expect(log, &ev, SEN_CLASS_SLOWLORIS);
	ev.time_ns = 1000;
	expect(log, &ev, SEN_CLASS_BRUTE_FORCE);
	sen_flowlog_free(log);
}

/* Shuffled by less than a second, as by the queues of an interface. */
static void no_flow_ends_before_it_begins(void **state)
{
	static const uint64_t stamps[] = { 5000, 7000, 4000, 6000 };
	struct sen_flowlog *log = sen_flowlog_new();
	struct sen_replay_result result = { .parsed = 1 };
	const struct sen_flow_record *r;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct sen_frame frame = { .wire_len = 74, .time_ns = stamps[i], .clock_ns = 7000 };

		assert_int_equal(sen_flowlog_add(log, &frame, &result, NULL), 0);
	}
	r = sen_flowlog_get(log, 0);
	assert_int_equal(r->packets, 4);
	assert_int_equal(r->first_ns, 5000);
	assert_int_equal(r->last_ns, 7000);
	sen_flowlog_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_ground_counts),
		cmocka_unit_test(a_sample_of_before_names_no_successor),
		cmocka_unit_test(no_flow_ends_before_it_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
