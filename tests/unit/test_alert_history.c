// SPDX-License-Identifier: BSD-2-Clause
/* Two lines of each alert and the agent's word become one record; what is no alert is told from what is one. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert_history.h"

enum {
	RUN = 1000
};

/* `key` is "event", of a line, or "state", of the agent's; it began at second `first`. */
static void add(struct sen_alert_history *h, const char *key, const char *word, unsigned int run,
		unsigned int id, unsigned int first, unsigned int events)
{
	char text[512];

	snprintf(
		text, sizeof(text),
		"{\"id\":%u,\"class\":\"scan\",\"first\":\"2026-11-21T10:00:%02u.000Z\","
		"\"last\":\"2026-11-21T10:01:00.000Z\",\"events\":%u,\"%s\":\"%s\",\"interface\":\"eth0\","
		"\"run\":%u}",
		id, first, events, key, word, run);
	assert_int_equal(sen_alert_history_add(h, text), 0);
}

static double events_of(const struct sen_alert_record *r)
{
	cJSON *o = sen_alert_record_json(r);
	double events = cJSON_GetNumberValue(cJSON_GetObjectItem(o, "events"));

	cJSON_Delete(o);
	return events;
}

static void expect(const struct sen_alert_record *r, unsigned int id, enum sen_alert_state state,
		   unsigned int events)
{
	assert_int_equal(r->id, id);
	assert_int_equal(r->state, state);
	assert_int_equal(events_of(r), events);
}

static void two_lines_are_one_alert(void **state)
{
	struct sen_alert_history h = { 0 };

	(void)state;
	add(&h, "event", "open", RUN, 1, 2, 1);
	add(&h, "event", "open", RUN, 2, 1, 1);
	add(&h, "event", "close", RUN, 1, 2, 40);
	sen_alert_history_join(&h);
	assert_int_equal(h.n, 2);
	expect(&h.records[0], 2, SEN_ALERT_IS_LOST, 1);
	expect(&h.records[1], 1, SEN_ALERT_IS_CLOSED, 40);
	sen_alert_history_free(&h);
}

/* A file that was put away may be read behind the one that took its place. */
static void in_whatever_order_they_come(void **state)
{
	struct sen_alert_history h = { 0 };

	(void)state;
	add(&h, "event", "close", RUN, 1, 0, 40);
	add(&h, "event", "open", RUN, 1, 0, 1);
	sen_alert_history_join(&h);
	assert_int_equal(h.n, 1);
	expect(&h.records[0], 1, SEN_ALERT_IS_CLOSED, 40);
	sen_alert_history_free(&h);
}

static void ids_are_of_their_run(void **state)
{
	struct sen_alert_history h = { 0 };

	(void)state;
	add(&h, "event", "open", RUN, 1, 0, 1);
	add(&h, "event", "open", RUN + 1, 1, 1, 1);
	add(&h, "event", "close", RUN + 1, 1, 1, 7);
	sen_alert_history_join(&h);
	assert_int_equal(h.n, 2);
	expect(&h.records[0], 1, SEN_ALERT_IS_LOST, 1);
	expect(&h.records[1], 1, SEN_ALERT_IS_CLOSED, 7);
	sen_alert_history_free(&h);
}

static void the_agent_knows_what_is_open(void **state)
{
	struct sen_alert_history h = { 0 };

	(void)state;
	add(&h, "event", "open", RUN, 1, 0, 1);
	add(&h, "event", "open", RUN, 2, 1, 1);
	add(&h, "event", "close", RUN, 2, 1, 9);
	add(&h, "state", "open", RUN, 1, 0, 25);
	add(&h, "state", "open", RUN, 2, 1, 8);   /* asked before it was closed */
	add(&h, "state", "closed", RUN, 3, 2, 5); /* of no line: the disk was full */
	sen_alert_history_join(&h);
	assert_int_equal(h.n, 3);
	expect(&h.records[0], 1, SEN_ALERT_IS_OPEN, 25);
	expect(&h.records[1], 2, SEN_ALERT_IS_CLOSED, 9);
	expect(&h.records[2], 3, SEN_ALERT_IS_CLOSED, 5);
	sen_alert_history_free(&h);
}

static void what_is_known_is_no_news(void **state)
{
	struct sen_alert_history h = { 0 }, news = { 0 };

	(void)state;
	add(&h, "state", "open", RUN, 1, 0, 25);
	sen_alert_history_join(&h);
	add(&news, "event", "open", RUN, 1, 0, 1);
	add(&news, "event", "close", RUN, 1, 0, 30);
	add(&news, "event", "open", RUN, 2, 0, 1);
	assert_true(sen_alert_history_has(&h, &news.records[0]));
	assert_false(sen_alert_history_has(&h, &news.records[1]));
	assert_false(sen_alert_history_has(&h, &news.records[2]));
	sen_alert_history_free(&h);
	sen_alert_history_free(&news);
}

/* The fields of GET /api/v1/alerts: a line's `event` is none of them. */
static void a_line_is_shown_as_the_agent_would(void **state)
{
	struct sen_alert_history h = { 0 };
	cJSON *o;

	(void)state;
	add(&h, "event", "close", RUN, 1, 0, 3);
	o = sen_alert_record_json(&h.records[0]);
	assert_null(cJSON_GetObjectItem(o, "event"));
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(o, "state")), "closed");
	cJSON_Delete(o);
	sen_alert_history_free(&h);
}

#define LINE(event, interface, run, first)                              \
	"{\"id\":1,\"first\":" first ",\"last\":\"b\",\"event\":" event \
	",\"interface\":" interface ",\"run\":" run "}"

static void what_is_no_alert_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{\"ev",
		"[]",
		"null",
		LINE("\"shut\"", "\"eth0\"", "1", "\"a\""),
		LINE("1", "\"eth0\"", "1", "\"a\""),
		LINE("\"open\"", "\"\"", "1", "\"a\""),
		LINE("\"open\"", "\"a-name-too-long-for-any\"", "1", "\"a\""),
		LINE("\"open\"", "\"eth0\"", "-1", "\"a\""),
		LINE("\"open\"", "\"eth0\"", "1e300", "\"a\""),
		LINE("\"open\"", "\"eth0\"", "\"1\"", "\"a\""),
		LINE("\"open\"", "\"eth0\"", "1", "null"),
		LINE("\"open\"", "\"eth0\"", "1", "\"a time that is longer than any time is\""),
	};
	struct sen_alert_history h = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(sen_alert_history_add(&h, bad[i]), -EBADMSG);
	assert_int_equal(h.n, 0);
	assert_int_equal(sen_alert_history_add(&h, LINE("\"open\"", "\"eth0\"", "1", "\"a\"")), 0);
	sen_alert_history_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_lines_are_one_alert),
		cmocka_unit_test(in_whatever_order_they_come),
		cmocka_unit_test(ids_are_of_their_run),
		cmocka_unit_test(the_agent_knows_what_is_open),
		cmocka_unit_test(what_is_known_is_no_news),
		cmocka_unit_test(a_line_is_shown_as_the_agent_would),
		cmocka_unit_test(what_is_no_alert_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
