// SPDX-License-Identifier: BSD-2-Clause
/* Every rule at its threshold and just below it, and benign mixes that must match none. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "fixture.h"
#include "rules.h"

static void expect(const struct sen_event *ev, unsigned int class_id)
{
	char reason[160];

	assert_int_equal(sen_rules_classify(ev, reason, sizeof(reason)), class_id);
	assert_int_equal(!*reason, class_id == SEN_CLASS_NONE);
}

static void inverse_is_exact(void **state)
{
	(void)state;
	for (uint32_t x = 0; x < 5000000; x += 1 + x / 50) {
		uint32_t least = sen_lg_inverse(sen_lg(x));

		assert_true(least <= x);
		assert_int_equal(sen_lg(least), sen_lg(x));
		if (least)
			assert_true(sen_lg(least - 1) < sen_lg(x));
	}
	assert_true(sen_lg_inverse(SEN_LG_MAX) == UINT32_MAX);
}

static struct sen_event scan_ports(unsigned int ports, unsigned int empty)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 8000);

	event_plain(&ev, SEN_FEATURE_SRC_PORTS_8, ports);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, empty);
	event_window(&ev, SEN_FEATURE_DST_EMPTY_8, empty);
	return ev;
}

static void port_scan(void **state)
{
	struct sen_event ev = scan_ports(100, 100);
	char reason[160];

	(void)state;
	expect(&ev, SEN_CLASS_SCAN);
	sen_rules_classify(&ev, reason, sizeof(reason));
	assert_non_null(strstr(reason, "ports"));
	ev = scan_ports(16, 12);
	expect(&ev, SEN_CLASS_SCAN);
	ev = scan_ports(12, 100);
	expect(&ev, SEN_CLASS_NONE);
	ev = scan_ports(100, 8);
	expect(&ev, SEN_CLASS_NONE);
	/* Many ports with something to say on each: passive FTP, peer to peer, answers of a resolver. */
	ev = scan_ports(100, 100);
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	expect(&ev, SEN_CLASS_NONE);
	ev = scan_ports(1000, 1000);
	ev.key.proto = IPPROTO_UDP;
	expect(&ev, SEN_CLASS_SCAN);
}

/* What comes back from a scan of one's own looks like a scan the other way round, but for the flags. */
static void reflection(void **state)
{
	struct sen_event ev = scan_ports(300, 300);

	(void)state;
	ev.flow_flags |= SEN_FLOW_SYN;
	expect(&ev, SEN_CLASS_SCAN);
	ev.flow_flags = SEN_FLOW_ANSWERED | (ev.flow_flags & ~SEN_FLOW_SYN);
	expect(&ev, SEN_CLASS_REFLECTION_TCP);
	/* After a start amid traffic some are joined in the middle. */
	ev = scan_ports(1, 100);
	ev.flow_flags = SEN_FLOW_ANSWERED | (ev.flow_flags & ~SEN_FLOW_SYN);
	expect(&ev, SEN_CLASS_NONE);
}

static void host_scan(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 22);

	(void)state;
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 16);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 16);
	expect(&ev, SEN_CLASS_SCAN);
	/* One that talks much besides is no scanner. */
	event_plain(&ev, SEN_FEATURE_SRC_PACKETS_PER_FLOW, 9);
	expect(&ev, SEN_CLASS_NONE);
	event_plain(&ev, SEN_FEATURE_SRC_PACKETS_PER_FLOW, 2);
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 8);
	expect(&ev, SEN_CLASS_NONE);
	/* A browser: many hosts, most of them answered with payload by now. */
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 40);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 6);
	expect(&ev, SEN_CLASS_NONE);
}

/* Many tabs at once, or no way out to any of the servers; a sweep for web servers is faster. */
static void web_host_scan(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 443);

	(void)state;
	event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 59);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 51);
	expect(&ev, SEN_CLASS_NONE);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 200);
	expect(&ev, SEN_CLASS_SCAN);
}

static void syn_flood(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 200, 1024, 1, 80);

	(void)state;
	event_window(&ev, SEN_FEATURE_DST_EMPTY_8, 5000);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 300);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 1);
	event_plain(&ev, SEN_FEATURE_SRC_PORTS_8, 1);
	expect(&ev, SEN_CLASS_SYN_FLOOD);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 20);
	expect(&ev, SEN_CLASS_NONE);
	/* One source, one port, no end of connections. */
	event_window(&ev, SEN_FEATURE_PAIR_EMPTY_64, 5000);
	event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 5000);
	expect(&ev, SEN_CLASS_SYN_FLOOD);
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	expect(&ev, SEN_CLASS_NONE);
	/* A client of a target that is being scanned by somebody else is neither. */
	ev = event_make(IPPROTO_TCP, 20, 40000, 1, 80);
	event_window(&ev, SEN_FEATURE_DST_EMPTY_8, 1000);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 7);
	event_window(&ev, SEN_FEATURE_PAIR_EMPTY_64, 2);
	expect(&ev, SEN_CLASS_NONE);
}

