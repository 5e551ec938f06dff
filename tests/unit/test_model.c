// SPDX-License-Identifier: BSD-2-Clause
#include "fixture.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fsutil.h"
#include "model_internal.h"

static int parse(const char *text, struct sen_why *why)
{
	struct sen_model *m = NULL;
	int err = sen_model_parse(text, strlen(text), "m.json", &m, why);

	sen_model_free(m);
	return err;
}

static char *fixture_text(void)
{
	struct sen_model *m = fixture_model();
	char *text = sen_model_print(m);

	assert_non_null(text);
	sen_model_free(m);
	return text;
}

/* text with the first `old` replaced; aborts where there is none. */
static char *replace(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *out;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) > 0);
	return out;
}

/* Give a changed text a digest that fits, so that what is behind the digest is what is tested. */
static char *sign(char *text)
{
	cJSON *root = cJSON_Parse(text);
	char hex[65], *out;

	assert_non_null(root);
	assert_int_equal(sen_json_digest(root, hex), 0);
	cJSON_DeleteItemFromObjectCaseSensitive(root, "digest");
	cJSON_AddStringToObject(root, "digest", hex);
	out = cJSON_Print(root);
	cJSON_Delete(root);
	free(text);
	return out;
}

static void expect_refused(char *text, int err, const char *words)
{
	struct sen_why why = { 0 };

	assert_int_equal(parse(text, &why), err);
	assert_non_null(strstr(why.text, "m.json"));
	if (!strstr(why.text, words))
		fail_msg("\"%s\" does not speak of \"%s\"", why.text, words);
	free(text);
}

static void expect_change_refused(const char *old, const char *new, int err, const char *words)
{
	char *text = fixture_text();

	expect_refused(sign(replace(text, old, new)), err, words);
	free(text);
}

