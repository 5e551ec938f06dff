// SPDX-License-Identifier: BSD-2-Clause
/* Figures by class and source from flows whose scores and labels are given, worked out by hand; and what
 * draws them. */
#include "fixture.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation.h"
#include "plot.h"

#define ONE_S    1000000000ull
#define BENIGN   200 /* flows */
#define CLOSE    1e-12
#define SCORE(x) ((uint32_t)((x)*SEN_ONE))

enum {
	HOME,
	NORTH,
	SOUTH
};

enum {
	QUIET,
	SCAN,
	FLOOD
};

static const char labels_text[] = "frame,label,class,source\n"
				  "1,0,benign,home\n"
				  "2,1,scan,north\n"
				  "3,1,syn_flood,south\n";

struct bench {
	struct sen_labels *labels;
	struct sen_model *model;
	struct sen_trial trial;
	struct sen_evaluation *e;
};

static struct sen_labels *read_labels(void)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "labels.csv");
	FILE *out = fopen(path, "w");
	struct sen_labels *l;

	assert_non_null(out);
	fputs(labels_text, out);
	fclose(out);
	assert_int_equal(sen_labels_read(path, &l, NULL), 0);
	free(path);
	fixture_remove(folder);
	return l;
}

static struct sen_trial_flow *add_flow(struct bench *b, double score, unsigned int class_index,
				       unsigned int source_index)
{
	struct sen_trial_flow *f = &b->trial.flows[b->trial.n_flows++];

	*f = (struct sen_trial_flow){
		.score = SCORE(score),
		.evaluations = 1,
		.in_float = { score, score },
		.labelled = true,
		.label = { class_index != QUIET, class_index, source_index },
	};
	return f;
}

/* Benign flows at 0.001, 0.002, ... 0.199, and one false positive at 2. Scans from the north at 0.5,
 * 1.5 (taken for a flood), 3 (for a scan); one flood from the south at 0.1985, one at 5. */
static void add_flows(struct bench *b)
{
	struct sen_trial_flow *f;

	for (int i = 1; i < BENIGN; i++)
		add_flow(b, i / 1000.0, QUIET, HOME);
	add_flow(b, 2, QUIET, NORTH);
	add_flow(b, 0.5, SCAN, NORTH);
	add_flow(b, 1.5, SCAN, NORTH)->class_id = SEN_CLASS_SYN_FLOOD;
	add_flow(b, 3, SCAN, NORTH)->class_id = SEN_CLASS_SCAN;
	add_flow(b, 5, FLOOD, SOUTH)->class_id = SEN_CLASS_SYN_FLOOD;
	add_flow(b, 0.1985, FLOOD, SOUTH);
	/* What does not count. */
	add_flow(b, 9, SCAN, NORTH)->left_out = true;
	add_flow(b, 9, QUIET, HOME)->labelled = false;
	f = add_flow(b, 0, SCAN, NORTH);
	f->evaluations = 0;
	f->in_float[0] = f->in_float[1] = -1;
}

static void add_attacks(struct bench *b)
{
	static const struct sen_trial_attack attacks[] = {
		{ .label = { true, SCAN, NORTH },
		  .first_ns = 10 * ONE_S,
		  .detected = true,
		  .detected_ns = 12 * ONE_S,
		  .delay_packets = 7 },
		{ .label = { true, SCAN, SOUTH },
		  .first_ns = 20 * ONE_S,
		  .detected = true,
		  .detected_ns = 20 * ONE_S,
		  .delay_packets = 0 },
		{ .label = { true, SCAN, HOME }, .first_ns = 30 * ONE_S },
		{ .label = { true, FLOOD, SOUTH }, .first_ns = 40 * ONE_S },
	};

	b->trial.attacks = malloc(sizeof(attacks));
	memcpy(b->trial.attacks, attacks, sizeof(attacks));
	b->trial.n_attacks = sizeof(attacks) / sizeof(*attacks);
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->labels = read_labels();
	b->model = fixture_model();
	b->trial.flows = calloc(BENIGN + 20, sizeof(*b->trial.flows));
	b->trial.packets = sen_ranking_new();
	b->trial.evaluations = sen_ranking_new();
	for (int kind = 0; kind < SEN_FLOAT_KINDS; kind++)
		b->trial.in_float[kind] = sen_ranking_new();
	add_flows(b);
	add_attacks(b);
	b->model->training.target_fpr = 0.01;
	assert_int_equal(sen_evaluation_make(&b->trial, b->model, b->labels, &b->e), 0);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	sen_evaluation_free(b->e);
	sen_ranking_free(b->trial.packets);
	sen_ranking_free(b->trial.evaluations);
	for (int kind = 0; kind < SEN_FLOAT_KINDS; kind++)
		sen_ranking_free(b->trial.in_float[kind]);
	free(b->trial.flows);
	free(b->trial.attacks);
	sen_model_free(b->model);
	sen_labels_free(b->labels);
	free(b);
	return 0;
}

