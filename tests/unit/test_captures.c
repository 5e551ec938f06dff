// SPDX-License-Identifier: BSD-2-Clause
/* Packed captures, several as one, damaged ones, and the clock that a replay makes of their stamps. */
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
#include <zlib.h>
#include <zstd.h>

#include "captures.h"
#include "pcapng_kit.h"
#include "replay_clock.h"

#define FRAMES     50
#define FRAME_SIZE 60
#define SECOND     1000000000ull

struct folder {
	char dir[64];
	char path[4][96];
	unsigned int damaged;
	struct sen_why why; /* of the latest damage */
	unsigned int notes;
	char note[8][400];
};

/* A capture by hand: stamps begin at `start` and are `step` seconds apart. */
static size_t make_capture(uint8_t *out, uint32_t start, uint32_t step, unsigned int frames)
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	uint8_t *at = out;

	memcpy(at, header, sizeof(header));
	at += sizeof(header);
	for (uint32_t i = 0; i < frames; i++) {
		const uint32_t record[4] = { start + i * step, 7, FRAME_SIZE, FRAME_SIZE };

		memcpy(at, record, sizeof(record));
		memset(at + sizeof(record), (int)i, FRAME_SIZE);
		at += sizeof(record) + FRAME_SIZE;
	}
	return at - out;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static size_t gzip(uint8_t *out, size_t room, const void *data, size_t size)
{
	z_stream z = { .next_in = (uint8_t *)data, .avail_in = size };

	z.next_out = out;
	z.avail_out = room;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/sentroid-captures-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (int i = 0; i < 4; i++)
		snprintf(f->path[i], sizeof(f->path[i]), "%s/%d", f->dir, i);
	*state = f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	for (int i = 0; i < 4; i++)
		unlink(f->path[i]);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void on_damage(void *ctx, const struct sen_why *why)
{
	struct folder *f = ctx;

	f->damaged++;
	f->why = *why;
}

static void on_note(void *ctx, const char *text)
{
	struct folder *f = ctx;

	assert_true(f->notes < 8);
	snprintf(f->note[f->notes++], sizeof(f->note[0]), "%s", text);
}

static int open_files(struct folder *f, const char *const *files, struct sen_captures **out,
		      struct sen_why *why)
{
	const struct sen_captures_options options = {
		.files = files,
		.damage = on_damage,
		.note = on_note,
		.ctx = f,
	};

	f->notes = 0;
	return sen_captures_open(&options, out, why);
}

/* Read files as one; stamps in seconds go to `at`. Their number. */
static unsigned int read_all(struct folder *f, const char *const *files, uint32_t *at)
{
	struct sen_captures *c;
	struct sen_frame frame;
	unsigned int n = 0;

	assert_int_equal(open_files(f, files, &c, NULL), 0);
	for (; sen_captures_next(c, &frame, NULL) == 1; n++) {
		assert_int_equal(frame.captured, FRAME_SIZE);
		assert_int_equal(frame.time_ns % SECOND, 7000);
		at[n] = frame.time_ns / SECOND;
	}
	sen_captures_close(c);
	return n;
}

static void packed_as_plain(void **state)
{
	struct folder *f = *state;
	uint8_t plain[8192], packed[16384];
	uint32_t at[2 * FRAMES];
	size_t size = make_capture(plain, 100, 1, FRAMES), n;

	write_file(f->path[0], plain, size);
	n = gzip(packed, sizeof(packed), plain, size);
	write_file(f->path[1], packed, n);
	/* Members one behind the other. */
	n = gzip(packed, sizeof(packed), plain, 1000);
	n += gzip(packed + n, sizeof(packed) - n, plain + 1000, size - 1000);
	write_file(f->path[2], packed, n);
	n = ZSTD_compress(packed, sizeof(packed), plain, size, 1);
	write_file(f->path[3], packed, n);
	for (int i = 0; i < 4; i++) {
		const char *files[] = { f->path[i], NULL };

		assert_int_equal(read_all(f, files, at), FRAMES);
		assert_int_equal(at[FRAMES - 1], 100 + FRAMES - 1);
	}
	assert_int_equal(f->damaged, 0);
}

/* As tape and some writers leave it behind: nothing, for gzip and for us. Other garbage is damage. */
static void padded_with_zeros(void **state)
{
	struct folder *f = *state;
	const char *const padded[] = { f->path[0], NULL }, *const between[] = { f->path[1], NULL },
			  *const garbage[] = { f->path[2], NULL };
	uint8_t plain[8192], packed[300000] = { 0 };
	uint32_t at[2 * FRAMES];
	size_t size = make_capture(plain, 100, 1, FRAMES), n, more;

	/* More zeros than are read at a time. */
	n = gzip(packed, sizeof(packed), plain, size);
	write_file(f->path[0], packed, n + 200000);
	assert_int_equal(read_all(f, padded, at), FRAMES);
	assert_int_equal(f->damaged, 0);

	packed[n + 300] = 'x';
	write_file(f->path[2], packed, n + 301);
	assert_int_equal(read_all(f, garbage, at), FRAMES);
	assert_int_equal(f->damaged, 1);

	n = gzip(packed, sizeof(packed), plain, 1000);
	memset(packed + n, 0, 512);
	more = gzip(packed + n + 512, sizeof(packed) - n - 512, plain + 1000, size - 1000);
	write_file(f->path[1], packed, n + 512 + more);
	assert_int_equal(read_all(f, between, at), FRAMES);
	assert_int_equal(f->damaged, 1);
}

static void standard_input(void **state)
{
	struct folder *f = *state;
	const char *const files[] = { "-", NULL };
	uint32_t at[FRAMES];
	uint8_t plain[8192];
	int keep = dup(STDIN_FILENO);

	write_file(f->path[0], plain, make_capture(plain, 100, 1, FRAMES));
	assert_non_null(freopen(f->path[0], "re", stdin));
	assert_int_equal(read_all(f, files, at), FRAMES);
	if (keep >= 0) {
		dup2(keep, STDIN_FILENO);
		close(keep);
	}
}

static void merged_by_time(void **state)
{
	struct folder *f = *state;
	const char *const files[] = { f->path[0], f->path[1], f->path[2], NULL };
	uint8_t data[8192];
	uint32_t at[3 * FRAMES];
	unsigned int n;

	write_file(f->path[0], data, make_capture(data, 100, 3, FRAMES));
	write_file(f->path[1], data, make_capture(data, 101, 3, FRAMES));
	write_file(f->path[2], data, make_capture(data, 50, 1, 10));
	n = read_all(f, files, at);
	assert_int_equal(n, 2 * FRAMES + 10);
	for (unsigned int i = 1; i < n; i++)
		assert_true(at[i] >= at[i - 1]);
	assert_int_equal(at[0], 50);
	assert_int_equal(at[n - 1], 101 + 3 * (FRAMES - 1));
}

/* What came before counts; file and frame are named. */
static void damaged_files(void **state)
{
	struct folder *f = *state;
	const char *const cut[] = { f->path[0], NULL }, *const packed_cut[] = { f->path[1], NULL };
	const char *const lying[] = { f->path[2], NULL }, *const none[] = { f->path[3], NULL };
	uint8_t plain[8192], packed[16384];
	uint32_t at[FRAMES], huge = 0x7fffffff;
	size_t size = make_capture(plain, 100, 1, FRAMES), n;

	write_file(f->path[0], plain, size - 20);
	assert_int_equal(read_all(f, cut, at), FRAMES - 1);
	assert_int_equal(f->damaged, 1);
	assert_non_null(strstr(f->why.text, f->path[0]));
	assert_non_null(strstr(f->why.text, "frame 49"));

	n = gzip(packed, sizeof(packed), plain, size);
	write_file(f->path[1], packed, n / 2);
	assert_true(read_all(f, packed_cut, at) < FRAMES);
	assert_int_equal(f->damaged, 2);
	assert_non_null(strstr(f->why.text, "end early"));

	memcpy(plain + 24 + 10 * (16 + FRAME_SIZE) + 8, &huge, sizeof(huge));
	write_file(f->path[2], plain, size);
	assert_int_equal(read_all(f, lying, at), 10);
	assert_int_equal(f->damaged, 3);
	assert_non_null(strstr(f->why.text, "frame 10"));

	write_file(f->path[3], plain, make_capture(plain, 0, 0, 0));
	assert_int_equal(read_all(f, none, at), 0);
	assert_int_equal(f->damaged, 4);
	assert_non_null(strstr(f->why.text, "no packets"));
}

static void refused_whole(void **state)
{
	struct folder *f = *state;
	const char *const files[] = { f->path[0], f->path[1], NULL };
	struct sen_captures *c;
	struct sen_why why;
	uint8_t plain[8192];

	write_file(f->path[0], plain, make_capture(plain, 1, 1, FRAMES));
	assert_int_equal(open_files(f, files, &c, &why), -ENOENT);
	write_file(f->path[1], "", 0);
	assert_int_equal(open_files(f, files, &c, &why), -EINVAL);
	assert_non_null(strstr(why.text, "empty"));
	write_file(f->path[1], "\x1f\x8b\x08 no gzip at all", 18);
	assert_int_equal(open_files(f, files, &c, &why), -EINVAL);
	assert_non_null(strstr(why.text, "damaged"));
	write_file(f->path[1], "GET / HTTP/1.1\r\n\r\n whatever this is", 36);
	assert_int_equal(open_files(f, files, &c, &why), -EINVAL);
	assert_non_null(strstr(why.text, f->path[1]));
	assert_int_equal(f->damaged, 0);
}

/* Seconds have 32 bits and no sign; a second has no more parts than it has. */
static void stamps_at_their_limits(void **state)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d };
	struct folder *f = *state;
	const char *const files[] = { f->path[0], NULL };
	uint8_t data[8192];

	for (int i = 0; i < 2; i++) {
		uint32_t parts = i ? 1000000000 : 1000000, step = 16 + FRAME_SIZE;
		size_t size = make_capture(data, 0, 1, 4);
		const uint32_t stamps[4][2] = {
			{ 0x80000000, 7 }, { ~0u, parts - 1 }, { 1700000000, parts }, { 5, ~0u }
		};
		struct sen_captures *c;
		struct sen_frame frame;

		memcpy(data, &magics[i], 4);
		for (int k = 0; k < 4; k++)
			memcpy(data + 24 + (size_t)k * step, stamps[k], 8);
		write_file(f->path[0], data, size);
		assert_int_equal(open_files(f, files, &c, NULL), 0);
		for (int k = 0; k < 4; k++) {
			uint64_t expected = stamps[k][0] * SECOND + stamps[k][1] * (SECOND / parts);

			assert_int_equal(sen_captures_next(c, &frame, NULL), 1);
			assert_int_equal(frame.time_ns, k < 2 ? expected : 0);
		}
		assert_int_equal(sen_captures_next(c, &frame, NULL), 0);
		sen_captures_close(c);
		assert_int_equal(f->notes, 2);
		assert_non_null(strstr(f->note[0], "frame 3: a time stamp that cannot be right"));
		assert_non_null(strstr(f->note[1], "2 frames in all: a time stamp that cannot"));
	}
}