static void round_trip_keeps_everything(void **state)
{
	static struct sen_model_flat before, after;
	struct sen_model *m = fixture_model(), *back;
	char *text = sen_model_print(m), *again;

	(void)state;
	assert_int_equal(sen_model_parse(text, strlen(text), "m", &back, NULL), 0);
	assert_memory_equal(m, back, sizeof(*m));
	again = sen_model_print(back);
	assert_string_equal(text, again);
	assert_int_equal(sen_model_flatten(m, &before, NULL), 0);
	assert_int_equal(sen_model_flatten(back, &after, NULL), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	free(again);
	free(text);
	sen_model_free(back);
	sen_model_free(m);
}

static void odd_numbers_survive_the_round_trip(void **state)
{
	static struct sen_model_flat before, after;
	struct sen_model *m = fixture_model(), *back;
	char *text;

	(void)state;
	m->threshold = 10.0 / 3;
	m->member[0].weight = 1.0 / 3;
	m->member[1].weight = 2.0 / 3;
	m->member[0].centroid[0][0] = 1 / 3.0f;
	m->member[0].radius[0] = 3.14159f;
	m->member[0].mass[0] = 0.001;
	m->training.inertia = 1 / 7.0;
	text = sen_model_print(m);
	assert_true(m->member[0].mass[0] > 0);
	assert_true(m->threshold * 1024 == floor(m->threshold * 1024));
	assert_true(m->member[0].radius[0] * 256 == floorf(m->member[0].radius[0] * 256));
	assert_int_equal(sen_model_parse(text, strlen(text), "m", &back, NULL), 0);
	assert_memory_equal(m, back, sizeof(*m));
	assert_int_equal(sen_model_flatten(m, &before, NULL), 0);
	assert_int_equal(sen_model_flatten(back, &after, NULL), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	free(text);
	sen_model_free(back);
	sen_model_free(m);
}

/* As many inputs as can be named, with names as long as they can be. */
static void all_inputs_stay_on_record(void **state)
{
	struct sen_model *m = fixture_model(), *back;
	char *text, *at = m->training.inputs;

	(void)state;
	for (int i = 0; i < SEN_INPUTS_MAX; i++, at += SEN_INPUT_LINE) {
		memset(at, 'a' + i % 26, SEN_INPUT_LINE - 1);
		at[SEN_INPUT_LINE - 1] = i + 1 < SEN_INPUTS_MAX ? '\n' : '\0';
	}
	assert_int_equal(at - m->training.inputs, sizeof(m->training.inputs));
	text = sen_model_print(m);
	assert_int_equal(sen_model_parse(text, strlen(text), "m", &back, NULL), 0);
	assert_memory_equal(m, back, sizeof(*m));
	free(text);
	sen_model_free(back);
	sen_model_free(m);
}

static void layout_does_not_matter_content_does(void **state)
{
	char *text = fixture_text(), *other;
	cJSON *root = cJSON_Parse(text);

	(void)state;
	other = cJSON_PrintUnformatted(root);
	assert_string_not_equal(text, other);
	assert_int_equal(parse(other, NULL), 0);
	free(other);
	cJSON_Delete(root);
	expect_refused(replace(text, "\"version\": 7", "\"version\": 8"), -EUCLEAN, "digest");
	free(text);
}

static void refuses_every_truncation(void **state)
{
	char *text = fixture_text();
	size_t len = strlen(text);
	struct sen_model *m;

	(void)state;
	/* The last two bytes are the closing brace and the line end. */
	for (size_t cut = 0; cut <= len - 2; cut++) {
		char *copy = malloc(cut ? cut :
					  1); /* exact size, for the sanitizer to see over-reads */

		memcpy(copy, text, cut);
		m = NULL;
		assert_int_equal(sen_model_parse(copy, cut, "m", &m, NULL), -EBADMSG);
		assert_null(m);
		free(copy);
	}
	expect_refused(replace(text, "}\n", "} x"), -EBADMSG, "not JSON");
	assert_int_equal(sen_model_parse(text, len + 1, "m", &m, NULL), -EBADMSG);
	free(text);
}

static void refuses_a_wrong_digest(void **state)
{
	char *text = fixture_text(), *digit = strstr(text, "\"digest\": \"") + 11;

	(void)state;
	*digit = *digit == '0' ? '1' : '0';
	expect_refused(text, -EUCLEAN, "digest");
	text = fixture_text();
	expect_refused(replace(text, "\"digest\": \"", "\"digest\": \"0"), -EUCLEAN, "digest");
	expect_refused(replace(text, "\"digest\"", "\"tsegid\""), -EUCLEAN, "digest");
	free(text);
}

static void refuses_other_formats_and_features(void **state)
{
	(void)state;
	expect_change_refused("\"format\": 1", "\"format\": 2", -EPROTO, "format 2");
	expect_change_refused("\"format\"", "\"farmot\"", -EPROTO, "format");
	expect_change_refused("\"features_version\": 3", "\"features_version\": 9", -EPROTO,
			      "features_version");
	expect_change_refused("[\"src_unanswered_64s\",", "[", -EPROTO, "features");
	expect_change_refused("[\"src_unanswered_64s\",\"src_empty_8s\"",
			      "[\"src_empty_8s\",\"src_unanswered_64s\"", -EPROTO, "features[0]");
}

static void refuses_what_is_not_finite(void **state)
{
	char *text = fixture_text();

	(void)state;
	expect_refused(replace(text, "\"alert\": 2.5", "\"alert\": 1e999"), -ERANGE, "not finite");
	expect_refused(replace(text, "\"alert\": 2.5", "\"alert\": -1e999"), -ERANGE, "not finite");
	expect_refused(replace(text, "\"radii\": [2.5", "\"radii\": [1e999"), -ERANGE,
		       "not finite");
	expect_refused(replace(text, "\"alert\": 2.5", "\"alert\": NaN"), -EBADMSG, "NaN");
	expect_refused(replace(text, "\"alert\": 2.5", "\"alert\": null"), -EUCLEAN, "digest");
	free(text);
	expect_change_refused("\"alert\": 2.5", "\"alert\": null", -ERANGE, "thresholds.alert");
}

static void refuses_what_is_out_of_range(void **state)
{
	(void)state;
	expect_change_refused("\"alert\": 2.5", "\"alert\": 0", -ERANGE, "thresholds.alert");
	expect_change_refused("\"alert\": 2.5", "\"alert\": \"2\"", -ERANGE, "thresholds.alert");
	expect_change_refused("\"radii\": [2.5", "\"radii\": [0.5", -ERANGE, "members[0].radii[0]");
	expect_change_refused("\"radii\": [2.5", "\"radii\": [1e300", -ERANGE, "members[0].radii");
	expect_change_refused("[0,7.00390625", "[128,7.00390625", -ERANGE,
			      "members[0].centroids[0][0]");
	expect_change_refused("[0,7.00390625", "[-1,7.00390625", -ERANGE,
			      "members[0].centroids[0][0]");
	expect_change_refused("\"mass\": [100", "\"mass\": [-1", -ERANGE, "members[0].mass[0]");
	expect_change_refused("\"weight\": 0.5", "\"weight\": 0.4", -ERANGE, "add up");
	expect_change_refused("\"weight\": 0.5", "\"weight\": 1.5", -ERANGE, "weight");
	expect_change_refused("\"scale\": [20000", "\"scale\": [0", -ERANGE, "quantizer.scale");
	expect_change_refused("\"scale\": [20000", "\"scale\": [0.5", -ERANGE, "quantizer.scale");
	expect_change_refused("\"bias\": [0", "\"bias\": [1e12", -ERANGE, "quantizer.bias");
	expect_change_refused("\"version\": 7", "\"version\": -7", -ERANGE, "version");
	expect_change_refused("\"version\": 7", "\"version\": 7.5", -ERANGE, "version");
	expect_change_refused("2023-11-14T", "2023-19-14T", -ERANGE, "created");
	expect_change_refused("\"seed\": \"", "\"seed\": \"9999", -ERANGE, "seed");
}

static void refuses_arrays_of_other_lengths(void **state)
{
	(void)state;
	expect_change_refused("[0,7.00390625", "[7.00390625", -ERANGE, "members[0].centroids[0]");
	expect_change_refused("[0,7.00390625", "[0,0,7.00390625", -ERANGE,
			      "members[0].centroids[0]");
	expect_change_refused("\"radii\": [", "\"radii\": [3,", -ERANGE, "members[0].radii");
	expect_change_refused("\"mass\": [100,", "\"mass\": [", -ERANGE, "members[0].mass");
	expect_change_refused("\"classes\": [\"\",", "\"classes\": [", -ERANGE,
			      "members[0].classes");
	expect_change_refused("\"scale\": [", "\"scale\": [1,", -ERANGE, "quantizer.scale");
	expect_change_refused("\"radii\"", "\"iidar\"", -ERANGE, "members[0].radii");
	expect_change_refused("\"members\"", "\"srebmem\"", -ERANGE, "members");
}

static void refuses_too_many(void **state)
{
	char *text = fixture_text(), *rows, *members;
	cJSON *root = cJSON_Parse(text), *array, *first;

	(void)state;
	array = cJSON_GetObjectItem(root, "members");
	first = cJSON_GetArrayItem(array, 0);
	while (cJSON_GetArraySize(array) <= SEN_MEMBERS_MAX)
		cJSON_AddItemToArray(array, cJSON_Duplicate(first, true));
	members = cJSON_Print(root);
	expect_refused(sign(members), -ERANGE, "members: 9 entries");
	cJSON_Delete(root);

	root = cJSON_Parse(text);
	array = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "members"), 0),
				    "centroids");
	while (cJSON_GetArraySize(array) <= SEN_CENTROIDS_MAX)
		cJSON_AddItemToArray(array, cJSON_Duplicate(cJSON_GetArrayItem(array, 0), true));
	rows = cJSON_Print(root);
	expect_refused(sign(rows), -ERANGE, "members[0].centroids: 65 entries");
	cJSON_Delete(root);
	free(text);
}

