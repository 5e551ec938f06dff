// SPDX-License-Identifier: BSD-2-Clause
/*
 * `sentroid train` and `sentroid eval` as they are used: a capture of everyday traffic with a port scan in
 * it, made here, and its labels. What the command prints is held against what went into the capture.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "packet.h"
#include "random.h"

#define CLIENTS      20
#define QUIET_S      120 /* nothing but everyday traffic */
#define END_S        200
#define SCAN_S       150.0 /* when the scan begins */
#define SCAN_PORTS   300
#define SCAN_STEP_S  0.01
#define SCANNER      HOST(66)
#define SERVER       HOST(200)
#define PRINTER      HOST(201) /* what is scanned */
#define OUTPUT_BYTES (4u << 20)

struct lab {
	char folder[64];
	pcap_t *pcap;
	pcap_dumper_t *capture;
	FILE *labels;
	unsigned int frames, quiet_frames, visits, quiet_visits;
	uint64_t random;
};

static char output[OUTPUT_BYTES];

__attribute__((format(printf, 1, 0))) static void shell(const char *format, const char *folder)
{
	char line[256];

	snprintf(line, sizeof(line), format, folder);
	assert_int_equal(system(line), 0);
}

/* Run the command with a shell, its output and errors into `output`; its exit code. */
static int run(const struct lab *lab, const char *arguments)
{
	const char *build = getenv("BUILD_DIR");
	char line[512];
	size_t len;
	FILE *p;

	snprintf(line, sizeof(line), "b=$(realpath %s) && cd %s && $b/sentroid %s 2>&1",
		 build ? build : "build", lab->folder, arguments);
	p = popen(line, "r");
	assert_non_null(p);
	len = fread(output, 1, sizeof(output) - 1, p);
	output[len] = '\0';
	return WEXITSTATUS(pclose(p));
}

static void run_well(const struct lab *lab, const char *arguments)
{
	int code = run(lab, arguments);

	if (code)
		fail_msg("sentroid %s: exit code %d: %.400s", arguments, code, output);
}

static void put(struct lab *lab, double time_s, const struct packet *p, bool malicious)
{
	struct pcap_pkthdr h = { .caplen = p->len, .len = p->len };

	h.ts.tv_sec = 1000 + (time_t)time_s;
	h.ts.tv_usec = (time_s - (time_t)time_s) * 1e6;
	pcap_dump((u_char *)lab->capture, &h, p->data);
	fprintf(lab->labels, "%u,%d,%s,%s\n", ++lab->frames, malicious,
		malicious ? "scan" : "benign", malicious ? "scanner" : "office");
	if (time_s < QUIET_S)
		lab->quiet_frames++;
}

/* A client gets a page: eight frames. */
static void visit(struct lab *lab, double time_s)
{
	uint32_t client = HOST(1 + random_next(&lab->random) % CLIENTS);
	uint16_t port = 20000 + lab->visits++, size = 200 + random_next(&lab->random) % 200;
	struct packet p;

	lab->quiet_visits += time_s < QUIET_S;
	put(lab, time_s, packet_tcp(&p, client, port, SERVER, 80, TCP_SYN, 0), false);
	put(lab, time_s, packet_tcp(&p, SERVER, 80, client, port, TCP_SYN | TCP_ACK, 0), false);
	put(lab, time_s, packet_tcp(&p, client, port, SERVER, 80, TCP_ACK, 0), false);
	put(lab, time_s, packet_tcp(&p, client, port, SERVER, 80, TCP_PSH | TCP_ACK, size), false);
	for (unsigned int i = 0; i < 2; i++)
		put(lab, time_s, packet_tcp(&p, SERVER, 80, client, port, TCP_ACK, 1400), false);
	put(lab, time_s, packet_tcp(&p, client, port, SERVER, 80, TCP_FIN | TCP_ACK, 0), false);
	put(lab, time_s, packet_tcp(&p, SERVER, 80, client, port, TCP_FIN | TCP_ACK, 0), false);
}

static void scan_port(struct lab *lab, double time_s, unsigned int n)
{
	struct packet p;

	put(lab, time_s, packet_tcp(&p, SCANNER, 40000, PRINTER, 1000 + n, TCP_SYN, 0), true);
	put(lab, time_s, packet_tcp(&p, PRINTER, 1000 + n, SCANNER, 40000, TCP_RST, 0), true);
}

static FILE *open_file(const struct lab *lab, const char *name)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", lab->folder, name);
	out = fopen(path, "w");
	assert_non_null(out);
	return out;
}

static void write_traffic(struct lab *lab)
{
	unsigned int scanned = 0;

	for (double t = 0; t < END_S; t += 0.05 + random_next(&lab->random) % 100 / 1000.0) {
		for (; scanned < SCAN_PORTS && SCAN_S + scanned * SCAN_STEP_S <= t; scanned++)
			scan_port(lab, SCAN_S + scanned * SCAN_STEP_S, scanned);
		visit(lab, t);
	}
}

