/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pinned maps of one interface: what the agent and the command read and write while the program
 * runs. Opening checks the ABI of what is pinned; nothing here loads or attaches programs.
 */
#ifndef SENTROID_DATAPLANE_H
#define SENTROID_DATAPLANE_H

#include <stdint.h>

#include "allow.h"
#include "sentroid/abi.h"
#include "why.h"

struct sen_dataplane;

struct sen_flow_usage {
	uint64_t used;     /* entries whose deadline is not over */
	uint64_t capacity; /* entries */
};

/* Root of the pins: $SENTROID_BPFFS or /sys/fs/bpf/sentroid. */
const char *sen_pin_root(void);

/* Open the pins of an interface and check them. -ENOENT: not attached; -EPROTO: another ABI, hint
 * says what to do; -EPERM: not root. Free with sen_dataplane_close(). */
int sen_dataplane_open(const char *ifname, struct sen_dataplane **out, struct sen_why *why);
void sen_dataplane_close(struct sen_dataplane *dp);

const char *sen_dataplane_ifname(const struct sen_dataplane *dp);
const struct sen_meta *sen_dataplane_meta(const struct sen_dataplane *dp);
/* Descriptor of the events ring, for ring_buffer__new(); owned by dp. */
int sen_dataplane_events_fd(const struct sen_dataplane *dp);

/* Sums over CPUs. 0 or a negative errno. */
int sen_dataplane_stats(const struct sen_dataplane *dp, struct sen_stats *out);
/* The same from bare maps. */
int sen_stats_sum(int stats_fd, struct sen_stats *out);
int sen_score_hist_sum(int dist_hist_fd, struct sen_score_hist *out);
int sen_feature_hist_sum(int feat_hist_fd, struct sen_feature_hist *out);
int sen_dataplane_score_hist(const struct sen_dataplane *dp, struct sen_score_hist *out);
int sen_dataplane_feature_hist(const struct sen_dataplane *dp, struct sen_feature_hist *out);
int sen_dataplane_flow_usage(const struct sen_dataplane *dp, struct sen_flow_usage *out);
/* Hand out a copy of every flow in the table, those whose deadline is over included, with the number of its
 * entry. One that is being replaced meanwhile may come out half old, half new. 0 or a negative errno. */
typedef void (*sen_flow_fn)(void *ctx, uint32_t entry, const struct sen_flow *flow);
int sen_dataplane_each_flow(const struct sen_dataplane *dp, sen_flow_fn fn, void *ctx);
/* Keep what is over for long in the tables from looking alive again (deadlines.h): to be called every
 * SEN_DEADLINES_ROUND_S. 0 or a negative errno. */
int sen_dataplane_refresh(struct sen_dataplane *dp);

int sen_dataplane_policy(const struct sen_dataplane *dp, struct sen_policy *out);
int sen_dataplane_set_policy(struct sen_dataplane *dp, const struct sen_policy *policy);
/* Its allow list; the descriptors are owned by dp. */
struct sen_allow sen_dataplane_allow(const struct sen_dataplane *dp);

/* Its models, as in model_slot.h. */
int sen_dataplane_push(struct sen_dataplane *dp, enum sen_slot slot,
		       const struct sen_model_flat *model, struct sen_why *why);
int sen_dataplane_model(const struct sen_dataplane *dp, enum sen_slot slot,
			struct sen_model_flat *out);
int sen_dataplane_clear(struct sen_dataplane *dp, enum sen_slot slot);

/* Take the interface for one agent: an exclusive lock, released when the process ends.
 * -EBUSY with the holder's pid in the message. */
int sen_dataplane_claim(struct sen_dataplane *dp, struct sen_why *why);
/* Pid of the agent that holds the interface, 0: none. */
int sen_dataplane_agent(const struct sen_dataplane *dp);

#endif
