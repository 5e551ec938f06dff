// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allow.h"
#include "dataplane.h"
#include "offline.h"
#include "model_slot.h"
#include "pipeline.h"
#include "program.h"
#include "replay.h"

/* As many samples a second as a token bucket can count: nothing is withheld. */
#define UNLIMITED 4000000u

/* A batch of frames, and what came of it beside the results in its slots. */
struct bank {
	unsigned int first, n; /* its slots */
	struct {
		uint64_t time_ns, place;
	} frame[SEN_REPLAY_BATCH];
	unsigned int n_events;
	struct sen_event event[SEN_REPLAY_BATCH];
};

struct sen_offline {
	struct sentroid *skel;
	struct ring_buffer *ring;
	struct sen_offline_options options;
	struct sen_replay_slot *slots;
	size_t slots_bytes;
	struct sen_replay_clock clock;
	uint64_t stamp_ns; /* of the latest frame that had one */
	struct bank *bank; /* SEN_REPLAY_BANKS */
	struct bank *running;
	struct sen_pipeline *pipeline;
};

void sen_offline_sample_all(struct sen_policy *policy)
{
	policy->sample_every = 1;
	policy->wakeup_ticks = UINT32_MAX; /* nobody sleeps beside this ring */
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

	if (size >= sizeof(*event) && event->version == SEN_EVENT_VERSION &&
	    o->running->n_events < SEN_REPLAY_BATCH)
		o->running->event[o->running->n_events++] = *event;
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

static int allow(const struct sen_offline *o)
{
	const struct sen_allow list = { bpf_map__fd(o->skel->maps.allow4),
					bpf_map__fd(o->skel->maps.allow6) };

	return o->options.allow ? sen_allow_add_all(&list, o->options.allow) : 0;
}

static int prepare(struct sen_offline *o)
{
	size_t page = sysconf(_SC_PAGESIZE),
	       bytes = SEN_REPLAY_BANKS * SEN_REPLAY_BATCH * sizeof(*o->slots);
	__u32 zero = 0;
	void *memory;
	int err;

	o->slots_bytes = (bytes + page - 1) / page * page;
	memory = mmap(NULL, o->slots_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(o->skel->maps.replay_slots), 0);
	if (memory == MAP_FAILED)
		return -errno;
	o->slots = memory;
	if (bpf_map_update_elem(bpf_map__fd(o->skel->maps.policy), &zero, o->options.policy,
				BPF_ANY))
		return -errno;
	err = allow(o);
	if (err)
		return err;
	o->bank = calloc(SEN_REPLAY_BANKS, sizeof(*o->bank));
	if (!o->bank)
		return -ENOMEM;
	for (unsigned int i = 0; i < SEN_REPLAY_BANKS; i++)
		o->bank[i].first = i * SEN_REPLAY_BATCH;
	o->ring = ring_buffer__new(bpf_map__fd(o->skel->maps.events), on_ring, o, NULL);
	if (!o->ring)
		return -errno;
	return o->options.model ? sen_offline_push(o, SEN_SLOT_ACTIVE, o->options.model) : 0;
}

/* Run a batch, and take its samples before those of the next one come. */
static int run_bank(void *ctx, unsigned int item)
{
	static const __u8 room[SEN_REPLAY_BYTES]; /* the largest frame; the program cuts it to size */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = room, .data_size_in = sizeof(room),
		    .repeat = 1);
	struct sen_offline *o = ctx;

	o->running = &o->bank[item];
	o->running->n_events = 0;
	o->skel->bss->replay_first = o->running->first;
	o->skel->bss->replay_count = o->running->n;
	if (bpf_prog_test_run_opts(bpf_program__fd(o->skel->progs.sentroid_replay), &opts))
		return -errno;
	ring_buffer__consume(o->ring);
	return 0;
}

/* Where there is but one CPU, a thread is of no use. */
static int start(struct sen_offline *o)
{
	bool threaded = !o->options.in_step && sysconf(_SC_NPROCESSORS_ONLN) > 1;

	return sen_pipeline_start(SEN_REPLAY_BANKS, threaded, run_bank, o, &o->pipeline);
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
	if (!err)
		err = start(o);
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
	sen_pipeline_stop(o->pipeline);
	free(o->bank);
	ring_buffer__free(o->ring);
	if (o->slots)
		munmap(o->slots, o->slots_bytes);
	sentroid__destroy(o->skel);
	free(o);
}

static int tell_frame(const struct sen_offline *o, const struct bank *bank, unsigned int i)
{
	const struct sen_replay_slot *slot = &o->slots[bank->first + i];
	const struct sen_frame frame = {
		.data = slot->data,
		.captured = slot->size,
		.wire_len = slot->wire_len,
		.time_ns = bank->frame[i].time_ns,
		.clock_ns = slot->now_ns,
		.place = bank->frame[i].place,
	};

	return o->options.on_result(o->options.ctx, &frame, &slot->result);
}

static int tell(const struct sen_offline *o, const struct bank *bank)
{
	int err = 0;

	for (unsigned int i = 0; !err && o->options.on_result && i < bank->n; i++)
		err = tell_frame(o, bank, i);
	for (unsigned int i = 0; !err && o->options.on_event && i < bank->n_events; i++)
		o->options.on_event(o->options.ctx, &bank->event[i]);
	return err;
}

/* Wait for the oldest batch, tell what came of it, and let it be filled again. */
static int finish_oldest(struct sen_offline *o)
{
	unsigned int item;
	int err = sen_pipeline_take(o->pipeline, &item);

	if (!err)
		err = tell(o, &o->bank[item]);
	o->bank[item].n = 0;
	return err;
}

static int hand_over(struct sen_offline *o)
{
	sen_pipeline_put(o->pipeline);
	return sen_pipeline_full(o->pipeline) ? finish_oldest(o) : 0;
}

int sen_offline_flush(struct sen_offline *o)
{
	int err = 0;

	if (o->bank[sen_pipeline_next(o->pipeline)].n)
		sen_pipeline_put(o->pipeline);
	while (!err && !sen_pipeline_empty(o->pipeline))
		err = finish_oldest(o);
	return err;
}

int sen_offline_add(struct sen_offline *o, const struct sen_frame *frame)
{
	struct bank *bank = &o->bank[sen_pipeline_next(o->pipeline)];
	struct sen_replay_slot *slot = &o->slots[bank->first + bank->n];
	enum sen_clock_kind kind = sen_replay_clock_set(&o->clock, frame->time_ns);

	if (kind != SEN_CLOCK_FINE && o->options.on_clock)
		o->options.on_clock(o->options.ctx, frame, kind);
	if (kind != SEN_CLOCK_MISSING)
		o->stamp_ns = frame->time_ns;
	slot->size = sen_frame_head(frame, slot->data);
	slot->now_ns = o->clock.now_ns;
	slot->wire_len = frame->wire_len;
	bank->frame[bank->n].time_ns = o->stamp_ns;
	bank->frame[bank->n++].place = frame->place;
	if (bank->n < SEN_REPLAY_BATCH)
		return 0;
	return o->options.in_step ? sen_offline_flush(o) : hand_over(o);
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
