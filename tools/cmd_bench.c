// SPDX-License-Identifier: BSD-2-Clause
/* sentroid bench: what a packet costs on this machine. */
#include <cjson/cJSON.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "benchmark.h"
#include "command.h"

struct options {
	bool json;
	const char *model;
	unsigned int rounds;
	unsigned int packets;
};

enum {
	KEY_JSON = 0x100,
	KEY_MODEL,
	KEY_ROUNDS,
	KEY_PACKETS
};

static const struct argp_option option_list[] = {
	{ "json", KEY_JSON, 0, 0, "Print JSON", 0 },
	{ "model", KEY_MODEL, "FILE", 0, "Model in force instead of the shipped one", 0 },
	{ "rounds", KEY_ROUNDS, "N", 0, "Rounds that the medians are taken over (15)", 0 },
	{ "packets", KEY_PACKETS, "N", 0, "Packets of a round (1000000)", 0 },
	{ 0 },
};

static int on_option(int key, const char *value, void *input)
{
	struct options *o = input;

	switch (key) {
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_MODEL:
		o->model = value;
		return 0;
	case KEY_ROUNDS:
		return parse_count("--rounds", value, 1, 101, &o->rounds);
	case KEY_PACKETS:
		return parse_count("--packets", value, 1000, 100000000, &o->packets);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct syntax syntax = {
	.name = "bench",
	.args = "",
	.doc = "Measure the packet path between two yardsticks in one run: an empty XDP program, and "
	       "plain flow accounting in an LRU hash. Attaches to nothing.",
	.least = 0,
	.most = 0,
	.options = option_list,
	.option = on_option,
};

static void print_table(const struct sen_bench_row *rows)
{
	printf("%-42s %8s %11s %9s %6s %9s %6s\n", "ns per packet", "floor", "accounting",
	       "sentroid", "cost", "scored", "memo");
	for (int i = 0; i < SEN_BENCH_COUNT; i++)
		printf("%-42s %8.0f %11.0f %9.0f %6.2f %8.1f%% %5.0f%%\n", rows[i].meaning,
		       rows[i].floor_ns, rows[i].accounting_ns, rows[i].sentroid_ns, rows[i].cost,
		       100 * rows[i].evaluated, 100 * rows[i].memo);
	printf("cost = (sentroid - floor) / (accounting - floor)\n");
}

static const char *const stage_names[SEN_STAGE_COUNT] = {
	[SEN_STAGE_PARSE] = "parse",     [SEN_STAGE_FLOW] = "flow",
	[SEN_STAGE_CONTEXT] = "context", [SEN_STAGE_FEATURES] = "features",
	[SEN_STAGE_SCORE] = "score",     [SEN_STAGE_SAMPLE] = "sample",
};

static void print_ring(const struct sen_bench_ring *r)
{
	printf("ring         %.0f samples a second through one reader, %.1f%% lost, %u CPU%s producing "
	       "as fast as can be\n",
	       r->events_per_s, 100 * r->lost, r->producers, r->producers > 1 ? "s" : "");
}

static void print_live(const struct sen_bench_live *l)
{
	printf("\nlive frames over veth, millions a second, as a share of an empty program's:\n");
	for (unsigned int i = 0; i < l->rows; i++)
		printf("  %u CPU%s  empty %.2f, sentroid %.2f: %.2f\n", l->row[i].cpus,
		       l->row[i].cpus > 1 ? "s" : " ", l->row[i].empty_pps / 1e6,
		       l->row[i].sentroid_pps / 1e6, l->row[i].share);
	printf("without and with a full training of 100,000 samples beside it:\n");
	printf("  4,096 flows in turn %.0f and %.0f ns a packet; live on 1 CPU %.2f and %.2f "
	       "million a second\n",
	       l->packet_ns[0], l->packet_ns[1], l->pps[0] / 1e6, l->pps[1] / 1e6);
}

static void print_detail(const struct sen_bench_detail *d)
{
	printf("\nns added by each stage where every packet is a new flow to a new target:\n ");
	for (int i = 0; i < SEN_STAGE_COUNT; i++)
		printf(" %s %.0f", stage_names[i], d->stage_ns[i]);
	printf(", a shadow model %.0f\n", d->shadow_ns);
	printf("scoring      %.0f ns an evaluation without the memo, %.1f ns a centroid\n",
	       d->evaluation_ns, d->centroid_ns);
	printf("model pushes %.0f a second\n", d->pushes_per_s);
	print_ring(&d->ring);
	print_ring(&d->ring_overload);
	printf("memory       %u bytes a flow, %u a model\n", d->flow_bytes, d->model_bytes);
}

static void add_ring(cJSON *root, const char *name, const struct sen_bench_ring *r)
{
	cJSON *ring = cJSON_AddObjectToObject(root, name);

	cJSON_AddNumberToObject(ring, "producers", r->producers);
	cJSON_AddNumberToObject(ring, "events_per_s", r->events_per_s);
	cJSON_AddNumberToObject(ring, "lost", r->lost);
}

static void add_live(cJSON *root, const struct sen_bench_live *l)
{
	cJSON *list = cJSON_AddArrayToObject(root, "live"), *training;

	for (unsigned int i = 0; list && i < l->rows; i++) {
		cJSON *row = cJSON_CreateObject();

		cJSON_AddNumberToObject(row, "cpus", l->row[i].cpus);
		cJSON_AddNumberToObject(row, "empty_pps", l->row[i].empty_pps);
		cJSON_AddNumberToObject(row, "sentroid_pps", l->row[i].sentroid_pps);
		cJSON_AddNumberToObject(row, "share", l->row[i].share);
		cJSON_AddItemToArray(list, row);
	}
	training = cJSON_AddObjectToObject(root, "training");
	cJSON_AddNumberToObject(training, "without_ns", l->packet_ns[0]);
	cJSON_AddNumberToObject(training, "with_ns", l->packet_ns[1]);
	cJSON_AddNumberToObject(training, "without_pps", l->pps[0]);
	cJSON_AddNumberToObject(training, "with_pps", l->pps[1]);
}

static void add_detail(cJSON *root, const struct sen_bench_detail *d)
{
	cJSON *stages = cJSON_AddObjectToObject(root, "stages_ns");

	for (int i = 0; i < SEN_STAGE_COUNT; i++)
		cJSON_AddNumberToObject(stages, stage_names[i], d->stage_ns[i]);
	cJSON_AddNumberToObject(root, "shadow_ns", d->shadow_ns);
	cJSON_AddNumberToObject(root, "evaluation_ns", d->evaluation_ns);
	cJSON_AddNumberToObject(root, "centroid_ns", d->centroid_ns);
	cJSON_AddNumberToObject(root, "pushes_per_s", d->pushes_per_s);
	add_ring(root, "ring", &d->ring);
	add_ring(root, "ring_overload", &d->ring_overload);
	cJSON_AddNumberToObject(root, "flow_bytes", d->flow_bytes);
	cJSON_AddNumberToObject(root, "model_bytes", d->model_bytes);
}

static int print_json(const struct sen_bench_row *rows, const struct sen_bench_detail *detail,
		      const struct sen_bench_live *live)
{
	cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "scenarios");
	char *text;

	for (int i = 0; list && i < SEN_BENCH_COUNT; i++) {
		cJSON *row = cJSON_CreateObject();

		cJSON_AddStringToObject(row, "name", rows[i].name);
		cJSON_AddStringToObject(row, "meaning", rows[i].meaning);
		cJSON_AddNumberToObject(row, "floor_ns", rows[i].floor_ns);
		cJSON_AddNumberToObject(row, "accounting_ns", rows[i].accounting_ns);
		cJSON_AddNumberToObject(row, "sentroid_ns", rows[i].sentroid_ns);
		cJSON_AddNumberToObject(row, "cost", rows[i].cost);
		cJSON_AddNumberToObject(row, "evaluated", rows[i].evaluated);
		cJSON_AddNumberToObject(row, "memo", rows[i].memo);
		cJSON_AddItemToArray(list, row);
	}
	add_detail(root, detail);
	add_live(root, live);
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text)
		return EXIT_FAILED;
	puts(text);
	free(text);
	return EXIT_DONE;
}

