// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two models that differ in everything, and a look at whether packets are ever judged by a mix of them.
 *
 *   modelmix make A.json B.json            makes them, versions 1001 and 1002
 *   modelmix watch IFACE A.json B.json     reads events until SIGTERM; prints what it found as JSON
 *
 * An event carries its vector: both scores it can have are known, and which of them it must have.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"
#include "ring.h"
#include "sentroid/score.h"

#define FIRST_VERSION 1001
#define CENTROIDS     32
#define MEMBERS       3
#define SHOWN         5 /* wrong events that are told of */

struct watch {
	struct sen_model_flat model[2];
	unsigned long long events[2];
	unsigned long long wrong;   /* score of neither model */
	unsigned long long swapped; /* score of one, version of the other */
	unsigned long long foreign; /* version of neither */
	unsigned long long alike;   /* both models say the same: tells nothing */
	unsigned int changes;       /* of version from one event to the next */
	unsigned int last;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int fail(const struct sen_why *why)
{
	fprintf(stderr, "modelmix: %s\n", why->text);
	return 1;
}

/* ---- models ---- */

static double between(double low, double high)
{
	return low + (high - low) * drand48();
}

static void fill_member(struct sen_model_member *m)
{
	m->count = CENTROIDS;
	m->weight = 1.0 / MEMBERS;
	for (int d = 0; d < SEN_DIMS; d++)
		m->mask[d] = true;
	for (int k = 0; k < CENTROIDS; k++) {
		for (int d = 0; d < SEN_DIMS; d++)
			m->centroid[k][d] = (float)between(0, SEN_QMAX);
		m->radius[k] = (float)between(40, 120);
		m->mass[k] = 1;
	}
}

static int make_model(unsigned int version, const char *path, struct sen_why *why)
{
	struct sen_model *model = calloc(1, sizeof(*model));
	int err;

	if (!model)
		return sen_why(why, -ENOMEM, NULL, "model: out of memory");
	srand48(version);
	model->version = version;
	model->created_s = version;
	model->members = MEMBERS;
	model->threshold = between(1, 3);
	for (int d = 0; d < SEN_DIMS; d++)
		model->quantizer[d] = (struct sen_quantizer){ (__s32)between(16384, 49152),
							      (__s32)between(0, 1 << 20) };
	for (int e = 0; e < MEMBERS; e++)
		fill_member(&model->member[e]);
	snprintf(model->training.command, sizeof(model->training.command), "random, for a test");
	err = sen_model_save(model, path, why);
	sen_model_free(model);
	return err;
}

static int load_flat(const char *path, struct sen_model_flat *out, struct sen_why *why)
{
	struct sen_model *model;
	int err = sen_model_load(path, &model, why);

	if (err)
		return err;
	err = sen_model_flatten(model, out, why);
	sen_model_free(model);
	return err;
}

/* ---- events ---- */

static __u32 score_by(const struct sen_model_flat *model, const struct sen_vector *x)
{
	struct sen_lanes lanes;

	sen_quantize(model->quantizer, x, &lanes);
	return sen_score(model, &lanes).score;
}

static void judge(struct watch *w, const struct sen_event *ev, unsigned int own)
{
	__u32 right = score_by(&w->model[own], &ev->vector);
	__u32 other = score_by(&w->model[!own], &ev->vector);

	w->alike += right == other;
	if (ev->score == right)
		return;
	if (ev->score == other)
		w->swapped++;
	else
		w->wrong++;
	if (w->wrong + w->swapped <= SHOWN)
		fprintf(stderr, "modelmix: version %u, score %u, not %u; by the other model %u\n",
			ev->model_version, ev->score, right, other);
}

static void on_event(void *ctx, const struct sen_event *ev)
{
	struct watch *w = ctx;
	unsigned int own = ev->model_version - w->model[0].version;

	if (own > 1) {
		w->foreign++;
		return;
	}
	w->events[own]++;
	w->changes += w->last && w->last != ev->model_version;
	w->last = ev->model_version;
	judge(w, ev, own);
}

static void report(const struct watch *w)
{
	printf("{\"events\": [%llu, %llu], \"wrong\": %llu, \"swapped\": %llu, \"foreign\": %llu, "
	       "\"alike\": %llu, \"changes\": %u}\n",
	       w->events[0], w->events[1], w->wrong, w->swapped, w->foreign, w->alike, w->changes);
}

static int watch_events(struct watch *w, const char *ifname, struct sen_why *why)
{
	struct sen_dataplane *dp = NULL;
	struct sen_ring *ring = NULL;
	int err = sen_dataplane_open(ifname, &dp, why);

	if (!err)
		err = sen_ring_open(dp, on_event, w, &ring, why);
	if (!err)
		fprintf(stderr, "modelmix: watches %s\n", ifname);
	/* What is still in the ring when it is told to stop is read, too. */
	while (!err && (sen_ring_drain(ring, 0) || !stopped))
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	sen_ring_close(ring);
	sen_dataplane_close(dp);
	return err;
}

static int run_watch(char **argv)
{
	static struct watch w;
	struct sen_why why = { 0 };
	int err;

	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	err = load_flat(argv[1], &w.model[0], &why);
	if (!err)
		err = load_flat(argv[2], &w.model[1], &why);
	if (!err)
		err = watch_events(&w, argv[0], &why);
	if (err)
		return fail(&why);
	report(&w);
	return 0;
}

int main(int argc, char **argv)
{
	struct sen_why why = { 0 };

	if (argc == 5 && !strcmp(argv[1], "watch"))
		return run_watch(argv + 2);
	if (argc != 4 || strcmp(argv[1], "make")) {
		fprintf(stderr, "usage: modelmix make A.json B.json\n"
				"       modelmix watch IFACE A.json B.json\n");
		return 2;
	}
	for (unsigned int i = 0; i < 2; i++)
		if (make_model(FIRST_VERSION + i, argv[2 + i], &why))
			return fail(&why);
	return 0;
}
