// SPDX-License-Identifier: BSD-2-Clause
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sentroid/score.h"
#include "train.h"
#include "validate.h"

#define SAMPLES 6000

static const char *digest_of(struct sen_model *m)
{
	free(sen_model_print(m));
	return m->digest;
}

static void finds_planted_clusters(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m;
	char reason[160];

	(void)state;
	p.centroids = FIXTURE_CLUSTERS;
	m = fixture_train(s, SAMPLES, &p);
	assert_int_equal(m->members, p.members);
	assert_int_equal(sen_validate_structure(m, reason, sizeof(reason)), 0);
	assert_int_equal(m->training.samples, SAMPLES);
	for (unsigned int e = 0; e < m->members; e++)
		assert_true(m->member[e].count >= FIXTURE_CLUSTERS - 2);
	sen_model_free(m);
	/* With twice as many centroids as clusters none is left out by any member: their radius is
	 * 13 steps, and 80 lie between them. */
	p.centroids = 2 * FIXTURE_CLUSTERS;
	m = fixture_train(s, SAMPLES, &p);
	for (unsigned int e = 0; e < m->members; e++)
		for (unsigned int c = 0; c < FIXTURE_CLUSTERS; c++)
			assert_true(fixture_miss(m, e, c, 0) < 8);
	sen_model_free(m);
	free(s);
}

static void seeds_decide(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *a = fixture_train(s, SAMPLES, &p), *b = fixture_train(s, SAMPLES, &p), *c;

	(void)state;
	p.seed++;
	c = fixture_train(s, SAMPLES, &p);
	assert_string_equal(digest_of(a), digest_of(b));
	assert_string_not_equal(digest_of(a), digest_of(c));
	assert_memory_equal(a, b, sizeof(*a));
	/* Not for the seed on record alone. */
	assert_memory_not_equal(a->member, c->member, sizeof(a->member));
	/* And members differ from one another. */
	assert_memory_not_equal(a->member[0].centroid, a->member[1].centroid,
				sizeof(a->member[0].centroid));
	sen_model_free(a);
	sen_model_free(b);
	sen_model_free(c);
	free(s);
}

static unsigned int features_of(const struct sen_model_member *m)
{
	unsigned int n = 0;

	for (int d = 0; d < SEN_DIMS; d++)
		n += m->mask[d];
	return n;
}

static void subspaces_are_drawn_by_the_seed(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0), attack = { 0 };
	struct sen_train_params p = fixture_params();
	struct sen_model *all = fixture_train(s, SAMPLES, &p), *a, *b;

	(void)state;
	p.subspace = 0.5;
	a = fixture_train(s, SAMPLES, &p);
	b = fixture_train(s, SAMPLES, &p);
	assert_string_equal(digest_of(a), digest_of(b));
	assert_string_not_equal(digest_of(a), digest_of(all));
	for (unsigned int e = 0; e < a->members; e++) {
		assert_int_equal(features_of(&all->member[e]), SEN_DIMS);
		assert_int_equal(features_of(&a->member[e]), SEN_DIMS / 2);
		for (unsigned int other = 0; other < e; other++)
			assert_memory_not_equal(a->member[e].mask, a->member[other].mask,
						sizeof(a->member[e].mask));
	}
	sen_model_free(b);
	p.seed++;
	b = fixture_train(s, SAMPLES, &p);
	assert_memory_not_equal(a->member[0].mask, b->member[0].mask, sizeof(a->member[0].mask));
	/* It still is a model: what it was made from passes, what is far does not. */
	assert_true(fixture_flagged(a, s, SAMPLES) <= 0.002);
	fixture_attack(&attack, 1, SEN_CLASS_SCAN);
	assert_true(fixture_score(a, &attack).score > SEN_ONE);
	sen_model_free(all);
	sen_model_free(a);
	sen_model_free(b);
	free(s);
}

static void subspaces_have_four_features_at_least(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m;
	struct sen_why why;

	(void)state;
	p.subspace = 0.01;
	m = fixture_train(s, SAMPLES, &p);
	for (unsigned int e = 0; e < m->members; e++)
		assert_int_equal(features_of(&m->member[e]), 4);
	sen_model_free(m);
	p.subspace = 0;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), -EINVAL);
	p.subspace = 1.1;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), -EINVAL);
	free(s);
}

