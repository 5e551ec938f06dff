// SPDX-License-Identifier: BSD-2-Clause
/* The learner's samples on disk. Whatever befalls the disk, learning goes on with what there is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "learner_internal.h"

#define MARKS_MS  60000 /* scores of so long make new marks */
#define BUSY_TOLD 5     /* times that another process may hold the store: commands are soon done */

static void count_known(struct sen_learner *l)
{
	struct sen_store_counts kept = sen_store_counts(l->store);

	l->trigger.samples = kept.fresh;
	l->trigger.known = kept.fresh + kept.past;
	l->trigger.known_full = l->trigger.known;
}

int sen_learner_store_open(struct sen_learner *l, struct sen_why *why)
{
	struct sen_store_limits limits = { l->config.store_samples, l->config.store_days };
	struct sen_store *store = NULL;
	char moved[320];
	int err = sen_store_open(l->store_path, &limits, moved, &store, why);

	if (err)
		return err;
	if (*moved)
		sen_learner_say(l, SEN_LOG_WARNING,
				"the samples could not be read and were moved to %s", moved);
	sen_store_close(l->store);
	l->store = store;
	count_known(l);
	return 0;
}

int sen_learner_keep(struct sen_learner *l, const char *path, struct sen_why *why)
{
	int err;

	l->store_path = strdup(path);
	if (!l->store_path)
		return sen_why(why, -ENOMEM, NULL, "sample store: out of memory");
	err = sen_learner_store_open(l, why);
	if (!err)
		return 0;
	free(l->store_path);
	l->store_path = NULL;
	return err;
}

/* A damaged file is of no use any more: begin another, in memory if it must be. */
static void begin_anew(struct sen_learner *l)
{
	struct sen_why why = { 0 };

	if (!sen_learner_store_open(l, &why))
		return;
	sen_learner_say(l, SEN_LOG_WARNING, "%s: samples are kept in memory", why.text);
	free(l->store_path);
	l->store_path = NULL;
	sen_learner_store_open(l, NULL);
}

void sen_learner_store_result(struct sen_learner *l, int err, const struct sen_why *why)
{
	bool brief;

	l->store_busy = err == -EBUSY ? l->store_busy + 1 : 0;
	brief = l->store_busy && l->store_busy < BUSY_TOLD;
	if (err == -EUCLEAN) {
		begin_anew(l);
	} else if (err && !brief && !l->store_failing) {
		l->store_failing = true;
		sen_learner_say(l, SEN_LOG_WARNING, "new samples are not kept: %s", why->text);
	} else if (!err && l->store_failing) {
		l->store_failing = false;
		sen_learner_say(l, SEN_LOG_NOTICE, "new samples are kept again");
	}
}

void sen_learner_store_flush(struct sen_learner *l, int64_t now_ms)
{
	struct sen_why why = { 0 };

	if (l->forget_again)
		sen_learner_forget_normal(l);
	if (!l->forget_again)
		sen_learner_store_result(l, sen_store_flush(l->store, l->epoch_ms + now_ms, &why),
					 &why);
}

void sen_learner_tick_marks(struct sen_learner *l, int64_t now_ms)
{
	bool same = l->marks_version == l->active.version;
	struct sen_score_hist total;

	if (same && now_ms - l->marks_ms < MARKS_MS)
		return;
	l->marks_ms = now_ms;
	if (l->ops.score_hist(l->ctx, &total))
		return;
	/* Scores of another model say nothing about this one's. */
	if (!same)
		l->marks = sen_marks_default(l->config.label_low_mark, l->config.label_high_mark);
	else if (!sen_marks_find(l->marks_since.bin[SEN_SLOT_ACTIVE], total.bin[SEN_SLOT_ACTIVE],
				 l->config.label_low_mark, l->config.label_high_mark, &l->marks))
		return;
	l->marks_version = l->active.version;
	l->marks_since = total;
}

void sen_learner_rebase_marks(struct sen_learner *l, int64_t now_ms)
{
	l->marks_ms = now_ms;
	if (l->ops.score_hist(l->ctx, &l->marks_since))
		memset(&l->marks_since, 0, sizeof(l->marks_since));
}

void sen_learner_forget_normal(struct sen_learner *l)
{
	struct sen_why why = { 0 };
	int err = sen_store_forget_normal(l->store, &why);

	l->forget_again = err == -EBUSY;
	sen_learner_store_result(l, err, &why);
	count_known(l);
}

struct sen_store *sen_learner_store(struct sen_learner *l)
{
	return l->store;
}

const struct sen_marks *sen_learner_marks(const struct sen_learner *l)
{
	return &l->marks;
}
