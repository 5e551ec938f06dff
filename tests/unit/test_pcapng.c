// SPDX-License-Identifier: BSD-2-Clause
/* pcapng that libpcap gives up on: interfaces of several kinds, sections of both byte orders; and damage. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "pcapng_kit.h"

#define ETHERNET 1
#define RAW      101
#define WIFI     105
#define SECOND   1000000000ull
#define MICRO    1700000000000000ull /* a stamp in the default resolution */

static const uint8_t eth[40] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
static const uint8_t ip[24] = { 0x45, 0, 0, 20 };

struct heard {
	char path[64];
	struct sen_capture *capture;
	struct sen_why why;
	unsigned int notes;
	char text[8][400];
};

static void on_note(void *ctx, const char *text)
{
	struct heard *h = ctx;

	assert_true(h->notes < 8);
	snprintf(h->text[h->notes++], sizeof(h->text[0]), "%s", text);
}

static int open_file(struct heard *h, const struct pcapng *p)
{
	int fd;

	memset(h, 0, sizeof(*h));
	strcpy(h->path, "/tmp/sentroid-pcapng-XXXXXX");
	fd = mkstemp(h->path);
	assert_int_equal(write(fd, p->bytes, p->n), p->n);
	close(fd);
	return sen_capture_open(h->path, on_note, h, &h->capture, &h->why);
}

static void close_file(struct heard *h)
{
	sen_capture_close(h->capture);
	unlink(h->path);
}

static struct sen_frame next(struct heard *h, uint64_t number, uint64_t time_ns)
{
	struct sen_frame f;

	assert_int_equal(sen_capture_next(h->capture, &f, &h->why), 1);
	assert_int_equal(f.number, number);
	assert_int_equal(f.time_ns, time_ns);
	return f;
}

static void at_end(struct heard *h, int result)
{
	struct sen_frame f;

	assert_int_equal(sen_capture_next(h->capture, &f, &h->why), result);
	if (result)
		assert_non_null(strstr(h->why.text, h->path));
	close_file(h);
}

static void each_interface_has_its_own_terms(void **state)
{
	static struct pcapng p;
	const struct pcapng_options nano = { .tsresol = 9 }, pico = { .tsresol = 12 },
				    binary = { .tsresol = 0x80 | 10, .tsoffset = 1000 };
	struct heard h;
	struct sen_frame f;

	(void)state;
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_interface(&p, ETHERNET, 262144, NULL);
	pcapng_interface(&p, ETHERNET, 96, &nano);
	pcapng_interface(&p, RAW, 0, &binary);
	pcapng_interface(&p, ETHERNET, 0, &pico);
	pcapng_block(&p, 5, eth, sizeof(eth)); /* statistics */
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 1500);
	pcapng_packet(&p, 6, 1, 17 * SECOND + 1, eth, 40, 40);
	pcapng_packet(&p, 6, 2, 3 * 1024 + 512, ip, 24, 24);
	pcapng_packet(&p, 2, 3, 5000000000123ull, eth, 39, 40);
	assert_int_equal(open_file(&h, &p), 0);
	f = next(&h, 1, MICRO * 1000);
	assert_int_equal(f.captured, 40);
	assert_int_equal(f.wire_len, 1500);
	assert_memory_equal(f.data, eth, 40);
	next(&h, 2, 17 * SECOND + 1);
	f = next(&h, 3, 1003 * SECOND + SECOND / 2);
	assert_int_equal(f.captured, 14 + 24);
	assert_memory_equal(f.data + 14, ip, 24);
	assert_int_equal(f.data[12] << 8 | f.data[13], 0x800);
	f = next(&h, 4, 5 * SECOND);
	assert_int_equal(f.captured, 39);
	assert_int_equal(h.notes, 0);
	at_end(&h, 0);
}

static void sections_of_both_byte_orders(void **state)
{
	static struct pcapng p;
	struct heard h;

	(void)state;
	p = (struct pcapng){ .swapped = true };
	pcapng_section(&p);
	pcapng_interface(&p, ETHERNET, 0, &(struct pcapng_options){ .tsoffset = -1 });
	pcapng_interface(&p, RAW, 0, NULL);
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 40);
	p.swapped = false;
	pcapng_section(&p);
	pcapng_interface(&p, RAW, 0, NULL);
	pcapng_packet(&p, 6, 0, MICRO, ip, 24, 24);
	/* Those of the section before are over. */
	pcapng_packet(&p, 6, 1, MICRO, ip, 24, 24);
	assert_int_equal(open_file(&h, &p), 0);
	next(&h, 1, (MICRO - 1000000) * 1000);
	assert_int_equal(next(&h, 2, MICRO * 1000).captured, 14 + 24);
	at_end(&h, -EIO);
	assert_non_null(strstr(h.why.text, "after frame 2: a packet of interface 1, which is not"));
}

/* They are named once, and keep their numbers. */
static void foreign_interfaces_are_left_out(void **state)
{
	static struct pcapng p;
	struct heard h;

	(void)state;
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_interface(&p, WIFI, 0, NULL);
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 40);
	pcapng_interface(&p, ETHERNET, 0, NULL);
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 40);
	pcapng_packet(&p, 6, 1, MICRO, eth, 40, 40);
	assert_int_equal(open_file(&h, &p), 0);
	assert_true(next(&h, 1, MICRO * 1000).foreign);
	assert_true(next(&h, 2, MICRO * 1000).foreign);
	assert_false(next(&h, 3, MICRO * 1000).foreign);
	assert_int_equal(h.notes, 1);
	assert_non_null(strstr(h.text[0], h.path));
	assert_non_null(strstr(h.text[0], "frame 1: interface 0: link type 105 (IEEE802_11)"));
	at_end(&h, 0);
	assert_int_equal(h.notes, 2);
	assert_non_null(strstr(h.text[1], "2 frames in all: of a link type"));
}