static void check(double got, double wanted)
{
	if (isnan(wanted) ? !isnan(got) : !(fabs(got - wanted) < CLOSE))
		fail_msg("%.15g, not %.15g", got, wanted);
}

static void what_does_not_count_is_counted(void **state)
{
	const struct sen_evaluation *e = ((struct bench *)*state)->e;

	assert_int_equal(e->flow.benign, BENIGN);
	assert_int_equal(e->flow.malicious, 6);
	assert_int_equal(e->flows_before, 1);
	assert_int_equal(e->flows_unlabelled, 1);
	assert_int_equal(e->flows_unscored, 1);
	assert_int_equal(e->flows_unscored_malicious, 1);
	assert_int_equal(e->flow.threshold.true_positives, 3);
	assert_int_equal(e->flow.threshold.false_positives, 1);
}

/* Of 200 benign flows 1% is two: the third highest is at 0.198. At 0.1% none may be flagged: 2. */
static void classes_share_the_cuts_of_all(void **state)
{
	const struct sen_evaluation *e = ((struct bench *)*state)->e;
	const struct sen_class_figures *scan = &e->classes[0], *flood = &e->classes[1];

	assert_int_equal(e->n_classes, 2);
	assert_int_equal(scan->flows, 4);
	check(scan->recall, 2 / 4.0);
	check(scan->recall_at_fpr[0], 1 / 4.0);
	check(scan->recall_at_fpr[1], 3 / 4.0);
	assert_int_equal(flood->flows, 2);
	check(flood->recall, 1 / 2.0);
	check(flood->recall_at_fpr[0], 1 / 2.0);
	check(flood->recall_at_fpr[1], 1);
}

static void names_are_of_flagged_flows(void **state)
{
	const struct sen_evaluation *e = ((struct bench *)*state)->e;
	const struct sen_class_figures *scan = &e->classes[0];

	assert_int_equal(scan->flagged, 2);
	assert_int_equal(scan->named, 1);
	assert_int_equal(scan->named_as[SEN_CLASS_SYN_FLOOD], 1);
	assert_int_equal(scan->named_as[SEN_CLASS_SCAN], 1);
	assert_int_equal(e->classes[1].named, 1);
}

static void names_are_told_most_frequent_first(void **state)
{
	struct sen_class_figures c = {
		.named_as = { [SEN_CLASS_UNKNOWN] = 3, [SEN_CLASS_SYN_FLOOD] = 12, [SEN_CLASS_SCAN] = 3 }
	};
	char text[SEN_NAMED_TEXT];

	(void)state;
	assert_string_equal(sen_evaluation_named_as(&c, NULL, text),
			    "syn_flood 12, unknown 3, scan 3");
	c = (struct sen_class_figures){ 0 };
	assert_string_equal(sen_evaluation_named_as(&c, NULL, text), "");
	for (int id = 0; id < SEN_CLASS_MAX; id++)
		c.named_as[id] = SIZE_MAX - id;
	assert_true(strlen(sen_evaluation_named_as(&c, NULL, text)) < SEN_NAMED_TEXT);
}

static void delays_are_medians_of_what_was_detected(void **state)
{
	const struct sen_evaluation *e = ((struct bench *)*state)->e;

	assert_int_equal(e->classes[0].attacks, 3);
	assert_int_equal(e->classes[0].detected, 2);
	check(e->classes[0].delay_s, 1);
	check(e->classes[0].delay_packets, 3.5);
	assert_int_equal(e->classes[1].attacks, 1);
	check(e->classes[1].delay_s, NAN);
}