/* What is trained is what is written: the file's rounding happens before the threshold is found. */
static void writing_a_fresh_model_changes_nothing(void **state)
{
	static struct sen_model_flat fresh, written;
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(s, SAMPLES, &p), *back, *next;

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *text;

		assert_int_equal(sen_model_flatten(m, &fresh, NULL), 0);
		text = sen_model_print(m);
		assert_int_equal(sen_model_parse(text, strlen(text), "m", &back, NULL), 0);
		assert_int_equal(sen_model_flatten(back, &written, NULL), 0);
		memset(fresh.digest, 0, sizeof(fresh.digest));
		memset(written.digest, 0, sizeof(written.digest));
		assert_memory_equal(&fresh, &written, sizeof(fresh));
		sen_model_free(back);
		free(text);
		assert_int_equal(sen_train_incremental(m, s, SAMPLES, &p, &next, NULL), 0);
		sen_model_free(m);
		m = next;
	}
	sen_model_free(m);
	free(s);
}

static void tells_outliers_from_benign(void **state)
{
	struct sen_sample *s = fixture_benign(20000, 1, 0), *fresh = fixture_benign(20000, 2, 0), x;
	struct sen_train_params p = fixture_params();
	struct sen_model *m;

	(void)state;
	p.target_fpr = 0.02;
	p.threshold_margin = 1;
	m = fixture_train(s, 20000, &p);
	assert_true(m->training.holdout_fpr <= 0.02 && m->training.holdout_fpr > 0.015);
	assert_true(fabs(fixture_flagged(m, fresh, 20000) - 0.02) < 0.008);
	sen_model_free(m);

	p = fixture_params();
	m = fixture_train(s, 20000, &p);
	assert_true(fixture_flagged(m, fresh, 20000) <= 0.002);
	for (unsigned int i = 0; i < 100; i++) {
		fixture_attack(&x, i, SEN_CLASS_SCAN);
		assert_true(fixture_score(m, &x).score > SEN_ONE);
		assert_int_equal(fixture_score(m, &x).class_id, SEN_CLASS_UNKNOWN);
	}
	sen_model_free(m);
	free(fresh);
	free(s);
}

/* With too few samples to see the target share, the largest score times the margin. */
static void few_samples_give_a_careful_threshold(void **state)
{
	struct sen_sample *s = fixture_benign(400, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *plain, *careful;

	(void)state;
	p.target_fpr = 0.0001;
	p.threshold_margin = 1;
	plain = fixture_train(s, 400, &p);
	p.threshold_margin = 2;
	careful = fixture_train(s, 400, &p);
	assert_true(plain->training.holdout_fpr == 0);
	assert_true(fabs(careful->threshold / plain->threshold - 2) < 0.01);
	sen_model_free(plain);
	sen_model_free(careful);
	free(s);
}

static void quantizer_leaves_headroom(void **state)
{
	static const float weights[SEN_DIMS] = {
		1, 1, 1.5, 0.75, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
	};
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m;
	struct sen_lanes q;

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		s[i].vector.v[0] = 200;           /* constant */
		s[i].vector.v[1] = 100 + i % 201; /* 1st percentile 102, 99th 298 */
		s[i].vector.v[2] = s[i].vector.v[3];
	}
	p.weights = weights;
	m = fixture_train(s, SAMPLES, &p);
	/* Four octaves at least: 64 raw units on 48 steps, times the weight. */
	assert_int_equal(m->quantizer[0].scale, SEN_ONE / 4 * 3);
	assert_true(abs(m->quantizer[2].scale - 2 * m->quantizer[3].scale) <= 1);
	s[0].vector.v[0] = 200;
	s[0].vector.v[1] = 102;
	sen_quantize(m->quantizer, &s[0].vector, &q);
	assert_int_equal(q.w[0] & 0xffff, 64);
	assert_in_range(q.w[0] >> 16 & 0xffff, 39, 41);
	s[0].vector.v[1] = 298;
	sen_quantize(m->quantizer, &s[0].vector, &q);
	assert_in_range(q.w[0] >> 16 & 0xffff, 87, 89);
	for (int d = 0; d < SEN_DIMS; d++)
		assert_true(m->quantizer[d].scale > 0 && m->quantizer[d].scale <= (int)SEN_ONE);
	sen_model_free(m);
	free(s);
}

