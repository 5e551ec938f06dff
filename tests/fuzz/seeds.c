// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes inputs for the fuzzers to begin with.
 *
 * usage: seeds path DIR [CAPTURE...]   frames that the tests are made of, and those of captures
 *        seeds model DIR               a small model
 *        seeds capture DIR [CAPTURE...]   small captures, and what others begin with
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/fixtures.h"
#include "../unit/pcapng_kit.h"
#include "capture.h"
#include "fsutil.h"
#include "input.h"
#include "model_internal.h"
#include "replay.h"

#define INPUT_MAX   4096
#define INPUT_START (INPUT_OPTIONS + sizeof(struct input_header))
#define PER_CAPTURE 6   /* inputs, at most, from one capture */
#define OPTIONS     128 /* go round with the number of the input */

struct writer {
	const char *dir;
	unsigned int number;
	uint8_t data[INPUT_MAX];
	size_t len;
};

static void begin(struct writer *w)
{
	w->data[0] = w->number % OPTIONS;
	w->data[1] = SEN_WINDOW_FAST;
	w->len = INPUT_OPTIONS;
}

static int finish(struct writer *w)
{
	struct sen_why why;
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/seed-%05u", w->dir, w->number++);
	err = sen_write_atomic(path, w->data, w->len, &why);
	if (err)
		fprintf(stderr, "seeds: %s\n", why.text);
	begin(w);
	return err;
}

static bool add_frame(struct writer *w, const uint8_t *frame, size_t len, uint32_t wire_len,
		      uint64_t passed_ns)
{
	struct input_header h = {
		.size = len,
		.time = input_number(passed_ns, 10),
		.more = input_number(wire_len - len, 11),
	};

	if (w->len + sizeof(h) + len > INPUT_MAX)
		return false;
	memcpy(w->data + w->len, &h, sizeof(h));
	memcpy(w->data + w->len + sizeof(h), frame, len);
	w->len += sizeof(h) + len;
	return true;
}

/* Each fixture twice, so that there is a second packet, and all of them in a few long inputs. */
static int write_fixtures(struct writer *w)
{
	struct packet p;
	int err = 0;

	for (const struct fixture *f = fixtures; f->name && !err; f++) {
		packet_build(&p, f->layers);
		add_frame(w, p.data, p.len, p.len, 0);
		add_frame(w, p.data, p.len, p.len, 1000000);
		err = finish(w);
	}
	for (const struct fixture *f = fixtures; f->name && !err; f++) {
		packet_build(&p, f->layers);
		if (p.len > 200 || add_frame(w, p.data, p.len, p.len, 1000))
			continue;
		err = finish(w);
		add_frame(w, p.data, p.len, p.len, 0);
	}
	return err ? err : finish(w);
}

/* New flows to one target, more than there is room for, where a model flags them all. */
static int write_flood(struct writer *w)
{
	struct packet p;

	w->data[0] = SEN_MODE_ENFORCE | 1 << 2 | 1 << 6;
	for (uint32_t i = 0; i < 64; i++) {
		packet_tcp(&p, HOST(100 + i), 1000, HOST(1), 80, TCP_SYN, 0);
		add_frame(w, p.data, p.len, p.len, 1000);
	}
	return finish(w);
}

static int write_capture(struct writer *w, const char *path)
{
	uint8_t head[SEN_REPLAY_BYTES];
	struct sen_capture *capture;
	struct sen_frame frame;
	uint64_t last_ns = 0;
	uint32_t len;
	int err = 0;

	if (sen_capture_open(path, NULL, NULL, &capture, NULL))
		return 0;
	for (int left = PER_CAPTURE;
	     left && !err && sen_capture_next(capture, &frame, NULL) == 1;) {
		uint64_t passed = last_ns && frame.time_ns > last_ns ? frame.time_ns - last_ns : 0;

		if (frame.foreign)
			continue;
		last_ns = frame.time_ns;
		len = sen_frame_head(&frame, head);
		if (add_frame(w, head, len, frame.wire_len, passed))
			continue;
		err = finish(w);
		left--;
		add_frame(w, head, len, frame.wire_len, 0);
	}
	sen_capture_close(capture);
	return w->len > INPUT_START && !err ? finish(w) : err;
}