static void udp_flood(void **state)
{
	struct sen_event ev = event_make(IPPROTO_UDP, 66, 5000, 1, 4444);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 30000);
	event_window(&ev, SEN_FEATURE_DST_PACKETS_64, 30000);
	expect(&ev, SEN_CLASS_UDP_FLOOD);
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 1000);
	expect(&ev, SEN_CLASS_NONE);
	/* A busy resolver's client: 100 questions a second. */
	ev = event_make(IPPROTO_UDP, 20, 5000, 1, 53);
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 1720);
	expect(&ev, SEN_CLASS_NONE);
	/* Sources without number. */
	ev = event_make(IPPROTO_UDP, 66, 5000, 1, 4444);
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 310);
	event_window(&ev, SEN_FEATURE_DST_PACKETS_64, 30000);
	expect(&ev, SEN_CLASS_UDP_FLOOD);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 100);
	expect(&ev, SEN_CLASS_NONE);
	/* A call that begins while its target is under a SYN flood. */
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 310);
	event_window(&ev, SEN_FEATURE_DST_EMPTY_8, 17000);
	expect(&ev, SEN_CLASS_NONE);
	ev.flow_flags &= (__u8)~SEN_FLOW_PAYLOAD;
	expect(&ev, SEN_CLASS_UDP_FLOOD);
}

static void icmp_flood(void **state)
{
	struct sen_event ev = event_make(IPPROTO_ICMP, 66, 0, 1, 0);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	ev.packets = 20000;
	ev.evaluations = 18;
	event_plain(&ev, SEN_FEATURE_FLOW_PACKETS, ev.packets);
	expect(&ev, SEN_CLASS_ICMP_FLOOD);
	/* The same number of packets by a ping that has run since yesterday. */
	ev.evaluations = 19000;
	expect(&ev, SEN_CLASS_NONE);
	ev.key.proto = IPPROTO_ICMPV6;
	ev.evaluations = 18;
	expect(&ev, SEN_CLASS_ICMP_FLOOD);
}

static void amplification(void **state)
{
	struct sen_event ev = event_make(IPPROTO_UDP, 66, 123, 1, 40000);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_plain(&ev, SEN_FEATURE_FLOW_FIRST_PAYLOAD, 440);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 30);
	event_window(&ev, SEN_FEATURE_DST_PACKETS_64, 5000);
	expect(&ev, SEN_CLASS_AMPLIFICATION);
	event_plain(&ev, SEN_FEATURE_FLOW_FIRST_PAYLOAD, 48); /* an ordinary NTP answer */
	expect(&ev, SEN_CLASS_NONE);
	/* Answers that a resolver gets, seen without its questions. */
	ev = event_make(IPPROTO_UDP, 66, 53, 1, 40000);
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	event_plain(&ev, SEN_FEATURE_FLOW_FIRST_PAYLOAD, 400);
	event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 100);
	event_window(&ev, SEN_FEATURE_DST_PACKETS_64, 30000);
	expect(&ev, SEN_CLASS_NONE);
	event_plain(&ev, SEN_FEATURE_FLOW_FIRST_PAYLOAD, 1400);
	expect(&ev, SEN_CLASS_AMPLIFICATION);
}

static void brute_force(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 22);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD | SEN_FLOW_SYN;
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 8);
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_64, 8);
	expect(&ev, SEN_CLASS_BRUTE_FORCE);
	/* Monitoring that logs in every three seconds reaches 5.7 at most. */
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 6);
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_64, 46);
	expect(&ev, SEN_CLASS_NONE);
	/* A web server is no login service, a database sees more connections than a shell. */
	ev = event_make(IPPROTO_TCP, 66, 40000, 1, 5432);
	ev.flow_flags |= SEN_FLOW_PAYLOAD | SEN_FLOW_SYN;
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 30);
	expect(&ev, SEN_CLASS_NONE);
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 100);
	expect(&ev, SEN_CLASS_BRUTE_FORCE);
	ev.flow_flags &= (__u8)~SEN_FLOW_PAYLOAD;
	expect(&ev, SEN_CLASS_NONE);
}