static void sources_count_alike(void **state)
{
	const struct sen_evaluation *e = ((struct bench *)*state)->e;

	assert_int_equal(e->n_sources, 3);
	assert_int_equal(e->sources[HOME].benign, BENIGN - 1);
	assert_int_equal(e->sources[HOME].false_positives, 0);
	assert_int_equal(e->sources[NORTH].benign, 1);
	assert_int_equal(e->sources[NORTH].false_positives, 1);
	check(e->sources[HOME].recall, NAN);
	check(e->source_mean_at_fpr[0], (1 / 4.0 + 1 / 2.0) / 2);
	check(e->source_mean_at_fpr[1], (3 / 4.0 + 1) / 2);
}

static void calibration_tells_what_would_have_met_the_target(void **state)
{
	struct bench *b = *state;
	const struct sen_calibration *c = &b->e->by_flow;
	unsigned int reach = 0;

	check(c->fpr, 1 / 200.0);
	assert_true(fabs(c->score_for_target - 0.198) < 2.0 / SEN_ONE);
	for (size_t i = 0; i < b->trial.n_flows; i++) {
		const struct sen_trial_flow *f = &b->trial.flows[i];

		reach += f->labelled && !f->label.malicious &&
			 f->score >= c->score_for_target * SEN_ONE;
	}
	/* Not the one at 0.198 itself: that would be three of 200, and the target is 1%. */
	assert_int_equal(reach, 2);
}

/* JSON has no NaN: what is undefined is null, and stands there all the same. */
static void undefined_figures_are_null(void **state)
{
	struct bench *b = *state;
	struct sen_evaluation_context x = { .trial = &b->trial,
					    .model = b->model,
					    .labels = b->labels,
					    .model_path = "m",
					    .labels_path = "l" };
	char *text = sen_evaluation_json(b->e, &x);
	cJSON *json = cJSON_Parse(text), *flow, *packet;

	assert_non_null(json);
	flow = cJSON_GetObjectItem(json, "flow");
	packet = cJSON_GetObjectItem(json, "packet");
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(flow, "auc")));
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(packet, "auc")));
	assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "classes"), "syn_flood"));
	assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "classes"), "benign"));
	cJSON_Delete(json);
	free(text);
}

static void a_missing_gnuplot_is_told(void **state)
{
	char *path = strdup(getenv("PATH")), *svg;
	struct sen_why why;

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(sen_plot_svg("", &svg, &why), -ENOENT);
	setenv("PATH", path, 1);
	assert_non_null(strstr(why.text, "gnuplot"));
	assert_non_null(strstr(why.hint, "install gnuplot"));
	free(path);
}

static void a_figure_is_one_element(void **state)
{
	struct sen_why why;
	char *svg;

	(void)state;
	if (system("command -v gnuplot >/dev/null"))
		skip();
	assert_int_equal(sen_plot_svg("set terminal svg\nplot x\n", &svg, &why), 0);
	assert_int_equal(strncmp(svg, "<svg", 4), 0);
	assert_null(strstr(svg, "xlink=\""));
	assert_null(strstr(svg, "<!DOCTYPE"));
	free(svg);
	assert_int_equal(sen_plot_svg("set terminal svg\nplot nonsense\n", &svg, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "nonsense"));
	/* Nothing drawn is no figure. */
	assert_int_equal(sen_plot_svg("set terminal svg\n", &svg, &why), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_count_is_counted),
		cmocka_unit_test(classes_share_the_cuts_of_all),
		cmocka_unit_test(names_are_of_flagged_flows),
		cmocka_unit_test(names_are_told_most_frequent_first),
		cmocka_unit_test(delays_are_medians_of_what_was_detected),
		cmocka_unit_test(sources_count_alike),
		cmocka_unit_test(calibration_tells_what_would_have_met_the_target),
		cmocka_unit_test(undefined_figures_are_null),
		cmocka_unit_test(a_missing_gnuplot_is_told),
		cmocka_unit_test(a_figure_is_one_element),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
