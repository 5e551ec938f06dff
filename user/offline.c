// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane.h"
#include "loader.h"
#include "offline.h"
#include "program.h"
#include "replay.h"

#define ETH_HEADER  14u
#define DRAIN_EVERY 1024u
/* As many samples a second as a token bucket can count: nothing is withheld. */
#define UNLIMITED 4000000u

struct sen_offline {
	struct sentroid *skel;
	struct ring_buffer *ring;
	struct sen_offline_options options;
	const struct sen_flow *flows;
	size_t flows_bytes;
	int prog_fd;
	unsigned int runs;
	uint8_t head[SEN_HEAD_BYTES];
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
	return sentroid__load(o->skel);
}

static int prepare(struct sen_offline *o)
{
	size_t capacity = bpf_map__max_entries(o->skel->maps.flows);
	__u32 zero = 0;

	o->prog_fd = bpf_program__fd(o->skel->progs.sentroid);
	o->flows_bytes = capacity * sizeof(struct sen_flow);
	o->flows = mmap(NULL, o->flows_bytes, PROT_READ, MAP_SHARED,
			bpf_map__fd(o->skel->maps.flows), 0);
	if (o->flows == MAP_FAILED) {
		o->flows = NULL;
		return -errno;
	}
	if (bpf_map_update_elem(bpf_map__fd(o->skel->maps.policy), &zero, o->options.policy,
				BPF_ANY))
		return -errno;
	o->ring = ring_buffer__new(bpf_map__fd(o->skel->maps.events), on_ring, o, NULL);
	if (!o->ring)
		return -errno;
	return o->options.model ? sen_offline_push(o, o->options.model) : 0;
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
	if (o->flows)
		munmap((void *)o->flows, o->flows_bytes);
	sentroid__destroy(o->skel);
	free(o);
}

int sen_offline_run(struct sen_offline *o, const struct sen_frame *frame,
		    struct sen_offline_result *result)
{
	struct sen_replay_state *state = &o->skel->bss->replay;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = o->head, .repeat = 1);

	/* Before the frame: a sample comes behind the result of its own. */
	if (o->runs++ % DRAIN_EVERY == 0)
		sen_offline_drain(o);
	memset(result, 0, sizeof(*result));
	opts.data_size_in = sen_frame_head(frame, o->head);
	if (opts.data_size_in < ETH_HEADER)
		return 0;
	state->now_ns = frame->time_ns;
	state->wire_len = frame->wire_len;
	if (bpf_prog_test_run_opts(o->prog_fd, &opts))
		return -errno;
	result->dropped = opts.retval == 1;
	result->flow = state->flow;
	result->parsed = state->outcome == 0;
	if (state->flow >= sen_offline_capacity(o))
		return 0;
	result->opened = state->opened;
	result->side = state->side;
	result->entry = &o->flows[state->flow];
	return 0;
}

void sen_offline_drain(struct sen_offline *o)
{
	ring_buffer__consume(o->ring);
}

int sen_offline_push(struct sen_offline *o, const struct sen_model_flat *model)
{
	return sen_model_slot_set(bpf_map__fd(o->skel->maps.models), SEN_SLOT_ACTIVE, model);
}

unsigned int sen_offline_capacity(const struct sen_offline *o)
{
	return o->flows_bytes / sizeof(struct sen_flow);
}

int sen_offline_stats(const struct sen_offline *o, struct sen_stats *out)
{
	return sen_stats_sum(bpf_map__fd(o->skel->maps.stats), out);
}
