// SPDX-License-Identifier: BSD-2-Clause
/*
 * The BPF scoring functions against the same arithmetic compiled natively, bit for bit, over models and
 * vectors that nobody would think of; and what the packet path makes of the scores.
 */
#include <string.h>
#include <unistd.h>

#include "dataplane.h"
#include "harness.h"
#include "modelkit.h"
#include "probe.h"
#include "probe.skel.h"
#include "sentroid/score.h"

#define MODELS            1500
#define VECTORS_PER_MODEL 256 /* 384,000 in all */

_Static_assert(MODELS *VECTORS_PER_MODEL >= 100000, "the differential test is to be thorough");
_Static_assert(VECTORS_PER_MODEL <= PROBE_VECTORS, "they fit one run");

/* The probe, with a model in each slot that can be exchanged without a push: nothing else reads it. */
struct probing {
	struct probe *skel;
	int model_fd[SEN_SLOT_COUNT];
	uint64_t random;
};

static struct sen_model_flat active, shadow;

static int put_model_map(struct probing *p, enum sen_slot slot)
{
	int models = bpf_map__fd(p->skel->maps.models);
	__u32 key = slot;
	int fd;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probed", 4, sizeof(active), 1, NULL);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(models, &key, &fd, BPF_ANY), 0);
	return fd;
}

static int open_probe(void **state)
{
	static struct probing p;

	stay_on_one_cpu();
	p.random = 2;
	p.skel = probe__open();
	assert_non_null(p.skel);
	assert_int_equal(probe__load(p.skel), 0);
	for (int slot = 0; slot < SEN_SLOT_COUNT; slot++)
		p.model_fd[slot] = put_model_map(&p, slot);
	*state = &p;
	return 0;
}

static int close_probe(void **state)
{
	struct probing *p = *state;

	for (int slot = 0; slot < SEN_SLOT_COUNT; slot++)
		close(p->model_fd[slot]);
	probe__destroy(p->skel);
	return 0;
}

static void set_model(struct probing *p, enum sen_slot slot, const struct sen_model_flat *m)
{
	__u32 zero = 0;

	assert_int_equal(bpf_map_update_elem(p->model_fd[slot], &zero, m, BPF_ANY), 0);
}

static void score_all(struct probing *p, __u32 count)
{
	uint8_t frame[64] = { 0 };

	p->skel->bss->probe_count = count;
	assert_int_equal(rig_run(bpf_program__fd(p->skel->progs.probe_score), frame, sizeof(frame)),
			 PASSED);
}

/* Mostly values that occur, sometimes any that 16 bits hold, sometimes both ends. */
static void vector_random(struct sen_vector *x, uint64_t *random)
{
	uint64_t kind = random_next(random) % 8;

	for (int d = 0; d < SEN_DIMS; d++) {
		uint64_t r = random_next(random);

		x->v[d] = kind == 0 ? r : kind == 1 ? (r & 1) * 0xffff : r % (SEN_LG_MAX + 1);
	}
}

/* Class 0 would be lost among the unflagged, so all parts are compared, not just the score. */
static void assert_same(const struct sen_score *bpf, const struct sen_model_flat *m,
			const struct sen_vector *x)
{
	struct sen_score native;
	struct sen_lanes lanes;

	sen_quantize(m->quantizer, x, &lanes);
	native = sen_score(m, &lanes);
	expect("score", "in BPF", bpf->score, native.score);
	expect("class", "in BPF", bpf->class_id, native.class_id);
}

/* What kinds of results there have been: a differential test of zeros would prove nothing. */
struct variety {
	unsigned int zero, low, flagged, saturated, named;
};

static void note(struct variety *v, const struct sen_score *s)
{
	v->zero += s->score == 0;
	v->low += s->score > 0 && s->score < SEN_ONE;
	v->flagged += s->score >= SEN_ONE && s->score < SEN_SCORE_MAX;
	v->saturated += s->score == SEN_SCORE_MAX;
	v->named += s->class_id != SEN_CLASS_NONE && s->class_id != SEN_CLASS_UNKNOWN;
}

