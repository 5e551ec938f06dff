// SPDX-License-Identifier: BSD-2-Clause
/* Tables of flows, each kind written by hand, and what becomes of their columns. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flowtable.h"
#include "model.h"
#include "train.h"

static char *write_table(const char *text)
{
	char *path = strdup("/tmp/sentroid-table-XXXXXX");
	int fd;

	assert_non_null(path);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static struct sen_flowtable *read_text(const char *text)
{
	struct sen_flowtable *t = NULL;
	struct sen_why why = { 0 };
	char *path = write_table(text);
	int err = sen_flowtable_read(path, &t, &why);

	unlink(path);
	free(path);
	if (err)
		fail_msg("%s", why.text);
	return t;
}

static void refuse_text(const char *text, const char *because)
{
	struct sen_flowtable *t = NULL;
	struct sen_why why = { 0 };
	char *path = write_table(text);

	assert_int_equal(sen_flowtable_read(path, &t, &why), -EINVAL);
	unlink(path);
	free(path);
	if (!strstr(why.text, because))
		fail_msg("\"%s\" does not say \"%s\"", why.text, because);
}

#define VALUE(t, i, column) ((t)->rows[i].vector.v[SEN_TABLE_##column])

static void nsl_kdd(void **state)
{
	/* 42 and 43 columns: with and without the difficulty. */
	struct sen_flowtable *t = read_text(
		"2,tcp,ftp_data,SF,491,20,0,0,0,0,3,0,0,0,0,0,0,0,0,0,0,0,"
		"10,2,0.20,0.00,0.10,0.00,1.00,0.50,0.00,150,25,0.17,0.03,0.17,0.00,0.10,0.00,0.30,"
		"0.00,normal,20\n"
		"0,tcp,private,S0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
		"123,6,1.00,1.00,0.00,0.00,0.05,0.07,0.00,255,26,0.10,0.05,0.00,0.00,1.00,1.00,0.00,"
		"0.00,neptune,19\n"
		"0,udp,other,SF,146,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
		"13,1,0.00,0.00,0.00,0.00,0.08,0.15,0.00,255,1,0.00,0.60,0.88,0.00,0.00,0.00,0.00,"
		"0.00,neptune,15\n");

	(void)state;
	assert_string_equal(t->format, "NSL-KDD");
	assert_int_equal(t->n, 3);
	assert_int_equal(t->rows[0].label, SEN_LABEL_BENIGN);
	assert_int_equal(t->rows[1].label, SEN_LABEL_ATTACK);
	assert_int_equal(t->n_classes, 1);
	assert_string_equal(t->classes[t->rows[1].class_id], "neptune");
	assert_int_equal(VALUE(t, 0, DURATION), sen_lg(2000));
	assert_int_equal(VALUE(t, 0, SRC_BYTES), sen_lg(491));
	assert_int_equal(VALUE(t, 0, DST_BYTES), sen_lg(20));
	assert_int_equal(VALUE(t, 0, HOST_FLOWS), sen_lg(10));
	assert_int_equal(VALUE(t, 0, HOST_FAILED), sen_lg(3));
	assert_int_equal(VALUE(t, 0, HOST_OTHER), sen_lg(5));
	assert_int_equal(VALUE(t, 0, LAST_HOST), sen_lg(150));
	assert_int_equal(VALUE(t, 0, LAST_FAILED), sen_lg(60));
	assert_int_equal(VALUE(t, 0, FAILED), 0);
	assert_int_equal(VALUE(t, 1, FAILED), SEN_LG_YES);
	assert_int_equal(VALUE(t, 1, IS_TCP), SEN_LG_YES);
	assert_int_equal(VALUE(t, 2, IS_TCP), 0);
	/* Not in this table. */
	assert_int_equal(VALUE(t, 0, SRC_PACKETS), 0);
	sen_flowtable_free(t);
}

