// SPDX-License-Identifier: BSD-2-Clause
/* Thousands of samples must become a handful of alerts, in fixed memory. */
#include <netinet/in.h>
#include <string.h>

#include "alert_kit.h"
#include "endpoint.h"
#include "event.h"
#include "fixture.h"

/* Held back for a moment, novelties of a scan and of others at its target are explained by the scan. */
static void novelties_wait_for_a_name(void **state)
{
	struct sen_finding scan = alert_rule(SEN_CLASS_SCAN);
	struct sen_alerts_settings patient = alert_settings;
	struct sen_event scanner, bystander, other;
	struct sen_alerts *a;
	struct seen seen = { 0 };

	(void)state;
	patient.novelty_hold_ms = 1000;
	a = alerts_make(&patient, &seen);
	scanner = event_make(IPPROTO_TCP, 1, 1000, 2, 80);
	bystander = event_make(IPPROTO_TCP, 3, 1000, 2, 80);
	other = event_make(IPPROTO_TCP, 4, 1000, 5, 80);
	for (int n = 0; n < 3; n++) {
		sen_alerts_event(a, &scanner, &alert_novelty, 100);
		sen_alerts_event(a, &bystander, &alert_novelty, 100);
		sen_alerts_event(a, &other, &alert_novelty, 100);
	}
	sen_alerts_tick(a, 500);
	assert_int_equal(seen.opened, 0);
	sen_alerts_event(a, &scanner, &scan, 600);
	assert_int_equal(seen.opened, 1);
	sen_alerts_tick(a, 1200);
	/* What nothing explains is told when its time has come, without another sample. */
	assert_int_equal(seen.opened, 2);
	assert_memory_equal(seen.last.source, sen_event_source(&other), SEN_ADDR_BYTES);
	assert_string_equal(seen.last.class_name, "unknown");
	/* Strong ones do not wait. */
	other = event_make(IPPROTO_TCP, 7, 1000, 8, 80);
	other.score = 4 * SEN_ONE;
	sen_alerts_event(a, &other, &alert_novelty, 1300);
	assert_int_equal(seen.opened, 3);
	sen_alerts_free(a);
}

/* What found them odd is taken back before their time has come. */
static void novelties_can_come_to_nothing(void **state)
{
	struct sen_finding scan = alert_rule(SEN_CLASS_SCAN);
	struct sen_alerts_settings patient = alert_settings;
	struct sen_event scanner, odd;
	struct sen_alerts *a;
	struct seen seen = { 0 };

	(void)state;
	patient.novelty_hold_ms = 1000;
	a = alerts_make(&patient, &seen);
	scanner = event_make(IPPROTO_TCP, 1, 1000, 2, 80);
	odd = event_make(IPPROTO_TCP, 4, 1000, 5, 80);
	sen_alerts_event(a, &scanner, &scan, 100);
	for (int n = 0; n < 3; n++)
		sen_alerts_event(a, &odd, &alert_novelty, 100);
	sen_alerts_forget_novelties(a);
	sen_alerts_tick(a, 2000);
	assert_int_equal(seen.opened, 1);
	assert_int_equal(seen.closed, 0);
	sen_alerts_free(a);
}

static void one_scan_is_one_alert(void **state)
{
	struct sen_finding scan = alert_rule(SEN_CLASS_SCAN);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	for (unsigned int n = 0; n < 10000; n++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1 + n % 50, 1 + n % 1000);

		ev.score = n * 10;
		sen_alerts_event(a, &ev, &scan, 1000 + n);
	}
	assert_int_equal(seen.opened, 1);
	assert_int_equal(sen_alerts_open(a), 1);
	assert_int_equal(sen_alerts_total(a, SEN_CLASS_SCAN), 1);
	sen_alerts_close_all(a);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.last.events, 10000);
	assert_int_equal(seen.last.score_max, 99990);
	assert_int_equal(seen.last.first_ms, 1000);
	assert_int_equal(seen.last.last_ms, 10999);
	assert_int_equal(seen.last.ports, SEN_ALERT_PORTS);
	assert_in_range(sen_alert_targets(&seen.last), 45, 55);
	assert_int_equal(sen_alert_sources(&seen.last), 1);
	sen_alerts_free(a);
}

static void spoofed_flood_is_one_alert(void **state)
{
	struct sen_finding flood = alert_rule(SEN_CLASS_SYN_FLOOD);
	struct sen_alerts *a;
	struct seen seen;
	char line[512];
	cJSON *json;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	for (unsigned int n = 0; n < 3000; n++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 2, 1024 + n, 1, 80);

		event_spoof(&ev, 1000 + n);
		sen_alerts_event(a, &ev, &flood, n);
	}
	assert_int_equal(seen.opened, 1);
	sen_alerts_close_all(a);
	assert_in_range(sen_alert_sources(&seen.last), 2400, 3600);
	sen_alert_line(&seen.last, line, sizeof(line));
	assert_non_null(strstr(line, "many sources"));
	assert_non_null(strstr(line, "10.0.0.1"));
	json = sen_alert_json(&seen.last);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "source")));
	assert_string_equal(cJSON_GetObjectItem(json, "target")->valuestring, "10.0.0.1");
	cJSON_Delete(json);
	sen_alerts_free(a);
}

