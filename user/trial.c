// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "flowlog.h"
#include "loader.h"
#include "offline.h"
#include "trial.h"

/* An evaluation whose vector has not come yet: samples come behind the results of their frames. */
struct pending {
	uint64_t time_ns;
	size_t flow;
	bool labelled;
	struct sen_frame_label label;
};

struct session {
	struct sen_trial *trial;
	const struct sen_trial_options *options;
	struct sen_offline *program;
	struct sen_flowlog *log;
	struct pending *pending; /* in the order of their frames, from `head` on */
	size_t head, n_pending, pending_room;
	uint64_t first_stamp;
	bool begun; /* the part that is evaluated */
	int err;    /* of a callback */
};

void sen_trial_free(struct sen_trial *t)
{
	if (!t)
		return;
	sen_ranking_free(t->packets);
	sen_ranking_free(t->evaluations);
	for (int kind = 0; kind < SEN_FLOAT_KINDS; kind++)
		sen_ranking_free(t->in_float[kind]);
	free(t->attacks);
	free(t->flows);
	free(t);
}

static struct sen_trial *new_trial(void)
{
	struct sen_trial *t = calloc(1, sizeof(*t));
	bool ok;

	if (!t)
		return NULL;
	t->packets = sen_ranking_new();
	t->evaluations = sen_ranking_new();
	ok = t->packets && t->evaluations;
	for (int kind = 0; kind < SEN_FLOAT_KINDS; kind++) {
		t->in_float[kind] = sen_ranking_new();
		ok = ok && t->in_float[kind];
	}
	if (ok)
		return t;
	sen_trial_free(t);
	return NULL;
}

/* What training stops at by the same number is where this begins: the first frame that comes so late, and all
 * behind it, whatever their stamps. */
static void note_time(struct session *s, const struct sen_frame *frame)
{
	struct sen_trial *t = s->trial;

	if (!t->counts.frames++) {
		t->first_ns = frame->clock_ns;
		s->first_stamp = frame->time_ns;
	}
	t->last_ns = frame->clock_ns;
	if (s->options->from_s <= 0 ||
	    (frame->time_ns > s->first_stamp &&
	     (frame->time_ns - s->first_stamp) / 1e9 >= s->options->from_s))
		s->begun = true;
}

/* The flows of the log, each with its label beside it. */
static struct sen_trial_flow *flow_of(struct session *s, size_t i)
{
	struct sen_trial *t = s->trial;
	uint64_t first_ns = sen_flowlog_get(s->log, i)->first_clock;

	if (i < t->n_flows)
		return &t->flows[i];
	if (i == t->flow_room) {
		size_t room = t->flow_room ? 2 * t->flow_room : 4096;
		struct sen_trial_flow *grown = reallocarray(t->flows, room, sizeof(*grown));

		if (!grown)
			return NULL;
		t->flows = grown;
		t->flow_room = room;
	}
	t->flows[t->n_flows] = (struct sen_trial_flow){
		.first_ns = first_ns,
		.in_float = { -1, -1 },
		.left_out = !s->begun,
	};
	return &t->flows[t->n_flows++];
}

static void label_flow(struct sen_trial_flow *f, const struct sen_frame_label *label)
{
	if (!f->labelled || (label->malicious && !f->label.malicious))
		f->label = *label;
	f->labelled = true;
}