static void few_distinct_vectors_make_few_centroids(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m;
	char reason[160];

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++)
		for (int d = 0; d < SEN_DIMS; d++)
			s[i].vector.v[d] = fixture_centre(i % 3, d);
	m = fixture_train(s, SAMPLES, &p);
	for (unsigned int e = 0; e < m->members; e++) {
		assert_int_equal(m->member[e].count, 3);
		for (unsigned int k = 0; k < 3; k++)
			assert_true(m->member[e].radius[k] >= 1);
	}
	assert_int_equal(sen_validate_structure(m, reason, sizeof(reason)), 0);
	sen_model_free(m);
	free(s);
}

static void too_little_data_is_no_model(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = NULL, *next = NULL;
	struct sen_why why = { 0 };
	atomic_bool cancel = true;

	(void)state;
	assert_int_equal(sen_train_full(s, 4 * p.centroids - 1, &p, &m, &why), -ENODATA);
	assert_non_null(strstr(why.text, "47 benign"));
	assert_int_equal(sen_train_full(NULL, 0, &p, &m, &why), -ENODATA);
	for (size_t i = 100; i < SAMPLES; i++)
		s[i].label = i % 2 ? SEN_LABEL_NONE : SEN_LABEL_ATTACK;
	p.centroids = 26;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), -ENODATA);
	p.centroids = 25;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), 0);
	assert_int_equal(sen_train_incremental(m, s, 30, &p, &next, &why), -ENODATA);
	sen_model_free(m);

	p.cancel = &cancel;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), -ECANCELED);
	p.cancel = NULL;
	p.centroids = 1;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), -EINVAL);
	p = fixture_params();
	p.members = SEN_MEMBERS_MAX;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), -EINVAL);
	p = fixture_params();
	p.target_fpr = NAN;
	assert_int_equal(sen_train_full(s, SAMPLES, &p, &m, &why), -EINVAL);
	free(s);
}

static void only_benign_samples_train(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0),
			  *mixed = calloc(2 * SAMPLES, sizeof(*s));
	struct sen_train_params p = fixture_params();
	struct sen_model *m, *same, *a, *b;

	(void)state;
	assert_non_null(mixed);
	for (size_t i = 0; i < SAMPLES; i++) {
		mixed[2 * i] = s[i];
		fixture_attack(&mixed[2 * i + 1], i, SEN_CLASS_SCAN);
		mixed[2 * i + 1].label = SEN_LABEL_NONE;
	}
	m = fixture_train(s, SAMPLES, &p);
	same = fixture_train(mixed, 2 * SAMPLES, &p);
	assert_string_equal(digest_of(m), digest_of(same));

	/* Nor do attacks, whatever else they are used for. */
	for (size_t i = 0; i < SAMPLES; i++)
		mixed[2 * i + 1].label = SEN_LABEL_ATTACK;
	assert_int_equal(sen_train_incremental(m, s, SAMPLES, &p, &a, NULL), 0);
	assert_int_equal(sen_train_incremental(m, mixed, 2 * SAMPLES, &p, &b, NULL), 0);
	assert_string_equal(digest_of(a), digest_of(b));
	sen_model_free(same);
	same = fixture_train(mixed, 2 * SAMPLES, &p);
	assert_memory_equal(m->member, same->member, m->members * sizeof(m->member[0]));
	sen_model_free(m);
	sen_model_free(same);
	sen_model_free(a);
	sen_model_free(b);
	free(mixed);
	free(s);
}

/* A capture of an attack that has a little of something else in it does not name that. */
static void by_catch_names_nothing(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES + 1000, 1, 0), x = { 0 };
	struct sen_train_params p = fixture_params();
	struct sen_model *m;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		fixture_attack(&s[SAMPLES + i], i, i % 200 ? SEN_CLASS_SCAN : SEN_CLASS_SYN_FLOOD);
		s[SAMPLES + i].class_id = SEN_CLASS_SCAN;
	}
	m = fixture_train(s, SAMPLES + 1000, &p);
	fixture_attack(&x, 2000, SEN_CLASS_SCAN);
	assert_int_equal(fixture_score(m, &x).class_id, SEN_CLASS_SCAN);
	fixture_attack(&x, 2000, SEN_CLASS_SYN_FLOOD);
	assert_int_equal(fixture_score(m, &x).class_id, SEN_CLASS_UNKNOWN);
	sen_model_free(m);
	free(s);
}