static void pairs_stay_apart(void **state)
{
	struct sen_finding guess = alert_rule(SEN_CLASS_BRUTE_FORCE);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	for (unsigned int n = 0; n < 100; n++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 66 + n % 2, 4000 + n, 1, 22);

		sen_alerts_event(a, &ev, &guess, n);
	}
	assert_int_equal(seen.opened, 2);
	sen_alerts_free(a);
}

static void novelty_must_persist(void **state)
{
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 9999);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	ev.score = 2 * SEN_ONE;
	sen_alerts_event(a, &ev, &alert_novelty, 0);
	sen_alerts_event(a, &ev, &alert_novelty, 100);
	assert_int_equal(seen.opened, 0);
	/* The third comes too late, and is the first of a new window. */
	sen_alerts_event(a, &ev, &alert_novelty, 11000);
	sen_alerts_event(a, &ev, &alert_novelty, 11100);
	assert_int_equal(seen.opened, 0);
	sen_alerts_event(a, &ev, &alert_novelty, 11200);
	assert_int_equal(seen.opened, 1);
	assert_int_equal(seen.last.events, 5);

	ev = event_make(IPPROTO_TCP, 67, 4000, 1, 9999);
	ev.score = 4 * SEN_ONE;
	sen_alerts_event(a, &ev, &alert_novelty, 12000);
	assert_int_equal(seen.opened, 2);
	sen_alerts_free(a);
}

static void novelties_fold_into_certain_ones(void **state)
{
	struct sen_finding scan = alert_rule(SEN_CLASS_SCAN);
	struct sen_finding flood = alert_rule(SEN_CLASS_UDP_FLOOD);
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	sen_alerts_event(a, &ev, &scan, 0);
	ev.score = 9 * SEN_ONE;
	for (int n = 0; n < 10; n++)
		sen_alerts_event(a, &ev, &alert_novelty, 10 + n);
	assert_int_equal(seen.opened, 1);
	sen_alerts_close_all(a);
	assert_int_equal(seen.last.class_id, SEN_CLASS_SCAN);
	assert_int_equal(seen.last.events, 11);
	assert_int_equal(seen.last.score_max, 9 * SEN_ONE);
	assert_string_equal(seen.last.reason, "by rule");
	/* Others who talk to the target of a flood look odd because of it. */
	ev = event_make(IPPROTO_UDP, 66, 4000, 1, 4444);
	sen_alerts_event(a, &ev, &flood, 1000);
	ev = event_make(IPPROTO_TCP, 20, 4000, 1, 80);
	ev.score = 9 * SEN_ONE;
	sen_alerts_event(a, &ev, &alert_novelty, 1001);
	assert_int_equal(seen.opened, 2);
	sen_alerts_event(a, &ev, &alert_novelty, 1002);
	assert_true(sen_alerts_explain(a, &ev, 1002));
	/* But not those who talk to somebody else. */
	ev = event_make(IPPROTO_TCP, 20, 4000, 3, 80);
	ev.score = 9 * SEN_ONE;
	assert_false(sen_alerts_explain(a, &ev, 1003));
	sen_alerts_event(a, &ev, &alert_novelty, 1003);
	assert_int_equal(seen.opened, 3);
	/* Nor for ever. */
	ev = event_make(IPPROTO_TCP, 20, 4000, 1, 80);
	assert_false(sen_alerts_explain(a, &ev, 70000));
	seen.last.id = 0;
	sen_alerts_tick(a, 61000);
	assert_int_equal(seen.last.class_id, SEN_CLASS_UDP_FLOOD);
	assert_int_equal(seen.last.folded, 2);
	assert_int_equal(seen.last.events, 1);
	assert_int_equal(sen_alert_sources(&seen.last), 1);
	sen_alerts_free(a);
}

static void first_signs_are_absorbed(void **state)
{
	struct sen_finding scan = alert_rule(SEN_CLASS_SCAN);
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct sen_event old = event_make(IPPROTO_TCP, 66, 4000, 2, 80);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	ev.score = old.score = 9 * SEN_ONE;
	sen_alerts_event(a, &old, &alert_novelty, 0);
	sen_alerts_event(a, &ev, &alert_novelty, 20000);
	assert_int_equal(sen_alerts_open(a), 2);
	sen_alerts_event(a, &ev, &scan, 20500);
	assert_int_equal(sen_alerts_open(a), 2); /* the scan, and what was long before it */
	assert_int_equal(seen.closed, 1);
	sen_alerts_free(a);
}

static void novelty_of_many_sources_is_the_targets(void **state)
{
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	for (unsigned int n = 0; n < 1000; n++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 2, 1024 + n, 1, 80);

		event_spoof(&ev, 1000 + n);
		ev.score = 5 * SEN_ONE;
		sen_alerts_event(a, &ev, &alert_novelty, n);
	}
	assert_in_range(seen.opened, 2, 20);
	assert_in_range(sen_alerts_open(a), 1, 20);
	sen_alerts_free(a);
}

