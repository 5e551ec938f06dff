// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert_slots.h"
#include "alerts.h"
#include "clock.h"
#include "endpoint.h"

#define RECENT         64 /* closed alerts that stay to be read */
#define MANY_ADDRESSES 16 /* from so many on, a novelty is one of the target or of the source */
#define MARKS          1024
/* An attack shows in the slow counters of its target for so long; a flood until nothing that is sent to
 * it has looked odd for so long, but not for ever: novelties of another kind would go unnoticed. */
#define ATTACKED_MS    60000
#define FLOODED_MS     300000
#define FIRST_SIGNS_MS 10000 /* novelties just before a certain alert were its beginning */

/* A target under attack. One in the place of another is no loss: both are marked again soon. */
struct mark {
	__u8 target[SEN_ADDR_BYTES];
	uint64_t alert; /* its id, 0: free */
	size_t slot;
	int64_t last_ms;  /* of the attack */
	int64_t flood_ms; /* of the last flood; 0: none */
	int64_t felt_ms;  /* of what looked odd because of it */
};

struct sen_alerts {
	struct sen_alerts_settings settings;
	sen_alert_fn fn;
	void *ctx;
	uint64_t last_id;
	size_t open;
	uint64_t total[SEN_CLASS_MAX];
	struct sen_alert_slots *slots;
	struct mark marks[MARKS];
	struct sen_alert recent[RECENT];
	unsigned int recent_next;
};

static enum sen_alert_scope scope_of(unsigned int class_id)
{
	switch (class_id) {
	case SEN_CLASS_SCAN:
	case SEN_CLASS_ARP_SPOOF:
		return SCOPE_SOURCE;
	case SEN_CLASS_SYN_FLOOD:
	case SEN_CLASS_UDP_FLOOD:
	case SEN_CLASS_ICMP_FLOOD:
	case SEN_CLASS_AMPLIFICATION:
	case SEN_CLASS_REFLECTION_TCP:
		return SCOPE_TARGET;
	default:
		return SCOPE_PAIR;
	}
}

int sen_alerts_new(const struct sen_alerts_settings *settings, sen_alert_fn fn, void *ctx,
		   struct sen_alerts **out)
{
	struct sen_alerts *a = calloc(1, sizeof(*a));

	if (a)
		a->slots = sen_alert_slots_new(settings->capacity);
	if (!a || !a->slots) {
		free(a);
		return -ENOMEM;
	}
	a->settings = *settings;
	a->fn = fn;
	a->ctx = ctx;
	*out = a;
	return 0;
}

void sen_alerts_free(struct sen_alerts *a)
{
	if (!a)
		return;
	sen_alert_slots_free(a->slots);
	free(a);
}

void sen_alerts_configure(struct sen_alerts *a, const struct sen_alerts_settings *settings)
{
	unsigned int capacity = a->settings.capacity;

	a->settings = *settings;
	a->settings.capacity = capacity;
}

static void key_make(struct sen_alert_key *key, const struct sen_event *ev, unsigned int class_id,
		     enum sen_alert_scope scope)
{
	memset(key, 0, sizeof(*key));
	key->class_id = class_id;
	key->scope = scope;
	if (scope != SCOPE_TARGET)
		memcpy(key->source, sen_event_source(ev), SEN_ADDR_BYTES);
	if (scope != SCOPE_SOURCE)
		memcpy(key->target, sen_event_target(ev), SEN_ADDR_BYTES);
}

static void slot_close(struct sen_alerts *a, struct sen_alert_slot *s)
{
	sen_alert_slots_remove(a->slots, s);
	if (!s->alert.id)
		return;
	a->open--;
	a->recent[a->recent_next++ % RECENT] = s->alert;
	a->fn(a->ctx, SEN_ALERT_CLOSED, &s->alert);
}

static struct sen_alert_slot *slot_get(struct sen_alerts *a, const struct sen_event *ev,
				       unsigned int class_id, enum sen_alert_scope scope,
				       int64_t now_ms)
{
	struct sen_alert_slot *s;
	struct sen_alert_key key;

	key_make(&key, ev, class_id, scope);
	s = sen_alert_slots_find(a->slots, &key);
	if (s)
		return s;
	s = sen_alert_slots_room(a->slots);
	if (s->used)
		slot_close(a, s);
	sen_alert_slots_put(a->slots, s, &key);
	s->alert.class_id = class_id;
	s->alert.first_ms = s->updated_ms = s->window_ms = now_ms;
	s->alert.first_wall_ms = sen_wall_ms(now_ms);
	memcpy(s->alert.source, sen_event_source(ev), SEN_ADDR_BYTES);
	memcpy(s->alert.target, sen_event_target(ev), SEN_ADDR_BYTES);
	return s;
}

