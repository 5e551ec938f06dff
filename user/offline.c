// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane.h"
#include "offline.h"
#include "program.h"
#include "replay.h"

/* As many samples a second as a token bucket can count: nothing is withheld. */
#define UNLIMITED 4000000u

struct sen_offline {
	struct sentroid *skel;
	struct ring_buffer *ring;
	struct sen_offline_options options;
	struct sen_replay_slot *slots;
	size_t slots_bytes;
	struct {
		uint64_t time_ns, number;
	} frame[SEN_REPLAY_BATCH]; /* in each slot */
	unsigned int waiting;
	struct sen_replay_clock clock;
};

void sen_offline_sample_all(struct sen_policy *policy)
{
	policy->sample_every = 1;
	for (int kind = 0; kind < SEN_SAMPLE_KINDS; kind++)
		policy->rate[kind] = UNLIMITED;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static int on_ring(void *ctx, void *data, size_t size)
{
	struct sen_offline *o = ctx;
	const struct sen_event *event = data;

	if (size >= sizeof(*event) && event->version == SEN_EVENT_VERSION && o->options.on_event)
		o->options.on_event(o->options.ctx, event);
	return 0;
}

static int load(struct sen_offline *o)
{
	int err;

	o->skel = sentroid__open();
	if (!o->skel)
		return -errno;
	err = sen_program_configure(o->skel, o->options.flows);
	if (err)
		return err;
	for (int i = 0; i < 6; i++)
		o->skel->rodata->sen_seed[i] = sen_replay_seed(i);
	o->skel->rodata->sen_replay = true;
	bpf_map__set_autocreate(o->skel->maps.replay_slots, true);
	bpf_program__set_autoload(o->skel->progs.sentroid, false);
	bpf_program__set_autoload(o->skel->progs.sentroid_egress, false);
	bpf_program__set_autoload(o->skel->progs.sentroid_replay, true);
	return sentroid__load(o->skel);
}

static int prepare(struct sen_offline *o)
{
	size_t page = sysconf(_SC_PAGESIZE), bytes = SEN_REPLAY_BATCH * sizeof(*o->slots);
	__u32 zero = 0;
	void *memory;

	o->slots_bytes = (bytes + page - 1) / page * page;
	memory = mmap(NULL, o->slots_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(o->skel->maps.replay_slots), 0);
	if (memory == MAP_FAILED)
		return -errno;
	o->slots = memory;
	if (bpf_map_update_elem(bpf_map__fd(o->skel->maps.policy), &zero, o->options.policy,
				BPF_ANY))
		return -errno;
	o->ring = ring_buffer__new(bpf_map__fd(o->skel->maps.events), on_ring, o, NULL);
	if (!o->ring)
		return -errno;
	return o->options.model ? sen_offline_push(o, SEN_SLOT_ACTIVE, o->options.model) : 0;
}

int sen_offline_open(const struct sen_offline_options *options, struct sen_offline **out,
		     struct sen_why *why)
{
	struct sen_offline *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return sen_why(why, -ENOMEM, NULL, "loading packet program: out of memory");
	o->options = *options;
	libbpf_set_print(quiet);
	err = load(o);
	if (!err)
		err = prepare(o);
	if (err) {
		sen_offline_close(o);
		return sen_why(why, err, err == -EPERM ? "run it as root" : NULL,
			       "loading packet program: test_run: %s", strerror(-err));
	}
	*out = o;
	return 0;
}

void sen_offline_close(struct sen_offline *o)
{
	if (!o)
		return;
	ring_buffer__free(o->ring);
	if (o->slots)
		munmap(o->slots, o->slots_bytes);
	sentroid__destroy(o->skel);
	free(o);
}

int sen_offline_add(struct sen_offline *o, const struct sen_frame *frame)
{
	struct sen_replay_slot *slot = &o->slots[o->waiting];
	enum sen_clock_kind kind = sen_replay_clock_set(&o->clock, frame->time_ns);

	if (kind != SEN_CLOCK_FINE && o->options.on_clock)
		o->options.on_clock(o->options.ctx, frame, kind);
	slot->size = sen_frame_head(frame, slot->data);
	slot->now_ns = o->clock.now_ns;
	slot->wire_len = frame->wire_len;
	o->frame[o->waiting].time_ns = frame->time_ns;
	o->frame[o->waiting++].number = frame->number;
	return o->waiting == SEN_REPLAY_BATCH ? sen_offline_flush(o) : 0;
}

static int run_slots(struct sen_offline *o)
{
	static const __u8 room[SEN_REPLAY_BYTES]; /* the largest frame; the program cuts it to size */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = room, .data_size_in = sizeof(room),
		    .repeat = 1);

	o->skel->bss->replay_count = o->waiting;
	return bpf_prog_test_run_opts(bpf_program__fd(o->skel->progs.sentroid_replay), &opts) ?
		       -errno :
		       0;
}

static int tell(const struct sen_offline *o, unsigned int i)
{
	const struct sen_replay_slot *slot = &o->slots[i];
	const struct sen_frame frame = {
		.data = slot->data,
		.captured = slot->size,
		.wire_len = slot->wire_len,
		.time_ns = o->frame[i].time_ns,
		.clock_ns = slot->now_ns,
		.number = o->frame[i].number,
	};

	return o->options.on_result(o->options.ctx, &frame, &slot->result);
}

int sen_offline_flush(struct sen_offline *o)
{
	unsigned int n = o->waiting;
	int err = n ? run_slots(o) : 0;

	o->waiting = 0;
	for (unsigned int i = 0; !err && o->options.on_result && i < n; i++)
		err = tell(o, i);
	ring_buffer__consume(o->ring);
	return err;
}

int sen_offline_push(struct sen_offline *o, enum sen_slot slot, const struct sen_model_flat *model)
{
	return sen_model_slot_set(bpf_map__fd(o->skel->maps.models), slot, model);
}

int sen_offline_model(const struct sen_offline *o, enum sen_slot slot, struct sen_model_flat *out)
{
	return sen_model_slot_get(bpf_map__fd(o->skel->maps.models), slot, out);
}

int sen_offline_clear(struct sen_offline *o, enum sen_slot slot)
{
	return sen_model_slot_clear(bpf_map__fd(o->skel->maps.models), slot);
}

int sen_offline_stats(const struct sen_offline *o, struct sen_stats *out)
{
	return sen_stats_sum(bpf_map__fd(o->skel->maps.stats), out);
}

int sen_offline_score_hist(const struct sen_offline *o, struct sen_score_hist *out)
{
	return sen_score_hist_sum(bpf_map__fd(o->skel->maps.dist_hist), out);
}

int sen_offline_feature_hist(const struct sen_offline *o, struct sen_feature_hist *out)
{
	return sen_feature_hist_sum(bpf_map__fd(o->skel->maps.feat_hist), out);
}