static int write_path(const char *dir, char **captures)
{
	struct writer w = { .dir = dir };
	int err;

	begin(&w);
	err = write_fixtures(&w);
	if (!err)
		err = write_flood(&w);
	while (*captures && !err)
		err = write_capture(&w, *captures++);
	return err;
}

static void fill_member(struct sen_model_member *m, unsigned int count, double weight)
{
	m->count = count;
	m->weight = weight;
	memset(m->mask, weight > 0.5, sizeof(m->mask));
	m->mask[0] = true;
	m->mask[SEN_DIMS - 1] = true;
	for (unsigned int k = 0; k < count; k++) {
		m->centroid[k][0] = 10 + k / 4.0f;
		m->radius[k] = 2 + k;
		m->mass[k] = 100;
	}
}

static int write_model(const char *dir)
{
	struct sen_model *m = calloc(1, sizeof(*m));
	struct sen_why why;
	char path[512];
	int err;

	if (!m)
		return -ENOMEM;
	m->version = 2;
	m->parent = 1;
	m->threshold = 2.5;
	m->members = 3;
	for (int d = 0; d < SEN_DIMS; d++)
		m->quantizer[d].scale = 20000;
	fill_member(&m->member[0], 2, 0.75);
	fill_member(&m->member[1], 1, 0.25);
	fill_member(&m->member[2], 1, 0);
	m->member[2].class_of[0] = sen_class_id(m, "worm");
	snprintf(m->training.command, sizeof(m->training.command), "seeds");
	snprintf(m->training.inputs, sizeof(m->training.inputs), "a\nb");
	snprintf(path, sizeof(path), "%s/seed-model", dir);
	err = sen_model_save(m, path, &why);
	if (err)
		fprintf(stderr, "seeds: %s\n", why.text);
	sen_model_free(m);
	return err;
}

/* Every kind of block, in both byte orders and of several link types. */
static void build_pcapng(struct pcapng *p, bool swapped)
{
	const struct pcapng_options fine = { .tsresol = 9, .tsoffset = -7 },
				    binary = { .tsresol = 0x94 };
	static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
	static const uint16_t links[] = { 1, 101, 113, 105 };

	p->n = 0;
	for (int section = 0; section < 2; section++) {
		p->swapped = swapped != !!section;
		pcapng_section(p);
		pcapng_interface(p, 1, 96, NULL);
		for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
			pcapng_interface(p, links[i], 0, i % 2 ? &fine : &binary);
		for (uint32_t i = 0; i < 5; i++)
			pcapng_packet(p, i == 3 ? 2 : 6, i, 1ull << 50, frame, 60 - i, 60);
		pcapng_block(p, 5, frame, 12);
		pcapng_simple(p, frame, 60, 60);
	}
}

static int write_capture_seeds(struct writer *w, char **captures)
{
	static struct pcapng p;
	int err = 0;

	for (int swapped = 0; swapped < 2 && !err; swapped++) {
		build_pcapng(&p, swapped);
		memcpy(w->data, p.bytes, p.n);
		w->len = p.n;
		err = finish(w);
	}
	for (; *captures && !err; captures++) {
		FILE *f = fopen(*captures, "re");

		if (!f)
			continue;
		w->len = fread(w->data, 1, INPUT_MAX, f);
		fclose(f);
		err = finish(w);
	}
	return err;
}

int main(int argc, char **argv)
{
	int err = -EINVAL;

	if (argc >= 3 && !strcmp(argv[1], "path"))
		err = write_path(argv[2], argv + 3);
	else if (argc == 3 && !strcmp(argv[1], "model"))
		err = write_model(argv[2]);
	else if (argc >= 3 && !strcmp(argv[1], "capture"))
		err = write_capture_seeds(&(struct writer){ .dir = argv[2] }, argv + 3);
	else
		fprintf(stderr, "usage: seeds path|capture DIR [CAPTURE...] | seeds model DIR\n");
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
