// SPDX-License-Identifier: BSD-2-Clause
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "kmeans.h"
#include "sentroid/score.h"

#define NOISE 12

unsigned int fixture_centre(unsigned int cluster, unsigned int dim)
{
	return 100 + (cluster * 37 + dim * 53 + cluster * dim * 11) % 160;
}

struct sen_sample *fixture_benign(size_t n, uint64_t seed, int shift)
{
	struct sen_sample *s = calloc(n, sizeof(*s));
	struct sen_rng rng;

	assert_non_null(s);
	sen_rng_seed(&rng, seed);
	for (size_t i = 0; i < n; i++) {
		unsigned int cluster = sen_rng_below(&rng, FIXTURE_CLUSTERS);

		for (unsigned int d = 0; d < SEN_DIMS; d++)
			s[i].vector.v[d] = fixture_centre(cluster, d) + shift +
					   (int)sen_rng_below(&rng, 2 * NOISE + 1) - NOISE;
		s[i].source = sen_rng_below(&rng, 20);
		s[i].label = SEN_LABEL_BENIGN;
	}
	return s;
}

void fixture_attack(struct sen_sample *s, uint64_t seed, unsigned int class_id)
{
	struct sen_rng rng;

	sen_rng_seed(&rng, seed);
	for (unsigned int d = 0; d < SEN_DIMS; d++)
		s->vector.v[d] = (d + class_id) % 2 ? 10 + sen_rng_below(&rng, 10) :
						      430 + sen_rng_below(&rng, 10);
	s->label = SEN_LABEL_ATTACK;
	s->class_id = class_id;
}

static void fill_member(struct sen_model_member *m, unsigned int count, double weight)
{
	m->count = count;
	m->weight = weight;
	memset(m->mask, true, sizeof(m->mask));
	for (unsigned int k = 0; k < count; k++) {
		for (unsigned int d = 0; d < SEN_DIMS; d++)
			m->centroid[k][d] = (k * 13 + d * 7) % 128 + d / 256.0f;
		m->radius[k] = 2.5f + k;
		m->mass[k] = 100 + k;
	}
}

struct sen_model *fixture_model(void)
{
	struct sen_model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->version = 7;
	m->parent = 3;
	m->created_s = 1700000000;
	m->members = 3;
	m->threshold = 2.5;
	for (unsigned int d = 0; d < SEN_DIMS; d++)
		m->quantizer[d] = (struct sen_quantizer){ .scale = 20000 + d,
							  .bias = -1000 * (int)d };
	fill_member(&m->member[0], 4, 0.5);
	fill_member(&m->member[1], 3, 0.5);
	fill_member(&m->member[2], 2, 0);
	m->member[1].mask[5] = false;
	m->member[2].class_of[0] = SEN_CLASS_SCAN;
	m->member[2].class_of[1] = sen_class_id(m, "worm");
	strcpy(m->training.command, "a \"test\"");
	strcpy(m->training.inputs, "one.pcap sha256:00\ntwo.pcap sha256:01");
	m->training.samples = 12345;
	m->training.seed = 0xfedcba9876543210ull;
	m->training.target_fpr = 0.001;
	m->training.holdout_fpr = 0.0007;
	m->training.inertia = 12.5;
	return m;
}

struct sen_train_params fixture_params(void)
{
	struct sen_train_params p = sen_train_defaults;

	p.centroids = 12;
	p.weights = NULL; /* made-up vectors: a dimension is as good as another */
	return p;
}

struct sen_model *fixture_train(const struct sen_sample *s, size_t n,
				const struct sen_train_params *p)
{
	struct sen_model *m = NULL;
	struct sen_why why = { 0 };
	int err = sen_train_full(s, n, p, &m, &why);

	if (err)
		fail_msg("train: %s", why.text);
	return m;
}

struct sen_score fixture_score(const struct sen_model *m, const struct sen_sample *s)
{
	static struct sen_model_flat flat;
	struct sen_lanes q;

	assert_int_equal(sen_model_flatten(m, &flat, NULL), 0);
	sen_quantize(flat.quantizer, &s->vector, &q);
	return sen_score(&flat, &q);
}

double fixture_flagged(const struct sen_model *m, const struct sen_sample *s, size_t n)
{
	size_t hits = 0;

	for (size_t i = 0; i < n; i++)
		hits += fixture_score(m, &s[i]).score >= SEN_ONE;
	return (double)hits / n;
}

double fixture_miss(const struct sen_model *m, unsigned int e, unsigned int cluster, int shift)
{
	double best = INFINITY;

	for (unsigned int k = 0; k < m->member[e].count; k++) {
		double d2 = 0;

		for (int d = 0; d < SEN_DIMS; d++) {
			const struct sen_quantizer *q = &m->quantizer[d];
			double raw = (int)fixture_centre(cluster, d) + shift;
			double at = (raw * q->scale + q->bias) / SEN_ONE - 0.5;

			d2 += (at - m->member[e].centroid[k][d]) *
			      (at - m->member[e].centroid[k][d]);
		}
		best = fmin(best, sqrt(d2));
	}
	return best;
}

char *fixture_folder(void)
{
	char *folder = strdup("/tmp/sentroid-test-XXXXXX");

	assert_non_null(folder);
	assert_non_null(mkdtemp(folder));
	return folder;
}

char *fixture_path(const char *folder, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	return path;
}

void fixture_remove(char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(folder);
	free(folder);
}
