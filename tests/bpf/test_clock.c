// SPDX-License-Identifier: BSD-2-Clause
/* The clock of a live program: CLOCK_MONOTONIC to within a timer interrupt, whichever way it is read. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "jiffies.h"

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * (int64_t)SECOND_NS + ts.tv_nsec;
}

static int64_t tick_ns(void)
{
	struct timespec ts;

	clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_nsec;
}

/* When the program says that the first packet of a flow came. */
static int64_t first_seen(struct rig *rig, uint16_t port)
{
	struct packet p;

	packet_udp(&p, HOST(1), port, HOST(2), 53, 1);
	assert_int_equal(rig_run(rig->prog_fd, p.data, p.len), PASSED);
	for (unsigned int way = 0; way < rig->flows.capacity; way++) {
		const struct sen_flow *f = rig_table_entry(&rig->flows, way);

		if (f && (f->key.port[0] == port || f->key.port[1] == port))
			return (int64_t)f->first_ns;
	}
	fail_msg("no entry of the flow from port %u", port);
	return 0;
}

static void follows_the_monotonic_clock(const struct rig_sizes *sizes)
{
	struct rig *rig = rig_open(sizes);

	for (uint16_t n = 1; n <= 20; n++) {
		int64_t before = clock_ns(CLOCK_MONOTONIC_COARSE), seen = first_seen(rig, n);
		int64_t after = clock_ns(CLOCK_MONOTONIC_COARSE);

		assert_in_range(seen + 2 * tick_ns() - before, 0, after - before + 4 * tick_ns());
		usleep(7000);
	}
	rig_close(rig);
}

static void jiffies_follow_the_monotonic_clock(void **state)
{
	(void)state;
	if (!sen_jiffies_measure().ns)
		skip(); /* no timers of high resolution */
	follows_the_monotonic_clock(&(struct rig_sizes){ .live = true, .flows = 1024 });
}

static void so_does_the_coarse_clock_without_them(void **state)
{
	(void)state;
	follows_the_monotonic_clock(
		&(struct rig_sizes){ .live = true, .flows = 1024, .no_jiffies = true });
}

/* Measured anew it is the same clock: agents and programs of different times understand each other. */
static void measured_alike_at_any_time(void **state)
{
	struct sen_jiffies first = sen_jiffies_measure(), again;

	(void)state;
	if (!first.ns)
		skip();
	assert_int_equal(first.ns, tick_ns());
	for (int i = 0; i < 20; i++) {
		again = sen_jiffies_measure();
		assert_int_equal(again.ns, first.ns);
		assert_true(llabs((int64_t)(again.zero_ns - first.zero_ns)) <= (int64_t)first.ns);
		usleep(3000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jiffies_follow_the_monotonic_clock),
		cmocka_unit_test(so_does_the_coarse_clock_without_them),
		cmocka_unit_test(measured_alike_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
