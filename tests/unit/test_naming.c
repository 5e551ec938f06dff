// SPDX-License-Identifier: BSD-2-Clause
/* What flagged evaluations are called that no rule is certain of. */
#include <netinet/in.h>

#include "event.h"
#include "fixture.h"
#include "naming.h"
#include "rules.h"

#define CUSTOM (SEN_CLASS_CUSTOM + 1)

static void expect(const struct sen_event *ev, enum sen_ground ground, unsigned int class_id)
{
	struct sen_name name = sen_name_of(ev, SEN_CLASS_NONE);

	assert_int_equal(sen_rules_classify(ev, NULL, 0), SEN_CLASS_NONE);
	assert_int_equal(name.ground, ground);
	assert_int_equal(name.class_id, class_id);
	assert_int_equal(name.sign != NULL, ground == SEN_GROUND_SIGNS);
}

static struct sen_event flagged(unsigned int proto, unsigned int sport, unsigned int dport)
{
	struct sen_event ev = event_make(proto, 66, sport, 1, dport);

	ev.score = 2 * SEN_ONE;
	ev.class_id = SEN_CLASS_UNKNOWN;
	return ev;
}

static void a_rule_comes_first(void **state)
{
	struct sen_event ev = flagged(IPPROTO_TCP, 40000, 22);
	struct sen_name name;

	(void)state;
	ev.class_id = CUSTOM;
	name = sen_name_of(&ev, SEN_CLASS_SCAN);
	assert_int_equal(name.ground, SEN_GROUND_RULE);
	assert_int_equal(name.class_id, SEN_CLASS_SCAN);
}

static void what_is_not_flagged_has_no_name(void **state)
{
	struct sen_event ev = flagged(IPPROTO_TCP, 40000, 902);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_64, 6);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_BRUTE_FORCE);
	ev.score = SEN_ONE - 1;
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_NONE);
}

static void the_operators_own_class_stands(void **state)
{
	struct sen_event ev = flagged(IPPROTO_TCP, 40000, 902);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_64, 6);
	ev.class_id = CUSTOM;
	expect(&ev, SEN_GROUND_OWN, CUSTOM);
}

/* Several logins of one client and thin connections to a web server, each below what a rule takes. */
static void signs_come_before_the_nearest_centroid(void **state)
{
	struct sen_event ev = flagged(IPPROTO_TCP, 40000, 902);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	ev.class_id = SEN_CLASS_SLOWLORIS;
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_64, 37);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_BRUTE_FORCE);
	ev = flagged(IPPROTO_TCP, 40000, 80);
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	ev.class_id = SEN_CLASS_BRUTE_FORCE;
	ev.packets = 8;
	ev.bytes = 744;
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_64, 37);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_SLOWLORIS);
	/* Pages come back: the centroid's word. */
	ev.bytes = 8000;
	expect(&ev, SEN_GROUND_NEAREST, SEN_CLASS_BRUTE_FORCE);
}

/* UDP with payload to a target that twenty sources send to. */
static struct sen_event from_many(unsigned int sport, unsigned int dport)
{
	struct sen_event ev = flagged(IPPROTO_UDP, sport, dport);

	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 20);
	return ev;
}

static void a_small_amplification_has_signs(void **state)
{
	static const unsigned int others[][2] = {
		{ 40000, 1234 }, { 123, 123 }, { 68, 67 }, { 514, 514 }, { 4500, 4500 }
	};
	struct sen_event ev = from_many(37810, 1234);

	(void)state;
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_AMPLIFICATION);
	ev = from_many(53, 22);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_AMPLIFICATION);
	/* Clients of a service, and what servers tell their like. */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ev = from_many(others[i][0], others[i][1]);
		expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
	}
}

