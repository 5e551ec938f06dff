// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "alert_kit.h"
#include "fixture.h"

const struct sen_finding alert_novelty = { .class_id = SEN_CLASS_UNKNOWN,
					   .class_name = "unknown",
					   .reason = "odd" };

const struct sen_alerts_settings alert_settings = {
	.capacity = 64,
	.update_ms = 10000,
	.idle_ms = 60000,
	.novelty_samples = 3,
	.novelty_window_ms = 10000,
	.novelty_score = 4 * SEN_ONE,
};

static void on_alert(void *ctx, enum sen_alert_phase phase, const struct sen_alert *alert)
{
	struct seen *seen = ctx;

	seen->opened += phase == SEN_ALERT_OPENED;
	seen->updated += phase == SEN_ALERT_UPDATED;
	seen->closed += phase == SEN_ALERT_CLOSED;
	seen->last = *alert;
}

struct sen_alerts *alerts_make(const struct sen_alerts_settings *settings, struct seen *seen)
{
	struct sen_alerts *a;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(sen_alerts_new(settings, on_alert, seen, &a), 0);
	return a;
}

struct sen_finding alert_rule(unsigned int class_id)
{
	return (struct sen_finding){ .class_id = class_id,
				     .class_name = sen_class_name(NULL, class_id),
				     .reason = "by rule",
				     .certain = true };
}

struct sen_finding alert_signs(unsigned int class_id)
{
	return (struct sen_finding){ .class_id = class_id,
				     .class_name = sen_class_name(NULL, class_id),
				     .reason = "by signs",
				     .by_signs = true };
}
