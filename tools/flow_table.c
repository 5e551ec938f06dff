// SPDX-License-Identifier: BSD-2-Clause
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "figure.h"
#include "flow_table.h"
#include "flowtable.h"
#include "ranking.h"
#include "sentroid/score.h"
#include "table.h"
#include "utf8.h"

static int read_same(const char *path, const char **format, struct sen_flowtable **out,
		     struct sen_why *why)
{
	int err = sen_flowtable_read(path, out, why);

	if (err)
		return err;
	if (*format && strcmp(*format, (*out)->format) != 0) {
		err = sen_why(why, -EINVAL,
			      "a model is for one kind of table, the kind that it is trained on",
			      "reading flow table: %s: of %s, not of %s", path, (*out)->format,
			      *format);
		sen_flowtable_free(*out);
		return err;
	}
	*format = (*out)->format;
	return 0;
}

static bool has_labels(const struct sen_flowtable *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].label != SEN_LABEL_NONE)
			return true;
	return false;
}

/* Ids in the model of the table's classes; SEN_CLASS_NONE where it has no room or the name is too long. */
static void name_classes(const struct sen_flowtable *t, struct sen_model *names,
			 uint8_t id_of[SEN_TABLE_CLASSES])
{
	unsigned int unnamed = 0;

	for (unsigned int i = 0; i < t->n_classes; i++) {
		int id = strlen(t->classes[i]) < SEN_CLASS_NAME_MAX ?
				 sen_class_id(names, t->classes[i]) :
				 -ENAMETOOLONG;

		id_of[i] = id < 0 ? SEN_CLASS_NONE : id;
		unnamed += id < 0;
	}
	if (unnamed)
		note("%u classes of attacks are not named in the model", unnamed);
}

int flow_table_samples(const char *path, const char **format, struct sen_model *names,
		       struct sen_harvest *h, struct sen_why *why)
{
	uint8_t id_of[SEN_TABLE_CLASSES];
	struct sen_sample *grown;
	struct sen_flowtable *t;
	bool labelled;
	int err = read_same(path, format, &t, why);

	if (err)
		return err;
	grown = reallocarray(h->samples, h->n + t->n, sizeof(*grown));
	if (!grown) {
		sen_flowtable_free(t);
		return sen_why(why, -ENOMEM, NULL, "reading flow table: out of memory");
	}
	h->samples = grown;
	name_classes(t, names, id_of);
	labelled = has_labels(t);
	for (size_t i = 0; i < t->n; i++) {
		struct sen_sample *s = &h->samples[h->n];

		*s = t->rows[i];
		s->flow = s->time_ns = ++h->n; /* rows of several files are told apart, too */
		s->class_id = s->label == SEN_LABEL_ATTACK ? id_of[s->class_id] : SEN_CLASS_NONE;
		if (!labelled)
			s->label = SEN_LABEL_BENIGN;
	}
	sen_flowtable_free(t);
	return 0;
}

void flow_table_mark(struct sen_model *model, const char *format)
{
	model->features = SEN_TABLE_FEATURES;
	snprintf(model->table, sizeof(model->table), "%s", format);
	for (unsigned int e = 0; e < model->members; e++)
		for (int d = SEN_TABLE_COLUMN_COUNT; d < SEN_DIMS; d++)
			model->member[e].mask[d] = false;
}

struct evaluation {
	const char *format;
	size_t rows, unlabelled;
	struct sen_ranking *ranking;
	double cut[2]; /* scores for false-positive rates of 0.1 % and 1 % */
	struct sen_confusion at_threshold;
	char *class_name[SEN_TABLE_CLASSES];
	struct sen_ranking
		*of_class[SEN_TABLE_CLASSES]; /* without benign rows: to count above a score */
	unsigned int n_classes;
};

static const double rates[2] = { 0.001, 0.01 };

static struct sen_ranking *class_of(struct evaluation *e, const char *name)
{
	unsigned int i = 0;

	while (i < e->n_classes && strcmp(e->class_name[i], name) != 0)
		i++;
	if (i == SEN_TABLE_CLASSES)
		return NULL;
	if (i == e->n_classes) {
		e->class_name[i] = strdup(name);
		e->of_class[i] = sen_ranking_new();
		e->n_classes++;
	}
	return e->class_name[i] ? e->of_class[i] : NULL;
}

static int score_table(struct evaluation *e, const struct sen_model_flat *flat,
		       const struct sen_flowtable *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct sen_sample *s = &t->rows[i];
		bool attack = s->label == SEN_LABEL_ATTACK;
		struct sen_ranking *class = NULL;
		struct sen_lanes q;
		double score;

		e->rows++;
		if (s->label == SEN_LABEL_NONE) {
			e->unlabelled++;
			continue;
		}
		sen_quantize(flat->quantizer, &s->vector, &q);
		score = (double)sen_score(flat, &q).score / SEN_ONE;
		if (attack)
			class = class_of(e, t->classes[s->class_id]);
		if (sen_ranking_add(e->ranking, score, attack) ||
		    (attack && (!class || sen_ranking_add(class, score, true))))
			return -ENOMEM;
	}
	return 0;
}

static double recall_above(struct sen_ranking *class, double cut, bool at_least)
{
	struct sen_confusion c;

	/* Without benign rows there is no rate to hold. */
	if (isnan(cut))
		return NAN;
	sen_ranking_confusion(class, at_least ? cut : nextafter(cut, INFINITY), &c);
	return c.tpr;
}

