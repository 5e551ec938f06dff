/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traffic at the speed of XDP: frames of a live test_run (kernel 5.18 or later), each of another flow,
 * sent out of an interface. What is behind a veth takes them only if it has an XDP program or GRO.
 */
#ifndef SENTROID_LIVEGEN_H
#define SENTROID_LIVEGEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct sen_livegen_options {
	unsigned int ifindex; /* in the namespace of the caller */
	unsigned int flows;   /* in turn, at least 1; sources are of 198.18.0.0/15 */
	bool udp;             /* else TCP SYNs */
	bool mix;             /* five of every 16 frames are odd ones, see bpf/livegen.bpf.c */
	uint8_t mac[6];       /* destination */
	struct in_addr ip;
	uint16_t port; /* 0: 53 or 80 */
};

struct sen_livegen;

/* Load a generator; each runs on one CPU at a time. 0, or a negative errno. */
int sen_livegen_open(const struct sen_livegen_options *options, struct sen_livegen **out);
/* Send so many frames on this CPU and return when they are out. 0, or a negative errno. */
int sen_livegen_send(struct sen_livegen *gen, unsigned int frames);
/* Frames made so far. */
unsigned long long sen_livegen_made(const struct sen_livegen *gen);
void sen_livegen_close(struct sen_livegen *gen);

#endif
