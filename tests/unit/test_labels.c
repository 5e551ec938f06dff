// SPDX-License-Identifier: BSD-2-Clause
/* Labels of frames: what is read, and what is refused, with the line that is wrong. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "labels.h"

static const char sample[] = "frame,label,class,source_file,source_frame\n"
			     "1,0,benign,home.pcap,17\n"
			     "2,1,scan,\"odd, \"\"name\"\".pcap\",1\r\n"
			     "\n"
			     "5,1,scan,home.pcap,18\n"
			     "3,0,benign,home.pcap,19\n";

struct place {
	char *folder, *path;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	p->folder = fixture_folder();
	p->path = fixture_path(p->folder, "labels.csv");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	fixture_remove(p->folder);
	free(p->path);
	free(p);
	return 0;
}

static void write_plain(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void check_sample(const char *path)
{
	struct sen_labels *l;
	struct sen_frame_label label;

	assert_int_equal(sen_labels_read(path, &l, NULL), 0);
	assert_int_equal(sen_labels_count(l), 4);
	assert_int_equal(sen_labels_last(l), 5);
	assert_int_equal(sen_labels_classes(l), 2);
	assert_int_equal(sen_labels_sources(l), 2);
	assert_true(sen_labels_get(l, 2, &label));
	assert_true(label.malicious);
	assert_string_equal(sen_labels_class(l, label.class_index), "scan");
	assert_string_equal(sen_labels_source(l, label.source_index), "odd, \"name\".pcap");
	assert_true(sen_labels_get(l, 3, &label));
	assert_false(label.malicious);
	assert_string_equal(sen_labels_source(l, label.source_index), "home.pcap");
	assert_true(sen_labels_get(l, 5, &label));
	assert_true(label.malicious);
	assert_false(sen_labels_get(l, 4, &label));
	assert_false(sen_labels_get(l, 6, &label));
	sen_labels_free(l);
}

static void plain_text_is_read(void **state)
{
	struct place *p = *state;

	write_plain(p->path, sample);
	check_sample(p->path);
}

static void compressed_text_is_read(void **state)
{
	struct place *p = *state;
	gzFile out = gzopen(p->path, "w");

	assert_int_equal(gzputs(out, sample), sizeof(sample) - 1);
	assert_int_equal(gzclose(out), Z_OK);
	check_sample(p->path);
}

static void a_damaged_archive_is_refused(void **state)
{
	struct place *p = *state;
	struct sen_labels *l;
	struct sen_why why;
	gzFile out = gzopen(p->path, "w");

	gzprintf(out, "frame,label,class\n");
	for (int i = 1; i < 5000; i++)
		gzprintf(out, "%d,%d,class%d\n", i, i & 1, i * 7919 % 613);
	assert_int_equal(gzclose(out), Z_OK);
	assert_int_equal(truncate(p->path, 6000), 0);
	assert_int_equal(sen_labels_read(p->path, &l, &why), -EIO);
	assert_non_null(strstr(why.text, p->path));
	assert_non_null(strstr(why.text, "damaged"));
}

static void what_spreadsheets_add_is_passed_over(void **state)
{
	struct place *p = *state;

	write_plain(p->path, "\xef\xbb\xbf"
			     "frame, label ,\"class\" , \"source_file\",source_frame\r\n"
			     " 1, 0,benign , home.pcap,17\r\n"
			     "2 ,1\t,scan, \"odd, \"\"name\"\".pcap\" , 1 \r\n"
			     "5,1, scan,home.pcap,18\r\n"
			     "3,0,benign,home.pcap,19\r\n");
	check_sample(p->path);
}

static void sources_are_optional(void **state)
{
	struct place *p = *state;
	struct sen_labels *l;
	struct sen_frame_label label;

	write_plain(p->path, "class,frame,label\nworm,1,1\n");
	assert_int_equal(sen_labels_read(p->path, &l, NULL), 0);
	assert_int_equal(sen_labels_sources(l), 1);
	assert_true(sen_labels_get(l, 1, &label));
	assert_string_equal(sen_labels_source(l, label.source_index), "");
	sen_labels_free(l);
	/* `source` goes before `source_file`, wherever it stands. */
	write_plain(p->path, "source_file,frame,label,class,source\nfile,1,1,worm,host\n");
	assert_int_equal(sen_labels_read(p->path, &l, NULL), 0);
	assert_string_equal(sen_labels_source(l, 0), "host");
	sen_labels_free(l);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "no frame" },
		{ "frame,label,class\n", "no frame" },
		{ "frame,class\n1,benign\n", "line 1: no column label" },
		{ "1,0,benign\n", "line 1: no column frame" },
		{ "frame,label\n1,0\n", "line 1: no column class" },
		{ "frame,label,class\n1,0,benign\n2,0\n", "line 3: 2 columns" },
		{ "frame,label,class\n0,0,benign\n", "frame: 0: not a number" },
		{ "frame,label,class\n-1,0,benign\n", "frame: -1: not a number" },
		{ "frame,label,class\n7x,0,benign\n", "frame: 7x: not a number" },
		{ "frame,label,class\n,0,benign\n", "frame: : not a number" },
		{ "frame,label,class\n99999999999999999999,0,benign\n", "not a number" },
		{ "frame,label,class\n1,2,benign\n", "label: 2: not 0 or 1" },
		{ "frame,label,class\n1,,benign\n", "label: : not 0 or 1" },
		{ "frame,label,class\n1,0,\"benign\n", "quoted" },
		{ "frame,label,class\n4,0,benign\n3,0,benign\n4,1,worm\n",
		  "frame 4 has two labels" },
	};
	struct place *p = *state;
	struct sen_labels *l;
	struct sen_why why;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].says);
		write_plain(p->path, cases[i].text);
		assert_int_equal(sen_labels_read(p->path, &l, &why), -EINVAL);
		assert_non_null(strstr(why.text, p->path));
		assert_non_null(strstr(why.text, cases[i].says));
	}
}

static void overlong_lines_are_refused(void **state)
{
	struct place *p = *state;
	struct sen_labels *l;
	struct sen_why why;
	FILE *out = fopen(p->path, "w");

	fprintf(out, "frame,label,class\n1,0,%05000d\n", 0);
	fclose(out);
	assert_int_equal(sen_labels_read(p->path, &l, &why), -EINVAL);
	assert_non_null(strstr(why.text, "line 2: longer"));
}

static void no_file_is_told_as_such(void **state)
{
	struct place *p = *state;
	struct sen_labels *l;
	struct sen_why why;

	assert_int_equal(sen_labels_read(p->path, &l, &why), -ENOENT);
	assert_non_null(strstr(why.text, p->path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_text_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(compressed_text_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_archive_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_spreadsheets_add_is_passed_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sources_are_optional, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(overlong_lines_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_file_is_told_as_such, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