static void memory_is_bounded(void **state)
{
	struct sen_finding guess = alert_rule(SEN_CLASS_BRUTE_FORCE);
	struct sen_alerts *a;
	struct seen seen;
	cJSON *list;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	for (unsigned int n = 0; n < 1000; n++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 2, 4000, 1, 22);

		event_spoof(&ev, 100000 + n);
		sen_alerts_event(a, &ev, &guess, n);
	}
	assert_int_equal(seen.opened, 1000);
	assert_int_equal(sen_alerts_open(a), alert_settings.capacity);
	assert_int_equal(seen.closed, 1000 - alert_settings.capacity);
	/* The longest silent made room: the latest is there still. */
	list = sen_alerts_json(a);
	assert_int_equal(cJSON_GetArraySize(list), alert_settings.capacity + 64);
	cJSON_Delete(list);
	/* Candidates give way before alerts do. */
	for (unsigned int n = 0; n < 1000; n++) {
		struct sen_event ev = event_make(IPPROTO_TCP, 2, 4000, 1, 9999);

		event_spoof(&ev, 200000 + n);
		ev.score = SEN_ONE;
		sen_alerts_event(a, &ev,
				 &(struct sen_finding){ .class_id = SEN_CLASS_UNKNOWN,
							.class_name = "unknown",
							.reason = "odd" },
				 2000 + n);
	}
	assert_true(sen_alerts_open(a) >= alert_settings.capacity - 4);
	sen_alerts_free(a);
}

static void updates_and_closing(void **state)
{
	struct sen_finding scan = alert_rule(SEN_CLASS_SCAN);
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	sen_alerts_event(a, &ev, &scan, 0);
	sen_alerts_tick(a, 9999);
	assert_int_equal(seen.updated, 0);
	sen_alerts_event(a, &ev, &scan, 9999);
	sen_alerts_tick(a, 10000);
	assert_int_equal(seen.updated, 1);
	/* Nothing new: nothing to say. */
	sen_alerts_tick(a, 30000);
	assert_int_equal(seen.updated, 1);
	sen_alerts_tick(a, 9999 + 59999);
	assert_int_equal(seen.closed, 0);
	sen_alerts_tick(a, 9999 + 60000);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(sen_alerts_open(a), 0);
	sen_alerts_event(a, &ev, &scan, 100000);
	assert_int_equal(seen.opened, 2);
	assert_int_equal(seen.last.id, 2);
	sen_alerts_free(a);
}

/* Every `step` one that looks odd, from the end of an attack on; how long until one opens an alert. */
static int64_t quiet_after(unsigned int class_id, int64_t step)
{
	struct sen_finding attack = alert_rule(class_id);
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 40000, 1, 80);
	int64_t now = 1000;
	struct sen_alerts *a;
	struct seen seen;

	a = alerts_make(&alert_settings, &seen);
	sen_alerts_event(a, &ev, &attack, now);
	ev = event_make(IPPROTO_TCP, 7, 40000, 1, 80);
	ev.score = 5 * SEN_ONE;
	while (seen.opened == 1) {
		now += step;
		sen_alerts_tick(a, now);
		sen_alerts_event(a, &ev, &alert_novelty, now);
	}
	sen_alerts_free(a);
	return now - 1000;
}

/* Its target's slow counters take their time: no wave of novelties once the attack is a minute old. */
static void an_attack_fades_away(void **state)
{
	(void)state;
	assert_int_equal(quiet_after(SEN_CLASS_SYN_FLOOD, 61000), 61000);
	assert_int_equal(quiet_after(SEN_CLASS_SYN_FLOOD, 20000), 320000);
	assert_int_equal(quiet_after(SEN_CLASS_SCAN, 20000), 80000);
}

/* Sixteen sources are one alert; those that came before it was known are closed. */
static void a_wide_novelty_takes_the_narrow_ones(void **state)
{
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	for (unsigned int n = 0; n < 200; n++) {
		struct sen_event ev = event_make(IPPROTO_UDP, 100 + n % 100, 40000, 1, 9);

		ev.score = 5 * SEN_ONE;
		sen_alerts_event(a, &ev, &alert_novelty, 1000 + n);
	}
	assert_int_equal(sen_alerts_open(a), 1);
	assert_in_range(seen.opened, 10, 20);
	assert_int_equal(seen.closed, seen.opened - 1);
	sen_alerts_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(novelties_wait_for_a_name),
		cmocka_unit_test(novelties_can_come_to_nothing),
		cmocka_unit_test(one_scan_is_one_alert),
		cmocka_unit_test(spoofed_flood_is_one_alert),
		cmocka_unit_test(pairs_stay_apart),
		cmocka_unit_test(novelty_must_persist),
		cmocka_unit_test(novelties_fold_into_certain_ones),
		cmocka_unit_test(first_signs_are_absorbed),
		cmocka_unit_test(novelty_of_many_sources_is_the_targets),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(updates_and_closing),
		cmocka_unit_test(an_attack_fades_away),
		cmocka_unit_test(a_wide_novelty_takes_the_narrow_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
