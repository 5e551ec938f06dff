// SPDX-License-Identifier: BSD-2-Clause
/*
 * Capture files of any content: read or refused, every frame can be walked, and what libpcap reads of a
 * pcapng file is read as libpcap does it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../bpf/by_libpcap.h"
#include "capture.h"
#include "link.h"
#include "require.h"

#define FRAMES_MAX 10000 /* packed, a few bytes hold millions */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_note(void *ctx, const char *text)
{
	unsigned int *notes = ctx;

	REQUIRE(strlen(text) > 0);
	++*notes;
}

/* Touches every byte, for the sanitizers to see. */
static bool can_be_read(const uint8_t *data, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += data[i];
	return sum <= (uint64_t)UINT8_MAX * n;
}

static void check_frame(const struct sen_frame *f, uint64_t number)
{
	REQUIRE(f->number == number);
	if (f->foreign)
		return;
	REQUIRE(f->wire_len >= f->captured);
	REQUIRE(f->wire_len <= (16u << 20) + SEN_ETH_BYTES);
	REQUIRE(can_be_read(f->data, f->captured));
}

static void check_beside(const struct sen_frame *f, const struct by_libpcap *right)
{
	if (f->foreign || right->cut)
		return;
	/* Where a header was made, what is behind it is the end of both. */
	if (f->captured >= right->captured && !memcmp(f->data, right->data, right->captured))
		return;
	REQUIRE(f->captured >= SEN_ETH_BYTES);
	REQUIRE(f->captured - SEN_ETH_BYTES <= right->captured);
	REQUIRE(!memcmp(f->data + SEN_ETH_BYTES,
			right->data + right->captured - (f->captured - SEN_ETH_BYTES),
			f->captured - SEN_ETH_BYTES));
}

static void read_frames(struct sen_capture *c, struct by_libpcap *right)
{
	struct sen_why why = { 0 };
	struct sen_frame frame;
	uint64_t number = 0;
	bool beside = right->pcap;
	int err;

	while ((err = sen_capture_next(c, &frame, &why)) == 1 && number < FRAMES_MAX) {
		check_frame(&frame, ++number);
		beside = beside && by_libpcap_next(right);
		if (beside)
			check_beside(&frame, right);
		REQUIRE(beside || !right->pcap || right->timid);
	}
	REQUIRE(err >= 0 || why.text[0]);
	if (beside && err <= 0) {
		REQUIRE(!by_libpcap_next(right));
		REQUIRE(right->timid || right->broken == (err < 0 && err != -ENOTSUP));
	}
}

static void try_file(const char *path, bool one_section)
{
	struct sen_capture *c = NULL;
	struct by_libpcap right;
	struct sen_why why = { 0 };
	unsigned int notes = 0;
	int err = sen_capture_open(path, on_note, &notes, &c, &why);

	REQUIRE(!err == !!c);
	REQUIRE(!err || why.text[0]);
	by_libpcap_open(path, &right);
	right.timid = right.timid || !one_section;
	if (c)
		read_frames(c, &right);
	by_libpcap_close(&right);
	sen_capture_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	char path[64];

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "a file can be made");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* libpcap reads the length of a section in the byte order of the one before. */
	try_file(path, size < 4 || !memmem(data + 4, size - 4, "\n\r\r\n", 4));
	close(fd);
	return 0;
}
