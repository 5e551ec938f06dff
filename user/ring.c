// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"

#define BUDGET 4096 /* events of one drain */

struct sen_ring {
	struct ring_buffer *buffer;
	sen_ring_fn fn;
	void *ctx;
	unsigned int left; /* of the budget */
	struct sen_ring_counts counts;
};

/* A negative result stops libbpf after this sample, which is consumed all the same. */
static int on_sample(void *ctx, void *data, size_t size)
{
	struct sen_ring *r = ctx;
	const struct sen_event *ev = data;

	if (size < sizeof(*ev) || ev->version != SEN_EVENT_VERSION) {
		r->counts.unknown++;
	} else {
		r->counts.consumed++;
		r->fn(r->ctx, ev);
	}
	return --r->left ? 0 : -EAGAIN;
}

int sen_ring_open(struct sen_dataplane *dp, sen_ring_fn fn, void *ctx, struct sen_ring **out,
		  struct sen_why *why)
{
	struct sen_ring *r = calloc(1, sizeof(*r));

	if (!r)
		return sen_why(why, -ENOMEM, NULL, "events ring: out of memory");
	r->fn = fn;
	r->ctx = ctx;
	r->buffer = ring_buffer__new(sen_dataplane_events_fd(dp), on_sample, r, NULL);
	if (!r->buffer) {
		int err = -errno;

		free(r);
		return sen_why(why, err, NULL, "events ring: %s: %s", sen_dataplane_ifname(dp),
			       strerror(-err));
	}
	*out = r;
	return 0;
}

void sen_ring_close(struct sen_ring *r)
{
	if (!r)
		return;
	ring_buffer__free(r->buffer);
	free(r);
}

int sen_ring_fd(const struct sen_ring *r)
{
	return ring_buffer__epoll_fd(r->buffer);
}

bool sen_ring_drain(struct sen_ring *r, int64_t now_ms)
{
	r->left = BUDGET;
	if (ring_buffer__consume(r->buffer) >= 0 || !r->left)
		r->counts.drained_ms = now_ms;
	return !r->left;
}

const struct sen_ring_counts *sen_ring_counts(const struct sen_ring *r)
{
	return &r->counts;
}