static void odd_lengths(void **state)
{
	struct folder *f = *state;
	const char *const files[] = { f->path[0], NULL };
	const uint32_t shorter = FRAME_SIZE - 1, absurd = ~0u, snaplen = FRAME_SIZE - 10;
	uint8_t data[8192];
	struct sen_captures *c;
	struct sen_frame frame;
	size_t size = make_capture(data, 100, 1, 3);

	memcpy(data + 16, &snaplen, 4);
	memcpy(data + 24 + 12, &shorter, 4);
	memcpy(data + 24 + 16 + FRAME_SIZE + 12, &absurd, 4);
	write_file(f->path[0], data, size);
	assert_int_equal(open_files(f, files, &c, NULL), 0);
	while (sen_captures_next(c, &frame, NULL) == 1) {
		assert_int_equal(frame.captured, FRAME_SIZE);
		assert_int_equal(frame.wire_len, FRAME_SIZE);
	}
	sen_captures_close(c);
	assert_int_equal(f->notes, 4);
	assert_non_null(strstr(f->note[0], "frame 1: an original length that cannot be right"));
	assert_non_null(strstr(f->note[1], "frame 1: longer than the snapshot length"));
	assert_non_null(strstr(f->note[2], "2 frames in all: an original length"));
	assert_non_null(strstr(f->note[3], "3 frames in all: longer"));
}