static int set_up(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	strcpy(lab->folder, "/tmp/sentroid-eval-XXXXXX");
	assert_non_null(mkdtemp(lab->folder));
	lab->random = 1;
	lab->labels = open_file(lab, "labels.csv");
	fputs("frame,label,class,source\n", lab->labels);
	lab->pcap = pcap_open_dead(DLT_EN10MB, 65535);
	lab->capture = pcap_dump_fopen(lab->pcap, open_file(lab, "day.pcap"));
	assert_non_null(lab->capture);
	write_traffic(lab);
	pcap_dump_close(lab->capture);
	pcap_close(lab->pcap);
	assert_int_equal(fclose(lab->labels), 0);
	run_well(lab, "train --normal day.pcap --until 120 -k 8 -o model.json");
	*state = lab;
	return 0;
}

static int tear_down(void **state)
{
	struct lab *lab = *state;

	shell("rm -r %s", lab->folder);
	free(lab);
	return 0;
}

static double at(const cJSON *o, const char *path)
{
	char text[128], *rest = text, *key;

	snprintf(text, sizeof(text), "%s", path);
	while ((key = strsep(&rest, "/"))) {
		o = cJSON_GetObjectItemCaseSensitive(o, key);
		if (!o)
			fail_msg("no %s", path);
	}
	return cJSON_GetNumberValue(o);
}

static cJSON *evaluate(const struct lab *lab, const char *more)
{
	char line[256];
	cJSON *json;

	snprintf(line, sizeof(line),
		 "eval --labels labels.csv day.pcap --model model.json --json %s", more);
	run_well(lab, line);
	json = cJSON_Parse(strchr(output, '{'));
	assert_non_null(json);
	return json;
}

static void every_flow_and_frame_is_counted(void **state)
{
	const struct lab *lab = *state;
	cJSON *json = evaluate(lab, "");

	assert_int_equal(at(json, "frames"), lab->frames);
	assert_int_equal(at(json, "packet/malicious"), 2 * SCAN_PORTS);
	assert_int_equal(at(json, "packet/benign"), lab->frames - 2 * SCAN_PORTS);
	assert_int_equal(at(json, "flow/malicious"), SCAN_PORTS);
	assert_int_equal(at(json, "flow/benign"), lab->visits);
	assert_int_equal(at(json, "left_out/flows_before"), 0);
	assert_int_equal(at(json, "unscored/flows"), 0);
	assert_int_equal(at(json, "unscored/evaluations_lost"), 0);
	/* The command says that it was trained on what it is tried on. */
	assert_non_null(strstr(output, "trained on it"));
	cJSON_Delete(json);
}

static void what_was_trained_on_is_left_out(void **state)
{
	const struct lab *lab = *state;
	cJSON *json = evaluate(lab, "--from 120");

	assert_int_equal(at(json, "flow/malicious"), SCAN_PORTS);
	assert_int_equal(at(json, "flow/benign"), lab->visits - lab->quiet_visits);
	assert_int_equal(at(json, "left_out/flows_before"), lab->quiet_visits);
	assert_int_equal(at(json, "left_out/frames_before"), lab->quiet_frames);
	assert_null(strstr(output, "hint"));
	cJSON_Delete(json);
}

static void a_scan_stands_out(void **state)
{
	static const char *const keys[] = {
		"flow/average_precision",
		"flow/tpr_at_fpr/0.001",
		"flow/threshold/fpr",
		"flow/threshold/tpr",
		"flow/threshold/precision",
		"flow/threshold/f1",
		"flow/threshold/balanced_accuracy",
		"packet/auc",
		"packet/tpr_at_fpr/0.01",
		"classes/scan/recall",
		"classes/scan/recall_at_fpr_0.01",
		"classes/scan/delay_seconds",
		"source_mean/tpr_at_fpr/0.01",
		"calibration/flow/fpr",
		"calibration/evaluation/threshold_for_target",
		"quantized/flow/float32_saturated/auc",
	};
	cJSON *json = evaluate(*state, "--from 120");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_true(at(json, keys[i]) >= 0);
	assert_true(at(json, "flow/auc") > 0.95);
	assert_true(at(json, "flow/tpr_at_fpr/0.01") > 0.8);
	assert_int_equal(at(json, "classes/scan/flows"), SCAN_PORTS);
	assert_int_equal(at(json, "classes/scan/attacks_detected"), 1);
	assert_true(at(json, "classes/scan/delay_packets") < SCAN_PORTS);
	/* One class from one source: the three ways to put it agree. */
	assert_true(at(json, "classes/scan/recall_at_fpr_0.01") ==
		    at(json, "flow/tpr_at_fpr/0.01"));
	assert_true(at(json, "source_mean/tpr_at_fpr/0.01") == at(json, "flow/tpr_at_fpr/0.01"));
	assert_true(at(json, "calibration/flow/fpr") == at(json, "flow/threshold/fpr"));
	cJSON_Delete(json);
}

