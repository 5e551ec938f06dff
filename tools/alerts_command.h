/* SPDX-License-Identifier: BSD-2-Clause */
/* How `sentroid alerts` shows what cmd_alerts.c has found: alerts_print.c. */
#ifndef SENTROID_ALERTS_COMMAND_H
#define SENTROID_ALERTS_COMMAND_H

#include "alert_history.h"
#include "table.h"

enum alerts_form {
	ALERTS_TABLE,
	ALERTS_JSON, /* one object */
	ALERTS_LINES /* of JSON, an alert each */
};

struct alerts_view {
	enum alerts_form form;
	bool interfaces; /* show whose they are */
	size_t shown;
	struct table table;
};

/* Between these two alerts_show() puts out one alert each. */
void alerts_begin(struct alerts_view *view);
void alerts_end(struct alerts_view *view);
void alerts_show(struct alerts_view *view, const struct sen_alert_record *r);
/* What has been shown so far is to be seen now, more will follow. */
void alerts_flush(struct alerts_view *view);

#endif
