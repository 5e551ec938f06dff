// SPDX-License-Identifier: BSD-2-Clause
/* The allow list: what its hosts begin is counted as a flow and nothing more. */
#include <arpa/inet.h>

#include "allow.h"
#include "hosts.h"
#include "modelkit.h"

#define SCANNER HOST(7)
#define VICTIM  HOST(1)
#define BUSY    1024 /* new flows that make a target busy */

static int open_rig(void **state)
{
	struct rig *rig = rig_open(NULL);

	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	rig_push_constant(rig, 1, 2 * SEN_ONE);
	*state = rig;
	return 0;
}

static int close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

static struct sen_allow list_of(const struct rig *rig)
{
	return (struct sen_allow){ bpf_map__fd(rig->skel->maps.allow4),
				   bpf_map__fd(rig->skel->maps.allow6) };
}

static struct sen_prefix prefix(const char *text)
{
	struct sen_prefix p;

	assert_int_equal(sen_prefix_parse(text, &p, NULL), 0);
	return p;
}

static void allow(struct rig *rig, const char *text)
{
	const struct sen_allow list = list_of(rig);
	const struct sen_prefix p = prefix(text);

	assert_int_equal(sen_allow_add(&list, &p), 0);
}

static void disallow(struct rig *rig, const char *text)
{
	const struct sen_allow list = list_of(rig);
	const struct sen_prefix p = prefix(text);

	assert_int_equal(sen_allow_remove(&list, &p), 0);
}

static struct sent syn(struct rig *rig, uint32_t from, uint32_t to, uint16_t port)
{
	struct packet p;

	return rig_send(rig, packet_tcp(&p, from, 1000, to, port, TCP_SYN, 0));
}

static void nothing_of_it_is_judged(void **state)
{
	struct rig *rig = *state;
	const struct sen_flow *f;
	struct sent sent;

	allow(rig, "10.0.0.7");
	sent = syn(rig, SCANNER, VICTIM, 80);
	f = rig_flow(rig, sent.flow);
	assert_int_equal(sent.action, PASSED);
	assert_int_equal(f->packets[0] + f->packets[1], 1);
	assert_int_equal(f->reason, SEN_REASON_ALLOWED);
	assert_false(f->flags & SEN_FLOW_FLAGGED);
	assert_int_equal(rig_stats(rig).allowed, 1);
	assert_int_equal(rig_stats(rig).evaluations, 0);
	assert_int_equal(rig_read_events(rig), 0);
	assert_null(rig_source(rig, LAYER_IP4, SCANNER));
	assert_null(rig_target(rig, LAYER_IP4, VICTIM));
	rig_assert_balance(rig);
}

/* Else each packet would be a decision point. */
static void it_costs_no_more_decision_points(void **state)
{
	struct rig *rig = *state;

	allow(rig, "10.0.0.7");
	for (int n = 0; n < 8; n++)
		udp(rig, SCANNER, 5000, VICTIM, 53, 1);
	assert_int_equal(rig_stats(rig).allowed, 4);
}

static void what_others_begin_is(void **state)
{
	struct rig *rig = *state;

	allow(rig, "10.0.0.7");
	assert_int_equal(syn(rig, VICTIM, SCANNER, 80).action, DROPPED);
	assert_int_equal(syn(rig, HOST(8), VICTIM, 80).action, DROPPED);
	assert_int_equal(rig_stats(rig).evaluations, 2);
	assert_non_null(rig_target(rig, LAYER_IP4, SCANNER));
}

static void prefixes_cover_their_hosts(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	allow(rig, "10.0.0.0/29");
	assert_int_equal(syn(rig, HOST(7), VICTIM, 80).action, PASSED);
	assert_int_equal(syn(rig, HOST(8), VICTIM, 80).action, DROPPED);

	packet_build(&p, (struct layer[]){ IP6(5, 6), UDP(1000, 53), PAYLOAD(1), { 0 } });
	assert_int_equal(rig_send(rig, &p).action, DROPPED);
}

static void addresses_of_ipv6_have_a_list_too(void **state)
{
	struct rig *rig = *state;
	char text[INET6_ADDRSTRLEN];
	uint8_t addr[SEN_ADDR_BYTES];
	struct packet p;

	packet_addr(addr, LAYER_IP6, 5);
	inet_ntop(AF_INET6, addr, text, sizeof(text));
	allow(rig, text);
	packet_build(&p, (struct layer[]){ IP6(5, 6), UDP(1000, 53), PAYLOAD(1), { 0 } });
	assert_int_equal(rig_send(rig, &p).action, PASSED);
	packet_build(&p, (struct layer[]){ IP6(7, 6), UDP(1000, 53), PAYLOAD(1), { 0 } });
	assert_int_equal(rig_send(rig, &p).action, DROPPED);
}