/* Wherever the labels were written, the replayed frames are the same. */
static void swapped_labels_give_the_complement(void **state)
{
	const struct lab *lab = *state;
	cJSON *json = evaluate(lab, ""), *swapped;

	shell("cd %s && awk -F, 'NR == 1 || ($2 = 1 - $2) + 1' OFS=, labels.csv | gzip >swapped.csv.gz",
	      lab->folder);
	run_well(lab, "eval --labels swapped.csv.gz day.pcap --model model.json --from 0 --json");
	swapped = cJSON_Parse(strchr(output, '{'));
	assert_non_null(swapped);
	assert_float_equal(at(json, "flow/auc") + at(swapped, "flow/auc"), 1, 1e-9);
	assert_float_equal(at(json, "packet/auc") + at(swapped, "packet/auc"), 1, 1e-9);
	cJSON_Delete(json);
	cJSON_Delete(swapped);
}

static void a_report_stands_alone(void **state)
{
#define NAME(id, name, help) name,
	static const char *const features[] = { SEN_FEATURES(NAME) };
#undef NAME
	static const char *const parts[] = {
		"<!DOCTYPE html>", "ROC", "By class", "scanner", "--report report.html", "</html>"
	};
	const struct lab *lab = *state;
	char path[128], *link;
	FILE *in;

	if (system("command -v gnuplot >/dev/null"))
		skip();
	cJSON_Delete(evaluate(lab, "--from 120 --report report.html"));
	snprintf(path, sizeof(path), "%s/report.html", lab->folder);
	in = fopen(path, "r");
	assert_non_null(in);
	output[fread(output, 1, sizeof(output) - 1, in)] = '\0';
	fclose(in);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_non_null(strstr(output, parts[i]));
	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++)
		assert_non_null(strstr(output, features[i]));
	while ((link = strstr(output, "http://www.w3.org/2000/svg")))
		memset(link, ' ', 8);
	assert_null(strstr(output, "://"));
	assert_null(strstr(output, "url("));
}

/* What is missing is told, and counted. */
static void a_cut_capture_is_used_as_far_as_it_goes(void **state)
{
	const struct lab *lab = *state;
	cJSON *json;

	shell("cd %s && head -c 1000000 day.pcap >cut.pcap", lab->folder);
	run_well(lab, "eval --labels labels.csv cut.pcap --model model.json --json");
	assert_int_equal(strncmp(output, "note: ", 6), 0);
	assert_non_null(strstr(output, "cut.pcap"));
	json = cJSON_Parse(strchr(output, '{'));
	assert_true(at(json, "frames") > 1000);
	assert_true(at(json, "left_out/frames_missing") > 0);
	assert_int_equal(at(json, "frames") + at(json, "left_out/frames_missing"), lab->frames);
	cJSON_Delete(json);
}

static void refused(const struct lab *lab, const char *arguments, int code, const char *says)
{
	int got = run(lab, arguments);

	if (got != code || !strstr(output, says))
		fail_msg("exit code %d, not %d: %.400s", got, code, output);
	assert_int_equal(strncmp(output, "sentroid: ", 10), 0);
}

static void what_is_wrong_is_told(void **state)
{
	struct lab *lab = *state;
	FILE *out = open_file(lab, "far.csv");

	fprintf(out, "frame,label,class\n1,0,benign\n%u,1,scan\n", lab->frames + 1);
	fclose(out);
	refused(lab, "eval day.pcap --model model.json", 2, "--labels");
	refused(lab, "eval --labels labels.csv --model model.json", 2, "FILE");
	refused(lab, "eval --labels labels.csv --from x day.pcap", 2, "--from");
	refused(lab, "eval --labels none.csv day.pcap --model model.json", 1, "none.csv");
	refused(lab, "eval --labels labels.csv none.pcap --model model.json", 1, "none.pcap");
	refused(lab, "eval --labels model.json day.pcap --model model.json", 1, "model.json");
	refused(lab, "eval --labels far.csv day.pcap --model model.json --from 1", 1,
		"another capture");
	shell("cd %s && head -c 1000000 day.pcap >cut.pcap", lab->folder);
	assert_int_equal(run(lab, "eval --labels labels.csv cut.pcap day.pcap --model model.json"),
			 1);
	assert_non_null(strstr(output, "cannot be told"));
	assert_int_equal(run(lab, "eval --labels labels.csv day.pcap --model model.json "
				  "--report none/report.html"),
			 1);
	assert_non_null(strstr(output, "none/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flow_and_frame_is_counted),
		cmocka_unit_test(what_was_trained_on_is_left_out),
		cmocka_unit_test(a_scan_stands_out),
		cmocka_unit_test(swapped_labels_give_the_complement),
		cmocka_unit_test(a_report_stands_alone),
		cmocka_unit_test(a_cut_capture_is_used_as_far_as_it_goes),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
