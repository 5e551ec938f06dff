// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "metrics.h"
#include "metrics_process.h"

typedef double (*getter)(const struct sen_metrics_interface *i);

struct metric {
	const char *name;
	const char *help;
	const char *type;
	const char *label; /* a second label and its value, NULL: none */
	const char *value;
	getter get;
};

/* ---- counters of the packet path: one metric each, but verdicts as one with a label ---- */

struct stat {
	const char *name;
	const char *help;
	size_t offset;
};

#define STAT(name, help) { #name, help, offsetof(struct sen_stats, name) },
static const struct stat stats[] = { SEN_STATS(STAT) };

#define VERDICT(id, name, help) { name, help, offsetof(struct sen_stats, VERDICT_FIELD_##id) },
#define VERDICT_FIELD_PASS      pass
#define VERDICT_FIELD_ALERT     alert
#define VERDICT_FIELD_DROP      drop
#define VERDICT_FIELD_REDIRECT  redirect
static const struct stat verdicts[] = { SEN_VERDICTS(VERDICT) };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_verdict(const struct stat *s)
{
	for (size_t i = 0; i < COUNT(verdicts); i++)
		if (verdicts[i].offset == s->offset)
			return true;
	return false;
}

static uint64_t stat_value(const struct sen_metrics_interface *i, const struct stat *s)
{
	return *(const __u64 *)((const char *)&i->stats + s->offset);
}

/* ---- everything else that is one number an interface ---- */

#define GETTER(name, expression)                                        \
	static double get_##name(const struct sen_metrics_interface *i) \
	{                                                               \
		return (double)(expression);                            \
	}

GETTER(attached, i->attached)
GETTER(native, i->meta.native)
GETTER(dispatcher, i->meta.dispatcher)
GETTER(flows_used, i->flows.used)
GETTER(flows_capacity, i->flows.capacity)
GETTER(consumed, i->ring.consumed)
GETTER(unknown, i->ring.unknown)
GETTER(version, i->active_version)
GETTER(training, i->learner.training)
GETTER(history, i->learner.history)
GETTER(benign, i->learner.benign)
GETTER(attack, i->learner.attack)
GETTER(skipped, i->learner.skipped)
GETTER(reservoir, i->learner.reservoir)
GETTER(fresh, i->learner.fresh)
GETTER(unlabelled, i->learner.unlabelled)
GETTER(attacks, i->learner.attacks)
GETTER(promoted, i->learner.promoted)
GETTER(refused, i->learner.refused)
GETTER(failed, i->learner.failed)
GETTER(rolled_back, i->learner.rolled_back)
GETTER(drifts, i->learner.drifts)
GETTER(candidate, i->learner.candidate)
GETTER(canary_evaluations, i->learner.canary_evaluations)
GETTER(last_success, i->learner.last_success_s)
GETTER(last_seconds, i->learner.last_seconds)
GETTER(last_samples, i->learner.last_samples)
GETTER(threshold_fpr, i->learner.threshold_fpr)
GETTER(alerts_open, i->alerts_open)

#define PLAIN(name, type, get, help)                    \
	{                                               \
		name, help, type, NULL, NULL, get_##get \
	}
#define LABELLED(name, type, label, value, get, help)     \
	{                                                 \
		name, help, type, label, value, get_##get \
	}

