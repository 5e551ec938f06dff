// SPDX-License-Identifier: BSD-2-Clause
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sentroid/score.h"

static void flatten_computes_what_the_packet_path_needs(void **state)
{
	static struct sen_model_flat flat;
	struct sen_model *m = fixture_model();
	__u64 norm = 0;

	(void)state;
	m->member[0].weight = m->member[1].weight = 1.0 / 3;
	m->member[2].weight = 1.0 / 3;
	assert_int_equal(sen_model_flatten(m, &flat, NULL), 0);
	assert_int_equal(flat.magic, SEN_ABI_MAGIC);
	assert_int_equal(flat.features, SEN_FEATURES_VERSION);
	assert_int_equal(flat.version, 7);
	assert_int_equal(flat.member[0].weight + flat.member[1].weight + flat.member[2].weight,
			 SEN_ONE);
	assert_int_equal(flat.threshold_inverse, 26214);             /* 65536 / 2.5 */
	assert_int_equal(flat.member[0].inverse_radius[0], 2684355); /* 2^24 / 2.5^2 = 2684354.56 */
	/* Lane 0 of word 0 is the second member's feature 0: reversed, it is the top one. */
	assert_int_equal(flat.member[1].centroid[1].lanes.w[0] >> 48, 13);
	assert_int_equal(flat.member[1].centroid[1].lanes.w[0] & 0xffff, 13 + 3 * 7);
	/* Feature 5 is masked: word 1, lane 1; reversed, bits 32 to 47. */
	assert_int_equal(flat.member[1].mask.w[1], 0xffffffff0000ffffull);
	assert_int_equal(flat.member[1].centroid[1].lanes.w[1] >> 32 & 0xffff, 0);
	for (unsigned int d = 0; d < SEN_DIMS; d++)
		norm += d == 5 ? 0 : (13 + 7 * d) % 128 * ((13 + 7 * d) % 128);
	assert_int_equal(flat.member[1].centroid[1].base, norm << 8 | 1);
	assert_string_equal(flat.class_name[0], "worm");
	assert_int_equal(flat.member[2].class_of[1], SEN_CLASS_CUSTOM);
	sen_model_free(m);
}

static void flatten_puts_scoring_members_first(void **state)
{
	static struct sen_model_flat flat;
	struct sen_model *m = fixture_model();
	struct sen_model_member labels = m->member[2];

	(void)state;
	m->member[2] = m->member[1];
	m->member[1] = m->member[0];
	m->member[0] = labels;
	assert_int_equal(sen_model_flatten(m, &flat, NULL), 0);
	assert_int_equal(flat.members, 3);
	assert_int_equal(flat.scoring, 2);
	assert_int_equal(flat.member[0].count, 4);
	assert_int_equal(flat.member[1].count, 3);
	assert_int_equal(flat.member[2].count, 2);
	assert_int_equal(flat.member[2].weight, 0);
	assert_int_equal(flat.member[2].class_of[0], SEN_CLASS_SCAN);
	sen_model_free(m);
}

static void flatten_refuses_what_does_not_fit(void **state)
{
	static struct sen_model_flat flat;
	static const float bad[] = { 0.5f, 0, -3, 1e9f, NAN, INFINITY };
	struct sen_model *m = fixture_model();
	struct sen_why why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m->member[0].radius[1] = bad[i];
		assert_int_equal(sen_model_flatten(m, &flat, &why), -ERANGE);
		assert_non_null(strstr(why.text, "radii[1]"));
	}
	m->member[0].radius[1] = 2;
	m->member[0].weight = 0.6;
	assert_int_equal(sen_model_flatten(m, &flat, &why), -ERANGE);
	m->member[0].weight = 0.5;
	m->member[0].centroid[0][3] = NAN;
	assert_int_equal(sen_model_flatten(m, &flat, &why), -ERANGE);
	m->member[0].centroid[0][3] = 1;
	m->member[2].class_of[0] = SEN_CLASS_CUSTOM + 5;
	assert_int_equal(sen_model_flatten(m, &flat, &why), -ERANGE);
	m->member[2].class_of[0] = SEN_CLASS_NONE;
	m->member[0].count = SEN_CENTROIDS_MAX + 1;
	assert_int_equal(sen_model_flatten(m, &flat, &why), -ERANGE);
	m->member[0].count = 1;
	assert_int_equal(sen_model_flatten(m, &flat, &why), 0);
	sen_model_free(m);
}

static void names_classes(void **state)
{
	struct sen_model *m = fixture_model();
	char name[16];

	(void)state;
	assert_string_equal(sen_class_name(m, SEN_CLASS_NONE), "");
	assert_string_equal(sen_class_name(m, SEN_CLASS_SYN_FLOOD), "syn_flood");
	assert_string_equal(sen_class_name(NULL, SEN_CLASS_SYN_FLOOD), "syn_flood");
	assert_string_equal(sen_class_name(m, SEN_CLASS_CUSTOM), "worm");
	assert_string_equal(sen_class_name(m, SEN_CLASS_CUSTOM + 1), "unknown");
	assert_string_equal(sen_class_name(m, 20), "unknown");
	assert_string_equal(sen_class_name(m, 1000), "unknown");
	assert_int_equal(sen_class_id(m, "syn_flood"), SEN_CLASS_SYN_FLOOD);
	assert_int_equal(sen_class_id(m, "worm"), SEN_CLASS_CUSTOM);
	assert_int_equal(sen_class_id(m, "two words"), -EINVAL);
	assert_int_equal(sen_class_id(m, "a-name-much-longer-than-fits"), -EINVAL);
	for (int i = 1; i < SEN_CLASS_MAX - SEN_CLASS_CUSTOM; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(sen_class_id(m, name), SEN_CLASS_CUSTOM + i);
	}
	assert_int_equal(sen_class_id(m, "more"), -ENOSPC);
	sen_model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flatten_computes_what_the_packet_path_needs),
		cmocka_unit_test(flatten_puts_scoring_members_first),
		cmocka_unit_test(flatten_refuses_what_does_not_fit),
		cmocka_unit_test(names_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
