// SPDX-License-Identifier: BSD-2-Clause
/* Samples that come as a log. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse.h"
#include "fixture.h"
#include "label.h"
#include "samplelog.h"

#define HEADER_OF(id, name, help) "," name
static const char header[] = "label,by,src,dst,sport,dport,proto,reason" SEN_FEATURES(HEADER_OF)
	SEN_CIRCUMSTANCES(HEADER_OF);

struct kept {
	struct sen_record records[8];
	size_t n;
};

static int keep(void *ctx, const struct sen_record *r)
{
	struct kept *k = ctx;

	assert_true(k->n < 8);
	k->records[k->n++] = *r;
	return 0;
}

/* A line: its beginning, then every feature with the same value. */
static void put(FILE *out, const char *begin, int value, int features)
{
	fputs(begin, out);
	for (int i = 0; i < features; i++)
		fprintf(out, ",%d", value);
	fputc('\n', out);
}

static char *write_log(const char *folder, const char *const *lines, int value, int features)
{
	char *path = fixture_path(folder, "log.csv");
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out, "%s\n", header);
	for (; *lines; lines++)
		put(out, *lines, value, features);
	fclose(out);
	return path;
}

static void lines_become_records(void **state)
{
	static const char *const lines[] = {
		"scan,rule,10.0.0.66,10.0.0.1,40000,22,6,\"tries many ports, \"\"says\"\" nothing\"",
		"benign,operator,fd00::2,fd00::1,50000,443,17,",
		"benign,score,02:00:00:00:00:01,10.0.0.1,0,0,254,x", NULL
	};
	char *folder = fixture_folder(), *path = write_log(folder, lines, 123, SEN_MEASURES);
	struct kept k = { .n = 0 };
	const struct sen_record *r = k.records;

	(void)state;
	assert_true(sen_samplelog_is(path));
	assert_int_equal(sen_samplelog_read(path, NULL, keep, &k, NULL), 0);
	assert_int_equal(k.n, 3);
	assert_int_equal(r[0].sample.label, SEN_LABEL_ATTACK);
	assert_int_equal(r[0].sample.class_id, SEN_CLASS_SCAN);
	assert_int_equal(r[0].sample.origin, SEN_ORIGIN_UPLOAD);
	assert_int_equal(r[0].src[15], 66);
	assert_int_equal(r[0].sport, 40000);
	assert_int_equal(r[0].dport, 22);
	assert_int_equal(r[0].proto, 6);
	for (int i = 0; i < SEN_MEASURES; i++)
		assert_int_equal(r[0].sample.vector.v[i], 123);
	assert_int_equal(r[1].sample.label, SEN_LABEL_BENIGN);
	assert_int_equal(r[1].src[0], 0xfd);
	/* A score of another model is no label here. */
	assert_int_equal(r[2].sample.label, SEN_LABEL_NONE);
	assert_int_equal(r[2].sample.origin, SEN_ORIGIN_NONE);
	free(path);
	fixture_remove(folder);
}

static void refuse(const char *line, int value, int features, const char *what)
{
	const char *const lines[] = { "benign,operator,1.2.3.4,1.2.3.5,1,2,6,", line, NULL };
	char *folder = fixture_folder(), *path = write_log(folder, lines, value, features);
	struct sen_why why = { 0 };
	struct kept k = { .n = 0 };

	assert_int_equal(sen_samplelog_read(path, NULL, keep, &k, &why), -EINVAL);
	assert_non_null(strstr(why.text, what));
	free(path);
	fixture_remove(folder);
}

static void bad_lines_are_told(void **state)
{
	(void)state;
	refuse("nonsense,operator,1.2.3.4,1.2.3.5,1,2,6,", 1, SEN_MEASURES,
	       "log.csv:3: not a label");
	refuse("benign,operator,1.2.3.4,1.2.3.5,1,70000,6,", 1, SEN_MEASURES,
	       "log.csv:3: not a number in range: '70000'");
	refuse("benign,operator,1.2.3.4,1.2.3.5,1,2,6,", 513, SEN_MEASURES,
	       "log.csv:2: not a number");
	refuse("benign,operator,1.2.3.4,1.2.3.5,1,2,6,", 1, SEN_MEASURES - 1, "too few fields");
}

static void logs_are_told_from_captures(void **state)
{
	static const unsigned char pcap[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };
	char *folder = fixture_folder(), *path = fixture_path(folder, "x.pcap");
	FILE *out = fopen(path, "w");

	(void)state;
	fwrite(pcap, 1, sizeof(pcap), out);
	fclose(out);
	assert_false(sen_samplelog_is(path));
	assert_false(sen_samplelog_is("/no/such/file"));
	free(path);
	fixture_remove(folder);
}

/* What it says is scored by the model in force; what operators said elsewhere stands. */
static void a_log_is_analysed(void **state)
{
	static const char *const lines[] = { "scan,rule,10.0.0.66,10.0.0.1,40000,22,6,x",
					     "benign,score,10.0.0.2,10.0.0.1,40001,80,6,x", NULL };
	char *folder = fixture_folder(), *path = write_log(folder, lines, 500, SEN_MEASURES);
	struct sen_sample *s = fixture_benign(2000, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(s, 2000, &p);
	struct sen_analysis a = { .marks = sen_marks_default(0.3, 0.95), .margin = 0.95 };

	(void)state;
	assert_int_equal(sen_model_flatten(m, &a.model, NULL), 0);
	assert_int_equal(sen_analyse(&a, path, NULL, NULL), 0);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.flagged, 2);
	assert_int_equal(a.records[0].sample.class_id, SEN_CLASS_SCAN);
	assert_int_equal(a.records[0].sample.origin, SEN_ORIGIN_UPLOAD);
	assert_int_equal(a.records[1].sample.label, SEN_LABEL_ATTACK);
	assert_int_equal(a.records[1].sample.origin, SEN_ORIGIN_SCORE);
	assert_false(a.records[1].teaches);
	free(a.records);
	a = (struct sen_analysis){ .model = a.model, .label = SEN_LABEL_BENIGN };
	assert_int_equal(sen_analyse(&a, path, NULL, NULL), 0);
	assert_int_equal(a.records[0].sample.label, SEN_LABEL_BENIGN);
	assert_true(a.records[0].teaches && a.records[1].teaches);
	free(a.records);
	sen_model_free(m);
	free(s);
	free(path);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_records),
		cmocka_unit_test(bad_lines_are_told),
		cmocka_unit_test(logs_are_told_from_captures),
		cmocka_unit_test(a_log_is_analysed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
