// SPDX-License-Identifier: BSD-2-Clause
/*
 * The BPF program against the same code built natively, frame by frame: outcome, verdict, counters, the
 * flow's entry, everything in the scratch (what was parsed, features, scores), every sample; and all maps
 * at the end. Over traffic made here, and over captures where there are some.
 */
#include <errno.h>
#include <fts.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allow.h"
#include "by_libpcap.h"
#include "capture.h"
#include "fixtures.h"
#include "harness.h"
#include "model.h"
#include "modelkit.h"
#include "native.h"
#include "replay.h"
#include "wild.h"

#define TABLE_SIZE   8192 /* of each; captures overfill it */
#define MADE_FRAMES  60000
#define MODEL_FRAMES 997 /* a model is in force for so many made frames */
#define VALUE_MAX    32768
#define EVENTS_MAX   8 /* of one frame */

struct duel {
	struct rig *rig;
	const struct native_map *stats, *scratch; /* looked at after every frame */
	int stats_fd, scratch_fd, egress_fd;
	char *values; /* of all CPUs */
	int cpu;
	struct sen_event events[EVENTS_MAX]; /* native ones of this frame */
	size_t event_count;
	char where[600];
	unsigned long long frames;
};

static void keep_event(void *ctx, const void *event, size_t size)
{
	struct duel *d = ctx;

	assert_int_equal(size, sizeof(struct sen_event));
	assert_true(d->event_count < EVENTS_MAX);
	memcpy(&d->events[d->event_count++], event, size);
}

static void open_native(struct duel *d)
{
	const struct native_options options = {
		.flows = TABLE_SIZE,
		.sources = TABLE_SIZE / 4,
		.targets = TABLE_SIZE / 4,
		.pairs = TABLE_SIZE / 2,
		.seed = d->rig->skel->rodata->sen_seed,
		.own_mac = PACKET_TO,
		.on_event = keep_event,
		.ctx = d,
	};

	native_open(&options);
	d->stats = native_map("stats");
	d->scratch = native_map("scratch");
	assert_non_null(d->stats);
	assert_non_null(d->scratch);
}

static void set_model(const struct duel *d, enum sen_slot slot, const struct sen_model_flat *model)
{
	rig_push(d->rig, slot, model);
	native_set_model(slot, model);
}

static void set_mode(const struct duel *d, enum sen_mode mode)
{
	d->rig->policy.mode = mode;
	rig_apply_policy(d->rig);
	native_set_policy(&d->rig->policy);
}

static int open_duel(void **state)
{
	static const struct rig_sizes sizes = { TABLE_SIZE,           TABLE_SIZE / 4,
						TABLE_SIZE / 4,       TABLE_SIZE / 2,
						.own_mac = PACKET_TO, .egress = true };
	struct duel *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->rig = rig_open(&sizes);
	d->cpu = sched_getcpu();
	d->stats_fd = bpf_map__fd(d->rig->skel->maps.stats);
	d->scratch_fd = bpf_map__fd(d->rig->skel->maps.scratch);
	d->egress_fd = bpf_program__fd(d->rig->skel->progs.sentroid_egress);
	d->values = malloc((size_t)VALUE_MAX * libbpf_num_possible_cpus());
	assert_non_null(d->values);
	open_native(d);
	/* As on an interface: long flows come up for evaluation, samples run into their limits. */
	d->rig->policy.eval_shift = SEN_WINDOW_FAST;
	set_mode(d, SEN_MODE_ENFORCE);
	*state = d;
	return 0;
}

static int close_duel(void **state)
{
	struct duel *d = *state;

	native_close();
	rig_close(d->rig);
	free(d->values);
	free(d);
	return 0;
}

static void expect_same(const struct duel *d, const char *what, const void *bpf, const void *native,
			size_t size)
{
	const uint8_t *a = bpf, *b = native;
	size_t at = 0;

	if (!memcmp(a, b, size))
		return;
	while (a[at] == b[at])
		at++;
	fail_msg("%s: %s differs from byte %zu on: bpf %02x, native %02x", d->where, what, at,
		 a[at], b[at]);
}

/* The value of a map on this CPU. */
static const void *bpf_value(const struct duel *d, int fd, enum bpf_map_type type, size_t size,
			     __u32 index)
{
	assert_true(size <= VALUE_MAX);
	assert_int_equal(bpf_map_lookup_elem(fd, &index, d->values), 0);
	return d->values + (type == BPF_MAP_TYPE_PERCPU_ARRAY ? (size + 7) / 8 * 8 * d->cpu : 0);
}

static void expect_same_value(const struct duel *d, const struct native_map *m, int fd)
{
	expect_same(d, m->name, bpf_value(d, fd, BPF_MAP_TYPE_PERCPU_ARRAY, m->value_size, 0),
		    m->value[0], m->value_size);
}

