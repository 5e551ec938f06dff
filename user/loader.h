/* SPDX-License-Identifier: BSD-2-Clause */
/* Load, attach, pin; take off again. The only module that sees the skeleton. */
#ifndef SENTROID_LOADER_H
#define SENTROID_LOADER_H

#include <stdbool.h>

#include "allow.h"
#include "sentroid/abi.h"
#include "why.h"

/* Room for flows that can be asked for; the most takes 512 MiB. */
#define SEN_FLOWS_MIN 1024u
#define SEN_FLOWS_MAX (1u << 22)

/* Knobs of a fresh attach, but for mode and actions. */
extern const struct sen_policy sen_policy_defaults;
/* Those too: in mode enforce what a labelled centroid names is dropped, and nothing else. */
struct sen_policy sen_policy_of(enum sen_mode mode);

enum sen_attach_mode {
	SEN_ATTACH_AUTO,
	SEN_ATTACH_NATIVE,
	SEN_ATTACH_SKB
};

struct sen_attach_options {
	enum sen_attach_mode mode;
	enum sen_mode policy;
	const struct sen_model_flat *model; /* NULL: none in force, packets pass unscored */
	bool egress;                        /* see what leaves, too */
	struct sen_prefixes allow;          /* whose flows are not judged */
	unsigned int flows; /* capacity wanted, rounded up to a power of two; 0: default */
};

struct sen_attach_result {
	bool native;
	bool dispatcher;
	bool frags;
	bool egress;
	int no_native; /* errno: why native XDP was not to be had; 0: it was, or not asked for */
	int no_dispatcher; /* the same of the dispatcher; 0: it was, or not known */
	unsigned int prog_id;
	char note[256]; /* one line on a fallback taken, or empty */
};

/* Load the program, attach it to IFNAME, pin program and maps. All or nothing.
 * -ENODEV: no such interface; -EEXIST: Sentroid is attached already; -EBUSY: a foreign XDP program
 * holds the interface; -EPROTONOSUPPORT: no Ethernet; -EPERM: missing capability; others from the
 * kernel. */
int sen_loader_attach(const char *ifname, const struct sen_attach_options *options,
		      struct sen_attach_result *result, struct sen_why *why);
/* Detach the program and remove every pin. -ENOENT: nothing of ours there. */
int sen_loader_detach(const char *ifname, struct sen_why *why);

#endif
