// SPDX-License-Identifier: BSD-2-Clause
/* What `sentroid learn` and `sentroid alerts` ask of the agent, through a socket in the state folder of the interface. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control.h"
#include "interface_internal.h"

#define BAD_REQUEST 400
#define CONFLICT    409

static void done(struct sen_http_reply *reply, int err, const struct sen_why *why)
{
	sen_http_text(reply, err ? CONFLICT : 200, err ? why->text : "ok");
}

static void get_learner(void *ctx, struct sen_http_reply *reply)
{
	struct sen_interface *i = ctx;

	sen_http_json(reply, sen_learner_json(sen_learner_status(i->learner)));
}

static void get_alerts(void *ctx, struct sen_http_reply *reply)
{
	sen_http_json(reply, sen_interface_alerts(ctx));
}

static void post_now(void *ctx, const struct sen_http_request *request,
		     struct sen_http_reply *reply)
{
	struct sen_interface *i = ctx;
	struct sen_why why = { 0 };

	done(reply, sen_learner_ask(i->learner, sen_http_argument(request, "full"), &why), &why);
}

static void post_pause(void *ctx, const struct sen_http_request *request,
		       struct sen_http_reply *reply)
{
	const char *text = sen_http_argument(request, "seconds");
	struct sen_interface *i = ctx;
	struct sen_why why = { 0 };
	unsigned long seconds = 0;
	char *end = "";
	int err;

	if (text)
		seconds = strtoul(text, &end, 10);
	if (*end || seconds > UINT32_MAX / 1000) {
		sen_http_text(reply, BAD_REQUEST, "seconds: not a number in range");
		return;
	}
	err = sen_learner_pause(i->learner, (unsigned int)seconds, sen_now_ms(), &why);
	if (!err)
		sen_worker_cancel(i->env.worker, i);
	done(reply, err, &why);
}

static void post_resume(void *ctx, const struct sen_http_request *request,
			struct sen_http_reply *reply)
{
	struct sen_interface *i = ctx;
	struct sen_why why = { 0 };

	(void)request;
	done(reply, sen_learner_resume(i->learner, sen_now_ms(), &why), &why);
}

static const struct sen_http_route routes[] = {
	{ .path = SEN_CONTROL_LEARNER, .fn = get_learner },
	{ .path = SEN_CONTROL_ALERTS, .fn = get_alerts },
	{ .path = SEN_CONTROL_NOW, .post = post_now },
	{ .path = SEN_CONTROL_PAUSE, .post = post_pause },
	{ .path = SEN_CONTROL_RESUME, .post = post_resume },
	{ .path = NULL },
};

void sen_interface_open_control(struct sen_interface *i)
{
	char path[PATH_MAX + 16];
	struct sen_why why = { 0 };

	snprintf(path, sizeof(path), "%s/" SEN_CONTROL_SOCKET, i->state_dir);
	if (sen_http_start_local(i->env.loop, path, routes, i, &i->control, &why))
		sen_log(SEN_LOG_WARNING, "%s: no control by command: %s", i->name, why.text);
}