static void refuses_keys_twice(void **state)
{
	char *text = fixture_text();

	(void)state;
	expect_refused(replace(text, "\"parent\": 3", "\"parent\": 3, \"parent\": 4"), -EBADMSG,
		       "\"parent\" occurs twice");
	expect_refused(replace(text, "\"weight\": 0.5", "\"weight\": 0.5, \"weight\": 0.5"),
		       -EBADMSG, "\"weight\" occurs twice");
	free(text);
}

static void refuses_classes_it_cannot_name(void **state)
{
	(void)state;
	expect_change_refused("[\"scan\",\"worm\"]", "[\"scan\",\"mrow\"]", -ERANGE,
			      "members[2].classes[1]");
	expect_change_refused("\"classes\": [\"worm\"]", "\"classes\": [\"scan\"]", -ERANGE,
			      "classes[0]");
	expect_change_refused("\"classes\": [\"worm\"]", "\"classes\": [\"a b\"]", -ERANGE,
			      "classes[0]");
}

static void refuses_a_file_too_large(void **state)
{
	size_t len = SEN_MODEL_FILE_MAX + 1;
	char *text = malloc(len), *folder = fixture_folder(), *path = fixture_path(folder, "m");
	struct sen_model *m;

	(void)state;
	memset(text, ' ', len);
	assert_int_equal(sen_model_parse(text, len, "m", &m, NULL), -EFBIG);
	assert_int_equal(sen_write_atomic(path, text, len, NULL), 0);
	assert_int_equal(sen_model_load(path, &m, NULL), -EFBIG);
	free(text);
	free(path);
	fixture_remove(folder);
}