/* What is being measured, where somebody watches. */
static void phase(const char *text)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s", text);
}

/* Ahead of all other work on its CPU, which is not what is measured; threads that are started are not. */
static void set_alone(bool alone)
{
	const struct sched_param param = { .sched_priority = alone };

	sched_setscheduler(0, alone ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER, &param);
}

int cmd_bench(int argc, char **argv)
{
	struct options o = { .rounds = 15, .packets = 1000000 };
	struct sen_bench_row rows[SEN_BENCH_COUNT];
	struct sen_bench_detail detail;
	struct sen_bench_live live;
	struct sen_model_flat model;
	struct sen_why why = { 0 };
	int err = parse_line(&syntax, argc, argv, &o, (const char *[SYNTAX_ARGS]){ 0 });

	if (err)
		return err;
	if (!is_root("benchmark", "test_run"))
		return EXIT_FAILED;
	if (load_model(o.model, &model, &why))
		return fail(&why);
	set_alone(true);
	phase("packets of flows in turn, and of new flows ...");
	err = sen_bench_packets(&model, o.rounds, o.packets, rows, &why);
	if (!err) {
		phase("stages, scoring, pushes, samples ...");
		err = sen_bench_detail(&model, o.rounds, o.packets, &detail, &why);
	}
	set_alone(false);
	if (!err) {
		phase("live frames, training ...");
		err = sen_bench_live(&model, o.rounds, o.packets, &live, &why);
	}
	phase("");
	if (err)
		return fail(&why);
	if (o.json)
		return print_json(rows, &detail, &live);
	print_table(rows);
	print_detail(&detail);
	print_live(&live);
	return EXIT_DONE;
}
