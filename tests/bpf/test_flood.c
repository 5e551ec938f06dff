// SPDX-License-Identifier: BSD-2-Clause
/*
 * Established connections against floods of spoofed SYNs, in the tables that a plain attach makes: they
 * keep their state, and so do their servers.
 */
#include <string.h>

#include "dataplane.h"
#include "model_slot.h"
#include "flood.h"
#include "harness.h"
#include "loader.h"
#include "modelkit.h"
#include "table.h"

#include "flood.skel.h"

#define ESTABLISHED 50000u
#define SYNS        5000000u
#define PACKETS     3u    /* of a connection when it is established */
#define STEP_NS     5000u /* 200,000 packets a second: 25 s of flood */
#define START_NS    (100000000ull << SEN_TICK_SHIFT)
#define FRAME_BYTES 54

struct ground {
	struct flood *skel;
	struct rig_table flows, targets;
};

static void configure(struct flood *skel)
{
	struct flood__rodata *ro = skel->rodata;

	for (int i = 0; i < 6; i++)
		ro->sen_seed[i] = 0x9e3779b97f4a7c15ull * (i + 7);
	ro->sen_replay = true;
	ro->sen_flow_sets = bpf_map__max_entries(skel->maps.flows_sets);
	ro->sen_source_sets = bpf_map__max_entries(skel->maps.sources_sets);
	ro->sen_target_sets = bpf_map__max_entries(skel->maps.targets_sets);
	ro->sen_pair_sets = bpf_map__max_entries(skel->maps.pairs_sets);
}

static int open_ground(void **state)
{
	static struct ground g;
	__u32 zero = 0;

	stay_on_one_cpu();
	g.skel = flood__open();
	assert_non_null(g.skel);
	configure(g.skel);
	assert_int_equal(flood__load(g.skel), 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(g.skel->maps.policy), &zero,
					     &sen_policy_defaults, BPF_ANY),
			 0);
	rig_table_open(&g.flows, g.skel->maps.flows_sets, g.skel->maps.flows,
		       &g.skel->bss->flows_handed_out);
	rig_table_open(&g.targets, g.skel->maps.targets_sets, g.skel->maps.targets,
		       &g.skel->bss->targets_handed_out);
	g.skel->bss->replay.now_ns = START_NS;
	*state = &g;
	return 0;
}

static int close_ground(void **state)
{
	struct ground *g = *state;

	rig_table_close(&g->flows);
	rig_table_close(&g->targets);
	flood__destroy(g->skel);
	return 0;
}

static void send_frames(struct ground *g, enum flood_shape shape, uint32_t frames, uint32_t step_ns)
{
	uint8_t frame[FRAME_BYTES] = { [12] = 8, [14] = 0x45, [17] = 40, [23] = 6, [46] = 5 << 4 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = frames);

	g->skel->bss->flood_shape = shape;
	g->skel->bss->flood_count = 0;
	g->skel->bss->flood_step_ns = step_ns;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(g->skel->progs.flood), &opts), 0);
	assert_int_equal(opts.retval, PASSED);
}

static uint32_t address_of(const __u8 *addr)
{
	return (uint32_t)addr[12] << 24 | addr[13] << 16 | addr[14] << 8 | addr[15];
}

static bool is_connection(const struct sen_flow *f)
{
	for (int side = 0; side < 2; side++) {
		uint32_t client = address_of(f->key.addr[side]) - FLOOD_CLIENTS;

		if (client < ESTABLISHED && f->key.port[side] == 40000 &&
		    address_of(f->key.addr[!side]) == FLOOD_SERVERS + client % FLOOD_SERVER_COUNT)
			return true;
	}
	return false;
}

/* Connections in the table with so many packets. */
static uint32_t connections(const struct ground *g, uint32_t packets)
{
	uint32_t n = 0;

	for (unsigned int way = 0; way < g->flows.capacity; way++) {
		const struct sen_flow *f = rig_table_entry(&g->flows, way);

		n += f && is_connection(f) && f->packets[0] + f->packets[1] == packets;
	}
	return n;
}

static uint32_t known_servers(const struct ground *g)
{
	uint32_t n = 0;

	for (unsigned int way = 0; way < g->targets.capacity; way++) {
		const struct sen_target *t = rig_table_entry(&g->targets, way);

		n += t && address_of(t->addr) - FLOOD_SERVERS < FLOOD_SERVER_COUNT;
	}
	return n;
}

static struct sen_stats stats_of(const struct ground *g)
{
	struct sen_stats s;

	assert_int_equal(sen_stats_sum(bpf_map__fd(g->skel->maps.stats), &s), 0);
	return s;
}

static void assert_balance(const struct ground *g)
{
	struct sen_stats s = stats_of(g);

	assert_int_equal(s.packets, 4 * ESTABLISHED + SYNS);
	assert_int_equal(s.parsed, s.packets);
	assert_int_equal(s.pass + s.alert + s.drop, s.packets);
	assert_int_equal(s.errors, 0);
	table_assert(&g->flows, sizeof(struct sen_flow_key), g->skel->rodata->sen_seed);
}

/* Those with an entry before the flood have all their state behind it, and go on from there. */
static void survive(struct ground *g, const char *name, enum flood_shape shape)
{
	uint32_t before, after, talked;

	send_frames(g, FLOOD_ESTABLISH, PACKETS * ESTABLISHED, STEP_NS);
	before = connections(g, PACKETS);
	send_frames(g, shape, SYNS, STEP_NS);
	after = connections(g, PACKETS);
	send_frames(g, FLOOD_TALK, ESTABLISHED, STEP_NS);
	talked = connections(g, PACKETS + 1);
	print_message("# %s: of %u established %u in the table, %u after %u SYNs, %u went on\n",
		      name, ESTABLISHED, before, after, SYNS, talked);
	assert_true(talked >= ESTABLISHED / 100 * 99);
	assert_int_equal(after, talked);
	assert_int_equal(known_servers(g), FLOOD_SERVER_COUNT);
	assert_balance(g);
}

static void a_flood_from_anywhere_to_one_target(void **state)
{
	survive(*state, "anywhere to one target", FLOOD_ONE_TARGET);
}

static void a_flood_from_anywhere_to_anywhere(void **state)
{
	survive(*state, "anywhere to anywhere", FLOOD_MANY_TARGETS);
}

static void a_flood_of_one_source(void **state)
{
	survive(*state, "one source, any port", FLOOD_ONE_SOURCE);
}

/* With a model that flags it, most of the flood takes over the standing verdict. */
static void a_flood_that_is_flagged(void **state)
{
	static struct sen_model_flat model;
	struct ground *g = *state;

	model_constant(&model, 1, 2 * SEN_ONE, SEN_CLASS_SYN_FLOOD);
	assert_int_equal(
		sen_model_slot_set(bpf_map__fd(g->skel->maps.models), SEN_SLOT_ACTIVE, &model), 0);
	survive(g, "flagged", FLOOD_ONE_TARGET);
	assert_true(stats_of(g).flows_inherited > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ground, close_ground)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flood_from_anywhere_to_one_target),
		TEST(a_flood_from_anywhere_to_anywhere),
		TEST(a_flood_of_one_source),
		TEST(a_flood_that_is_flagged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