static void small_floods_have_signs(void **state)
{
	struct sen_event ev = flagged(IPPROTO_TCP, 40000, 80);

	(void)state;
	event_window(&ev, SEN_FEATURE_DST_EMPTY_8, 60);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 30);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_SYN_FLOOD);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 1);
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
	event_window(&ev, SEN_FEATURE_PAIR_EMPTY_64, 60);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_SYN_FLOOD);
	ev = flagged(IPPROTO_UDP, 40000, 7000);
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_8, 200);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_UDP_FLOOD);
	/* A resolver has as many questions. */
	ev = flagged(IPPROTO_UDP, 40000, 53);
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_8, 200);
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 80);
	event_window(&ev, SEN_FEATURE_DST_EMPTY_8, 120);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_UDP_FLOOD);
	ev = flagged(IPPROTO_TCP, 443, 40000);
	ev.flow_flags = SEN_FLOW_ANSWERED | (ev.flow_flags & ~SEN_FLOW_SYN);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 30);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_REFLECTION_TCP);
}

static void a_small_scan_has_signs(void **state)
{
	struct sen_event ev = flagged(IPPROTO_TCP, 40000, 22);

	(void)state;
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 7);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 7);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_SCAN);
	/* A browser does as much, and one that says something is none. */
	ev = flagged(IPPROTO_TCP, 40000, 443);
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 7);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 7);
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
	ev = flagged(IPPROTO_TCP, 40000, 22);
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 7);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 7);
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
	ev = flagged(IPPROTO_ICMP, 0, 0);
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 7);
	event_window(&ev, SEN_FEATURE_SRC_ICMP_8, 7);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_SCAN);
	ev = flagged(IPPROTO_TCP, 40000, 22);
	event_plain(&ev, SEN_FEATURE_SRC_PORTS_8, 8);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 8);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_SCAN);
}

static void a_centroid_of_another_protocol_is_not_heard(void **state)
{
	struct sen_event ev = flagged(IPPROTO_UDP, 40000, 1234);

	(void)state;
	ev.class_id = SEN_CLASS_BRUTE_FORCE;
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
	ev.class_id = SEN_CLASS_UDP_FLOOD;
	expect(&ev, SEN_GROUND_NEAREST, SEN_CLASS_UDP_FLOOD);
	ev.class_id = SEN_CLASS_BEACON;
	expect(&ev, SEN_GROUND_NEAREST, SEN_CLASS_BEACON);
	/* One connection is no slowloris, nor are several with something in them. */
	ev = flagged(IPPROTO_TCP, 40000, 80);
	ev.class_id = SEN_CLASS_SLOWLORIS;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	ev.packets = 5;
	ev.bytes = 500;
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_64, 1);
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
	event_plain(&ev, SEN_FEATURE_PAIR_FLOWS_64, 10);
	expect(&ev, SEN_GROUND_NEAREST, SEN_CLASS_SLOWLORIS);
	ev.bytes = 5000;
	expect(&ev, SEN_GROUND_NONE, SEN_CLASS_UNKNOWN);
}

/* A forger asks around before it answers: what centroids know of that outweighs its being a sweep. */
static void questions_for_many_hosts_are_a_scan_unless_known_better(void **state)
{
	struct sen_event ev = flagged(SEN_PROTO_ARP, 0, 0);

	(void)state;
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 30);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_SCAN);
	ev.class_id = SEN_CLASS_ARP_SPOOF;
	expect(&ev, SEN_GROUND_NEAREST, SEN_CLASS_ARP_SPOOF);
	event_plain(&ev, SEN_FEATURE_SRC_UNSOLICITED_64, 2);
	expect(&ev, SEN_GROUND_SIGNS, SEN_CLASS_ARP_SPOOF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_comes_first),
		cmocka_unit_test(what_is_not_flagged_has_no_name),
		cmocka_unit_test(the_operators_own_class_stands),
		cmocka_unit_test(signs_come_before_the_nearest_centroid),
		cmocka_unit_test(a_small_amplification_has_signs),
		cmocka_unit_test(small_floods_have_signs),
		cmocka_unit_test(a_small_scan_has_signs),
		cmocka_unit_test(a_centroid_of_another_protocol_is_not_heard),
		cmocka_unit_test(questions_for_many_hosts_are_a_scan_unless_known_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