static void attacks_name_classes(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES + 300, 1, 0), x = { 0 };
	struct sen_train_params p = fixture_params();
	struct sen_model *names = calloc(1, sizeof(*names)), *m;
	const struct sen_model_member *labels;
	int worm = sen_class_id(names, "worm");
	char reason[160];

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		fixture_attack(&s[SAMPLES + i], i, SEN_CLASS_SCAN);            /* even */
		fixture_attack(&s[SAMPLES + 100 + i], i, SEN_CLASS_SYN_FLOOD); /* odd */
		fixture_attack(&s[SAMPLES + 200 + i], i, worm);
		s[SAMPLES + 200 + i].vector.v[0] = 300; /* unlike a scan in one feature */
		s[SAMPLES + 200 + i].vector.v[2] = 200;
		s[SAMPLES + 200 + i].vector.v[4] = 200;
	}
	m = fixture_train(s, SAMPLES + 300, &p); /* the worm has no name yet */
	labels = &m->member[m->members - 1];
	assert_int_equal(m->members, p.members + 1);
	assert_true(labels->weight == 0);
	for (unsigned int k = 0; k < labels->count; k++)
		assert_true(labels->class_of[k] == SEN_CLASS_SCAN ||
			    labels->class_of[k] == SEN_CLASS_SYN_FLOOD);
	sen_model_free(m);

	p.class_names = names;
	m = fixture_train(s, SAMPLES + 300, &p);
	labels = &m->member[m->members - 1];
	assert_true(labels->count <= 24);
	for (unsigned int k = 0; k < labels->count; k++)
		assert_true(labels->radius[k] >= 6);
	fixture_attack(&x, 1000, SEN_CLASS_SCAN);
	assert_int_equal(fixture_score(m, &x).class_id, SEN_CLASS_SCAN);
	fixture_attack(&x, 1000, SEN_CLASS_SYN_FLOOD);
	assert_int_equal(fixture_score(m, &x).class_id, SEN_CLASS_SYN_FLOOD);
	assert_int_equal(fixture_score(m, &s[SAMPLES + 250]).class_id, worm);
	assert_string_equal(sen_class_name(m, worm), "worm");
	assert_int_equal(sen_validate_structure(m, reason, sizeof(reason)), 0);
	sen_model_free(m);
	sen_model_free(names);
	free(s);
}

static void attack_centroids_have_room_for_every_class(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *names = calloc(1, sizeof(*names)), *m;
	char name[] = "c0";

	(void)state;
	for (unsigned int c = 0; c < 26; c++) {
		unsigned int id;

		name[1] = 'a' + c;
		id = sen_class_id(names, name);
		for (unsigned int i = 0; i < 50; i++) {
			fixture_attack(&s[c * 50 + i], i, id);
			s[c * 50 + i].vector.v[c % SEN_DIMS] = 250;
		}
	}
	p.class_names = names;
	m = fixture_train(s, SAMPLES, &p);
	assert_int_equal(m->member[p.members].count, 52); /* 64 / 26 each */
	sen_model_free(m);
	sen_model_free(names);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_planted_clusters),
		cmocka_unit_test(seeds_decide),
		cmocka_unit_test(subspaces_are_drawn_by_the_seed),
		cmocka_unit_test(subspaces_have_four_features_at_least),
		cmocka_unit_test(writing_a_fresh_model_changes_nothing),
		cmocka_unit_test(tells_outliers_from_benign),
		cmocka_unit_test(few_samples_give_a_careful_threshold),
		cmocka_unit_test(quantizer_leaves_headroom),
		cmocka_unit_test(few_distinct_vectors_make_few_centroids),
		cmocka_unit_test(too_little_data_is_no_model),
		cmocka_unit_test(only_benign_samples_train),
		cmocka_unit_test(by_catch_names_nothing),
		cmocka_unit_test(attacks_name_classes),
		cmocka_unit_test(attack_centroids_have_room_for_every_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