/* A MAC is no address of a prefix, whatever its bytes. */
static void arp_is_judged(void **state)
{
	struct rig *rig = *state;
	struct packet p;

	allow(rig, "::/1");
	rig_send(rig, packet_arp(&p, ARP_QUESTION, 0x020000000001, HOST(1), HOST(2)));
	assert_int_equal(rig_stats(rig).allowed, 0);
	assert_int_equal(rig_stats(rig).evaluations, 1);
}

/* A flagged flow is let go with its next evaluation; taken off the list it is judged again, and what it did meanwhile
 * is no burst. */
static void the_list_changes_under_a_flow(void **state)
{
	struct rig *rig = *state;
	const struct sen_pair *pair;

	for (int n = 0; n < 4; n++)
		udp(rig, SCANNER, 5000, VICTIM, 53, 1);
	assert_int_equal(rig_stats(rig).drop, 4);
	allow(rig, "10.0.0.7");
	for (int n = 0; n < 28; n++)
		udp(rig, SCANNER, 5000, VICTIM, 53, 1);
	assert_int_equal(rig_stats(rig).drop, 7); /* until its eighth */
	disallow(rig, "10.0.0.7");
	for (int n = 0; n < 32; n++)
		udp(rig, SCANNER, 5000, VICTIM, 53, 1);
	assert_int_equal(rig_stats(rig).drop, 8); /* from its 64th on */
	pair = rig_pair(rig, SCANNER, VICTIM, 53, IPPROTO_UDP);
	assert_non_null(pair);
	assert_int_equal(pair->packets_mid, E(4 + 32));
}

/* Nor does it take over what stands of a target under flood. */
static void it_inherits_nothing(void **state)
{
	static struct sen_model_flat model;
	struct rig *rig = rig_open(&(struct rig_sizes){ .flows = SEN_WAYS });
	struct sent sent;

	(void)state;
	rig->policy.mode = SEN_MODE_ENFORCE;
	rig_apply_policy(rig);
	model_constant(&model, 1, 2 * SEN_ONE, SEN_CLASS_SYN_FLOOD);
	rig_push(rig, SEN_SLOT_ACTIVE, &model);
	for (uint32_t n = 0; n < BUSY + 10; n++)
		syn(rig, HOST(10000 + n), VICTIM, 80);
	assert_int_equal(rig_stats(rig).flows_inherited, 10);
	allow(rig, "10.0.0.7");
	sent = syn(rig, SCANNER, VICTIM, 80);
	assert_int_equal(sent.action, PASSED);
	assert_int_equal(rig_stats(rig).flows_inherited, 10);
	rig_close(rig);
}

static void the_list_tells_what_is_on_it(void **state)
{
	static const char *const texts[] = { "10.0.0.0/8", "10.0.0.7", "192.168.0.0/16",
					     "2001:db8::/32", "fe80::1" };
	static struct sen_prefixes got;
	struct rig *rig = *state;
	const struct sen_allow list = list_of(rig);
	char text[SEN_PREFIX_TEXT];

	for (size_t i = sizeof(texts) / sizeof(*texts); i--;)
		allow(rig, texts[i]);
	allow(rig, texts[1]);
	assert_int_equal(sen_allow_list(&list, &got), 0);
	assert_int_equal(got.count, sizeof(texts) / sizeof(*texts));
	for (unsigned int i = 0; i < got.count; i++) {
		sen_prefix_text(&got.at[i], text);
		assert_string_equal(text, texts[i]);
	}
	disallow(rig, texts[1]);
	assert_int_equal(sen_allow_remove(&list, &got.at[1]), -ENOENT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_rig, close_rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_of_it_is_judged),
		TEST(it_costs_no_more_decision_points),
		TEST(what_others_begin_is),
		TEST(prefixes_cover_their_hosts),
		TEST(addresses_of_ipv6_have_a_list_too),
		TEST(arp_is_judged),
		TEST(the_list_changes_under_a_flow),
		cmocka_unit_test(it_inherits_nothing),
		TEST(the_list_tells_what_is_on_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
