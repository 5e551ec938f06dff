// SPDX-License-Identifier: BSD-2-Clause
/* A model's score in float32 beside the one in integers. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>

#include "float_score.h"

#define SAMPLES 3000

/* Whether every value of a vector falls onto a step that is not the last or the first. */
static bool is_inside(const struct sen_model *m, const struct sen_sample *s)
{
	for (int d = 0; d < SEN_DIMS; d++) {
		double at =
			((double)s->vector.v[d] * m->quantizer[d].scale + m->quantizer[d].bias) /
			SEN_ONE;

		if (at < 0 || at >= SEN_QMAX + 1)
			return false;
	}
	return true;
}

/* Rounding moves each of twenty coordinates by half a step at most, and the centroid too; that is what
 * the two scores may be apart, as distances. */
static void rounding_is_all_that_lies_between(void **state)
{
	const double most = 2 * sqrt(SEN_DIMS) / 2;
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(s, SAMPLES, &p);
	double scale = 0;
	size_t inside = 0;

	(void)state;
	for (unsigned int e = 0; e < m->members; e++)
		for (unsigned int k = 0; m->member[e].weight > 0 && k < m->member[e].count; k++)
			scale = fmax(scale, 1 / m->member[e].radius[k]);
	for (size_t i = 0; i < SAMPLES; i++) {
		double exact = fixture_score(m, &s[i]).score / 65536.0;
		double in_float = sen_float_score(m, &s[i].vector, SEN_FLOAT_FREE);

		if (!is_inside(m, &s[i]))
			continue;
		inside++;
		assert_true(in_float == sen_float_score(m, &s[i].vector, SEN_FLOAT_SATURATED));
		assert_true(fabs(sqrt(exact) - sqrt(in_float)) <=
			    most * scale / sqrt(m->threshold) + 0.01);
	}
	assert_true(inside > SAMPLES / 2);
	sen_model_free(m);
	free(s);
}

static void what_saturates_is_told_apart(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0), far = s[0];
	struct sen_train_params p = fixture_params();
	struct sen_model *m = fixture_train(s, SAMPLES, &p);
	float farther;

	(void)state;
	for (int d = 0; d < SEN_DIMS; d++)
		far.vector.v[d] = SEN_LG_MAX - 60;
	assert_false(is_inside(m, &far));
	farther = sen_float_score(m, &far.vector, SEN_FLOAT_SATURATED);
	assert_true(farther > 1);
	assert_true(sen_float_score(m, &far.vector, SEN_FLOAT_FREE) > farther);
	/* Beyond the last step there is nothing more to tell but in free floats. */
	for (int d = 0; d < SEN_DIMS; d++)
		far.vector.v[d] = SEN_LG_MAX;
	assert_true(sen_float_score(m, &far.vector, SEN_FLOAT_SATURATED) == farther);
	assert_true(sen_float_score(m, &far.vector, SEN_FLOAT_FREE) > farther);
	sen_model_free(m);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding_is_all_that_lies_between),
		cmocka_unit_test(what_saturates_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