static void slowloris(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 80);

	(void)state;
	ev.flow_flags |= SEN_FLOW_PAYLOAD | SEN_FLOW_SYN;
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_64, 100);
	ev.packets = 12;
	ev.evaluations = 12;
	ev.bytes = 12 * 75;
	expect(&ev, SEN_CLASS_SLOWLORIS);
	ev.flow_flags |= SEN_FLOW_CLOSED;
	expect(&ev, SEN_CLASS_NONE);
	ev.flow_flags &= (__u8)~SEN_FLOW_CLOSED;
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_64, 20);
	expect(&ev, SEN_CLASS_NONE);
	/* A short request among hundreds: evaluated at powers of two and when something changed. */
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_64, 1300);
	ev.packets = 6;
	ev.evaluations = 5;
	ev.bytes = 6 * 84;
	expect(&ev, SEN_CLASS_NONE);
	/* A download of some seconds. */
	ev.packets = 4000;
	ev.evaluations = 20;
	ev.bytes = 4000 * 66;
	expect(&ev, SEN_CLASS_NONE);
}

static void arp_spoof(void **state)
{
	struct sen_event ev = event_make(SEN_PROTO_ARP, 66, 0, 1, 0);

	(void)state;
	event_window(&ev, SEN_FEATURE_SRC_UNSOLICITED_64, 8);
	expect(&ev, SEN_CLASS_ARP_SPOOF);
	/* A host that comes up, or a standby that takes over. */
	event_window(&ev, SEN_FEATURE_SRC_UNSOLICITED_64, 5);
	expect(&ev, SEN_CLASS_NONE);
}

/* Web clients at up to thirty new connections a second each, with payload; and their first packets. */
static void benign_web(void **state)
{
	(void)state;
	srand(7);
	for (int n = 0; n < 20000; n++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 20 + n % 3, 30000 + n, 1, 80);
		unsigned int rate = 1 + rand() % 10, in_handshake = rand() % 8;

		event_plain(&ev, SEN_FEATURE_SRC_PORTS_8, 1 + rand() % 5);
		event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 1 + rand() % 40);
		event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, in_handshake);
		event_window(&ev, SEN_FEATURE_DST_EMPTY_8, 3 * in_handshake);
		event_plain(&ev, SEN_FEATURE_DST_SOURCES_8, 3);
		event_window(&ev, SEN_FEATURE_DST_PACKETS_64, rate * 3 * 138 * 10);
		event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, rate * 9 + rand() % (rate * 9));
		event_window(&ev, SEN_FEATURE_PAIR_FLOWS_64, rate * 69 + rand() % (rate * 69));
		event_window(&ev, SEN_FEATURE_PAIR_EMPTY_64, in_handshake);
		/* One direction only: nothing is ever answered. */
		event_window(&ev, SEN_FEATURE_SRC_UNANSWERED_64, rate * 138);
		ev.packets = 1 + rand() % 12;
		ev.evaluations = 1 + sen_top_bit(ev.packets) + (ev.packets > 3) + rand() % 2;
		ev.bytes = ev.packets * 80;
		event_plain(&ev, SEN_FEATURE_FLOW_PACKETS, ev.packets);
		if (ev.packets > 2)
			ev.flow_flags |= SEN_FLOW_PAYLOAD;
		expect(&ev, SEN_CLASS_NONE);
	}
}

static void benign_others(void **state)
{
	struct sen_event ev;

	(void)state;
	ev = event_make(IPPROTO_ICMP, 20, 0, 1, 0); /* ping */
	ev.packets = 5;
	ev.evaluations = 5;
	expect(&ev, SEN_CLASS_NONE);
	ev = event_make(IPPROTO_UDP, 22, 40000, 1, 5201); /* a test of throughput */
	ev.flow_flags |= SEN_FLOW_PAYLOAD;
	ev.packets = 20000;
	ev.evaluations = 25;
	event_plain(&ev, SEN_FEATURE_FLOW_PACKETS, 20000);
	event_window(&ev, SEN_FEATURE_DST_PACKETS_64, 200000);
	event_window(&ev, SEN_FEATURE_PAIR_FLOWS_8, 3);
	expect(&ev, SEN_CLASS_NONE);
	ev = event_make(SEN_PROTO_ARP, 20, 0, 1, 0); /* a question */
	expect(&ev, SEN_CLASS_NONE);
	ev.key.proto = 47; /* a protocol that no rule speaks of */
	memset(&ev.vector, 0xff, sizeof(ev.vector));
	expect(&ev, SEN_CLASS_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inverse_is_exact), cmocka_unit_test(port_scan),
		cmocka_unit_test(reflection),       cmocka_unit_test(host_scan),
		cmocka_unit_test(web_host_scan),    cmocka_unit_test(syn_flood),
		cmocka_unit_test(udp_flood),        cmocka_unit_test(icmp_flood),
		cmocka_unit_test(amplification),    cmocka_unit_test(brute_force),
		cmocka_unit_test(slowloris),        cmocka_unit_test(arp_spoof),
		cmocka_unit_test(benign_web),       cmocka_unit_test(benign_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
