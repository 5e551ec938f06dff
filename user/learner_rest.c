// SPDX-License-Identifier: BSD-2-Clause
/* Learning rests: for a while after a roll-back, or as an operator has asked. Both are on record beside the
 * version concerned, so that a restart of the agent ends neither. */
#include <string.h>
#include <time.h>

#include "learner_internal.h"

/* Of a version rolled back: so long learning rests from then on; 0: it has gone on again. */
#define RESTS "rest_seconds"
/* Of the version in force when an operator paused: since when, Unix time, and for how long; 0: it has gone on
 * again. */
#define PAUSED_SINCE   "paused_since"
#define PAUSED_SECONDS "paused_seconds"
#define UNTIL_RESUMED  -1.0

static int record(struct sen_learner *l, unsigned int version, const struct sen_facts *facts)
{
	struct sen_why why = { 0 };
	int err = l->registry ? sen_registry_measure(l->registry, version, facts, &why) : 0;

	if (err)
		sen_learner_history_failed(l, &why);
	return err;
}

/* Whatever versions have it on record. True if none has any more. */
static bool clear(struct sen_learner *l, const char *fact)
{
	const struct sen_registry_entry *e = NULL;
	size_t n = l->registry ? sen_registry_entries(l->registry, &e) : 0;
	struct sen_facts none = { 0 };
	const double *value;
	bool done = true;

	sen_facts_set(&none, fact, 0);
	while (n-- > 0) {
		sen_registry_entries(l->registry, &e);
		value = sen_facts_get(&e[n].metrics, fact);
		if (value && *value != 0 && record(l, e[n].version, &none))
			done = false;
	}
	return done;
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
	struct sen_facts facts = { 0 };

	l->rests_after = version;
	sen_facts_set(&facts, RESTS, l->config.watch_pause);
	record(l, version, &facts);
}

static void record_pause(struct sen_learner *l, unsigned int seconds)
{
	struct sen_facts facts = { 0 };

	l->paused = true;
	clear(l, PAUSED_SECONDS);
	sen_facts_set(&facts, PAUSED_SINCE, (double)time(NULL));
	sen_facts_set(&facts, PAUSED_SECONDS, seconds ? seconds : UNTIL_RESUMED);
	record(l, l->status.version, &facts);
}

int sen_learner_pause(struct sen_learner *l, unsigned int seconds, int64_t now_ms,
		      struct sen_why *why)
{
	if (l->status.state != SEN_LEARNER_ACTIVE && l->status.state != SEN_LEARNER_PAUSED)
		return sen_learner_wrong_state(l, "pause", why);
	sen_learner_abandon(l, "an operator has paused learning");
	/* A pause of before may be made shorter; a rest after a roll-back is cut short by resuming alone. */
	if (!l->rests_after)
		l->paused_until_ms = now_ms;
	sen_learner_rest(l, seconds ? now_ms + 1000ll * seconds : INT64_MAX);
	record_pause(l, seconds);
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
	sen_learner_end_rest(l);
	return 0;
}

int64_t sen_learner_left_ms(int64_t since_s, int64_t seconds)
{
	int64_t gone = time(NULL) - since_s;

	return 1000 * (gone < 0 ? seconds : gone > seconds ? 0 : seconds - gone);
}

/* Milliseconds that a version's roll-back has left of its rest. */
static int64_t rest_left(const struct sen_registry_entry *e)
{
	const double *rests = sen_facts_get(&e->metrics, RESTS);

	if (!rests || strcmp(e->stage, "Archived"))
		return 0;
	return sen_learner_left_ms(e->staged_s, (int64_t)*rests);
}

/* Milliseconds that an operator's pause has left, INT64_MAX: until resumed. */
static int64_t pause_left(const struct sen_registry_entry *e)
{
	const double *since = sen_facts_get(&e->metrics, PAUSED_SINCE);
	const double *seconds = sen_facts_get(&e->metrics, PAUSED_SECONDS);

	if (!since || !seconds)
		return 0;
	return *seconds == UNTIL_RESUMED ? INT64_MAX :
					   sen_learner_left_ms((int64_t)*since, (int64_t)*seconds);
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
	l->paused = true;
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

void sen_learner_end_rest_after(struct sen_learner *l)
{
	l->rests_after = 0;
	l->rest_stale = !clear(l, RESTS);
}

void sen_learner_end_rest(struct sen_learner *l)
{
	bool cleared = clear(l, PAUSED_SECONDS);

	l->paused = false;
	sen_learner_end_rest_after(l);
	l->rest_stale |= !cleared;
}