static void print_text(struct evaluation *e)
{
	struct table t = { .align = "<>>>>", .indent = "" };

	printf("%s: %zu flows, %zu benign, %zu of attacks, %zu without a label\n", e->format,
	       e->rows, sen_ranking_negatives(e->ranking), sen_ranking_positives(e->ranking),
	       e->unlabelled);
	printf("AUC %s, average precision %s, recall %s at 0.1%%, %s at 1%%\n",
	       decimal(sen_ranking_auc(e->ranking), 4).is,
	       decimal(sen_ranking_average_precision(e->ranking), 4).is,
	       percent(sen_ranking_recall_at(e->ranking, rates[0])).is,
	       percent(sen_ranking_recall_at(e->ranking, rates[1])).is);
	printf("threshold: false positives %s, recall %s, precision %s\n",
	       percent(e->at_threshold.fpr).is, percent(e->at_threshold.tpr).is,
	       percent(e->at_threshold.precision).is);
	table_row(&t, "class\tflows\trecall\tat 0.1%%\tat 1%%");
	for (unsigned int i = 0; i < e->n_classes; i++)
		table_row(&t, "%s\t%zu\t%s\t%s\t%s", e->class_name[i],
			  sen_ranking_positives(e->of_class[i]),
			  percent(recall_above(e->of_class[i], 1, true)).is,
			  percent(recall_above(e->of_class[i], e->cut[0], false)).is,
			  percent(recall_above(e->of_class[i], e->cut[1], false)).is);
	table_print(&t);
}

static void add_figure(cJSON *o, const char *name, double value)
{
	cJSON_AddItemToObject(o, name,
			      isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

static int print_json(struct evaluation *e)
{
	cJSON *root = cJSON_CreateObject(), *at = NULL, *classes, *c;
	char *text, *mended;

	cJSON_AddStringToObject(root, "format", e->format);
	cJSON_AddNumberToObject(root, "flows", (double)e->rows);
	cJSON_AddNumberToObject(root, "unlabelled", (double)e->unlabelled);
	add_figure(root, "auc", sen_ranking_auc(e->ranking));
	add_figure(root, "average_precision", sen_ranking_average_precision(e->ranking));
	at = cJSON_AddObjectToObject(root, "tpr_at_fpr");
	add_figure(at, "0.001", sen_ranking_recall_at(e->ranking, rates[0]));
	add_figure(at, "0.01", sen_ranking_recall_at(e->ranking, rates[1]));
	at = cJSON_AddObjectToObject(root, "threshold");
	add_figure(at, "fpr", e->at_threshold.fpr);
	add_figure(at, "tpr", e->at_threshold.tpr);
	add_figure(at, "precision", e->at_threshold.precision);
	classes = cJSON_AddObjectToObject(root, "classes");
	for (unsigned int i = 0; i < e->n_classes; i++) {
		c = cJSON_AddObjectToObject(classes, e->class_name[i]);
		cJSON_AddNumberToObject(c, "flows", (double)sen_ranking_positives(e->of_class[i]));
		add_figure(c, "recall", recall_above(e->of_class[i], 1, true));
		add_figure(c, "recall_at_fpr_0.01", recall_above(e->of_class[i], e->cut[1], false));
	}
	text = cJSON_Print(root);
	cJSON_Delete(root);
	mended = sen_utf8_mended(text);
	cJSON_free(text);
	if (!mended)
		return -ENOMEM;
	puts(mended);
	free(mended);
	return 0;
}

static int score_files(struct evaluation *e, const struct sen_model_flat *flat,
		       const char *const *paths, struct sen_why *why)
{
	int err = 0;

	for (; !err && *paths; paths++) {
		struct sen_flowtable *t;

		err = read_same(*paths, &e->format, &t, why);
		if (err)
			return err;
		err = score_table(e, flat, t);
		sen_flowtable_free(t);
	}
	if (err)
		return sen_why(why, err, NULL, "evaluating: out of memory");
	if (e->rows == e->unlabelled)
		return sen_why(why, -ENODATA, NULL, "evaluating: the tables have no labels");
	for (int i = 0; i < 2; i++)
		e->cut[i] = sen_ranking_cut(e->ranking, rates[i]);
	sen_ranking_confusion(e->ranking, 1, &e->at_threshold);
	return 0;
}

int flow_table_eval(const char *model_path, const char *const *paths, bool json,
		    struct sen_why *why)
{
	struct evaluation e = { .ranking = sen_ranking_new() };
	struct sen_model_flat *flat = calloc(1, sizeof(*flat));
	struct sen_model *model = NULL;
	int err = sen_model_load_table(model_path, &model, why);

	if (!err && (!flat || !e.ranking))
		err = sen_why(why, -ENOMEM, NULL, "evaluating: out of memory");
	if (!err)
		err = sen_model_flatten(model, flat, why);
	if (!err) {
		e.format = model->table;
		err = score_files(&e, flat, paths, why);
	}
	if (!err && !json)
		print_text(&e);
	else if (!err && print_json(&e))
		err = sen_why(why, -ENOMEM, NULL, "printing figures: out of memory");
	for (unsigned int i = 0; i < e.n_classes; i++) {
		free(e.class_name[i]);
		sen_ranking_free(e.of_class[i]);
	}
	sen_ranking_free(e.ranking);
	sen_model_free(model);
	free(flat);
	return err;
}
