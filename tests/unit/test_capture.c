// SPDX-License-Identifier: BSD-2-Clause
/* Captures of every link type that can be replayed, as Ethernet; and those that cannot. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "replay.h"

#define ETH        14
#define CUT        2 /* bytes that the capture cut off each frame */
#define NONE       0 /* EtherType of what is not IP */
#define IP4        0x45, 0, 0, 20
#define IP6        0x60, 0, 0, 0
#define BYTES(...) .data = { __VA_ARGS__ }, .len = sizeof((uint8_t[]){ __VA_ARGS__ })

struct link_case {
	const char *name;
	int dlt;
	uint8_t data[32];
	uint32_t len;
	uint32_t header; /* bytes of it that are no network layer */
	uint16_t type;   /* EtherType that it comes out with */
};

static const struct link_case cases[] = {
	{ "Ethernet", DLT_EN10MB, BYTES(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 8, 0, IP4), 14, 0x800 },
	{ "raw IPv4", DLT_RAW, BYTES(IP4), 0, 0x800 },
	{ "raw IPv6", DLT_RAW, BYTES(IP6), 0, 0x86dd },
	{ "raw nonsense", DLT_RAW, BYTES(0x50), 0, NONE },
	{ "raw nothing", DLT_RAW, .len = 0, 0, 0x800 },
	{ "IPv4", DLT_IPV4, BYTES(IP4), 0, 0x800 },
	{ "IPv6", DLT_IPV6, BYTES(IP6), 0, 0x86dd },
	{ "loopback, little endian", DLT_NULL, BYTES(2, 0, 0, 0, IP4), 4, 0x800 },
	{ "loopback, big endian", DLT_NULL, BYTES(0, 0, 0, 2, IP4), 4, 0x800 },
	{ "loopback, IPv6 of macOS", DLT_NULL, BYTES(30, 0, 0, 0, IP6), 4, 0x86dd },
	{ "loopback, IPv6 of OpenBSD", DLT_LOOP, BYTES(0, 0, 0, 24, IP6), 4, 0x86dd },
	{ "loopback, AppleTalk", DLT_NULL, BYTES(16, 0, 0, 0, IP4), 4, NONE },
	{ "loopback, no family", DLT_NULL, BYTES(2, 1, 0, 0, IP4), 4, NONE },
	{ "loopback, cut", DLT_NULL, BYTES(2, 0, 0), 3, 0x800 },
	{ "cooked", DLT_LINUX_SLL, BYTES(0, 0, 0, 1, 0, 6, 9, 8, 7, 6, 5, 4, 0, 0, 0x86, 0xdd, IP6),
	  16, 0x86dd },
	{ "cooked, ARP", DLT_LINUX_SLL, BYTES(0, 0, 0, 1, 0, 6, 9, 8, 7, 6, 5, 4, 0, 0, 8, 6, 0, 1),
	  16, 0x806 },
	{ "cooked 2", DLT_LINUX_SLL2,
	  BYTES(8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 9, 8, 7, 6, 5, 4, 0, 0, IP4), 20, 0x800 },
	{ "PPP", DLT_PPP, BYTES(0, 0x21, IP4), 2, 0x800 },
	{ "PPP, framed", DLT_PPP, BYTES(0xff, 3, 0, 0x57, IP6), 4, 0x86dd },
	{ "PPP, short protocol", DLT_PPP, BYTES(0x21, IP4), 1, 0x800 },
	{ "PPP, labels", DLT_PPP, BYTES(0xff, 3, 2, 0x81, 0, 0, 1, 0), 4, 0x8847 },
	{ "PPP, its own", DLT_PPP, BYTES(0xff, 3, 0xc0, 0x21, 1), 4, NONE },
	{ "HDLC", DLT_C_HDLC, BYTES(15, 0, 8, 0, IP4), 4, 0x800 },
};

static void write_capture(const char *path, int dlt, const uint8_t *data, uint32_t len,
			  uint32_t wire)
{
	struct pcap_pkthdr h = { .ts = { 5, 6 }, .caplen = len, .len = wire };
	pcap_t *dead = pcap_open_dead(dlt, 65535);
	pcap_dumper_t *out = pcap_dump_open(dead, path);

	assert_non_null(out);
	pcap_dump((u_char *)out, &h, data);
	h.ts.tv_sec++;
	pcap_dump((u_char *)out, &h, data);
	pcap_dump_close(out);
	pcap_close(dead);
}

