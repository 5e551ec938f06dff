// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "capture.h"
#include "harvest.h"
#include "loader.h"
#include "offline.h"

struct session {
	struct sen_harvest *harvest;
	const struct sen_harvest_options *options;
	bool out_of_memory;
};

/* FNV-1a */
static uint64_t hash_bytes(const void *data, size_t n)
{
	const uint8_t *byte = data;
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ byte[i]) * 0x100000001b3ull;
	return h;
}

struct sen_sample sen_sample_of(const struct sen_event *event)
{
	int initiator = !!(event->flow_flags & SEN_FLOW_INITIATOR_1);

	return (struct sen_sample){
		.vector = event->vector,
		.time_ns = event->time_ns,
		.source = hash_bytes(event->key.addr[initiator], SEN_ADDR_BYTES),
		.flow = hash_bytes(&event->key, sizeof(event->key)),
		.score = event->score,
		.model_version = event->model_version,
	};
}

static void on_event(void *ctx, const struct sen_event *event)
{
	struct session *s = ctx;
	struct sen_harvest *h = s->harvest;
	struct sen_sample *grown;

	if (h->n == h->room) {
		h->room = h->room ? 2 * h->room : 4096;
		grown = reallocarray(h->samples, h->room, sizeof(*grown));
		if (!grown) {
			h->room = h->n;
			s->out_of_memory = true;
			return;
		}
		h->samples = grown;
	}
	h->samples[h->n] = sen_sample_of(event);
	h->samples[h->n].label = s->options->label;
	h->samples[h->n].class_id = s->options->class_id;
	h->samples[h->n++].origin = SEN_ORIGIN_OPERATOR;
}

static int run(struct sen_offline *o, struct sen_capture *c,
	       const struct sen_harvest_options *options, struct sen_why *why)
{
	struct sen_frame frame;
	bool begun = false;
	uint64_t first = 0;
	int err, failed;

	while ((err = sen_capture_next(c, &frame, why)) == 1) {
		if (sen_cancelled(options->cancel))
			return sen_why(why, -ECANCELED, NULL, "replaying: cancelled");
		if (frame.foreign)
			continue;
		if (!begun)
			first = frame.time_ns;
		begun = true;
		if (options->until_s > 0 && frame.time_ns > first &&
		    (frame.time_ns - first) / 1e9 >= options->until_s)
			break;
		failed = sen_offline_add(o, &frame);
		if (failed)
			return sen_why(why, failed, NULL, "replaying: frame %llu: %s",
				       (unsigned long long)frame.number, strerror(-failed));
	}
	if (err == -EIO && options->on_damage) {
		options->on_damage(options->ctx, why);
		err = 0;
	}
	failed = sen_offline_flush(o);
	if (failed)
		return sen_why(why, failed, NULL, "replaying: %s", strerror(-failed));
	return err < 0 ? err : 0;
}

int sen_harvest_capture(struct sen_harvest *h, const char *path,
			const struct sen_harvest_options *options, struct sen_why *why)
{
	struct session session = { h, options, false };
	struct sen_policy policy = sen_policy_defaults;
	struct sen_offline_options offline = { .policy = &policy,
					       .model = options->model,
					       .on_event = options->on_event ? options->on_event :
									       on_event,
					       .ctx = options->on_event ? options->ctx : &session };
	struct sen_offline *o = NULL;
	struct sen_capture *c = NULL;
	int err;

	sen_offline_sample_all(&policy);
	err = sen_capture_open(path, options->on_note, options->ctx, &c, why);
	if (!err)
		err = sen_offline_open(&offline, &o, why);
	if (!err)
		err = run(o, c, options, why);
	if (!err && session.out_of_memory)
		err = sen_why(why, -ENOMEM, NULL, "collecting samples: %s: out of memory", path);
	sen_offline_close(o);
	sen_capture_close(c);
	return err;
}
