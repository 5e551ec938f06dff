// SPDX-License-Identifier: BSD-2-Clause
/* When an alert began and was last heard of, in a time that is set meanwhile as the test says. */
#include <netinet/in.h>
#include <time.h>

#include "alert_kit.h"
#include "event.h"
#include "fixture.h"

static int64_t set_by_s;

int __wrap_clock_gettime(clockid_t id, struct timespec *t);

/* A fixed moment, but for what the wall clock was set by. */
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	*t = (struct timespec){ .tv_sec = id == CLOCK_REALTIME ? 1000000000 + set_by_s : 100 };
	return 0;
}

static void expect(const struct sen_alert *alert, const char *first, const char *last)
{
	cJSON *o = sen_alert_json(alert);

	assert_string_equal(cJSON_GetObjectItem(o, "first")->valuestring, first);
	assert_string_equal(cJSON_GetObjectItem(o, "last")->valuestring, last);
	cJSON_Delete(o);
}

static void times_stay_as_they_were(void **state)
{
	struct sen_finding scan = alert_rule(SEN_CLASS_SCAN);
	struct sen_event ev = event_make(IPPROTO_TCP, 66, 4000, 1, 80);
	struct sen_alerts *a;
	struct seen seen;

	(void)state;
	a = alerts_make(&alert_settings, &seen);
	sen_alerts_event(a, &ev, &scan, 100000);
	expect(&seen.last, "2001-09-09T01:46:40.000Z", "2001-09-09T01:46:40.000Z");
	set_by_s = 60;
	sen_alerts_event(a, &ev, &scan, 100000);
	set_by_s = 3600;
	sen_alerts_close_all(a);
	expect(&seen.last, "2001-09-09T01:46:40.000Z", "2001-09-09T01:47:40.000Z");
	sen_alerts_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