static void expect_same_events(struct duel *d)
{
	rig_read_events(d->rig);
	expect(d->where, "number of samples", d->rig->event_count, d->event_count);
	expect_same(d, "sample", d->rig->events, d->events,
		    d->event_count * sizeof(struct sen_event));
	d->rig->event_count = 0;
	d->event_count = 0;
}

static void expect_same_traces(struct duel *d, const struct native_result *native)
{
	const struct sen_replay_state *bpf = &d->rig->skel->bss->replay;

	expect_same(d, "replay state", bpf, &native->state, sizeof(*bpf));
	if (native->entry)
		expect_same(d, "flow", rig_flow(d->rig, bpf->flow), native->entry,
			    sizeof(*native->entry));
	expect_same_value(d, d->stats, d->stats_fd);
	expect_same_value(d, d->scratch, d->scratch_fd);
	expect_same_events(d);
}

/* Run a frame through both. */
static void fight(struct duel *d, const void *head, size_t len, uint32_t wire, uint64_t now_ns)
{
	struct native_result native;
	struct sent sent;

	d->frames++;
	d->rig->now_ns = now_ns;
	sent = rig_send_cut(d->rig, head, len, wire);
	native_run(head, len, wire, now_ns, &native);
	expect(d->where, "dropped", sent.action == DROPPED, native.verdict == SEN_VERDICT_DROP);
	expect_same_traces(d, &native);
}

/* The same for one on its way out, which is whole. */
static void fight_out(struct duel *d, const void *frame, size_t len, uint64_t now_ns)
{
	struct sen_replay_state *replay = &d->rig->skel->bss->replay;
	struct native_result native;
	int action;

	*replay = (struct sen_replay_state){ .now_ns = now_ns, .wire_len = len, .flow = 1 };
	replay->outcome = ~0u;
	action = rig_run(d->egress_fd, frame, len);
	/* Kernels do not let out what is too short for the protocol that it names. */
	if (action == -EINVAL) {
		fight(d, frame, len, len, now_ns);
		return;
	}
	d->frames++;
	expect(d->where, "action", action, TC_ACT_UNSPEC);
	native_run_out(frame, len, now_ns, &native);
	expect_same_traces(d, &native);
}

static void expect_same_map(const struct duel *d, const struct bpf_map *map)
{
	static const char zeros[VALUE_MAX];
	const struct native_map *m = native_map(bpf_map__name(map));

	if (!m)
		fail_msg("map %s is missing in tests/native/native.c", bpf_map__name(map));
	expect(m->name, "entries", bpf_map__max_entries(map), m->entries);
	expect(m->name, "value size", bpf_map__value_size(map), m->value_size);
	for (__u32 i = 0; i < m->entries; i++)
		expect_same(d, m->name,
			    bpf_value(d, bpf_map__fd(map), bpf_map__type(map), m->value_size, i),
			    m->value[i] ? m->value[i] : zeros, m->value_size);
}

static void expect_same_maps(const struct duel *d)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, d->rig->skel->obj) {
		enum bpf_map_type type = bpf_map__type(map);

		/* Neither the ring, the models and the allow list, nor sections of variables, nor what is absent. */
		if (bpf_map__autocreate(map) && type != BPF_MAP_TYPE_RINGBUF &&
		    type != BPF_MAP_TYPE_ARRAY_OF_MAPS && type != BPF_MAP_TYPE_LPM_TRIE &&
		    !strchr(bpf_map__name(map), '.'))
			expect_same_map(d, map);
	}
	assert_string_equal(native_tables_fault() ? native_tables_fault() : "", "");
	rig_assert_balance(d->rig);
}

static void other_models(struct duel *d, __u32 version, uint64_t *random)
{
	static struct sen_model_flat model;

	model_random(&model, version, random);
	set_model(d, SEN_SLOT_ACTIVE, &model);
	model_random(&model, version + 1, random);
	set_model(d, SEN_SLOT_SHADOW, &model);
	set_mode(d, version % 3);
}

static void allow(const struct duel *d, const char *text)
{
	const struct sen_allow list = { bpf_map__fd(d->rig->skel->maps.allow4),
					bpf_map__fd(d->rig->skel->maps.allow6) };
	struct sen_prefix p;

	assert_int_equal(sen_prefix_parse(text, &p, NULL), 0);
	assert_int_equal(sen_allow_add(&list, &p), 0);
	native_allow(p.addr, p.bits, p.six);
}

