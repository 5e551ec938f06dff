// SPDX-License-Identifier: BSD-2-Clause
/* The BPF program against the same code built natively (duel.h), and the reader of captures against libpcap. */
#include <errno.h>
#include <fts.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "by_libpcap.h"
#include "capture.h"
#include "duel.h"
#include "model.h"
#include "modelkit.h"
#include "replay.h"

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
	duel_model(d, SEN_SLOT_ACTIVE, &flat);
	model_random(&flat, 2, &random);
	duel_model(d, SEN_SLOT_SHADOW, &flat);
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
		duel_expect_same(d, "frame", right->data, f->data, same);
	else if (f->captured > ETH_HLEN)
		duel_expect_same(d, "packet",
				 right->data + right->captured - (f->captured - ETH_HLEN),
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
		duel_mode(d, tally.files % 3);
		fight_capture(d, entry->fts_path, &tally);
	}
	fts_close(tree);
	duel_expect_same_maps(d);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures_of_odd_things),
		cmocka_unit_test(captures_of_networks),
	};

	return cmocka_run_group_tests(tests, duel_open, duel_close);
}