static void compare_models(struct probing *p, __u32 version, struct variety *v)
{
	struct probe_score *io = p->skel->bss->probe_scores;

	model_random(&active, version, &p->random);
	model_random(&shadow, version, &p->random);
	set_model(p, SEN_SLOT_ACTIVE, &active);
	set_model(p, SEN_SLOT_SHADOW, &shadow);
	for (int i = 0; i < VECTORS_PER_MODEL; i++)
		vector_random(&io[i].vector, &p->random);
	score_all(p, VECTORS_PER_MODEL);
	for (int i = 0; i < VECTORS_PER_MODEL; i++) {
		assert_true(io[i].known >= 0 && io[i].shadowed == 0);
		assert_int_equal(io[i].version, version);
		assert_same(&io[i].active, &active, &io[i].vector);
		assert_same(&io[i].shadow, &shadow, &io[i].vector);
		note(v, &io[i].active);
		note(v, &io[i].shadow);
	}
}

static void native_and_bpf_agree(void **state)
{
	struct variety v = { 0 };

	for (__u32 version = 1; version <= MODELS; version++)
		compare_models(*state, version, &v);
	print_message(
		"# %d vectors twice: score 0 %u, below the threshold %u, flagged %u, at the end "
		"of the range %u; named %u\n",
		MODELS * VECTORS_PER_MODEL, v.zero, v.low, v.flagged, v.saturated, v.named);
	assert_true(v.zero > 1000 && v.low > 1000 && v.flagged > 1000 && v.saturated > 1000 &&
		    v.named > 1000);
}

/* Each count of members, and of centroids, in a model of its own. */
static void every_count_of_members_and_centroids(void **state)
{
	struct probing *p = *state;
	struct probe_score *io = p->skel->bss->probe_scores;

	for (__u32 n = 1; n <= SEN_CENTROIDS_MAX; n++) {
		do {
			model_random(&active, n, &p->random);
		} while (active.members != 1 + n % SEN_MEMBERS_MAX);
		for (__u32 e = 0; e < active.members; e++)
			if (active.member[e].count > n)
				active.member[e].count = n;
		set_model(p, SEN_SLOT_ACTIVE, &active);
		for (int i = 0; i < 64; i++)
			vector_random(&io[i].vector, &p->random);
		score_all(p, 64);
		for (int i = 0; i < 64; i++)
			assert_same(&io[i].active, &active, &io[i].vector);
	}
}

/* Radii and thresholds at their ends, distances from none to the greatest. */
static void extremes(void **state)
{
	static const __u32 ends[] = { 0, 1, 255, 65535, 65536, 1 << 24, 0x7fffffff, ~0u };
	const int n = sizeof(ends) / sizeof(*ends);
	struct probing *p = *state;
	struct probe_score *io = p->skel->bss->probe_scores;

	for (int round = 0; round < n * n; round++) {
		model_random(&active, 1 + round, &p->random);
		active.threshold_inverse = ends[round % n];
		for (__u32 e = 0; e < active.members; e++)
			for (int k = 0; k < SEN_CENTROIDS_MAX; k++)
				active.member[e].inverse_radius[k] = ends[round / n];
		set_model(p, SEN_SLOT_ACTIVE, &active);
		for (int i = 0; i < 16; i++) {
			vector_random(&io[i].vector, &p->random);
			if (i < 2)
				memset(&io[i].vector, i ? 0xff : 0, sizeof(io[i].vector));
		}
		score_all(p, 16);
		for (int i = 0; i < 16; i++)
			assert_same(&io[i].active, &active, &io[i].vector);
	}
}

