/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet path of bpf/, the same code built natively: for fuzzing under sanitizers, and for comparison
 * with the BPF program. There is one, since its maps are global.
 */
#ifndef SENTROID_NATIVE_H
#define SENTROID_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#include "maps.h"
#include "sentroid/abi.h"

struct native_options {
	unsigned int flows, sources, targets,
		pairs;     /* capacities, powers of two; 0: those of bpf/ */
	const __u64 *seed; /* six; NULL: those of every replay */
	__u64 own_mac;     /* of the interface, 0: none */
	void (*on_event)(void *ctx, const void *event, size_t size); /* may be NULL */
	void *ctx;
};

/* What the path made of a frame. */
struct native_result {
	uint32_t verdict; /* enum sen_verdict */
	struct sen_replay_state state;
	const struct sen_flow *entry; /* NULL where the frame has no flow; live */
};

void native_open(const struct native_options *options);
void native_close(void);
/* As freshly opened: empty tables, no policy, no model, nobody on the allow list. */
void native_reset(void);

void native_set_policy(const struct sen_policy *policy);
/* NULL empties the slot. */
void native_set_model(enum sen_slot slot, const struct sen_model_flat *model);

/* Put a prefix on the allow list; one of IPv4 lies in the first four bytes of the address. */
void native_allow(const __u8 addr[SEN_ADDR_BYTES], __u32 bits, bool six);

/* Run a frame; `wire_len` is the length that it had before it was cut. On its way out nothing is dropped. */
void native_run(const void *frame, size_t len, uint32_t wire_len, uint64_t now_ns,
		struct native_result *out);
void native_run_out(const void *frame, size_t len, uint64_t now_ns, struct native_result *out);

const struct sen_stats *native_stats(void);

/* Make it look as if every target had long been flooded, which would take thousands of frames. */
void native_targets_flooded(void);

/* The name of what is wrong with the tables between two packets, NULL: nothing. */
const char *native_tables_fault(void);

#endif
