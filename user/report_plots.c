// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model_internal.h"
#include "plot.h"
#include "report_plots.h"

#define CURVE_POINTS 400
#define BENIGN       "#3b6ea5"
#define MALICIOUS    "#b3392f"
#define QUIET        "#808080"

/* Points over time: one for a cell, however many flows lie in it. */
#define TIME_CELLS  300
#define SCORE_CELLS 90
#define SCORE_LEAST 0.01 /* what is below is drawn there */

/* Soft enough to read points on. */
static const char *const shades[] = { "#e6ab02", "#66a61e", "#7570b3", "#1b9e77",
				      "#d95f02", "#a6761d", "#e7298a", "#4daf4a",
				      "#377eb8", "#984ea3", "#999999", "#ff7f00" };

#define SHADES (sizeof(shades) / sizeof(*shades))

/* A script on its way to gnuplot. */
struct script {
	char *text;
	size_t len;
	FILE *out; /* NULL: out of memory */
};

static void begin(struct script *s, int width, int height)
{
	s->text = NULL;
	s->out = open_memstream(&s->text, &s->len);
	if (s->out)
		fprintf(s->out,
			"set terminal svg size %d,%d dynamic font 'sans-serif,13' linewidth 1\n"
			"set border 3 lc rgb '" QUIET "'\nset tics nomirror\n"
			"set grid lc rgb '#dddddd' lw 0.5\nset key noenhanced\n",
			width, height);
}

static int finish(struct script *s, char **svg, struct sen_why *why)
{
	bool failed = !s->out || ferror(s->out);
	int err;

	if (s->out && fclose(s->out))
		failed = true;
	err = failed ? sen_why(why, -ENOMEM, NULL, "drawing figures: out of memory") :
		       sen_plot_svg(s->text, svg, why);
	free(s->text);
	return err;
}

