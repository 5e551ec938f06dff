/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of an evaluation, from a labelled replay. docs/evaluation.md says how each is defined and
 * what it does not show. A figure is NAN where it is undefined.
 */
#ifndef SENTROID_EVALUATION_H
#define SENTROID_EVALUATION_H

#include "trial.h"

/* The false-positive rates at which recall is told. */
#define SEN_EVAL_RATES 2
#define SEN_EVAL_RATE_LIST  \
	{                   \
		0.001, 0.01 \
	}
#define SEN_EVAL_RATE_NAMES     \
	{                       \
		"0.001", "0.01" \
	}

/* Of scored items: flows, frames or evaluations. */
struct sen_figures {
	size_t benign, malicious;
	double auc, average_precision;
	double tpr_at_fpr[SEN_EVAL_RATES];
	struct sen_confusion threshold; /* at the threshold in force */
};

/* The malicious flows of a class; its attacks are told apart by source. */
struct sen_class_figures {
	unsigned int class_index;     /* of the labels */
	size_t flows, flagged, named; /* named: flagged and of the right class */
	double recall;                /* at the threshold in force */
	double recall_at_fpr[SEN_EVAL_RATES];
	size_t named_as[SEN_CLASS_MAX]; /* flagged flows by the model's class */
	size_t attacks, detected;
	double delay_s, delay_packets; /* medians over the attacks that were detected */
};

struct sen_source_figures {
	unsigned int source_index; /* of the labels */
	size_t benign, false_positives, malicious;
	size_t flagged, named; /* of the malicious: flagged, and of the right class */
	double recall;
	double recall_at_fpr[SEN_EVAL_RATES];
};

/* How far the threshold is from its target, on what was seen here. */
struct sen_calibration {
	size_t benign;
	double fpr;              /* at the threshold in force */
	double score_for_target; /* lowest threshold that no more benign ones reach than the target's share */
};

struct sen_evaluation {
	struct sen_figures flow, packet, evaluation;
	/* The same by float32. */
	struct sen_figures flow_float[SEN_FLOAT_KINDS], evaluation_float[SEN_FLOAT_KINDS];
	struct sen_class_figures *classes;
	size_t n_classes;
	struct sen_source_figures *sources;
	size_t n_sources;
	double source_mean_at_fpr[SEN_EVAL_RATES]; /* over sources with malicious flows */
	double target_fpr;
	struct sen_calibration by_flow, by_evaluation;
	size_t flows_before, flows_unlabelled; /* left out */
	size_t flows_inherited; /* scored by the standing verdict of their target alone */
	size_t flows_unscored, flows_unscored_malicious; /* never evaluated: scored 0 */
	/* What the curves are drawn from. */
	struct sen_ranking *flows;
};

/* -ENOMEM. Free with sen_evaluation_free(). */
int sen_evaluation_make(struct sen_trial *trial, const struct sen_model *model,
			const struct sen_labels *labels, struct sen_evaluation **out);
void sen_evaluation_free(struct sen_evaluation *e);

/* "scan 90, unknown 4": what the flagged flows of a class were named, the most frequent first. */
#define SEN_NAMED_TEXT (SEN_CLASS_MAX * (SEN_CLASS_NAME_MAX + 24))
const char *sen_evaluation_named_as(const struct sen_class_figures *c,
				    const struct sen_model *model, char text[SEN_NAMED_TEXT]);

/* What was evaluated, for the record. */
struct sen_evaluation_input {
	const char *path;
	char digest[65]; /* SHA-256, empty where the input is no file */
	bool trained_on; /* the model's provenance has the same digest */
};

struct sen_evaluation_context {
	const struct sen_trial *trial;
	const struct sen_model *model;
	const struct sen_labels *labels;
	const char *model_path;
	const char *labels_path;
	const struct sen_evaluation_input *inputs;
	size_t n_inputs;
	double from_s;
};

/* The JSON of `sentroid eval`, to free(); NULL when out of memory. */
char *sen_evaluation_json(const struct sen_evaluation *e,
			  const struct sen_evaluation_context *context);

#endif
