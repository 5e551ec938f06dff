// SPDX-License-Identifier: BSD-2-Clause
/* The way out: the same tables, so that what an end host sends counts, and nothing is held back. */
#include <linux/pkt_cls.h>

#include "harness.h"
#include "modelkit.h"
#include "probe.h"
#include "probe.skel.h"

#define US   HOST(1)
#define THEM HOST(2)

static int open_rig(void **state)
{
	*state = rig_open(&(struct rig_sizes){ .egress = true });
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

/* Send a frame out; what the program tells the kernel to do with it. */
static int send_out(struct rig *rig, const struct packet *p)
{
	int fd = bpf_program__fd(rig->skel->progs.sentroid_egress);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = p->data, .data_size_in = p->len,
		    .repeat = 1);

	rig->skel->bss->replay.now_ns = rig->now_ns;
	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	return opts.retval;
}

static void both_ways_are_one_flow(void **state)
{
	struct rig *rig = *state;
	const struct sen_flow *f;
	struct sent sent;
	struct packet p;

	send_out(rig, packet_tcp(&p, US, 40000, THEM, 443, TCP_SYN, 0));
	sent = rig_send(rig, packet_tcp(&p, THEM, 443, US, 40000, TCP_SYN | TCP_ACK, 0));
	assert_false(sent.opened);
	f = rig_flow(rig, sent.flow);
	assert_int_equal(f->packets[0] + f->packets[1], 2);
	assert_int_equal(f->bytes, 2 * 54);
	assert_int_equal(f->flags & ~SEN_FLOW_INITIATOR_1, SEN_FLOW_SYN | SEN_FLOW_ANSWERED);
	assert_int_equal(rig_source(rig, LAYER_IP4, US)->unanswered_slow, 0);
	assert_null(rig_source(rig, LAYER_IP4, THEM));
	rig_assert_balance(rig);
}

static void our_answers_count(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	rig_send(rig, packet_tcp(&p, THEM, 40000, US, 22, TCP_SYN, 0));
	assert_int_equal(rig_source(rig, LAYER_IP4, THEM)->unanswered_slow, SEN_EVENT_UNIT);
	send_out(rig, packet_tcp(&p, US, 22, THEM, 40000, TCP_SYN | TCP_ACK, 0));
	assert_int_equal(rig_source(rig, LAYER_IP4, THEM)->unanswered_slow, 0);
}

static void nothing_is_held_back(void **state)
{
	static struct sen_model_flat model;
	struct rig *rig = *state;
	struct packet p;

	model_constant(&model, 1, 2 * SEN_ONE, SEN_CLASS_UNKNOWN);
	rig_push(rig, SEN_SLOT_ACTIVE, &model);
	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	packet_udp(&p, US, 5000, THEM, 53, 20);
	for (int n = 0; n < 3; n++) /* at decision points and between them */
		assert_int_equal(send_out(rig, &p), TC_ACT_UNSPEC);
	assert_int_equal(rig_stats(rig).alert, 3);
	assert_int_equal(rig_stats(rig).drop, 0);
	assert_int_equal(rig_send(rig, &p).action, DROPPED);
	rig_assert_balance(rig);
}

/* With the header of IPv4, which is the least that test_run sends out. */
static void frames_of_every_length(void **state)
{
	const size_t least = PACKET_MIN + 20, needed = least + 20;
	struct rig *rig = *state;
	uint64_t frames = 0;
	struct packet p;

	packet_tcp(&p, US, 40000, THEM, 443, TCP_ACK, 1400);
	for (p.len = least; p.len <= PACKET_MIN + 1440; p.len++, frames++)
		assert_int_equal(send_out(rig, &p), TC_ACT_UNSPEC);
	assert_int_equal(rig_stats(rig).packets, frames);
	assert_int_equal(rig_stats(rig).truncated, needed - least);
	assert_int_equal(rig_stats(rig).parsed, frames - (needed - least));
	rig_assert_balance(rig);
}

/* The VLAN that a tag beside the frame gives its flow; a test run cannot have one, but put it there. */
static __u32 vlan_of_tag_beside(bool tags_stripped)
{
	struct probe *probe = probe__open();
	struct packet p;
	__u32 vlan;

	assert_non_null(probe);
	probe->rodata->sen_tags_stripped = tags_stripped;
	assert_int_equal(probe__load(probe), 0);
	packet_udp(&p, US, 5000, THEM, 53, 20);
	vlan = rig_run(bpf_program__fd(probe->progs.probe_vlan_beside), p.data, p.len);
	probe__destroy(probe);
	return vlan;
}

/* It tells flows apart only where those that come in have theirs as well. */
static void tags_beside_the_frame(void **state)
{
	(void)state;
	assert_int_equal(vlan_of_tag_beside(false), PROBE_TAG);
	assert_int_equal(vlan_of_tag_beside(true), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ways_are_one_flow),
		TEST(our_answers_count),
		TEST(nothing_is_held_back),
		TEST(frames_of_every_length),
		cmocka_unit_test(tags_beside_the_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
