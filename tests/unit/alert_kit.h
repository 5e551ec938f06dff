/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts under test: settings, findings, and what has been seen of them. */
#ifndef SENTROID_TEST_ALERT_KIT_H
#define SENTROID_TEST_ALERT_KIT_H

#include "alerts.h"

struct seen {
	unsigned int opened, updated, closed;
	struct sen_alert last;
};

/* A novelty is told after three samples in 10 s, at once from a score of 4 on, and not held back. */
extern const struct sen_alerts_settings alert_settings;
/* Alerts of these settings, which write what happens to *seen. Free with sen_alerts_free(). */
struct sen_alerts *alerts_make(const struct sen_alerts_settings *settings, struct seen *seen);

extern const struct sen_finding alert_novelty;
struct sen_finding alert_rule(unsigned int class_id);
struct sen_finding alert_signs(unsigned int class_id);

#endif
