// SPDX-License-Identifier: BSD-2-Clause
/* Alerts of novelties that signs have named: whom they are about, and what they take in. */
#include <netinet/in.h>
#include <string.h>

#include "alert_kit.h"
#include "announce.h"
#include "event.h"
#include "fixture.h"

/* As an agent has it by default, held back for a second. */
static struct sen_alerts *make(struct seen *seen)
{
	struct sen_alerts_settings settings = alert_settings;

	settings.novelty_hold_ms = 1000;
	return alerts_make(&settings, seen);
}

/* So strong that it needs no second one. */
static struct sen_event strong(unsigned int source, unsigned int target, unsigned int dport)
{
	struct sen_event ev = event_make(IPPROTO_TCP, source, 40000, target, dport);

	ev.score = 5 * SEN_ONE;
	return ev;
}

static void a_rule_makes_them_certain(void **state)
{
	struct sen_finding scan = alert_signs(SEN_CLASS_SCAN), rule = scan;
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = make(&seen);
	rule.certain = true;
	rule.by_signs = false;
	rule.reason = "by rule";
	for (unsigned int n = 0; n < 8; n++) {
		struct sen_event ev = strong(66, 1 + n, 22);

		sen_alerts_event(a, &ev, n < 6 ? &scan : &rule, 100 + n);
		assert_int_equal(seen.opened, 1);
	}
	assert_int_equal(sen_alerts_open(a), 1);
	sen_alerts_close_all(a);
	assert_true(seen.last.certain);
	assert_string_equal(seen.last.reason, "by rule");
	assert_int_equal(seen.last.events, 8);
	sen_alerts_free(a);
}

/* Sample by sample in turns; neither explains the other. */
static void in_turns(const struct sen_event *x, unsigned int class_x, const struct sen_event *y,
		     unsigned int class_y)
{
	struct sen_finding first = alert_signs(class_x), second = alert_signs(class_y);
	struct sen_alerts *a;
	struct seen seen;

	a = make(&seen);
	for (unsigned int n = 0; n < 20; n++) {
		sen_alerts_event(a, x, &first, 100 + n);
		sen_alerts_event(a, y, &second, 100 + n);
		sen_alerts_tick(a, 100 + n);
	}
	assert_int_equal(seen.opened, 2);
	assert_int_equal(seen.closed, 0);
	sen_alerts_free(a);
}

static void two_at_a_time_stay_apart(void **state)
{
	struct sen_event to_one = strong(66, 1, 22), to_other = strong(66, 2, 22);
	struct sen_event web = strong(66, 1, 80);

	(void)state;
	in_turns(&to_one, SEN_CLASS_BRUTE_FORCE, &to_other, SEN_CLASS_BRUTE_FORCE);
	in_turns(&to_one, SEN_CLASS_BRUTE_FORCE, &web, SEN_CLASS_SLOWLORIS);
	in_turns(&to_one, SEN_CLASS_BRUTE_FORCE, &to_other, SEN_CLASS_SCAN);
	in_turns(&to_one, SEN_CLASS_UDP_FLOOD, &to_one, SEN_CLASS_AMPLIFICATION);
}

/* What came before a name is its beginning, told or not; what comes after is part of it. */
static void unnamed_samples_of_a_pair_are_part_of_it(void **state)
{
	struct sen_finding guessing = alert_signs(SEN_CLASS_BRUTE_FORCE);
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 22);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = make(&seen);
	for (unsigned int n = 0; n < 5; n++)
		sen_alerts_event(a, &ev, &alert_novelty, 100 + n);
	ev.score = 5 * SEN_ONE;
	sen_alerts_event(a, &ev, &guessing, 200);
	sen_alerts_event(a, &ev, &alert_novelty, 300);
	sen_alerts_tick(a, 3000);
	assert_int_equal(seen.opened, 1);
	assert_int_equal(sen_alerts_total(a, SEN_CLASS_UNKNOWN), 0);
	sen_alerts_close_all(a);
	assert_int_equal(seen.last.class_id, SEN_CLASS_BRUTE_FORCE);
	assert_int_equal(seen.last.events, 2);
	sen_alerts_free(a);
}