static char *temporary(void)
{
	char *path = strdup("/tmp/sentroid-capture-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	return path;
}

static void check_frame(const struct link_case *c, const struct sen_frame *f, uint64_t number)
{
	uint32_t rest = c->len - c->header;

	assert_int_equal(f->captured, ETH + rest);
	assert_int_equal(f->wire_len, ETH + rest + CUT);
	assert_int_equal(f->data[12] << 8 | f->data[13], c->type);
	assert_memory_equal(f->data + ETH, c->data + c->header, rest);
	assert_int_equal(f->number, number);
	assert_int_equal(f->time_ns, (4 + number) * 1000000000ull + 6000);
}

static void every_link_type_becomes_ethernet(void **state)
{
	char *path = temporary();
	struct sen_capture *capture;
	struct sen_frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct link_case *c = &cases[i];

		print_message("# %s\n", c->name);
		write_capture(path, c->dlt, c->data, c->len, c->len + CUT);
		assert_int_equal(sen_capture_open(path, NULL, NULL, &capture, NULL), 0);
		for (uint64_t number = 1; number <= 2; number++) {
			assert_int_equal(sen_capture_next(capture, &frame, NULL), 1);
			check_frame(c, &frame, number);
		}
		assert_int_equal(sen_capture_next(capture, &frame, NULL), 0);
		sen_capture_close(capture);
	}
	unlink(path);
	free(path);
}

static void cooked_frames_keep_the_senders_address(void **state)
{
	const uint8_t sll[] = { 0, 0, 0, 1, 0, 6, 9, 8, 7, 6, 5, 4, 0, 0, 8, 0, IP4 };
	char *path = temporary();
	struct sen_capture *capture;
	struct sen_frame frame;

	(void)state;
	write_capture(path, DLT_LINUX_SLL, sll, sizeof(sll), sizeof(sll));
	assert_int_equal(sen_capture_open(path, NULL, NULL, &capture, NULL), 0);
	assert_int_equal(sen_capture_next(capture, &frame, NULL), 1);
	assert_memory_equal(frame.data + 6, sll + 6, 6);
	sen_capture_close(capture);
	unlink(path);
	free(path);
}

/* The program gets what was captured and no more: zeros behind it would be read as a packet. */
static void what_was_cut_off_is_not_made_up(void **state)
{
	uint8_t data[4000] = { 1 }, head[SEN_REPLAY_BYTES];
	struct sen_frame frame = { .data = data, .captured = 30, .wire_len = 1500 };

	(void)state;
	assert_int_equal(sen_frame_head(&frame, head), 30);
	frame.captured = sizeof(data);
	assert_int_equal(sen_frame_head(&frame, head), SEN_REPLAY_BYTES);
}

static void others_are_refused_by_name(void **state)
{
	const uint8_t data[40] = { 0 };
	char *path = temporary();
	struct sen_capture *capture;
	struct sen_why why;

	(void)state;
	write_capture(path, DLT_IEEE802_11, data, sizeof(data), sizeof(data));
	assert_int_equal(sen_capture_open(path, NULL, NULL, &capture, &why), -ENOTSUP);
	assert_non_null(strstr(why.text, path));
	assert_non_null(strstr(why.text, "IEEE802_11"));
	assert_non_null(strstr(why.hint, "Ethernet"));
	unlink(path);
	free(path);
}

/* It is opened whole, and what is said of it ends with the reason. */
static void paths_may_be_long(void **state)
{
	const uint8_t data[40] = { 0 };
	char *path = temporary(), longer[600];
	struct sen_capture *capture;
	struct sen_frame frame;
	struct sen_why why;
	int at;

	(void)state;
	at = snprintf(longer, sizeof(longer), "/tmp");
	while (at < 400)
		at += snprintf(longer + at, sizeof(longer) - (size_t)at, "/.");
	snprintf(longer + at, sizeof(longer) - (size_t)at, "%s", path + strlen("/tmp"));
	write_capture(path, DLT_EN10MB, data, sizeof(data), sizeof(data));
	assert_int_equal(sen_capture_open(longer, NULL, NULL, &capture, &why), 0);
	assert_int_equal(sen_capture_next(capture, &frame, NULL), 1);
	assert_non_null(strstr(frame.file, path + strlen("/tmp")));
	sen_capture_close(capture);
	write_capture(path, DLT_IEEE802_11, data, sizeof(data), sizeof(data));
	assert_int_equal(sen_capture_open(longer, NULL, NULL, &capture, &why), -ENOTSUP);
	assert_non_null(strstr(why.text, "IEEE802_11"));
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_type_becomes_ethernet),
		cmocka_unit_test(cooked_frames_keep_the_senders_address),
		cmocka_unit_test(what_was_cut_off_is_not_made_up),
		cmocka_unit_test(others_are_refused_by_name),
		cmocka_unit_test(paths_may_be_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