/* Both spellings of the names; spaces and quirks as the tool writes them. */
static void cicflowmeter(void **state)
{
	struct sen_flowtable *t = read_text(
		"\xef\xbb\xbf Flow Duration, Total Fwd Packets, Total Backward Packets,"
		"Total Length of Fwd Packets,Flow Bytes/s, Flow IAT Max,RST Flag Count, Label\r\n"
		"1500000,3,0,120,Infinity,900000,1,PortScan\r\n"
		"20000,10,8,999,NaN,1000,0,BENIGN\r\n");

	(void)state;
	assert_string_equal(t->format, "CICFlowMeter");
	assert_int_equal(t->n, 2);
	assert_int_equal(VALUE(t, 0, DURATION), sen_lg(1500));
	assert_int_equal(VALUE(t, 0, PAUSE), sen_lg(900));
	assert_int_equal(VALUE(t, 0, SRC_PACKETS), sen_lg(3));
	assert_int_equal(VALUE(t, 0, FAILED), SEN_LG_YES);
	assert_int_equal(VALUE(t, 0, RESET), SEN_LG_YES);
	assert_int_equal(VALUE(t, 1, FAILED), 0);
	assert_int_equal(VALUE(t, 1, DST_PACKETS), sen_lg(8));
	assert_string_equal(t->classes[t->rows[0].class_id], "PortScan");
	assert_int_equal(t->rows[1].label, SEN_LABEL_BENIGN);
	sen_flowtable_free(t);

	t = read_text("Flow ID,Src IP,Protocol,Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,Label\n"
		      "a,10.0.0.1,17,1000,1,1,No Label\nb,10.0.0.1,6,1000,1,1,No Label\n");
	assert_int_equal(t->rows[0].label, SEN_LABEL_NONE);
	assert_int_equal(VALUE(t, 1, IS_TCP), SEN_LG_YES);
	assert_true(t->rows[0].source == t->rows[1].source);
	sen_flowtable_free(t);
}

#define ZEEK_ROW(ts, host, port, state) \
	ts "\tC1\t10.0.0.1\t40000\t" host "\t" port "\ttcp\t-\t0.5\t100\t-\t" state "\t3\t2\n"

static void zeek_tsv(void **state)
{
	struct sen_flowtable *t = read_text(
		"#separator \\x09\n#path\tconn\n"
		"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\t"
		"duration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts\n"
		"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount"
		"\tstring\tcount\tcount\n" ZEEK_ROW("100.0", "10.0.0.9", "80", "SF")
			ZEEK_ROW("101.0", "10.0.0.9", "81", "S0")
				ZEEK_ROW("101.5", "10.0.0.8", "81", "REJ")
					ZEEK_ROW("110.0", "10.0.0.9", "81", "SF") "#close\t2024\n");

	(void)state;
	assert_string_equal(t->format, "Zeek conn.log");
	assert_int_equal(t->n, 4);
	assert_int_equal(t->rows[0].label, SEN_LABEL_NONE);
	assert_int_equal(VALUE(t, 0, DURATION), sen_lg(500));
	assert_int_equal(VALUE(t, 0, SRC_BYTES), sen_lg(100));
	assert_int_equal(VALUE(t, 0, DST_BYTES), 0);
	assert_int_equal(VALUE(t, 1, FAILED), SEN_LG_YES);
	assert_int_equal(VALUE(t, 1, RESET), 0);
	assert_int_equal(VALUE(t, 2, RESET), SEN_LG_YES);
	/* Counted over the rows before, each with itself. */
	assert_int_equal(VALUE(t, 1, HOST_FLOWS), sen_lg(2));
	assert_int_equal(VALUE(t, 1, HOST_FAILED), sen_lg(1));
	assert_int_equal(VALUE(t, 1, HOST_OTHER), sen_lg(1));
	assert_int_equal(VALUE(t, 2, HOST_FLOWS), sen_lg(1));
	assert_int_equal(VALUE(t, 2, SERVICE_FLOWS), sen_lg(2));
	assert_int_equal(VALUE(t, 3, HOST_FLOWS), sen_lg(1));
	assert_int_equal(VALUE(t, 3, LAST_HOST), sen_lg(3));
	assert_int_equal(VALUE(t, 3, LAST_SERVICE), sen_lg(2));
	assert_int_equal(VALUE(t, 3, LAST_FAILED), sen_lg(1));
	sen_flowtable_free(t);
}