static void a_wide_novelty_does_not_take_them_in(void **state)
{
	struct sen_finding slow = alert_signs(SEN_CLASS_SLOWLORIS);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = make(&seen);
	for (unsigned int n = 0; n < 60; n++) {
		struct sen_event ev = strong(66, 1, 80);

		sen_alerts_event(a, &ev, &slow, 100 + n);
		ev = strong(70 + n, 1, 80);
		sen_alerts_event(a, &ev, &alert_novelty, 100 + n);
	}
	assert_int_equal(sen_alerts_total(a, SEN_CLASS_SLOWLORIS), 1);
	sen_alerts_free(a);
}

/* Two hundred sources at one service, twice each. */
static struct sen_event of_many(unsigned int n, uint32_t score)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 2, 40000, 1, 22);

	event_spoof(&ev, 1000 + n % 200);
	ev.score = score;
	return ev;
}

/* Told one by one before it is seen that they are many, and not for longer. */
static void guesses_of_many_sources_are_one_alert(void **state)
{
	struct sen_finding guessing = alert_signs(SEN_CLASS_BRUTE_FORCE);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	for (uint32_t score = SEN_ONE; score <= 5 * SEN_ONE; score += 4 * SEN_ONE) {
		a = make(&seen);
		for (unsigned int n = 0; n < 400; n++) {
			struct sen_event ev = of_many(n, score);

			sen_alerts_event(a, &ev, &guessing, 100 + 10 * n);
		}
		assert_in_range(seen.opened, 1, score > 4 * SEN_ONE ? 20 : 1);
		assert_int_equal(sen_alerts_open(a), 1);
		sen_alerts_close_all(a);
		assert_true(sen_alert_sources(&seen.last) > 100);
		sen_alerts_free(a);
	}
}

/* The operator's own class says nothing of whom it is about: many sources are one alert. */
static void own_classes_are_told_by_who_they_touch(void **state)
{
	struct sen_model_flat flat = { .features = SEN_FEATURES_VERSION };
	char reason[SEN_ANNOUNCE_TEXT];
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = make(&seen);
	for (unsigned int n = 0; n < 400; n++) {
		struct sen_event ev = of_many(n, 2 * SEN_ONE);

		ev.class_id = SEN_CLASS_CUSTOM;
		assert_int_equal(sen_announce(a, &flat, &ev, true, 100 + 10 * n, reason),
				 SEN_CLASS_NONE);
	}
	sen_alerts_tick(a, 5000);
	assert_int_equal(sen_alerts_open(a), 1);
	assert_int_equal(sen_alerts_total(a, SEN_CLASS_CUSTOM), 1);
	sen_alerts_free(a);
}

/* Seven hosts that a source says nothing to, each once: an alert of the source, that says why. */
static void what_is_announced_says_which_signs(void **state)
{
	struct sen_model_flat flat = { .features = SEN_FEATURES_VERSION };
	char reason[SEN_ANNOUNCE_TEXT];
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = make(&seen);
	for (unsigned int n = 0; n < 7; n++) {
		struct sen_event ev = strong(66, 1 + n, 22);

		event_plain(&ev, SEN_FEATURE_SRC_HOSTS_64, 7);
		event_window(&ev, SEN_FEATURE_SRC_EMPTY_8, 7);
		assert_int_equal(sen_announce(a, &flat, &ev, true, 100 + n, reason),
				 SEN_CLASS_NONE);
	}
	assert_int_equal(seen.opened, 1);
	assert_int_equal(sen_alerts_total(a, SEN_CLASS_SCAN), 1);
	assert_string_equal(seen.last.class_name, "scan");
	assert_non_null(strstr(seen.last.reason, "in silence; unlike normal traffic: "));
	sen_alerts_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_makes_them_certain),
		cmocka_unit_test(two_at_a_time_stay_apart),
		cmocka_unit_test(unnamed_samples_of_a_pair_are_part_of_it),
		cmocka_unit_test(a_wide_novelty_does_not_take_them_in),
		cmocka_unit_test(guesses_of_many_sources_are_one_alert),
		cmocka_unit_test(own_classes_are_told_by_who_they_touch),
		cmocka_unit_test(what_is_announced_says_which_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
