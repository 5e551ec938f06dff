// SPDX-License-Identifier: BSD-2-Clause
/* Items that go round between their owner and a thread. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"
#include "pipeline.h"

#define ITEMS  3
#define ROUNDS 1000

struct work {
	unsigned int value[ITEMS]; /* filled by the owner, replaced by its square */
	unsigned int fails;        /* the value that cannot be run */
	unsigned int runs;
};

static int square(void *ctx, unsigned int item)
{
	struct work *w = ctx;
	const struct timespec moment = { .tv_nsec = 20000 };

	w->runs++;
	if (w->value[item] % 8 == 0)
		nanosleep(&moment, NULL);
	if (w->value[item] == w->fails)
		return -EIO;
	w->value[item] *= w->value[item];
	return 0;
}

static void take_oldest(struct sen_pipeline *p, const struct work *w, unsigned int expected)
{
	unsigned int item;

	assert_int_equal(sen_pipeline_take(p, &item), 0);
	assert_int_equal(w->value[item], expected * expected);
}

static void goes_round(bool threaded)
{
	struct work w = { .fails = ROUNDS };
	struct sen_pipeline *p;
	unsigned int taken = 0;

	assert_int_equal(sen_pipeline_start(ITEMS, threaded, square, &w, &p), 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		assert_int_equal(sen_pipeline_next(p), i % ITEMS);
		w.value[sen_pipeline_next(p)] = i;
		sen_pipeline_put(p);
		assert_false(sen_pipeline_empty(p));
		if (sen_pipeline_full(p))
			take_oldest(p, &w, taken++);
		assert_false(sen_pipeline_full(p));
	}
	while (!sen_pipeline_empty(p))
		take_oldest(p, &w, taken++);
	assert_int_equal(taken, ROUNDS);
	sen_pipeline_stop(p);
	assert_int_equal(w.runs, ROUNDS);
}

static void items_come_back_in_order_from_a_thread(void **state)
{
	(void)state;
	goes_round(true);
}

static void items_come_back_in_order_without_one(void **state)
{
	(void)state;
	goes_round(false);
}

static void an_error_comes_back_with_its_item(void **state)
{
	struct work w = { .fails = 2 };
	struct sen_pipeline *p;
	unsigned int item;

	(void)state;
	assert_int_equal(sen_pipeline_start(ITEMS, true, square, &w, &p), 0);
	for (unsigned int i = 1; i <= ITEMS; i++) {
		w.value[sen_pipeline_next(p)] = i;
		sen_pipeline_put(p);
	}
	assert_true(sen_pipeline_full(p));
	take_oldest(p, &w, 1);
	assert_int_equal(sen_pipeline_take(p, &item), -EIO);
	assert_int_equal(item, 1);
	take_oldest(p, &w, 3);
	sen_pipeline_stop(p);
}

static void stopping_waits_for_what_was_put(void **state)
{
	struct work w = { .fails = ROUNDS };
	struct sen_pipeline *p;

	(void)state;
	assert_int_equal(sen_pipeline_start(ITEMS, true, square, &w, &p), 0);
	for (unsigned int i = 0; i < ITEMS; i++)
		sen_pipeline_put(p);
	sen_pipeline_stop(p);
	assert_int_equal(w.runs, ITEMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_back_in_order_from_a_thread),
		cmocka_unit_test(items_come_back_in_order_without_one),
		cmocka_unit_test(an_error_comes_back_with_its_item),
		cmocka_unit_test(stopping_waits_for_what_was_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
