// SPDX-License-Identifier: BSD-2-Clause
/* The BPF program against the same code built natively (duel.h), over traffic made here. */
#include <stdio.h>
#include <string.h>

#include "allow.h"
#include "duel.h"
#include "modelkit.h"
#include "wild.h"

#define MADE_FRAMES  60000
#define MODEL_FRAMES 997 /* a model is in force for so many made frames */

static void other_models(struct duel *d, __u32 version, uint64_t *random)
{
	static struct sen_model_flat model;

	model_random(&model, version, random);
	duel_model(d, SEN_SLOT_ACTIVE, &model);
	model_random(&model, version + 1, random);
	duel_model(d, SEN_SLOT_SHADOW, &model);
	duel_mode(d, version % 3);
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
	duel_expect_same_maps(d);
}

/* New flows to one target, more than there are entries: verdicts are inherited, entries replaced. */
static void a_flood(void **state)
{
	static struct sen_model_flat model;
	struct duel *d = *state;
	uint64_t random = 5, now_ns = 1ull << 61;
	struct packet p;

	model_constant(&model, 77, 2 * SEN_ONE, SEN_CLASS_SYN_FLOOD);
	duel_model(d, SEN_SLOT_ACTIVE, &model);
	duel_mode(d, SEN_MODE_ENFORCE);
	for (unsigned int i = 0; i < 3 * TABLE_SIZE; i++) {
		snprintf(d->where, sizeof(d->where), "flood frame %u", i);
		packet_tcp(&p, random_next(&random), random_next(&random) & 0xffff, HOST(1), 80,
			   TCP_SYN, 0);
		now_ns += 20000;
		fight(d, p.data, p.len, p.len, now_ns);
	}
	assert_true(rig_stats(d->rig).flows_inherited > 0);
	assert_true(rig_stats(d->rig).flows_replaced > 0);
	duel_expect_same_maps(d);
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
	duel_open_native(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traffic_made_here),
		cmocka_unit_test(a_flood),
		cmocka_unit_test(neighbours_find_room_under_any_key),
	};

	return cmocka_run_group_tests(tests, duel_open, duel_close);
}
