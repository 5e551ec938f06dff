// SPDX-License-Identifier: BSD-2-Clause
/* The threshold must hold for the next new host, and count flows, not evaluations. */
#include "fixture.h"

#include <stdlib.h>

#include "kmeans.h"
#include "train.h"

#define KNOWN     40 /* hosts trained on, and new ones */
#define FRESH     20
#define SAMPLES   5000
#define EACH      50
#define OWN_STEPS 40 /* how far the ways of hosts lie apart, in steps of sen_lg() */

/* Hosts with ways of their own, around a common one; all of them active at the same time. */
static struct sen_sample *make_hosts(unsigned int hosts, uint64_t seed)
{
	struct sen_sample *s = calloc(hosts * EACH, sizeof(*s));
	unsigned int own[KNOWN][SEN_DIMS];
	struct sen_rng rng;

	assert_non_null(s);
	assert_true(hosts <= KNOWN);
	sen_rng_seed(&rng, seed);
	for (unsigned int i = 0; i < hosts * SEN_DIMS; i++)
		own[i / SEN_DIMS][i % SEN_DIMS] = 80 + sen_rng_below(&rng, OWN_STEPS);
	for (unsigned int i = 0; i < hosts * EACH; i++) {
		s[i].label = SEN_LABEL_BENIGN;
		s[i].source = 1 + i % hosts;
		s[i].flow = 1 + i;
		s[i].time_ns = i;
		for (int d = 0; d < SEN_DIMS; d++)
			s[i].vector.v[d] = own[i % hosts][d] + sen_rng_below(&rng, 4);
	}
	return s;
}

static double flagged_of_new_hosts(const struct sen_sample *known, const struct sen_sample *fresh)
{
	struct sen_train_params p = fixture_params();
	struct sen_model *m;
	double share;

	p.centroids = KNOWN;
	p.target_fpr = 0.01;
	p.threshold_margin = 1;
	m = fixture_train(known, KNOWN * EACH, &p);
	share = fixture_flagged(m, fresh, FRESH * EACH);
	sen_model_free(m);
	return share;
}

static void new_hosts_stay_below_the_threshold(void **state)
{
	struct sen_sample *known = make_hosts(KNOWN, 5), *fresh = make_hosts(FRESH, 6);

	(void)state;
	assert_true(flagged_of_new_hosts(known, fresh) < 0.1);
	/* With the hosts unknown, what is held back comes from hosts that the model has seen. */
	for (int i = 0; i < KNOWN * EACH; i++)
		known[i].source = 1;
	assert_true(flagged_of_new_hosts(known, fresh) > 0.5);
	free(known);
	free(fresh);
}

/* One odd flow has a hundredth of the samples: as a flow it may be flagged, as so many samples it
 * may not. */
static void a_flow_counts_once(void **state)
{
	struct sen_sample *s = fixture_benign(SAMPLES, 1, 0);
	struct sen_train_params p = fixture_params();
	struct sen_model *by_flow, *by_sample;

	(void)state;
	p.target_fpr = 0.005;
	p.threshold_margin = 1;
	for (int i = 0; i < SAMPLES; i++) {
		s[i].source = 1 + i % 7;
		s[i].flow = 1 + i % 199;
		if (i % 100)
			continue;
		s[i].source = 100;
		s[i].flow = 1000;
		for (int d = 0; d < SEN_DIMS; d += 2)
			s[i].vector.v[d] = 400;
	}
	by_flow = fixture_train(s, SAMPLES, &p);
	for (int i = 0; i < SAMPLES; i++)
		s[i].flow = 0;
	by_sample = fixture_train(s, SAMPLES, &p);
	assert_true(by_flow->threshold < by_sample->threshold / 2);
	assert_true(by_flow->training.holdout_fpr <= 0.005);
	sen_model_free(by_flow);
	sen_model_free(by_sample);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_hosts_stay_below_the_threshold),
		cmocka_unit_test(a_flow_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