/* Rows of one name stand together: HELP and TYPE are written before the first. */
static const struct metric metrics[] = {
	PLAIN("sentroid_attached", "gauge", attached,
	      "Whether the packet program is pinned and on the interface."),
	PLAIN("sentroid_attached_native", "gauge", native,
	      "Whether the program runs in native XDP."),
	PLAIN("sentroid_attached_dispatcher", "gauge", dispatcher,
	      "Whether the program runs under libxdp's dispatcher."),
	PLAIN("sentroid_flow_table_entries", "gauge", flows_used,
	      "Flow table entries whose deadline is not over."),
	PLAIN("sentroid_flow_table_capacity", "gauge", flows_capacity,
	      "Flow table entries there are."),
	PLAIN("sentroid_events_consumed_total", "counter", consumed,
	      "Samples read from the events ring."),
	PLAIN("sentroid_events_unknown_total", "counter", unknown,
	      "Samples of another version, skipped."),
	PLAIN("sentroid_model_version", "gauge", version,
	      "Version of the model in force, 0 without one."),
	PLAIN("sentroid_training_running", "gauge", training, "Whether a training is running."),
	PLAIN("sentroid_history_available", "gauge", history,
	      "Whether model versions are kept on disk."),
	LABELLED("sentroid_learner_samples_total", "counter", "label", "benign", benign,
		 "Samples by what learning takes them for."),
	LABELLED("sentroid_learner_samples_total", "counter", "label", "attack", attack, ""),
	LABELLED("sentroid_learner_samples_total", "counter", "label", "skipped", skipped, ""),
	LABELLED("sentroid_learner_samples", "gauge", "store", "reservoir", reservoir,
		 "Samples kept, by what they are for."),
	LABELLED("sentroid_learner_samples", "gauge", "store", "fresh", fresh, ""),
	LABELLED("sentroid_learner_samples", "gauge", "store", "unlabelled", unlabelled, ""),
	LABELLED("sentroid_learner_samples", "gauge", "store", "attack", attacks, ""),
	LABELLED("sentroid_trainings_total", "counter", "result", "promoted", promoted,
		 "Trainings by what became of them."),
	LABELLED("sentroid_trainings_total", "counter", "result", "refused", refused, ""),
	LABELLED("sentroid_trainings_total", "counter", "result", "failed", failed, ""),
	PLAIN("sentroid_model_rollbacks_total", "counter", rolled_back,
	      "Models taken back after their promotion."),
	PLAIN("sentroid_candidate_version", "gauge", candidate,
	      "Version in the canary, 0 without one."),
	PLAIN("sentroid_canary_evaluations", "gauge", canary_evaluations,
	      "Evaluations that it has made beside the model in force."),
	PLAIN("sentroid_drifts_total", "counter", drifts,
	      "Times that drift has triggered a training."),
	PLAIN("sentroid_training_last_success_timestamp_seconds", "gauge", last_success,
	      "Unix time of the last promotion, 0 before the first."),
	PLAIN("sentroid_training_last_duration_seconds", "gauge", last_seconds,
	      "How long the last training took."),
	PLAIN("sentroid_training_last_samples", "gauge", last_samples,
	      "Benign samples behind the model in force."),
	PLAIN("sentroid_model_false_positive_ratio", "gauge", threshold_fpr,
	      "Share of benign samples held back that the model in force flags."),
	PLAIN("sentroid_alerts_open", "gauge", alerts_open, "Alerts open now."),
};

static void head(FILE *out, const char *name, const char *help, const char *type)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void row(FILE *out, const struct metric *m, const struct sen_metrics_interface *i)
{
	fprintf(out, "%s{interface=\"%s\"", m->name, i->name);
	if (m->label)
		fprintf(out, ",%s=\"%s\"", m->label, m->value);
	fprintf(out, "} %.15g\n", m->get(i));
}

static void write_stats(FILE *out, const struct sen_metrics_interface *in, size_t n)
{
	for (size_t s = 0; s < COUNT(stats); s++) {
		if (is_verdict(&stats[s]))
			continue;
		fprintf(out, "# HELP sentroid_%s_total Packet path: %s.\n", stats[s].name,
			stats[s].help);
		fprintf(out, "# TYPE sentroid_%s_total counter\n", stats[s].name);
		for (size_t i = 0; i < n; i++)
			fprintf(out, "sentroid_%s_total{interface=\"%s\"} %llu\n", stats[s].name,
				in[i].name, (unsigned long long)stat_value(&in[i], &stats[s]));
	}
	head(out, "sentroid_verdicts_total", "Packets by verdict.", "counter");
	for (size_t i = 0; i < n; i++)
		for (size_t v = 0; v < COUNT(verdicts); v++)
			fprintf(out,
				"sentroid_verdicts_total{interface=\"%s\",verdict=\"%s\"} %llu\n",
				in[i].name, verdicts[v].name,
				(unsigned long long)stat_value(&in[i], &verdicts[v]));
}

static void write_awaited(FILE *out, const struct metric *attached,
			  const struct sen_metrics_process *process)
{
	for (size_t i = 0; i < process->awaited_n; i++)
		row(out, attached, &(struct sen_metrics_interface){ .name = process->awaited[i] });
}

static void write_table(FILE *out, const struct sen_metrics_interface *in, size_t n,
			const struct sen_metrics_process *process)
{
	for (size_t m = 0; m < COUNT(metrics);) {
		size_t end = m + 1;

		while (end < COUNT(metrics) && !strcmp(metrics[end].name, metrics[m].name))
			end++;
		head(out, metrics[m].name, metrics[m].help, metrics[m].type);
		for (size_t i = 0; i < n; i++)
			for (size_t k = m; k < end; k++)
				row(out, &metrics[k], &in[i]);
		if (metrics[m].get == get_attached)
			write_awaited(out, &metrics[m], process);
		m = end;
	}
}

