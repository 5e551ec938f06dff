/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fixed-width types and the two helpers that every shared header needs, in the kernel and out of it. */
#ifndef SENTROID_TYPES_H
#define SENTROID_TYPES_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#include <stdbool.h>
#endif

#define SEN_INLINE static inline __attribute__((always_inline, unused))
#define SEN_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), #type " is part of the ABI")

/*
 * All ones where v is negative, else 0: selects without a branch. BPF has no conditional move, so a
 * compiler that sees through the mask, or through what it is made of, makes it a branch again, which the
 * pipeline may mispredict and which doubles the paths of the verifier; hence the opaque steps.
 */
SEN_INLINE __s64 sen_if_negative(__s64 v)
{
#ifdef __bpf__
	asm volatile("" : "+r"(v));
#endif
	v >>= 63;
#ifdef __bpf__
	asm volatile("" : "+r"(v));
#endif
	return v;
}

/*
 * The same value, of which the compiler no longer knows anything: a mask that is put on it for the
 * verifier's sake then stays. Before 6.10 the verifier takes the union of two values for any value.
 */
SEN_INLINE __u32 sen_opaque(__u32 v)
{
#ifdef __bpf__
	asm volatile("" : "+r"(v));
#endif
	return v;
}

#endif
