// SPDX-License-Identifier: BSD-2-Clause
/* What the sample store gives to a training: its fairness, and what comes first. */
#include <stdlib.h>

#include "fixture.h"
#include "record.h"

static size_t draw(struct sen_store *s, struct sen_store_wish wish, struct sen_sample *out)
{
	long n = sen_store_draw(s, &wish, out, NULL);

	assert_true(n >= 0);
	return (size_t)n;
}

static int by_time(const void *a, const void *b)
{
	const struct sen_sample *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static void what_goes_in_comes_out(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_sample out[20];
	struct sen_record want;

	(void)state;
	record_add(s, 0, 5, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	record_add(s, 5, 5, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 10, .past = 10, .attacks = 10 },
			      out),
			 10);
	qsort(out, 10, sizeof(out[0]), by_time);
	for (unsigned int i = 0; i < 10; i++) {
		want = record_make(i, i < 5 ? SEN_LABEL_BENIGN : SEN_LABEL_ATTACK,
				   i < 5 ? SEN_CLASS_NONE : SEN_CLASS_SCAN);
		assert_memory_equal(&out[i].vector, &want.sample.vector, sizeof(out[i].vector));
		assert_int_equal(out[i].time_ns / 1000000, i);
		assert_int_equal(out[i].score, want.sample.score);
		assert_int_equal(out[i].label, want.sample.label);
		assert_int_equal(out[i].class_id, want.sample.class_id);
		assert_int_equal(out[i].origin, want.sample.origin);
		assert_int_equal(out[i].source, out[0].source);
		assert_true(out[i].source != 0);
	}
	sen_store_close(s);
}

static size_t of_class(const struct sen_sample *samples, size_t n, unsigned int class_id)
{
	size_t count = 0;

	while (n-- > 0)
		count += samples[n].class_id == class_id;
	return count;
}

/* A flood of one class leaves the rare one whole. */
static void rare_classes_stay(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_sample out[400];
	size_t n;

	(void)state;
	record_add(s, 0, 12, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	record_add(s, 0, 20000, SEN_LABEL_ATTACK, SEN_CLASS_SYN_FLOOD);
	assert_int_equal(sen_store_counts(s).attack, 12 + 50);
	n = draw(s, (struct sen_store_wish){ .attacks = 24 }, out);
	assert_int_equal(n, 24);
	assert_int_equal(of_class(out, n, SEN_CLASS_SCAN), 12);
	sen_store_close(s);
}

/* What attacks teach, and what candidates are judged by, is shared out by the weights of the classes. */
static void classes_are_drawn_by_weight(void **state)
{
	double weights[SEN_CLASS_BUILTIN_COUNT] = {
		[SEN_CLASS_SCAN] = 1, [SEN_CLASS_SYN_FLOOD] = 3
	};
	struct sen_store_wish wish = { .attacks = 40, .weights = weights };
	struct sen_store *s = record_store(NULL);
	struct sen_sample out[400];
	size_t n;

	(void)state;
	record_add(s, 0, 50, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	record_add(s, 0, 50, SEN_LABEL_ATTACK, SEN_CLASS_SYN_FLOOD);
	record_add(s, 0, 50, SEN_LABEL_ATTACK, SEN_CLASS_ARP_SPOOF);
	n = draw(s, wish, out);
	assert_int_equal(n, 40);
	assert_int_equal(of_class(out, n, SEN_CLASS_SCAN), 10);
	assert_int_equal(of_class(out, n, SEN_CLASS_SYN_FLOOD), 30);
	wish.weights = NULL;
	n = draw(s, wish, out);
	assert_int_equal(of_class(out, n, SEN_CLASS_ARP_SPOOF), 14);
	weights[SEN_CLASS_SCAN] = weights[SEN_CLASS_SYN_FLOOD] = 0;
	wish.weights = weights;
	assert_int_equal(draw(s, wish, out), 0);
	sen_store_close(s);
}

/* Every part of the stream has its share, the latest a somewhat larger one. */
static void the_reservoir_is_fair(void **state)
{
	size_t part[4] = { 0 };
	struct sen_sample out[400];

	(void)state;
	for (int run = 0; run < 8; run++) {
		struct sen_store *s = record_store(NULL);
		size_t n;

		/* Other dice each time. */
		record_add(s, 0, 50 * run, SEN_LABEL_NONE, SEN_CLASS_NONE);
		for (unsigned int i = 0; i < 1600; i += 200) {
			record_add(s, i, 200, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
			assert_int_equal(sen_store_settle(s, NULL), 0);
		}
		record_add(s, 1600, 1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
		n = draw(s, (struct sen_store_wish){ .past = 400 }, out);
		assert_int_equal(n, 400);
		for (size_t i = 0; i < n; i++)
			part[out[i].time_ns / 1000000 / 400]++;
		sen_store_close(s);
	}
	/* 3,200 over four parts: 800 each but for the fading, e^(-1/8) a part. */
	for (int i = 0; i < 4; i++)
		assert_in_range(part[i], 500, 1150);
	assert_true(part[3] > part[0]);
}

static void nothing_is_fresh_twice(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_sample out[400];

	(void)state;
	record_add(s, 0, 100, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 200 }, out), 100);
	assert_int_equal(sen_store_settle(s, NULL), 0);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 200 }, out), 0);
	assert_int_equal(draw(s, (struct sen_store_wish){ .past = 200 }, out), 100);
	record_add(s, 100, 7, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	assert_int_equal(draw(s, (struct sen_store_wish){ .fresh = 200 }, out), 7);
	sen_store_close(s);
}