static void set_add(uint64_t *set, const __u8 *addr)
{
	uint64_t h = sen_addr_hash(addr) % (SEN_ALERT_SET_WORDS * 64);

	set[h / 64] |= 1ull << h % 64;
}

static void port_add(struct sen_alert *al, const struct sen_event *ev)
{
	unsigned int port = sen_event_service(ev);

	if (!port || al->ports == SEN_ALERT_PORTS)
		return;
	for (unsigned int i = 0; i < al->ports; i++)
		if (al->example_ports[i] == port)
			return;
	al->example_ports[al->ports++] = (uint16_t)port;
}

static void slot_count(struct sen_alerts *a, struct sen_alert_slot *s, const struct sen_event *ev,
		       const struct sen_finding *finding, int64_t now_ms)
{
	struct sen_alert *al = &s->alert;

	if (now_ms - s->window_ms > a->settings.novelty_window_ms) {
		s->window_ms = now_ms;
		s->in_window = 0;
	}
	s->in_window++;
	al->events++;
	al->last_ms = now_ms;
	al->last_wall_ms = sen_wall_ms(now_ms);
	al->certain = al->certain || finding->certain;
	s->by_signs = s->by_signs || finding->by_signs;
	set_add(al->source_set, sen_event_source(ev));
	set_add(al->target_set, sen_event_target(ev));
	port_add(al, ev);
	/* A rule's numbers grow: the latest tell most. A novelty is told by its strongest sample. */
	if (finding->reason && (finding->certain || al->events == 1 || ev->score > al->score_max))
		snprintf(al->reason, sizeof(al->reason), "%s", finding->reason);
	if (ev->score >= al->score_max) {
		al->score_max = ev->score;
		al->model_version = ev->model_version;
	}
}

/* A novelty that has shown itself often enough, for long enough. */
static bool is_ripe(const struct sen_alerts *a, const struct sen_alert_slot *s, int64_t now_ms)
{
	return s->in_window >= a->settings.novelty_samples &&
	       now_ms - s->alert.first_ms >= a->settings.novelty_hold_ms;
}

static bool is_confirmed(const struct sen_alerts *a, const struct sen_alert_slot *s,
			 const struct sen_event *ev, const struct sen_finding *finding,
			 int64_t now_ms)
{
	return finding->certain || is_ripe(a, s, now_ms) || ev->score >= a->settings.novelty_score;
}

static void slot_open(struct sen_alerts *a, struct sen_alert_slot *s)
{
	s->alert.id = ++a->last_id;
	s->updated_ms = s->alert.last_ms;
	a->open++;
	a->total[s->alert.class_id]++;
	a->fn(a->ctx, SEN_ALERT_OPENED, &s->alert);
}

/* Count a sample on its alert, which it may open. */
static struct sen_alert_slot *report(struct sen_alerts *a, enum sen_alert_scope scope,
				     const struct sen_event *ev, const struct sen_finding *finding,
				     int64_t now_ms)
{
	struct sen_alert_slot *s = slot_get(a, ev, finding->class_id, scope, now_ms);

	slot_count(a, s, ev, finding, now_ms);
	if (!s->alert.id)
		snprintf(s->alert.class_name, sizeof(s->alert.class_name), "%s",
			 finding->class_name);
	if (!s->alert.id && is_confirmed(a, s, ev, finding, now_ms))
		slot_open(a, s);
	return s;
}

static struct sen_alert_slot *open_slot(struct sen_alerts *a, const struct sen_event *ev,
					unsigned int class_id, enum sen_alert_scope scope)
{
	struct sen_alert_slot *s;
	struct sen_alert_key key;

	key_make(&key, ev, class_id, scope);
	s = sen_alert_slots_find(a->slots, &key);
	return s && s->alert.id ? s : NULL;
}

/* The open alert whose culprit is the source of this sample: a certain one, or one by signs, too. */
static struct sen_alert_slot *culprit(struct sen_alerts *a, const struct sen_event *ev,
				      bool by_signs)
{
	for (unsigned int c = SEN_CLASS_UNKNOWN + 1; c < SEN_CLASS_BUILTIN_COUNT; c++) {
		struct sen_alert_slot *s = scope_of(c) == SCOPE_TARGET ?
						   NULL :
						   open_slot(a, ev, c, scope_of(c));

		if (s && (s->alert.certain || (by_signs && s->by_signs)))
			return s;
	}
	return NULL;
}

static struct mark *mark_of(struct sen_alerts *a, const struct sen_event *ev)
{
	return &a->marks[sen_addr_hash(sen_event_target(ev)) % MARKS];
}