static unsigned int files_in(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* . and .. */
}

static void save_is_all_or_nothing(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "m.json");
	struct sen_model *m = fixture_model(), *back;
	struct rlimit old, small;
	struct sen_why why;

	(void)state;
	assert_int_equal(sen_model_save(m, path, &why), 0);
	m->version = 8;
	/* A file system that is full after 1000 bytes. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(sen_model_save(m, path, &why), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(why.text, path));

	assert_int_equal(files_in(folder), 1);
	assert_int_equal(sen_model_load(path, &back, NULL), 0);
	assert_int_equal(back->version, 7);
	sen_model_free(back);

	m->threshold = NAN; /* what could not be loaded is not written either */
	assert_int_equal(sen_model_save(m, path, &why), -ERANGE);
	m->threshold = 1;
	assert_int_equal(sen_model_save(m, path, &why), 0);
	assert_int_equal(sen_model_load(path, &back, NULL), 0);
	assert_int_equal(back->version, 8);
	assert_string_equal(back->digest, m->digest);
	assert_int_equal(files_in(folder), 1);
	sen_model_free(back);
	sen_model_free(m);
	free(path);
	fixture_remove(folder);
}

static void save_says_why_not(void **state)
{
	char *folder = fixture_folder(), *path = fixture_path(folder, "pipe");
	struct sen_model *m = fixture_model(), *back;
	struct sen_why why;

	(void)state;
	assert_int_equal(sen_model_save(m, "/nonexistent/m.json", &why), -ENOENT);
	assert_non_null(strstr(why.text, "/nonexistent/m.json"));
	assert_true(sen_model_save(m, "/proc/m.json", &why) < 0);
	/* Renaming onto a pipe or device would replace it. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(sen_model_save(m, path, &why), -EINVAL);
	assert_int_equal(sen_model_save(m, folder, &why), -EISDIR);
	assert_int_equal(sen_model_load("/nonexistent/m.json", &back, &why), -ENOENT);
	sen_model_free(m);
	free(path);
	fixture_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_keeps_everything),
		cmocka_unit_test(odd_numbers_survive_the_round_trip),
		cmocka_unit_test(all_inputs_stay_on_record),
		cmocka_unit_test(layout_does_not_matter_content_does),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(refuses_a_wrong_digest),
		cmocka_unit_test(refuses_other_formats_and_features),
		cmocka_unit_test(refuses_what_is_not_finite),
		cmocka_unit_test(refuses_what_is_out_of_range),
		cmocka_unit_test(refuses_arrays_of_other_lengths),
		cmocka_unit_test(refuses_too_many),
		cmocka_unit_test(refuses_keys_twice),
		cmocka_unit_test(refuses_classes_it_cannot_name),
		cmocka_unit_test(refuses_a_file_too_large),
		cmocka_unit_test(save_is_all_or_nothing),
		cmocka_unit_test(save_says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
