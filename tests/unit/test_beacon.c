// SPDX-License-Identifier: BSD-2-Clause
/* Who calls home by the clock, and who only seems to. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "beacon.h"
#include "event.h"
#include "fixture.h"

#define SECOND 1000000000ull

struct caller {
	struct sen_beacons *beacons;
	unsigned int service;
	uint64_t now_ns;
	bool known;
	char reason[160];
};

static struct caller caller_new(unsigned int service)
{
	struct caller c = { .service = service, .now_ns = SECOND };

	assert_int_equal(sen_beacons_new(&c.beacons), 0);
	return c;
}

static void at_address(struct sen_event *ev, unsigned int a, unsigned int b)
{
	int target = !(ev->flow_flags & SEN_FLOW_INITIATOR_1);

	ev->key.addr[target][12] = (__u8)a;
	ev->key.addr[target][13] = (__u8)b;
}

/* A call from 10.0.0.2 to 203.0.0.9, some seconds after the last one: two evaluations, so many bytes. */
static bool call(struct caller *c, double after, uint64_t bytes)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 2, 20000 + (unsigned int)rand() % 40000, 9,
					 c->service);
	bool found;

	at_address(&ev, 203, 0);
	c->now_ns += (uint64_t)(after * (double)SECOND);
	ev.time_ns = c->now_ns;
	found = sen_beacons_event(c->beacons, &ev, c->known, c->reason, sizeof(c->reason));
	ev.time_ns += SECOND / 10;
	ev.evaluations = 2;
	ev.bytes = bytes;
	return sen_beacons_event(c->beacons, &ev, c->known, c->reason, sizeof(c->reason)) || found;
}

/* Calls until one is reported, 0: none was. */
static int calls_until_found(struct caller *c, double mean, double jitter, uint64_t bytes)
{
	for (int i = 1; i <= 200; i++)
		if (call(c, mean * (1 + jitter * (2.0 * rand() / RAND_MAX - 1)), bytes))
			return i;
	return 0;
}

static void a_steady_caller_is_found(void **state)
{
	struct caller c = caller_new(443);

	(void)state;
	srand(1);
	/* Twelve intervals lie between thirteen calls. */
	assert_int_equal(calls_until_found(&c, 60, 0, 900), 13);
	assert_non_null(strstr(c.reason, "13 times every 60.0 s"));
	sen_beacons_free(c.beacons);
	c = caller_new(8443);
	assert_in_range(calls_until_found(&c, 30, 0.1, 900), 13, 20);
	sen_beacons_free(c.beacons);
}

static void it_is_found_again_after_a_pause(void **state)
{
	struct caller c = caller_new(443);

	(void)state;
	assert_int_equal(calls_until_found(&c, 10, 0, 900), 13);
	assert_false(call(&c, 3600, 900));
	assert_int_equal(calls_until_found(&c, 10, 0, 900), 12);
	sen_beacons_free(c.beacons);
}

static void not_found(unsigned int service, double mean, double jitter, uint64_t bytes, bool known)
{
	struct caller c = caller_new(service);

	c.known = known;
	assert_int_equal(calls_until_found(&c, mean, jitter, bytes), 0);
	sen_beacons_free(c.beacons);
}

static void what_only_resembles_it(void **state)
{
	(void)state;
	srand(2);
	not_found(443, 60, 0.6, 900, false);  /* people */
	not_found(443, 1, 0, 900, false);     /* polling, of a page that is open */
	not_found(443, 60, 0, 500000, false); /* a camera that uploads */
	not_found(123, 64, 0, 90, false);     /* time */
	not_found(53, 60, 0, 120, false);     /* names */
	not_found(443, 60, 0, 900, true);     /* was there in the baseline */
}

/* Page loads: bursts of connections, then reading. */
static void bursts_are_no_beacon(void **state)
{
	struct caller c = caller_new(443);

	(void)state;
	for (int page = 0; page < 60; page++)
		for (int i = 0; i < 6; i++)
			assert_false(call(&c, i ? 0.02 : 30, 900));
	sen_beacons_free(c.beacons);
}

static void clocks_inside_are_nobodys_concern(void **state)
{
	static const unsigned int inside[][2] = { { 10, 0 }, { 192, 168 }, { 172, 20 }, { 224, 0 } };
	struct caller c = caller_new(443);

	(void)state;
	for (size_t k = 0; k < sizeof(inside) / sizeof(inside[0]); k++)
		for (uint64_t i = 0; i < 50; i++) {
			struct sen_event ev = event_make(IPPROTO_TCP, 2, 30000, 9, 443);

			at_address(&ev, inside[k][0], inside[k][1]);
			ev.time_ns = (1000 * k + i * 60) * SECOND;
			assert_false(sen_beacons_event(c.beacons, &ev, false, c.reason,
						       sizeof(c.reason)));
		}
	sen_beacons_free(c.beacons);
}

/* Thousands of others do not make it forget one that calls. */
static void a_crowd_does_not_hide_it(void **state)
{
	struct caller c = caller_new(443);
	bool found = false;

	(void)state;
	srand(3);
	for (int i = 0; i < 20; i++) {
		for (unsigned int k = 0; k < 300; k++) {
			struct sen_event ev = event_make(IPPROTO_TCP, 3 + k, 30000, 9, 443);

			at_address(&ev, 198, k % 250);
			ev.time_ns = c.now_ns + (uint64_t)(rand() % 50) * SECOND;
			assert_false(sen_beacons_event(c.beacons, &ev, false, c.reason,
						       sizeof(c.reason)));
		}
		found |= call(&c, 60, 900);
	}
	assert_true(found);
	sen_beacons_free(c.beacons);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_caller_is_found),
		cmocka_unit_test(it_is_found_again_after_a_pause),
		cmocka_unit_test(what_only_resembles_it),
		cmocka_unit_test(bursts_are_no_beacon),
		cmocka_unit_test(clocks_inside_are_nobodys_concern),
		cmocka_unit_test(a_crowd_does_not_hide_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