static void zeek_json(void **state)
{
	struct sen_flowtable *t = read_text(
		"{\"ts\":1.5,\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\",\"id.resp_p\":53,"
		"\"proto\":\"udp\",\"duration\":0.02,\"orig_bytes\":40,\"resp_bytes\":120,"
		"\"conn_state\":\"SF\",\"orig_pkts\":1,\"resp_pkts\":1,\"label\":\"Malicious\","
		"\"detailedlabel\":\"C&C\"}\n"
		"{\"ts\":1.6,\"proto\":\"tcp\",\"conn_state\":\"S0\",\"orig_pkts\":1,\"resp_pkts\":0,"
		"\"label\":\"Benign\"}\n");

	(void)state;
	assert_int_equal(t->n, 2);
	assert_int_equal(VALUE(t, 0, DURATION), sen_lg(20));
	assert_int_equal(VALUE(t, 0, DST_BYTES), sen_lg(120));
	assert_string_equal(t->classes[t->rows[0].class_id], "C&C");
	assert_int_equal(t->rows[1].label, SEN_LABEL_BENIGN);
	assert_int_equal(VALUE(t, 1, FAILED), SEN_LG_YES);
	sen_flowtable_free(t);
}

static void refused(void **state)
{
	(void)state;
	refuse_text("", "no flows");
	refuse_text("name,age\nx,3\n", "line 1: neither");
	refuse_text("Flow Duration,Tot Fwd Pkts,Label\n1,2,BENIGN\n", "no column");
	refuse_text("Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts\n1,2,3\n1,2\n",
		    "line 3: another number");
	refuse_text("Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts\n1,many,3\n",
		    "\"many\" is not a number");
	refuse_text("{\"ts\":1,\"orig_pkts\":1}\n{\"ts\":", "line 2: not a JSON object");
	refuse_text("{\"ts\":1,\"orig_pkts\":1}\n{\"ts\":1,\"orig_bytes\":-5}",
		    "line 2: \"-5\" is not a number");
}

#define ZEEK_BYTES "#fields\tts\tduration\torig_pkts\tresp_pkts\torig_bytes\n1\t1\t1\t1\t1\n"

/* CICFlowMeter writes them where it has nothing to tell; elsewhere something is wrong. */
static void numbers_that_cannot_be(void **state)
{
	static const char *const numbers[] = { "-5", "-1", "nan", "inf", "-inf", "Infinity" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sen_flowtable *t;

		snprintf(text, sizeof(text), ZEEK_BYTES "2\t1\t1\t1\t%s\n", numbers[i]);
		refuse_text(text, "line 3: ");
		snprintf(text, sizeof(text), "Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts\n%s,1,1\n",
			 numbers[i]);
		t = read_text(text);
		assert_int_equal(VALUE(t, 0, DURATION), 0);
		sen_flowtable_free(t);
	}
}

/* Trained on a table and saved, it comes back as such, and never as a model of packets. */
static void kept_apart(void **state)
{
	char path[] = "/tmp/sentroid-table-model-XXXXXX";
	struct sen_train_params params = sen_train_defaults;
	struct sen_sample samples[200] = { 0 };
	struct sen_model *m = NULL, *back = NULL;
	struct sen_why why = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (unsigned int i = 0; i < 200; i++) {
		samples[i].label = SEN_LABEL_BENIGN;
		samples[i].source = samples[i].flow = samples[i].time_ns = i + 1;
		samples[i].vector.v[SEN_TABLE_SRC_BYTES] = 100 + i % 7;
	}
	params.centroids = 2;
	assert_int_equal(sen_train_full(samples, 200, &params, &m, &why), 0);
	m->version = 1;
	m->features = SEN_TABLE_FEATURES;
	strcpy(m->table, "NSL-KDD");
	for (unsigned int e = 0; e < m->members; e++)
		for (int d = SEN_TABLE_COLUMN_COUNT; d < SEN_DIMS; d++)
			m->member[e].mask[d] = false;
	assert_int_equal(sen_model_save(m, path, &why), 0);
	assert_int_equal(sen_model_load(path, &back, &why), -EPROTO);
	assert_non_null(strstr(why.text, "flow tables"));
	assert_int_equal(sen_model_load_table(path, &back, &why), 0);
	assert_int_equal(back->features, SEN_TABLE_FEATURES);
	assert_string_equal(back->table, "NSL-KDD");
	assert_string_equal(back->digest, m->digest);
	sen_model_free(back);
	m->features = SEN_PACKET_FEATURES;
	assert_int_equal(sen_model_save(m, path, &why), 0);
	assert_int_equal(sen_model_load_table(path, &back, &why), -EPROTO);
	sen_model_free(m);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nsl_kdd),    cmocka_unit_test(cicflowmeter),
		cmocka_unit_test(zeek_tsv),   cmocka_unit_test(zeek_json),
		cmocka_unit_test(refused),    cmocka_unit_test(numbers_that_cannot_be),
		cmocka_unit_test(kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
