/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bpf/ takes from libbpf's header of this name, for a native build: map definitions keep their
 * shape, so that their sizes can be read off their types, and helpers are functions (tests/native/maps.c).
 */
#ifndef SENTROID_NATIVE_BPF_HELPERS_H
#define SENTROID_NATIVE_BPF_HELPERS_H

#define __uint(name, val)  int(*name)[val]
#define __type(name, val)  __typeof__(val) *name
#define __array(name, val) __typeof__(val) *name[]

#define SEC(name)

#undef __always_inline
#define __always_inline inline __attribute__((always_inline, unused))
#define __noinline      __attribute__((noinline))

#ifndef NULL
#define NULL ((void *)0)
#endif

/* To the program its settings are constants; here they are set before every start. */
#define SEN_SETTING volatile

struct xdp_md;
struct __sk_buff;

/* libbpf has functions of the same names, for user space. */
#define bpf_map_lookup_elem     native_lookup
#define bpf_ringbuf_reserve     native_reserve
#define bpf_ringbuf_submit      native_submit
#define bpf_ktime_get_coarse_ns native_clock
#define bpf_jiffies64           native_jiffies
#define bpf_xdp_get_buff_len    native_length
#define bpf_skb_pull_data       native_pull

void *bpf_map_lookup_elem(void *map, const void *key);
void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags);
void bpf_ringbuf_submit(void *data, __u64 flags);

/* Only live programs ask for these; a native build replays. */
__u64 bpf_ktime_get_coarse_ns(void);
__u64 bpf_jiffies64(void);
__u64 bpf_xdp_get_buff_len(struct xdp_md *ctx);
long bpf_skb_pull_data(struct __sk_buff *skb, __u32 len);

#endif