static void mark_attacked(struct sen_alerts *a, const struct sen_event *ev,
			  const struct sen_alert_slot *s, int64_t now_ms)
{
	struct mark *m = mark_of(a, ev);

	if (memcmp(m->target, sen_event_target(ev), SEN_ADDR_BYTES))
		m->flood_ms = 0;
	memcpy(m->target, sen_event_target(ev), SEN_ADDR_BYTES);
	m->alert = s->alert.id;
	m->slot = sen_alert_slots_number(a->slots, s);
	m->last_ms = m->felt_ms = now_ms;
	if (s->key.scope == SCOPE_TARGET)
		m->flood_ms = now_ms;
}

/* The attack that its target suffers from, whoever sends; NULL: none. */
static struct mark *affliction(struct sen_alerts *a, const struct sen_event *ev, int64_t now_ms)
{
	struct mark *m = mark_of(a, ev);

	if (!m->alert || memcmp(m->target, sen_event_target(ev), SEN_ADDR_BYTES))
		return NULL;
	if (now_ms - m->last_ms <= ATTACKED_MS)
		return m;
	return m->flood_ms && now_ms - m->felt_ms <= ATTACKED_MS &&
			       now_ms - m->flood_ms <= FLOODED_MS ?
		       m :
		       NULL;
}

/* Its alert may have been closed meanwhile. */
static void fold(struct sen_alerts *a, struct mark *m, int64_t now_ms)
{
	struct sen_alert_slot *s = sen_alert_slots_at(a->slots, m->slot);

	m->felt_ms = now_ms;
	if (s->used && s->alert.id == m->alert)
		s->alert.folded++;
}

/* Whether `by` may explain s: rules explain anything, signs what has none. Two by signs may both be right. */
static bool outweighs(const struct sen_alert_slot *by, const struct sen_alert_slot *s)
{
	if (s->alert.certain)
		return false;
	if (by->alert.certain)
		return true;
	if (s->by_signs)
		return s->alert.class_id == by->alert.class_id;
	return by->by_signs || s->alert.id;
}

static bool is_about(const struct sen_alert_slot *by, const struct sen_alert_slot *s)
{
	const struct sen_alert *x = &s->alert, *y = &by->alert;
	bool source = !memcmp(x->source, y->source, SEN_ADDR_BYTES);
	bool target = !memcmp(x->target, y->target, SEN_ADDR_BYTES);

	/* Until it was known for one, the reflector's victim seemed to be the source. */
	if (y->class_id == SEN_CLASS_REFLECTION_TCP)
		target = target || !memcmp(x->source, y->target, SEN_ADDR_BYTES);
	if (by->key.scope == SCOPE_TARGET)
		return target;
	if (y->certain)
		return source || (target && !x->id);
	return source && (by->key.scope == SCOPE_SOURCE || (target && s->key.scope == SCOPE_PAIR));
}

/* Close the novelties that were the first signs of what now has a name, or turns out to be wider. Of those
 * that were not told yet also those of others at its target: it explains them. */
static void absorb(struct sen_alerts *a, const struct sen_alert_slot *by, int64_t now_ms)
{
	for (size_t i = 0; i < a->settings.capacity; i++) {
		struct sen_alert_slot *s = sen_alert_slots_at(a->slots, i);

		if (s != by && s->used && now_ms - s->alert.first_ms <= FIRST_SIGNS_MS &&
		    outweighs(by, s) && is_about(by, s))
			slot_close(a, s);
	}
}

/* Keep book of a novelty's addresses under a wider key; true if they are many. */
static bool is_wide(struct sen_alerts *a, enum sen_alert_scope scope, const struct sen_event *ev,
		    const struct sen_finding *finding, int64_t now_ms)
{
	struct sen_alert_slot *s = slot_get(a, ev, finding->class_id, scope, now_ms);

	set_add(s->alert.source_set, sen_event_source(ev));
	set_add(s->alert.target_set, sen_event_target(ev));
	s->alert.last_ms = now_ms;
	return (scope == SCOPE_TARGET ? sen_alert_sources(&s->alert) :
					sen_alert_targets(&s->alert)) >= MANY_ADDRESSES;
}

static void report_and_absorb(struct sen_alerts *a, enum sen_alert_scope scope,
			      const struct sen_event *ev, const struct sen_finding *finding,
			      int64_t now_ms)
{
	uint64_t last = a->last_id;
	const struct sen_alert_slot *s = report(a, scope, ev, finding, now_ms);

	if (a->last_id != last)
		absorb(a, s, now_ms);
}