static void write_states(FILE *out, const struct sen_metrics_interface *in, size_t n)
{
	head(out, "sentroid_learner_state", "1 for the state that learning is in.", "gauge");
	for (size_t i = 0; i < n; i++)
		for (int s = 0; s < SEN_LEARNER_STATE_COUNT; s++)
			fprintf(out, "sentroid_learner_state{interface=\"%s\",state=\"%s\"} %d\n",
				in[i].name, sen_learner_state_name(s),
				s == (int)in[i].learner.state);
	head(out, "sentroid_policy_info", "The policy in force.", "gauge");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "sentroid_policy_info{interface=\"%s\",policy=\"%s\"} 1\n", in[i].name,
			in[i].policy);
	head(out, "sentroid_model_info", "The model in force.", "gauge");
	for (size_t i = 0; i < n; i++)
		fprintf(out,
			"sentroid_model_info{interface=\"%s\",version=\"%u\",digest=\"%s\"} 1\n",
			in[i].name, in[i].active_version, in[i].active_digest);
}

struct drift_metric {
	const char *name;
	const char *help;
	double (*value)(const struct sen_drift_move *move);
};

static double stability_index(const struct sen_drift_move *move)
{
	return move->psi;
}

static double ks_distance(const struct sen_drift_move *move)
{
	return move->ks;
}

static double shift_octaves(const struct sen_drift_move *move)
{
	return move->shift;
}

static const struct drift_metric drift_metrics[] = {
	{ "sentroid_drift_stability_index",
	  "Population stability index against the training reference, last window.",
	  stability_index },
	{ "sentroid_drift_ks_distance", "Kolmogorov-Smirnov statistic, likewise.", ks_distance },
	{ "sentroid_drift_shift_octaves", "Wasserstein distance, likewise.", shift_octaves },
};

static void write_moves(FILE *out, const struct drift_metric *m, const char *name,
			const struct sen_drift_report *r, const char *source)
{
	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++)
		fprintf(out, "%s{interface=\"%s\",source=\"%s\",feature=\"%s\"} %.6g\n", m->name,
			name, source, sen_drift_name(dim), m->value(&r->dim[dim]));
}

static void write_drift(FILE *out, const struct sen_metrics_interface *in, size_t n)
{
	for (size_t m = 0; m < COUNT(drift_metrics); m++) {
		head(out, drift_metrics[m].name, drift_metrics[m].help, "gauge");
		for (size_t i = 0; i < n; i++) {
			write_moves(out, &drift_metrics[m], in[i].name, &in[i].learner.drift,
				    "traffic");
			write_moves(out, &drift_metrics[m], in[i].name, &in[i].learner.sample_drift,
				    "samples");
		}
	}
}

const char *sen_metrics_class(unsigned int class_id)
{
#define CLASS_NAME(id, name, help) name,
	static const char *const names[] = { SEN_CLASSES(CLASS_NAME) };
	static char custom[24];

	if (class_id < COUNT(names))
		return names[class_id];
	snprintf(custom, sizeof(custom), "custom_%u", class_id);
	return custom;
}

/* Built-in classes always, so that a first alert shows as an increase; others once there are any. */
static void write_alerts(FILE *out, const struct sen_metrics_interface *in, size_t n)
{
	head(out, "sentroid_alerts_total", "Alerts opened, by class.", "counter");
	for (size_t i = 0; i < n; i++)
		for (unsigned int c = SEN_CLASS_UNKNOWN; c < SEN_CLASS_MAX; c++)
			if (c < SEN_CLASS_BUILTIN_COUNT || in[i].alerts[c])
				fprintf(out,
					"sentroid_alerts_total{interface=\"%s\",class=\"%s\"} %llu\n",
					in[i].name, sen_metrics_class(c),
					(unsigned long long)in[i].alerts[c]);
}

int sen_metrics_write(FILE *out, const struct sen_metrics_interface *interfaces, size_t n,
		      const struct sen_metrics_process *process)
{
	write_stats(out, interfaces, n);
	write_table(out, interfaces, n, process);
	write_states(out, interfaces, n);
	write_drift(out, interfaces, n);
	write_alerts(out, interfaces, n);
	sen_metrics_write_process(out, process);
	return ferror(out) ? -EIO : 0;
}
