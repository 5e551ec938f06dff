/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet program, loaded but attached to nothing, in tables of a test's own size, with hash keys
 * and a clock that the test sets: frames in, then a look at everything that they left behind.
 */
#ifndef SENTROID_TEST_HARNESS_H
#define SENTROID_TEST_HARNESS_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "packet.h"
#include "random.h"
#include "sentroid/abi.h"
#include "sentroid.skel.h"

#define SECOND_NS 1000000000ull
#define NO_FLOW   (~0u)
/* XDP verdicts, without <linux/bpf.h>'s whole world in every test. */
#define DROPPED XDP_DROP
#define PASSED  XDP_PASS

/* enum sen_outcome of the packet path, in its order. */
enum outcome {
	PARSED,
	NOT_IP,
	NOT_TRANSPORT,
	TRUNCATED
};

/* A table in two maps, both mapped into memory. */
struct rig_table {
	struct sen_set *sets;
	void *entries;
	__u32 *handed_out; /* entries that have been given to a way */
	size_t entry_size;
	unsigned int capacity;
};

/* Map the two maps of a loaded table into memory, and back. */
void rig_table_open(struct rig_table *t, const struct bpf_map *sets, const struct bpf_map *entries,
		    __u32 *handed_out);
void rig_table_close(const struct rig_table *t);
void rig_table_empty(const struct rig_table *t);
/* The entry of a way, NULL where it is free. */
void *rig_table_entry(const struct rig_table *t, unsigned int way);

/* Capacities, powers of two; 0: large enough for a test that does not care. */
struct rig_sizes {
	unsigned int flows, sources, targets, pairs;
	bool live;        /* lengths and clock are the program's own, as on an interface */
	bool no_jiffies;  /* a live clock is the coarse one */
	bool egress;      /* load the program for the way out too */
	uint64_t own_mac; /* of the interface, 0: none */
};

struct rig {
	struct sentroid *skel;
	int prog_fd;
	struct rig_table flows, sources, targets, pairs;
	struct sen_policy policy; /* in force after rig_apply_policy() */
	struct ring_buffer *ring;
	struct sen_event *events; /* all those read so far */
	size_t event_count;
	uint64_t now_ns; /* of the next frame */
};

/* What the program made of a frame. */
struct sent {
	uint32_t action; /* enum xdp_action */
	enum outcome outcome;
	uint32_t flow; /* index of its entry, or NO_FLOW */
	bool opened;
	uint32_t side;
};

/* What programs keep by CPU would else depend on the scheduler. */
void stay_on_one_cpu(void);

/* Load; fails the test where that is not possible. The thread is held on one CPU. NULL: all sizes of
 * no concern. */
struct rig *rig_open(const struct rig_sizes *sizes);
void rig_close(struct rig *rig);
/* Empty the tables, as if freshly loaded; statistics and clock go on. */
void rig_empty_tables(struct rig *rig);

/* Run a frame. `wire` is the length that it had before it was cut. */
struct sent rig_send_cut(struct rig *rig, const void *frame, size_t len, size_t wire);
struct sent rig_send(struct rig *rig, const struct packet *p);
/* The bare call, for more than one thread at a time: the program's action, or a negative errno. */
int rig_run(int prog_fd, const void *frame, size_t len);

/* Let time pass; ticks are those of the windows. */
void rig_wait_ns(struct rig *rig, uint64_t ns);
void rig_set_tick(struct rig *rig, uint32_t tick);
uint32_t rig_tick(const struct rig *rig);

void rig_apply_policy(struct rig *rig);
void rig_push(struct rig *rig, enum sen_slot slot, const struct sen_model_flat *model);
/* Put a model in force that gives every vector this score, and a scan's class where that is flagged. */
void rig_push_constant(struct rig *rig, __u32 version, __u32 score);

struct sen_stats rig_stats(const struct rig *rig);
/* Every frame has one outcome and one verdict. */
void rig_assert_balance(const struct rig *rig);

struct sen_flow *rig_flow(const struct rig *rig, uint32_t index);
/* The entry of a host, NULL where it has none. */
struct sen_source *rig_source(const struct rig *rig, enum layer_kind family, uint64_t number);
struct sen_target *rig_target(const struct rig *rig, enum layer_kind family, uint64_t number);
struct sen_pair *rig_pair(const struct rig *rig, uint32_t initiator, uint32_t responder,
			  uint16_t service, uint8_t proto);
/* Entries in use. */
size_t rig_used(const struct rig_table *table);

/* Read what is in the ring; the last event. */
size_t rig_read_events(struct rig *rig);
const struct sen_event *rig_last_event(struct rig *rig);

/* assert_int_equal() with the name of the case and the thing. */
void expect(const char *name, const char *what, uint64_t got, uint64_t want);

#endif