static struct sen_trial_attack *attack_of(struct session *s, const struct sen_frame_label *label,
					  uint64_t time_ns)
{
	struct sen_trial *t = s->trial;
	struct sen_trial_attack *grown;

	for (size_t i = 0; i < t->n_attacks; i++)
		if (t->attacks[i].label.class_index == label->class_index &&
		    t->attacks[i].label.source_index == label->source_index)
			return &t->attacks[i];
	grown = reallocarray(t->attacks, t->n_attacks + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	t->attacks = grown;
	t->attacks[t->n_attacks] = (struct sen_trial_attack){ .label = *label,
							      .first_ns = time_ns };
	return &t->attacks[t->n_attacks++];
}

static int note_attack(struct session *s, const struct sen_frame_label *label, uint64_t time_ns,
		       bool flagged)
{
	struct sen_trial_attack *a = attack_of(s, label, time_ns);

	if (!a)
		return -ENOMEM;
	if (flagged && !a->detected) {
		a->detected = true;
		a->delay_packets = a->frames;
		a->detected_ns = time_ns;
	}
	a->frames++;
	a->last_ns = time_ns;
	return 0;
}

/* A frame that belongs to no flow passes: its score is 0. */
static int note_frame(struct session *s, const struct sen_frame *frame,
		      const struct sen_replay_result *result, const struct sen_frame_label *label)
{
	struct sen_trial_counts *n = &s->trial->counts;
	bool untracked = result->parsed && result->reason == SEN_REASON_UNTRACKED;
	int err;

	if (!s->begun) {
		n->frames_before++;
		return 0;
	}
	if (!result->parsed || untracked) {
		n->frames_unparsed += !result->parsed;
		n->frames_untracked += untracked;
		n->frames_unscored_malicious += label->malicious;
	}
	err = sen_ranking_add(s->trial->packets, result->score, label->malicious);
	if (!err && label->malicious)
		err = note_attack(s, label, frame->clock_ns, result->score >= SEN_ONE);
	return err;
}

static void count_features(struct sen_trial *t, const struct sen_vector *x, bool malicious)
{
	for (int d = 0; d < SEN_DIMS; d++) {
		unsigned int bin = x->v[d] / SEN_LG_OCTAVE;

		t->feature[malicious][d][bin < SEN_FEATURE_BINS ? bin : SEN_FEATURE_BINS - 1]++;
	}
}

static int note_in_float(struct session *s, const struct pending *p, const struct sen_vector *x)
{
	struct sen_trial_flow *flow = &s->trial->flows[p->flow];
	int err = 0;

	for (int kind = 0; !err && kind < SEN_FLOAT_KINDS; kind++) {
		float score = sen_float_score(s->options->model, x, kind);

		if (score > flow->in_float[kind])
			flow->in_float[kind] = score;
		if (p->labelled && !flow->left_out)
			err = sen_ranking_add(s->trial->in_float[kind], score, p->label.malicious);
	}
	return err;
}

static int note_evaluation(struct session *s, const struct pending *p,
			   const struct sen_event *event)
{
	struct sen_trial *t = s->trial;
	int err = note_in_float(s, p, &event->vector);

	if (err || !p->labelled || t->flows[p->flow].left_out)
		return err;
	count_features(t, &event->vector, p->label.malicious);
	return sen_ranking_add(t->evaluations, event->score, p->label.malicious);
}

static bool is_of(const struct session *s, const struct pending *p, const struct sen_event *event)
{
	return p->time_ns == event->time_ns &&
	       !memcmp(&sen_flowlog_get(s->log, p->flow)->key, &event->key, sizeof(event->key));
}

/* Samples come in the order of the evaluations; one that was passed over will not come. */
static void on_event(void *ctx, const struct sen_event *event)
{
	struct session *s = ctx;

	sen_flowlog_name(s->log, event);
	while (s->head < s->n_pending && !is_of(s, &s->pending[s->head], event)) {
		s->trial->counts.evaluations_lost++;
		s->head++;
	}
	if (s->head < s->n_pending && !s->err)
		s->err = note_evaluation(s, &s->pending[s->head++], event);
	if (s->head == s->n_pending)
		s->head = s->n_pending = 0;
}

static int await_vector(struct session *s, const struct pending *p)
{
	if (s->n_pending == s->pending_room) {
		size_t room = s->pending_room ? 2 * s->pending_room : 64;
		struct pending *grown = reallocarray(s->pending, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->pending = grown;
		s->pending_room = room;
	}
	s->pending[s->n_pending++] = *p;
	return 0;
}

static int note_flow(struct session *s, size_t i, const struct sen_frame *frame,
		     const struct sen_replay_result *result, const struct sen_frame_label *label)
{
	struct sen_trial_flow *flow = flow_of(s, i);
	struct pending p = { .time_ns = frame->clock_ns, .flow = i, .labelled = label };

	if (!flow)
		return -ENOMEM;
	flow->inherited |= result->inherited;
	if (label) {
		label_flow(flow, label);
		p.label = *label;
	}
	return result->evaluated ? await_vector(s, &p) : 0;
}

static int on_result(void *ctx, const struct sen_frame *frame,
		     const struct sen_replay_result *result)
{
	struct session *s = ctx;
	struct sen_trial *t = s->trial;
	struct sen_frame_label label;
	bool labelled;
	size_t i;
	int err;

	note_time(s, frame);
	err = sen_flowlog_add(s->log, frame, result, &i);
	if (err)
		return err;
	labelled = sen_labels_get(s->options->labels, frame->place, &label);
	if (i != SEN_NO_FLOW)
		err = note_flow(s, i, frame, result, labelled ? &label : NULL);
	if (!labelled)
		t->counts.frames_unlabelled++;
	else if (!err)
		err = note_frame(s, frame, result, &label);
	return err;
}

static void on_note(void *ctx, const char *text)
{
	struct session *s = ctx;

	s->options->note(s->options->ctx, text);
}

static void on_damage(void *ctx, const struct sen_why *why)
{
	struct session *s = ctx;

	s->trial->counts.damaged++;
	s->options->damage(s->options->ctx, why);
}

static int run(struct session *s, struct sen_captures *captures, struct sen_why *why)
{
	struct sen_frame frame;
	int got, err;

	while ((got = sen_captures_next(captures, &frame, why)) == 1) {
		err = sen_offline_add(s->program, &frame);
		err = err ? err : s->err;
		if (err)
			return sen_why(why, err, NULL, "replaying: %s: frame %llu: %s", frame.file,
				       (unsigned long long)frame.number, strerror(-err));
		if (s->options->progress)
			s->options->progress(s->options->ctx, s->trial->counts.frames);
	}
	if (got < 0)
		return got;
	err = sen_offline_flush(s->program);
	err = err ? err : s->err;
	return err ? sen_why(why, err, NULL, "replaying: %s", strerror(-err)) : 0;
}

/* What stands of the flows when all is over. Those that were never evaluated but had the standing verdict
 * of their target have that in floats, too. */
static void settle_flows(const struct session *s)
{
	for (size_t i = 0; i < s->trial->n_flows; i++) {
		const struct sen_flow_record *record = sen_flowlog_get(s->log, i);
		struct sen_trial_flow *flow = &s->trial->flows[i];

		flow->score = record->score;
		flow->evaluations = record->evaluations;
		flow->class_id = sen_flow_class(record);
		for (int kind = 0; flow->inherited && kind < SEN_FLOAT_KINDS; kind++)
			if (flow->in_float[kind] < 0)
				flow->in_float[kind] = (float)record->score / SEN_ONE;
	}
}

/* Labels of another capture give figures that mean nothing; nor does any frame of several captures have its
 * number any more when one of them ends early. */
static int check_labels(const struct session *s, uint64_t frames, struct sen_why *why)
{
	struct sen_trial_counts *n = &s->trial->counts;
	uint64_t last = sen_labels_last(s->options->labels);

	if (n->damaged && s->options->files[1])
		return sen_why(
			why, -EIO, NULL,
			"labelling: %s and others: a damaged capture: which frames the labels "
			"are of cannot be told",
			s->options->files[0]);
	if (last <= frames)
		return 0;
	n->frames_missing = last - frames;
	if (n->damaged)
		return 0;
	return sen_why(why, -ERANGE, "the labels are of another capture, or a file is missing",
		       "labelling: frame %llu has a label: the captures have %llu frames",
		       (unsigned long long)last, (unsigned long long)frames);
}

static int open_session(struct session *s, struct sen_why *why)
{
	struct sen_policy policy = sen_policy_defaults;
	struct sen_model_flat *flat = calloc(1, sizeof(*flat));
	struct sen_offline_options offline = {
		.model = flat,
		.policy = &policy,
		.on_result = on_result,
		.on_event = on_event,
		.ctx = s,
	};
	int err = flat ? sen_model_flatten(s->options->model, flat, why) :
			 sen_why(why, -ENOMEM, NULL, "replaying: out of memory");

	sen_offline_sample_all(&policy);
	if (!err)
		err = sen_offline_open(&offline, &s->program, why);
	free(flat);
	if (err)
		return err;
	s->trial = new_trial();
	s->log = sen_flowlog_new();
	if (!s->trial || !s->log)
		return sen_why(why, -ENOMEM, NULL, "replaying: out of memory");
	return 0;
}

int sen_trial_run(const struct sen_trial_options *options, struct sen_trial **out,
		  struct sen_why *why)
{
	struct session s = { .options = options };
	struct sen_captures_options from = {
		.files = options->files,
		.damage = on_damage,
		.note = on_note,
		.ctx = &s,
	};
	struct sen_captures *captures = NULL;
	int err = open_session(&s, why);

	if (!err)
		err = sen_captures_open(&from, &captures, why);
	if (!err)
		err = run(&s, captures, why);
	if (!err) {
		s.trial->counts.evaluations_lost += s.n_pending - s.head;
		settle_flows(&s);
		err = check_labels(&s, sen_captures_count(captures), why);
	}
	sen_captures_close(captures);
	free(s.pending);
	sen_flowlog_free(s.log);
	sen_offline_close(s.program);
	if (err)
		sen_trial_free(s.trial);
	else
		*out = s.trial;
	return err;
}