static void nothing_but_foreign_frames_is_an_error(void **state)
{
	static struct pcapng p;
	struct heard h;

	(void)state;
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_interface(&p, WIFI, 0, NULL);
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 40);
	assert_int_equal(open_file(&h, &p), 0);
	next(&h, 1, MICRO * 1000);
	at_end(&h, -ENOTSUP);
	assert_non_null(strstr(h.why.text, "IEEE802_11"));
}

static void simple_packets_have_no_stamp(void **state)
{
	static struct pcapng p;
	struct heard h;
	struct sen_frame f;

	(void)state;
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_interface(&p, ETHERNET, 20, &(struct pcapng_options){ .tsoffset = 5 });
	pcapng_simple(&p, eth, 20, 40);
	pcapng_simple(&p, eth, 18, 18);
	assert_int_equal(open_file(&h, &p), 0);
	f = next(&h, 1, 0);
	assert_int_equal(f.captured, 20);
	assert_int_equal(f.wire_len, 40);
	assert_int_equal(next(&h, 2, 0).captured, 18);
	at_end(&h, 0);
	assert_non_null(strstr(h.text[0], "frame 1: no time stamp"));
	assert_non_null(strstr(h.text[1], "2 frames in all: no time stamp"));
}

static void odd_lengths_and_stamps_are_told(void **state)
{
	static struct pcapng p;
	struct heard h;

	(void)state;
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_interface(&p, ETHERNET, 30, &(struct pcapng_options){ .tsresol = 1 });
	pcapng_packet(&p, 6, 0, 10, eth, 40, 39);
	pcapng_packet(&p, 6, 0, 10, eth, 30, ~0u);
	pcapng_packet(&p, 6, 0, ~0ull, eth, 30, 30);
	assert_int_equal(open_file(&h, &p), 0);
	assert_int_equal(next(&h, 1, SECOND).wire_len, 40);
	assert_int_equal(next(&h, 2, SECOND).wire_len, 30);
	next(&h, 3, 0);
	at_end(&h, 0);
	assert_int_equal(h.notes, 4);
	assert_non_null(strstr(h.text[0], "frame 1: an original length"));
	assert_non_null(strstr(h.text[1], "frame 1: longer than the snapshot length"));
	assert_non_null(strstr(h.text[2], "frame 3: a time stamp that cannot be right"));
	assert_non_null(strstr(h.text[3], "2 frames in all: an original length"));
}

/* A number in a whole file of two packets, at `at` bytes from the second; what is said then. */
static void expect_damage(size_t at, uint32_t value, const char *what)
{
	static struct pcapng p;
	struct heard h;
	size_t second;

	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_interface(&p, ETHERNET, 0, NULL);
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 40);
	second = p.n;
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 40);
	pcapng_set32(&p, second + at, value);
	assert_int_equal(open_file(&h, &p), 0);
	next(&h, 1, MICRO * 1000);
	at_end(&h, -EIO);
	assert_non_null(strstr(h.why.text, "after frame 1: "));
	assert_non_null(strstr(h.why.text, what));
}

static void damage_is_told_and_what_came_before_stands(void **state)
{
	(void)state;
	expect_damage(4, 8, "a block of 8 bytes");
	expect_damage(4, 0xfffffffc, "a block of 4294967292 bytes");
	expect_damage(4, 71, "a block of 71 bytes");
	expect_damage(4, 68, "two lengths");
	expect_damage(4, 1 << 20, "cut short");
	expect_damage(8, 7, "interface 7, which is not described");
	expect_damage(20, 41, "a packet of 41 bytes in a block of 72");
	expect_damage(0, 0x0a0d0d0a, "without a byte order");
}

static void refused_at_once(void **state)
{
	static struct pcapng p;
	struct heard h;

	(void)state;
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	p.bytes[12] = 2;
	assert_int_equal(open_file(&h, &p), -EINVAL);
	assert_non_null(strstr(h.why.text, "a section of version 2.0"));
	h.capture = NULL;
	close_file(&h);

	p.n = 20;
	assert_int_equal(open_file(&h, &p), -EINVAL);
	assert_non_null(strstr(h.why.text, "cut short"));
	h.capture = NULL;
	close_file(&h);
}

/* Nothing of it can be used: no capture that merely ends early. */
static void damage_before_the_first_frame(void **state)
{
	static struct pcapng p;
	struct heard h;

	(void)state;
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_packet(&p, 6, 0, MICRO, eth, 40, 40);
	assert_int_equal(open_file(&h, &p), 0);
	at_end(&h, -EINVAL);
	assert_non_null(strstr(h.why.text, "not one frame"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_interface_has_its_own_terms),
		cmocka_unit_test(sections_of_both_byte_orders),
		cmocka_unit_test(foreign_interfaces_are_left_out),
		cmocka_unit_test(nothing_but_foreign_frames_is_an_error),
		cmocka_unit_test(simple_packets_have_no_stamp),
		cmocka_unit_test(odd_lengths_and_stamps_are_told),
		cmocka_unit_test(damage_is_told_and_what_came_before_stands),
		cmocka_unit_test(refused_at_once),
		cmocka_unit_test(damage_before_the_first_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