static void traffic_made_here(void **state)
{
	struct duel *d = *state;
	uint64_t random = 4, now_ns = 1ull << 60;
	struct packet p;
	uint32_t wire;

	for (unsigned int i = 0; i < MADE_FRAMES; i++) {
		snprintf(d->where, sizeof(d->where), "made frame %u", i);
		if (i % MODEL_FRAMES == MODEL_FRAMES / 2)
			other_models(d, i, &random);
		if (i == MADE_FRAMES / 2) {
			allow(d, "10.0.0.0/30");
			allow(d, "2000::/4");
		}
		wild_packet(&p, &wire, &random);
		now_ns = wild_time(now_ns, &random);
		if (i % 4 == 0 && p.len == wire && p.len > PACKET_MIN)
			fight_out(d, p.data, p.len, now_ns);
		else
			fight(d, p.data, p.len, wire, now_ns);
	}
	assert_true(rig_stats(d->rig).allowed > 0);
	expect_same_maps(d);
}

/* New flows to one target, more than there are entries: verdicts are inherited, entries replaced. */
static void a_flood(void **state)
{
	static struct sen_model_flat model;
	struct duel *d = *state;
	uint64_t random = 5, now_ns = 1ull << 61;
	struct packet p;

	model_constant(&model, 77, 2 * SEN_ONE, SEN_CLASS_SYN_FLOOD);
	set_model(d, SEN_SLOT_ACTIVE, &model);
	set_mode(d, SEN_MODE_ENFORCE);
	for (unsigned int i = 0; i < 3 * TABLE_SIZE; i++) {
		snprintf(d->where, sizeof(d->where), "flood frame %u", i);
		packet_tcp(&p, random_next(&random), random_next(&random) & 0xffff, HOST(1), 80,
			   TCP_SYN, 0);
		now_ns += 20000;
		fight(d, p.data, p.len, p.len, now_ns);
	}
	assert_true(rig_stats(d->rig).flows_inherited > 0);
	assert_true(rig_stats(d->rig).flows_replaced > 0);
	expect_same_maps(d);
}

/* ---- Captures ----------------------------------------------------------------------------------- */

/* Where the data sets are, unpacked: $SENTROID_DATA, or out of the folder beside this one. */
static const char *data_folder(void)
{
	const char *folder = getenv("SENTROID_DATA"), *archive = "../shared/data/unpack.sh";

	if (folder)
		return folder;
	if (!access(archive, X_OK) && access("build/data/robust/.done", F_OK) &&
	    system("../shared/data/unpack.sh build/data"))
		return NULL;
	return access("build/data", F_OK) ? NULL : "build/data";
}

static void use_shipped_model(struct duel *d)
{
	static struct sen_model_flat flat;
	struct sen_model *model;
	uint64_t random = 6;

	assert_int_equal(sen_model_load("models/default.json", &model, NULL), 0);
	assert_int_equal(sen_model_flatten(model, &flat, NULL), 0);
	sen_model_free(model);
	set_model(d, SEN_SLOT_ACTIVE, &flat);
	model_random(&flat, 2, &random);
	set_model(d, SEN_SLOT_SHADOW, &flat);
}

struct tally {
	/* Broken: only up to a point. Read on: from where libpcap gives up. */
	unsigned int files, broken, foreign, unreadable, read_on;
};

/* libpcap has no Ethernet header where one was made, cuts what is longer than the file's header says, and has
 * wrong ideas of stamps from 2038 on. */
static void expect_as_libpcap(const struct duel *d, const struct sen_frame *f,
			      const struct by_libpcap *right)
{
	uint64_t time_ns = right->seconds * 1000000000ull + right->nanoseconds;
	uint32_t same = f->captured < right->captured ? f->captured : right->captured;

	if (f->time_ns && right->seconds <= INT32_MAX)
		expect(d->where, "nanoseconds", f->time_ns, time_ns);
	if (f->foreign || right->cut)
		return;
	if (f->captured == right->captured || !memcmp(f->data, right->data, same))
		expect_same(d, "frame", right->data, f->data, same);
	else if (f->captured > ETH_HLEN)
		expect_same(d, "packet", right->data + right->captured - (f->captured - ETH_HLEN),
			    f->data + ETH_HLEN, f->captured - ETH_HLEN);
}

/* All of a capture that is open, beside libpcap; what reading it ended with. */
static int fight_frames(struct duel *d, const char *path, struct sen_capture *capture,
			struct by_libpcap *right, struct sen_why *why)
{
	uint8_t head[SEN_REPLAY_BYTES];
	struct sen_frame frame;
	bool beside = true;
	uint32_t len;
	int err;

	while ((err = sen_capture_next(capture, &frame, why)) == 1) {
		snprintf(d->where, sizeof(d->where), "%s: frame %llu", path,
			 (unsigned long long)frame.number);
		beside = beside && by_libpcap_next(right);
		if (beside)
			expect_as_libpcap(d, &frame, right);
		else if (!right->timid)
			fail_msg("%s: libpcap has no such frame", d->where);
		len = frame.foreign ? 0 : sen_frame_head(&frame, head);
		if (len >= PACKET_MIN)
			fight(d, head, len, frame.wire_len, frame.time_ns);
	}
	if (beside && by_libpcap_next(right))
		fail_msg("%s: libpcap has one more", d->where);
	return err;
}

