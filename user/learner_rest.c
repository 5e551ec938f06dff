// SPDX-License-Identifier: BSD-2-Clause
/* Learning rests: for a while after a roll-back, or as an operator has asked. Both are on record beside the
 * version concerned, so that a restart of the agent ends neither. */
#include <string.h>
#include <time.h>

#include "learner_internal.h"

/* Of a version rolled back: so long learning rests from then on; 0: it has gone on again. */
#define RESTS "rest_seconds"
/* Of the version in force when an operator paused: until when, Unix time; 0: it has gone on again. */
#define PAUSED_UNTIL "paused_until"
#define FOREVER      -1.0

static void record(struct sen_learner *l, unsigned int version, const char *fact, double value)
{
	struct sen_facts facts = { 0 };
	struct sen_why why = { 0 };

	sen_facts_set(&facts, fact, value);
	if (l->registry && sen_registry_measure(l->registry, version, &facts, &why))
		sen_learner_history_failed(l, &why);
}

void sen_learner_rest(struct sen_learner *l, int64_t until_ms)
{
	if (l->status.state == SEN_LEARNER_OFF)
		return;
	if (l->status.state != SEN_LEARNER_PAUSED || l->paused_until_ms < until_ms)
		l->paused_until_ms = until_ms;
	l->status.state = SEN_LEARNER_PAUSED;
}

void sen_learner_record_rest(struct sen_learner *l, unsigned int version)
{
	l->rests_after = version;
	record(l, version, RESTS, l->config.watch_pause);
}

int sen_learner_pause(struct sen_learner *l, unsigned int seconds, int64_t now_ms,
		      struct sen_why *why)
{
	if (l->status.state != SEN_LEARNER_ACTIVE && l->status.state != SEN_LEARNER_PAUSED)
		return sen_learner_wrong_state(l, "pause", why);
	sen_learner_abandon(l, "an operator has paused learning");
	l->status.state = SEN_LEARNER_PAUSED;
	l->paused_until_ms = seconds ? now_ms + 1000ll * seconds : INT64_MAX;
	l->paused_at = l->status.version;
	record(l, l->paused_at, PAUSED_UNTIL, seconds ? (double)time(NULL) + seconds : FOREVER);
	if (seconds)
		sen_learner_say(l, SEN_LOG_NOTICE, "learning rests for %u s, as an operator asked",
				seconds);
	else
		sen_learner_say(l, SEN_LOG_NOTICE, "learning rests, as an operator asked");
	return 0;
}

int sen_learner_resume(struct sen_learner *l, int64_t now_ms, struct sen_why *why)
{
	if (l->status.state != SEN_LEARNER_PAUSED)
		return sen_learner_wrong_state(l, "resume", why);
	l->paused_until_ms = now_ms;
	return 0;
}

/* Milliseconds that a version's roll-back has left of its rest, by the wall clock, which may have been set. */
static int64_t rest_left(const struct sen_registry_entry *e)
{
	const double *rests = sen_facts_get(&e->metrics, RESTS);
	int64_t seconds = rests ? (int64_t)*rests : 0, gone = time(NULL) - e->staged_s;

	if (strcmp(e->stage, "Archived") || gone >= seconds)
		return 0;
	return 1000 * (gone < 0 ? seconds : seconds - gone);
}

/* Milliseconds that an operator's pause has left, INT64_MAX: until resumed. */
static int64_t pause_left(const struct sen_registry_entry *e)
{
	const double *until = sen_facts_get(&e->metrics, PAUSED_UNTIL);
	double left = until ? *until - (double)time(NULL) : 0;

	if (until && *until == FOREVER)
		return INT64_MAX;
	return left > 0 ? (int64_t)(1000 * left) : 0;
}

static void resume_rest(struct sen_learner *l, const struct sen_registry_entry *e, int64_t now_ms)
{
	int64_t left = rest_left(e);

	if (!left || l->rests_after > e->version)
		return;
	l->rests_after = e->version;
	sen_learner_rest(l, now_ms + left);
	sen_learner_say(l, SEN_LOG_NOTICE,
			"learning rests for %lld s more: version %u was rolled back",
			(long long)left / 1000, e->version);
}

static void resume_pause(struct sen_learner *l, const struct sen_registry_entry *e, int64_t now_ms)
{
	int64_t left = pause_left(e);

	if (!left)
		return;
	l->paused_at = e->version;
	sen_learner_rest(l, left == INT64_MAX ? left : now_ms + left);
	sen_learner_say(l, SEN_LOG_NOTICE, "learning rests still, as an operator asked");
}

void sen_learner_resume_rest(struct sen_learner *l, int64_t now_ms)
{
	const struct sen_registry_entry *e = NULL;
	size_t n = l->registry ? sen_registry_entries(l->registry, &e) : 0;

	while (n-- > 0) {
		resume_rest(l, &e[n], now_ms);
		resume_pause(l, &e[n], now_ms);
	}
}

void sen_learner_end_rest(struct sen_learner *l)
{
	if (l->rests_after)
		record(l, l->rests_after, RESTS, 0);
	if (l->paused_at)
		record(l, l->paused_at, PAUSED_UNTIL, 0);
	l->rests_after = 0;
	l->paused_at = 0;
}