static void curve_data(FILE *out, const char *name, struct sen_ranking *r)
{
	struct sen_curve_point point[CURVE_POINTS];
	size_t n = sen_ranking_curve(r, point, CURVE_POINTS);

	fprintf(out, "$%s << EOD\n", name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%.9g %.9g %.9g\n", point[i].fpr, point[i].tpr, point[i].precision);
	/* gnuplot does not plot what has no point at all. */
	fprintf(out, "%sEOD\n", n ? "" : "NaN NaN NaN\n");
}

static void curves_data(FILE *out, const struct sen_evaluation *e, const struct sen_trial *t)
{
	const struct sen_confusion *c = &e->flow.threshold;

	curve_data(out, "flow", e->flows);
	curve_data(out, "packet", t->packets);
	fprintf(out, "$threshold << EOD\n%.9g %.9g %.9g\nEOD\n", c->fpr, c->tpr, c->precision);
}

int sen_report_plot_roc(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
			char **svg, struct sen_why *why)
{
	double least = e->flow.benign ? 0.5 / e->flow.benign : 1e-4;
	struct script s;

	begin(&s, 480, 380);
	if (s.out) {
		curves_data(s.out, e, x->trial);
		fprintf(s.out,
			"set title 'ROC'\nset xlabel 'false-positive rate'\nset ylabel 'recall'\n"
			"set logscale x\nset format x '%%g'\nset xrange [%.3g:1]\nset yrange [0:1.02]\n"
			"set key bottom right\n"
			"held(v) = v < %.3g ? %.3g : v\n"
			"plot $packet using (held($1)):2 with steps lc rgb '" QUIET
			"' title 'packets', "
			"$flow using (held($1)):2 with steps lw 2 lc rgb '" BENIGN
			"' title 'flows', "
			"$threshold using (held($1)):2 with points pt 7 lc rgb '" MALICIOUS
			"' title 'threshold in force (flows)'\n",
			least, least, least);
	}
	return finish(&s, svg, why);
}

int sen_report_plot_precision(const struct sen_evaluation *e,
			      const struct sen_evaluation_context *x, char **svg,
			      struct sen_why *why)
{
	struct script s;

	begin(&s, 480, 380);
	if (s.out) {
		curves_data(s.out, e, x->trial);
		fputs("set title 'Precision and recall'\nset xlabel 'recall'\nset ylabel 'precision'\n"
		      "set xrange [0:1.02]\nset yrange [0:1.02]\nset key bottom left\n"
		      "plot $packet using 2:3 with lines lc rgb '" QUIET "' title 'packets', "
		      "$flow using 2:3 with lines lw 2 lc rgb '" BENIGN "' title 'flows', "
		      "$threshold using 2:3 with points pt 7 lc rgb '" MALICIOUS
		      "' title 'threshold in force (flows)'\n",
		      s.out);
	}
	return finish(&s, svg, why);
}

static double seconds(const struct sen_trial *t, uint64_t time_ns)
{
	return ((double)time_ns - (double)t->first_ns) / 1e9;
}

static double span(const struct sen_trial *t)
{
	return fmax(seconds(t, t->last_ns), 1e-6);
}

/* The cell of a value within a range, held to it. */
static int cell(double v, double low, double high, int cells)
{
	double at = (v - low) / (high - low) * cells;

	return at < 0 ? 0 : at >= cells ? cells - 1 : (int)at;
}

static double log_score(const struct sen_trial_flow *f)
{
	return log10(fmax((double)f->score / SEN_ONE, SCORE_LEAST));
}

static double highest_score(const struct sen_trial *t)
{
	double most = 1;

	for (size_t i = 0; i < t->n_flows; i++)
		most = fmax(most, log_score(&t->flows[i]) + 0.1);
	return most;
}

static void time_data(FILE *out, const struct sen_trial *t, enum sen_trial_kind kind,
		      const char *name, double most)
{
	static bool taken[TIME_CELLS][SCORE_CELLS];
	double least = log10(SCORE_LEAST), step = (most - least) / SCORE_CELLS;

	for (int i = 0; i < TIME_CELLS; i++)
		for (int k = 0; k < SCORE_CELLS; k++)
			taken[i][k] = false;
	for (size_t i = 0; i < t->n_flows; i++) {
		const struct sen_trial_flow *f = &t->flows[i];

		if (f->labelled && f->label.malicious == (kind == SEN_TRIAL_MALICIOUS))
			taken[cell(seconds(t, f->first_ns), 0, span(t), TIME_CELLS)]
			     [cell(log_score(f), least, most, SCORE_CELLS)] = true;
	}
	fprintf(out, "$%s << EOD\n", name);
	for (int i = 0; i < TIME_CELLS; i++)
		for (int k = 0; k < SCORE_CELLS; k++)
			if (taken[i][k])
				fprintf(out, "%.6g %.4g\n", (i + 0.5) * span(t) / TIME_CELLS,
					pow(10, least + (k + 0.5) * step));
	fputs("NaN NaN\nEOD\n", out);
}

/* An interval is drawn at least so wide that it can be seen. */
static void shade_attacks(FILE *out, const struct sen_trial *t)
{
	double least = span(t) / 300;

	for (size_t i = 0; i < t->n_attacks; i++) {
		const struct sen_trial_attack *a = &t->attacks[i];
		double from = seconds(t, a->first_ns), to = seconds(t, a->last_ns);

		fprintf(out,
			"set object rect from %.6g, graph 0 to %.6g, graph 1 behind fc rgb '%s' "
			"fs transparent solid 0.25 noborder\n",
			from, fmax(to, from + least), shades[a->label.class_index % SHADES]);
	}
}

static void name_shades(FILE *out, const struct sen_evaluation *e, const struct sen_labels *labels)
{
	for (size_t i = 0; i < e->n_classes; i++) {
		unsigned int index = e->classes[i].class_index;

		/* Class names go into a script: no quotes. */
		fprintf(out, ", keyentry with boxes fs solid 0.25 noborder fc rgb '%s' title '",
			shades[index % SHADES]);
		for (const char *c = sen_labels_class(labels, index); *c; c++)
			fputc(*c == '\'' || *c == '\\' || *c < ' ' ? '_' : *c, out);
		fputc('\'', out);
	}
}

int sen_report_plot_time(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
			 char **svg, struct sen_why *why)
{
	const struct sen_trial *t = x->trial;
	double most = highest_score(t);
	struct script s;

	begin(&s, 980, 420);
	if (s.out) {
		time_data(s.out, t, SEN_TRIAL_BENIGN, "benign", most);
		time_data(s.out, t, SEN_TRIAL_MALICIOUS, "malicious", most);
		shade_attacks(s.out, t);
		fprintf(s.out,
			"set xlabel 'seconds from the first frame'\nset ylabel 'score of the flow'\n"
			"set logscale y\nset format y '%%g'\nset xrange [0:%.6g]\n"
			"set yrange [%g:%.4g]\nset key outside right top\n",
			span(t), SCORE_LEAST, pow(10, most));
		if (x->from_s > 0)
			fprintf(s.out,
				"set arrow from %.6g, graph 0 to %.6g, graph 1 nohead dt 2 lc rgb '" QUIET
				"'\n",
				x->from_s, x->from_s);
		fputs("plot 1 lc rgb 'black' dt 3 title 'threshold', "
		      "$malicious with points pt 7 ps 0.25 lc rgb '" MALICIOUS
		      "' title 'malicious', "
		      "$benign with points pt 7 ps 0.25 lc rgb '" BENIGN "' title 'benign'",
		      s.out);
		name_shades(s.out, e, x->labels);
		fputc('\n', s.out);
	}
	return finish(&s, svg, why);
}

static void feature_data(FILE *out, const uint64_t bin[SEN_FEATURE_BINS], const char *name, int d)
{
	uint64_t sum = 0;

	for (int i = 0; i < SEN_FEATURE_BINS; i++)
		sum += bin[i];
	fprintf(out, "$%s%d << EOD\n", name, d);
	for (int i = 0; i < SEN_FEATURE_BINS; i++)
		fprintf(out, "%g %.5g\n", i + 0.5, sum ? (double)bin[i] / sum : 0);
	fputs("EOD\n", out);
}

int sen_report_plot_features(const struct sen_evaluation *e, const struct sen_evaluation_context *x,
			     char **svg, struct sen_why *why)
{
	const struct sen_trial *t = x->trial;
	struct script s;

	(void)e;
	begin(&s, 980, 1000);
	for (int d = 0; s.out && d < SEN_DIMS; d++) {
		feature_data(s.out, t->feature[SEN_TRIAL_BENIGN][d], "benign", d);
		feature_data(s.out, t->feature[SEN_TRIAL_MALICIOUS][d], "malicious", d);
	}
	if (s.out)
		fprintf(s.out,
			"set multiplot layout %d,4\nset key off\nset yrange [0:*]\nset xrange [0:20]\n"
			"unset ytics\nset style fill solid 0.5 noborder\nset boxwidth 1\n"
			"set xtics ('0' 0, '15' 4, '255' 8, '4k' 12, '65k' 16, '1M' 20)\n"
			"set title noenhanced font ',12'\n",
			(SEN_DIMS + 3) / 4);
	for (int d = 0; s.out && d < SEN_DIMS; d++)
		fprintf(s.out,
			"set title '%s'\nplot $benign%d with boxes lc rgb '" BENIGN
			"', $malicious%d with histeps lw 1.5 lc rgb '" MALICIOUS "'\n",
			sen_feature_name(d), d, d);
	if (s.out)
		fputs("unset multiplot\n", s.out);
	return finish(&s, svg, why);
}