static void fight_capture(struct duel *d, const char *path, struct tally *tally)
{
	struct sen_capture *capture = NULL;
	struct by_libpcap right;
	struct sen_why why = { 0 };
	int err = sen_capture_open(path, NULL, NULL, &capture, &why);

	snprintf(d->where, sizeof(d->where), "%s", path);
	by_libpcap_open(path, &right);
	tally->files++;
	if (!err)
		err = fight_frames(d, path, capture, &right, &why);
	if (right.err && !right.timid)
		expect(path, "refused", -err, -right.err);
	else if (!right.timid)
		expect(path, "broken off", err < 0, right.broken);
	if (err)
		printf("# %s\n", why.text);
	tally->broken += err == -EIO;
	tally->foreign += err == -ENOTSUP;
	tally->unreadable += err == -EINVAL;
	tally->read_on += right.timid;
	by_libpcap_close(&right);
	sen_capture_close(capture);
}

static int by_path(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* What lies beside captures: lists and labels. Captures may have any name. */
static bool is_capture(const FTSENT *entry)
{
	static const char *const others[] = { ".tsv", ".gz", ".frames", ".done" };
	const char *dot = strrchr(entry->fts_name, '.');

	for (size_t i = 0; dot && i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(dot, others[i]))
			return false;
	return entry->fts_info == FTS_F;
}

/* Of the sets that there are: what has to be refused is so few that each is known. */
static void expect_known(const char *set, const struct tally *tally)
{
	static const struct {
		const char *set;
		struct tally tally;
	} known[] = {
		{ "robust", { .files = 2410, .foreign = 11, .unreadable = 3, .read_on = 21 } },
		{ "dev", { .files = 67 } },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(set, known[i].set))
			continue;
		expect(set, "files", tally->files, known[i].tally.files);
		expect(set, "of other link types", tally->foreign, known[i].tally.foreign);
		expect(set, "no captures", tally->unreadable, known[i].tally.unreadable);
		expect(set, "read on", tally->read_on, known[i].tally.read_on);
	}
}

static void fight_folder(struct duel *d, const char *set)
{
	const char *folder = data_folder();
	struct tally tally = { 0 };
	char path[500];
	FTSENT *entry;
	FTS *tree;

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "", set);
	if (!folder || access(path, F_OK))
		skip();
	tree = fts_open((char *[]){ path, NULL }, FTS_LOGICAL, by_path);
	assert_non_null(tree);
	use_shipped_model(d);
	d->frames = 0;
	while ((entry = fts_read(tree))) {
		if (!is_capture(entry))
			continue;
		set_mode(d, tally.files % 3);
		fight_capture(d, entry->fts_path, &tally);
	}
	fts_close(tree);
	expect_same_maps(d);
	printf("# %s: %u files, %llu frames; %u broken off inside, %u of other link types, "
	       "%u no captures, %u read on where libpcap gives up\n",
	       set, tally.files, d->frames, tally.broken, tally.foreign, tally.unreadable,
	       tally.read_on);
	assert_true(d->frames > 0);
	expect_known(set, &tally);
}

static void captures_of_odd_things(void **state)
{
	fight_folder(*state, "robust");
}

static void captures_of_networks(void **state)
{
	fight_folder(*state, "dev");
}

/*
 * Neighbours in an address range must not meet in a few sets, whatever the keys of the hash: with one in
 * fifteen they once did, and flows that found no room passed unjudged. Keys that end in zero bits were
 * the bad ones.
 */
static void neighbours_find_room_under_any_key(void **state)
{
	uint64_t random = 1;

	native_close();
	for (int round = 0; round < 64; round++) {
		const struct sen_stats *st;
		__u64 seed[6];

		for (int i = 0; i < 6; i++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			seed[i] = (random ^ random >> 29) << (round % 4 * 8);
		}
		native_open(&(struct native_options){ .flows = 8192, .seed = seed });
		for (uint32_t n = 0; n < 1000; n++) {
			struct native_result out;
			struct packet p;

			packet_udp(&p, 0x0a000000 + n, 5000, 0xc0a80001, 53, 0);
			native_run(p.data, p.len, p.len, 1000000000, &out);
		}
		st = native_stats();
		assert_true(st->flows_new >= 998);
		assert_true(st->flows_replaced <= 2);
		native_close();
	}
	open_native(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traffic_made_here),
		cmocka_unit_test(a_flood),
		cmocka_unit_test(captures_of_odd_things),
		cmocka_unit_test(captures_of_networks),
		cmocka_unit_test(neighbours_find_room_under_any_key),
	};

	return cmocka_run_group_tests(tests, open_duel, close_duel);
}
