// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench_run.h"
#include "train.h"

#define SAMPLES 100000u
#define HOSTS   1000u

struct sen_bench_trainer {
	struct sen_sample *samples;
	atomic_bool cancel;
	pthread_t thread;
};

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* Some dozens of clouds, as traffic is. */
static void fill(struct sen_sample *s, uint32_t *state)
{
	uint32_t cloud = next(state) % 50;

	for (unsigned int d = 0; d < SEN_DIMS; d++)
		s->vector.v[d] = (cloud * (d + 7) * 13) % 256 + next(state) % 32;
	s->source = 1 + next(state) % HOSTS;
	s->flow = s->source << 32 | next(state);
	s->label = SEN_LABEL_BENIGN;
}

int sen_bench_trainer_new(struct sen_bench_trainer **out)
{
	struct sen_bench_trainer *t = calloc(1, sizeof(*t));
	uint32_t state = 1;

	if (!t)
		return -ENOMEM;
	t->samples = calloc(SAMPLES, sizeof(*t->samples));
	if (!t->samples) {
		free(t);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < SAMPLES; i++)
		fill(&t->samples[i], &state);
	*out = t;
	return 0;
}

static void *train(void *arg)
{
	struct sen_bench_trainer *t = arg;
	struct sen_train_params params = sen_train_defaults;
	int err = 0;

	params.cancel = &t->cancel;
	while (!err && !atomic_load(&t->cancel)) {
		struct sen_model *model = NULL;

		err = sen_train_full(t->samples, SAMPLES, &params, &model, NULL);
		sen_model_free(model);
	}
	return NULL;
}

int sen_bench_trainer_start(struct sen_bench_trainer *t)
{
	atomic_store(&t->cancel, false);
	return -pthread_create(&t->thread, NULL, train, t);
}

void sen_bench_trainer_stop(struct sen_bench_trainer *t)
{
	atomic_store(&t->cancel, true);
	pthread_join(t->thread, NULL);
}

void sen_bench_trainer_free(struct sen_bench_trainer *t)
{
	if (!t)
		return;
	free(t->samples);
	free(t);
}