static void nothing_but_zeros_for_stamps(void **state)
{
	struct folder *f = *state;
	const char *const files[] = { f->path[0], NULL };
	uint8_t data[8192];
	struct sen_captures *c;
	struct sen_frame frame;
	size_t size = make_capture(data, 0, 0, 3);

	for (size_t k = 0; k < 3; k++)
		memset(data + 24 + k * (16 + FRAME_SIZE), 0, 8);
	write_file(f->path[0], data, size);
	assert_int_equal(open_files(f, files, &c, NULL), 0);
	while (sen_captures_next(c, &frame, NULL) == 1)
		assert_int_equal(frame.time_ns, 0);
	sen_captures_close(c);
	assert_int_equal(f->notes, 1);
	assert_non_null(strstr(f->note[0], "no frame has a time stamp"));
}

/* Frames that are left out have their place in the order of all, so that labels by frame still fit. */
static void foreign_frames_have_a_place(void **state)
{
	static const uint8_t bytes[FRAME_SIZE];
	static struct pcapng p;
	struct folder *f = *state;
	const char *const files[] = { f->path[0], f->path[1], NULL };
	uint8_t data[8192];
	struct sen_captures *c;
	struct sen_frame frame;

	write_file(f->path[0], data, make_capture(data, 100, 2, 2)); /* at 100 and 102 s */
	p = (struct pcapng){ 0 };
	pcapng_section(&p);
	pcapng_interface(&p, 105, 0, NULL);
	pcapng_interface(&p, 1, 0, NULL);
	pcapng_packet(&p, 6, 0, 99000000, bytes, FRAME_SIZE, FRAME_SIZE);
	pcapng_packet(&p, 6, 1, 101000000, bytes, FRAME_SIZE, FRAME_SIZE);
	pcapng_packet(&p, 6, 0, 103000000, bytes, FRAME_SIZE, FRAME_SIZE);
	write_file(f->path[1], p.bytes, p.n);
	assert_int_equal(open_files(f, files, &c, NULL), 0);
	for (uint64_t place = 2; place <= 4; place++) {
		assert_int_equal(sen_captures_next(c, &frame, NULL), 1);
		assert_int_equal(frame.place, place);
		assert_int_equal(frame.time_ns / SECOND, 98 + place);
	}
	assert_int_equal(sen_captures_next(c, &frame, NULL), 0);
	assert_int_equal(sen_captures_count(c), 5);
	sen_captures_close(c);
}