/* A vector scored before gets the same answer from memory, a new one is computed. */
static void memory_answers_the_same(void **state)
{
	struct probing *p = *state;
	struct probe_score *io = p->skel->bss->probe_scores;

	for (__u32 version = 1; version <= 50; version++) {
		model_random(&active, version, &p->random);
		set_model(p, SEN_SLOT_ACTIVE, &active);
		set_model(p, SEN_SLOT_SHADOW, &active); /* never answered from memory */
		for (int i = 0; i < 64; i += 2) {
			vector_random(&io[i].vector, &p->random);
			io[i + 1].vector = io[i].vector;
		}
		score_all(p, 64);
		for (int i = 0; i < 64; i++) {
			if (i & 1)
				assert_int_equal(io[i].known, 1);
			assert_same(&io[i].active, &active, &io[i].vector);
			assert_memory_equal(&io[i].active, &io[i].shadow, sizeof(io[i].active));
		}
	}
}

/* What was remembered of another model is not an answer. */
static void memory_ends_with_the_model(void **state)
{
	struct probing *p = *state;
	struct probe_score *io = p->skel->bss->probe_scores;

	vector_random(&io[0].vector, &p->random);
	for (__u32 version = 1; version <= 100; version++) {
		model_constant(&active, version, 10 * version, SEN_CLASS_UNKNOWN);
		set_model(p, SEN_SLOT_ACTIVE, &active);
		score_all(p, 1);
		assert_int_equal(io[0].known, 0);
		assert_int_equal(io[0].active.score, 10 * version);
		score_all(p, 1);
		assert_int_equal(io[0].known, 1);
		assert_int_equal(io[0].active.score, 10 * version);
	}
}

static int open_rig(void **state)
{
	*state = rig_open(NULL);
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

/* One-packet flows between hosts never seen before: one vector for them all. */
static void same_packet(struct rig *rig, uint32_t n)
{
	struct packet p;

	rig_send(rig, packet_udp(&p, HOST(1000 + n), 1000, HOST(90000 + n), 53, 20));
}

static void memo_hits_are_counted(void **state)
{
	struct rig *rig = *state;
	uint64_t random = 5;

	model_random(&active, 1, &random);
	rig_push(rig, SEN_SLOT_ACTIVE, &active);
	for (uint32_t n = 0; n < 20; n++)
		same_packet(rig, n);
	assert_int_equal(rig_stats(rig).evaluations, 20);
	assert_int_equal(rig_stats(rig).memo_hits, 19);
	assert_int_equal(rig_read_events(rig), 20);
	for (size_t i = 0; i < rig->event_count; i++) {
		const struct sen_event *e = &rig->events[i];
		struct sen_score score = { .score = e->score, .class_id = e->class_id };

		assert_memory_equal(&e->vector, &rig->events[0].vector, sizeof(e->vector));
		assert_same(&score, &active, &e->vector);
	}
}

/* Pushed again, the same model says the same of the same vectors. */
static void a_repeated_push_changes_nothing(void **state)
{
	struct rig *rig = *state;
	uint64_t random = 6;

	model_random(&active, 3, &random);
	for (uint32_t push = 0; push < 4; push++) {
		rig_push(rig, SEN_SLOT_ACTIVE, &active);
		for (uint32_t n = 0; n < 5; n++)
			same_packet(rig, 5 * push + n);
	}
	assert_int_equal(rig_read_events(rig), 20);
	for (size_t i = 0; i < rig->event_count; i++) {
		assert_int_equal(rig->events[i].score, rig->events[0].score);
		assert_int_equal(rig->events[i].class_id, rig->events[0].class_id);
		assert_int_equal(rig->events[i].model_version, 3);
	}
}

/* The shadow model is counted against the active one, and never decides anything. */
static void the_shadow_is_only_counted(void **state)
{
	static const struct {
		__u32 active, shadow;
		unsigned int only_active, only_shadow;
	} cases[] = {
		{ SEN_ONE, SEN_ONE, 0, 0 },
		{ SEN_ONE - 1, SEN_ONE - 1, 0, 0 },
		{ SEN_ONE, SEN_ONE - 1, 1, 0 },
		{ SEN_ONE - 1, SEN_ONE, 0, 1 },
	};
	struct rig *rig = *state;

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	for (uint32_t i = 0; i < 4; i++) {
		struct sen_stats before = rig_stats(rig), after;

		model_constant(&active, 2 * i + 1, cases[i].active, SEN_CLASS_UNKNOWN);
		model_constant(&shadow, 2 * i + 2, cases[i].shadow, SEN_CLASS_SCAN);
		rig_push(rig, SEN_SLOT_ACTIVE, &active);
		rig_push(rig, SEN_SLOT_SHADOW, &shadow);
		same_packet(rig, i);
		after = rig_stats(rig);
		assert_int_equal(after.shadow_evaluations - before.shadow_evaluations, 1);
		assert_int_equal(after.shadow_only_active - before.shadow_only_active,
				 cases[i].only_active);
		assert_int_equal(after.shadow_only_shadow - before.shadow_only_shadow,
				 cases[i].only_shadow);
		assert_int_equal(after.drop - before.drop, cases[i].active >= SEN_ONE);
		assert_int_equal(after.flagged - before.flagged, cases[i].active >= SEN_ONE);
		assert_int_equal(rig_last_event(rig)->score, cases[i].active);
		assert_int_equal(rig_last_event(rig)->model_version, 2 * i + 1);
		assert_int_equal(rig_last_event(rig)->class_id,
				 cases[i].active >= SEN_ONE ? SEN_CLASS_UNKNOWN : SEN_CLASS_NONE);
	}
}

/* Sum of a per-CPU value that is nothing but counters. */
static void sum_cpus(const struct bpf_map *map, __u64 *out, size_t counters)
{
	static __u64 all[256 * 1024];
	__u32 zero = 0;

	assert_true(counters * libbpf_num_possible_cpus() <= sizeof(all) / 8);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &zero, all), 0);
	memset(out, 0, counters * 8);
	for (size_t i = 0; i < counters * libbpf_num_possible_cpus(); i++)
		out[i % counters] += all[i];
}