/* A high score alone is no attack to train on, nor one that no model of ours has flagged. */
static void only_certain_attacks_are_drawn(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	struct sen_sample out[400];

	(void)state;
	sen_store_add(s, &r);
	r.sample.score = SEN_ONE / 2;
	sen_store_add(s, &r);
	r.sample.score = 2 * SEN_ONE;
	r.sample.model_version = 0;
	sen_store_add(s, &r);
	r.sample.origin = SEN_ORIGIN_SCORE;
	sen_store_add(s, &r);
	assert_int_equal(sen_store_flush(s, 1, NULL), 0);
	assert_int_equal(sen_store_counts(s).attack, 4);
	assert_int_equal(draw(s, (struct sen_store_wish){ .attacks = 200 }, out), 3);
	assert_int_equal(
		draw(s, (struct sen_store_wish){ .attacks = 200, .least_score = SEN_ONE }, out), 1);
	sen_store_close(s);
}

/* An operator says so because it was missed: a gate must hear of it, and of all that they have said. */
static void operators_attacks_are_drawn_first(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	struct sen_sample out[8];

	(void)state;
	record_add(s, 0, 40, SEN_LABEL_ATTACK, SEN_CLASS_SCAN);
	r.sample.origin = SEN_ORIGIN_OPERATOR;
	r.sample.score = SEN_ONE / 8;
	for (int i = 0; i < 8; i++)
		sen_store_add(s, &r);
	assert_int_equal(sen_store_flush(s, 1, NULL), 0);
	assert_int_equal(
		draw(s, (struct sen_store_wish){ .attacks = 8, .least_score = SEN_ONE }, out), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(out[i].origin, SEN_ORIGIN_OPERATOR);
	sen_store_close(s);
}

/* And of what they say is normal, all takes part in every training, whatever else there is. */
static void operators_normal_samples_are_drawn_first(void **state)
{
	struct sen_store *s = record_store(NULL);
	struct sen_record r = record_make(1, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
	size_t operated = 0, n;
	struct sen_sample out[20];

	(void)state;
	r.sample.origin = SEN_ORIGIN_OPERATOR;
	for (int i = 0; i < 10; i++)
		sen_store_add(s, &r);
	assert_int_equal(sen_store_flush(s, 1, NULL), 0);
	for (int i = 0; i < 3; i++) {
		record_add(s, 0, 200, SEN_LABEL_BENIGN, SEN_CLASS_NONE);
		assert_int_equal(sen_store_settle(s, NULL), 0);
	}
	n = draw(s, (struct sen_store_wish){ .past = 20 }, out);
	for (size_t i = 0; i < n; i++)
		operated += out[i].origin == SEN_ORIGIN_OPERATOR;
	assert_int_equal(operated, 10);
	sen_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(rare_classes_stay),
		cmocka_unit_test(classes_are_drawn_by_weight),
		cmocka_unit_test(the_reservoir_is_fair),
		cmocka_unit_test(nothing_is_fresh_twice),
		cmocka_unit_test(only_certain_attacks_are_drawn),
		cmocka_unit_test(operators_attacks_are_drawn_first),
		cmocka_unit_test(operators_normal_samples_are_drawn_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
