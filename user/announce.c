// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "announce.h"
#include "model.h"
#include "naming.h"
#include "novelty.h"
#include "rules.h"

/* Why an evaluation that no rule is certain of is odd, and what it looks like. */
static void explain(const struct sen_model_flat *model, const struct sen_event *ev,
		    const char *sign, char reason[SEN_ANNOUNCE_TEXT])
{
	size_t at = sign ? snprintf(reason, SEN_ANNOUNCE_TEXT, "%s; ", sign) : 0;

	sen_novelty_explain(model, &ev->vector, reason + at, SEN_ANNOUNCE_TEXT - at);
}

unsigned int sen_announce(struct sen_alerts *alerts, const struct sen_model_flat *model,
			  const struct sen_event *ev, bool novelties, int64_t now_ms,
			  char reason[SEN_ANNOUNCE_TEXT])
{
	char name[SEN_CLASS_NAME_MAX];
	unsigned int rule = sen_rules_classify(ev, reason, SEN_ANNOUNCE_TEXT);
	struct sen_name found = sen_name_of(ev, rule);
	struct sen_finding finding = {
		.class_id = found.class_id,
		.class_name = name,
		.reason = reason,
		.certain = rule != SEN_CLASS_NONE,
		.by_signs = found.ground == SEN_GROUND_SIGNS,
	};

	if (!rule && (!novelties || ev->score < SEN_ONE))
		return SEN_CLASS_NONE;
	if (!rule)
		explain(model, ev, found.sign, reason);
	sen_flat_class_name(model, finding.class_id, name);
	sen_alerts_event(alerts, ev, &finding, now_ms);
	return rule;
}

unsigned int sen_announce_beacon(struct sen_alerts *alerts, struct sen_beacons *beacons,
				 const struct sen_event *ev, bool known, int64_t now_ms,
				 char reason[SEN_ANNOUNCE_TEXT])
{
	struct sen_finding finding = {
		.class_id = SEN_CLASS_BEACON,
		.class_name = sen_class_name(NULL, SEN_CLASS_BEACON),
		.reason = reason,
		.certain = true,
	};

	if (!sen_beacons_event(beacons, ev, known, reason, SEN_ANNOUNCE_TEXT))
		return SEN_CLASS_NONE;
	sen_alerts_event(alerts, ev, &finding, now_ms);
	return finding.class_id;
}

struct sen_alerts_settings sen_announce_settings(const struct sen_config *c)
{
	return (struct sen_alerts_settings){
		.capacity = c->alerts_capacity,
		.update_ms = 1000ll * c->alerts_update,
		.idle_ms = 1000ll * c->alerts_idle,
		.novelty_samples = c->alerts_novelty_samples,
		.novelty_window_ms = 1000ll * c->alerts_novelty_window,
		.novelty_hold_ms = 1000ll * c->alerts_novelty_hold,
		.novelty_score = (uint32_t)(c->alerts_novelty_score * SEN_ONE),
	};
}