/* Every evaluation in one bin of each histogram, in the bin that its value says. */
static void histograms(void **state)
{
	static struct sen_score_hist scores, expected_scores;
	static struct sen_feature_hist features, expected;
	struct rig *rig = *state;
	uint64_t random = 7;
	struct packet p;

	model_random(&active, 1, &random);
	model_constant(&shadow, 2, SEN_ONE, SEN_CLASS_UNKNOWN);
	rig_push(rig, SEN_SLOT_ACTIVE, &active);
	rig_push(rig, SEN_SLOT_SHADOW, &shadow);
	for (uint32_t n = 0; n < 500; n++)
		rig_send(rig, packet_tcp(&p, HOST(n % 7), 1000 + n, HOST(n % 5), 80, TCP_SYN, n));
	rig_read_events(rig);
	for (size_t i = 0; i < rig->event_count; i++) {
		__u32 score = rig->events[i].score;

		expected_scores.bin[SEN_SLOT_ACTIVE][sen_lg(score) / 8]++;
		expected_scores.bin[SEN_SLOT_SHADOW][32]++; /* the threshold */
		for (int d = 0; d < SEN_DIMS; d++)
			expected.bin[d][rig->events[i].vector.v[d] / 16]++;
	}
	assert_int_equal(rig->event_count, rig_stats(rig).evaluations);
	sum_cpus(rig->skel->maps.dist_hist, &scores.bin[0][0], sizeof(scores) / 8);
	sum_cpus(rig->skel->maps.feat_hist, &features.bin[0][0], sizeof(features) / 8);
	assert_memory_equal(&scores, &expected_scores, sizeof(scores));
	assert_memory_equal(&features, &expected, sizeof(features));
}

#define PROBE(name) cmocka_unit_test_setup_teardown(name, open_probe, close_probe)
#define TEST(name)  cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBE(native_and_bpf_agree),
		PROBE(every_count_of_members_and_centroids),
		PROBE(extremes),
		PROBE(memory_answers_the_same),
		PROBE(memory_ends_with_the_model),
		TEST(memo_hits_are_counted),
		TEST(a_repeated_push_changes_nothing),
		TEST(the_shadow_is_only_counted),
		TEST(histograms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