static void report_novelty(struct sen_alerts *a, const struct sen_event *ev,
			   const struct sen_finding *finding, int64_t now_ms)
{
	struct sen_alert_slot *own = culprit(a, ev, !finding->by_signs);
	struct mark *attacked = affliction(a, ev, now_ms);
	enum sen_alert_scope scope = finding->by_signs ? scope_of(finding->class_id) : SCOPE_PAIR;

	if (own)
		slot_count(a, own, ev, &(struct sen_finding){ .reason = NULL }, now_ms);
	else if (attacked)
		fold(a, attacked, now_ms);
	else if (scope != SCOPE_PAIR)
		report_and_absorb(a, scope, ev, finding, now_ms);
	else if (is_wide(a, SCOPE_TARGET, ev, finding, now_ms))
		report_and_absorb(a, SCOPE_TARGET, ev, finding, now_ms);
	else if (is_wide(a, SCOPE_SOURCE, ev, finding, now_ms))
		report_and_absorb(a, SCOPE_SOURCE, ev, finding, now_ms);
	else if (finding->by_signs)
		report_and_absorb(a, SCOPE_PAIR, ev, finding, now_ms);
	else
		report(a, SCOPE_PAIR, ev, finding, now_ms);
}

static void report_certain(struct sen_alerts *a, const struct sen_event *ev,
			   const struct sen_finding *finding, int64_t now_ms)
{
	enum sen_alert_scope scope = scope_of(finding->class_id);
	struct sen_alert_slot *s = open_slot(a, ev, finding->class_id, scope);
	bool was_certain = s && s->alert.certain;

	s = report(a, scope, ev, finding, now_ms);
	if (!was_certain)
		absorb(a, s, now_ms);
	mark_attacked(a, ev, s, now_ms);
}

/* Answers that nobody asked for go from the reflector to its victim, whose flow it looks like. */
static struct sen_event turned(const struct sen_event *ev)
{
	struct sen_event copy = *ev;

	copy.flow_flags ^= SEN_FLOW_INITIATOR_1;
	return copy;
}

void sen_alerts_event(struct sen_alerts *a, const struct sen_event *ev,
		      const struct sen_finding *finding, int64_t now_ms)
{
	struct sen_event other;

	if (finding->class_id == SEN_CLASS_NONE || finding->class_id >= SEN_CLASS_MAX)
		return;
	if (finding->class_id == SEN_CLASS_REFLECTION_TCP && sen_event_is_answer(ev)) {
		other = turned(ev);
		ev = &other;
	}
	if (finding->certain)
		report_certain(a, ev, finding, now_ms);
	else
		report_novelty(a, ev, finding, now_ms);
}

bool sen_alerts_explain(struct sen_alerts *a, const struct sen_event *ev, int64_t now_ms)
{
	struct sen_event other = turned(ev);

	return culprit(a, ev, false) || affliction(a, ev, now_ms) ||
	       (sen_event_is_answer(ev) && affliction(a, &other, now_ms));
}

void sen_alerts_tick(struct sen_alerts *a, int64_t now_ms)
{
	for (size_t i = 0; i < a->settings.capacity; i++) {
		struct sen_alert_slot *s = sen_alert_slots_at(a->slots, i);

		if (!s->used)
			continue;
		if (now_ms - s->alert.last_ms >= a->settings.idle_ms) {
			slot_close(a, s);
		} else if (!s->alert.id && is_ripe(a, s, now_ms)) {
			slot_open(a, s);
			if (s->key.scope != SCOPE_PAIR || s->by_signs)
				absorb(a, s, now_ms);
		} else if (s->alert.id && now_ms - s->updated_ms >= a->settings.update_ms &&
			   s->alert.last_ms > s->updated_ms) {
			s->updated_ms = now_ms;
			a->fn(a->ctx, SEN_ALERT_UPDATED, &s->alert);
		}
	}
}

void sen_alerts_close_all(struct sen_alerts *a)
{
	for (size_t i = 0; i < a->settings.capacity; i++) {
		struct sen_alert_slot *s = sen_alert_slots_at(a->slots, i);

		if (s->used)
			slot_close(a, s);
	}
}

void sen_alerts_forget_novelties(struct sen_alerts *a)
{
	sen_alert_slots_drop_candidates(a->slots);
}

size_t sen_alerts_open(const struct sen_alerts *a)
{
	return a->open;
}

uint64_t sen_alerts_total(const struct sen_alerts *a, unsigned int class_id)
{
	return class_id < SEN_CLASS_MAX ? a->total[class_id] : 0;
}

static void json_add(cJSON *list, const struct sen_alert *alert, const char *state)
{
	cJSON *item = sen_alert_json(alert);

	cJSON_AddStringToObject(item, "state", state);
	cJSON_AddItemToArray(list, item);
}

cJSON *sen_alerts_json(const struct sen_alerts *a)
{
	unsigned int closed = a->recent_next < RECENT ? a->recent_next : RECENT;
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < a->settings.capacity; i++) {
		const struct sen_alert_slot *s = sen_alert_slots_at(a->slots, i);

		if (s->used && s->alert.id)
			json_add(list, &s->alert, "open");
	}
	for (unsigned int i = 1; i <= closed; i++)
		json_add(list, &a->recent[(a->recent_next - i) % RECENT], "closed");
	return list;
}