/* No capture that merely ends early: there is nothing that came before. */
static void damaged_before_the_first_frame(void **state)
{
	struct folder *f = *state;
	const char *const files[] = { f->path[0], NULL };
	struct sen_captures *c;
	struct sen_why why;
	uint8_t data[8192];

	write_file(f->path[0], data, make_capture(data, 100, 1, 1) - 10);
	assert_int_equal(open_files(f, files, &c, &why), -EINVAL);
	assert_non_null(strstr(why.text, f->path[0]));
	assert_non_null(strstr(why.text, "not one frame"));
	assert_int_equal(f->damaged, 0);
}

static void clock_follows_the_stamps(void **state)
{
	struct sen_replay_clock c = { 0 };

	(void)state;
	assert_int_equal(sen_replay_clock_set(&c, 1000 * SECOND), SEN_CLOCK_FINE);
	assert_int_equal(c.now_ns, 1000 * SECOND);
	assert_int_equal(sen_replay_clock_set(&c, 1100 * SECOND), SEN_CLOCK_FINE);
	assert_int_equal(c.now_ns, 1100 * SECOND);
	/* Shuffled by a little: at the same time. */
	assert_int_equal(sen_replay_clock_set(&c, 1100 * SECOND - 5000), SEN_CLOCK_FINE);
	assert_int_equal(c.now_ns, 1100 * SECOND);
	/* By much: it goes on, and second by second from there. */
	assert_int_equal(sen_replay_clock_set(&c, 500 * SECOND), SEN_CLOCK_BACK);
	assert_int_equal(sen_replay_clock_set(&c, 502 * SECOND), SEN_CLOCK_FINE);
	assert_int_equal(c.now_ns, 1102 * SECOND);
	assert_int_equal(sen_replay_clock_set(&c, 0), SEN_CLOCK_MISSING);
	assert_int_equal(c.now_ns, 1102 * SECOND);
	assert_int_equal(sen_replay_clock_set(&c, 503 * SECOND), SEN_CLOCK_FINE);
	assert_int_equal(c.now_ns, 1103 * SECOND);
	assert_int_equal(sen_replay_clock_set(&c, 503 * SECOND + 90 * 86400 * SECOND),
			 SEN_CLOCK_GAP);
	assert_int_equal(c.now_ns, (1103 + 3600) * SECOND);
}

static void clock_may_begin_at_zero(void **state)
{
	struct sen_replay_clock c = { 0 };

	(void)state;
	assert_int_equal(sen_replay_clock_set(&c, 0), SEN_CLOCK_FINE);
	assert_int_equal(sen_replay_clock_set(&c, 0), SEN_CLOCK_FINE);
	assert_int_equal(sen_replay_clock_set(&c, 1700000000 * SECOND), SEN_CLOCK_GAP);
	assert_int_equal(c.now_ns, 3600 * SECOND);
}

/* Whatever the stamps are, the clock neither goes back nor leaps. */
static void clock_is_steady(void **state)
{
	struct sen_replay_clock c = { 0 };
	uint64_t random = 1, before = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		sen_replay_clock_set(&c, random >> (random >> 59));
		if (i) {
			assert_true((int64_t)(c.now_ns - before) >= 0);
			assert_true(c.now_ns - before <= 3600 * SECOND);
		}
		before = c.now_ns;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packed_as_plain, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(padded_with_zeros, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(standard_input, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(merged_by_time, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(damaged_files, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(refused_whole, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(stamps_at_their_limits, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(odd_lengths, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(nothing_but_zeros_for_stamps, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(foreign_frames_have_a_place, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(damaged_before_the_first_frame, make_folder,
						remove_folder),
		cmocka_unit_test(clock_follows_the_stamps),
		cmocka_unit_test(clock_may_begin_at_zero),
		cmocka_unit_test(clock_is_steady),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
