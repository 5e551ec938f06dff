/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flows of a replay, in the order of their first packets. Flows are told apart as the packet path
 * does it, but none is lost for want of room in its table: what found no entry there has its line too.
 */
#ifndef SENTROID_FLOWLOG_H
#define SENTROID_FLOWLOG_H

#include "csv.h"
#include "model.h"
#include "offline.h"

#define SEN_FLOW_TEXT 48 /* room for an address */
#define SEN_NO_FLOW   (~(size_t)0)

struct sen_flow_record {
	struct sen_flow_key key;
	uint64_t first_ns, last_ns;       /* the stamp of its first frame and its latest stamp */
	uint64_t first_clock, last_clock; /* first and last frame by the clock of the replay, ns */
	uint64_t packets, bytes;
	uint64_t dropped; /* packets that policy would have held back */
	uint32_t score;   /* highest, Q16 */
	uint32_t evaluations;
	uint8_t from;       /* side of the first packet */
	uint8_t flow_flags; /* last */
	uint8_t class_id;   /* at the highest score */
	uint8_t reason;     /* at the highest score */
	uint8_t name;   /* what its samples were taken for (naming.h), SEN_CLASS_NONE: not told */
	uint8_t ground; /* enum sen_ground of that */
	uint8_t pad[2];
};

struct sen_flowlog;

/* NULL when out of memory. */
struct sen_flowlog *sen_flowlog_new(void);
void sen_flowlog_free(struct sen_flowlog *log);

/* Note what the program said of a frame; the number of its flow goes to *index (may be NULL),
 * SEN_NO_FLOW where it has none. -ENOMEM. */
int sen_flowlog_add(struct sen_flowlog *log, const struct sen_frame *frame,
		    const struct sen_replay_result *result, size_t *index);
/* Name the flow of a sample: the last counts, but what a centroid says counts less than signs, and these less
 * than a rule. */
void sen_flowlog_name(struct sen_flowlog *log, const struct sen_event *event);

size_t sen_flowlog_count(const struct sen_flowlog *log);
/* A flow by its number, in the order of first packets from 0; valid until the next frame is noted. */
const struct sen_flow_record *sen_flowlog_get(const struct sen_flowlog *log, size_t index);
bool sen_flow_flagged(const struct sen_flow_record *r);
/* What a flagged flow is taken for; else SEN_CLASS_NONE. */
unsigned int sen_flow_class(const struct sen_flow_record *r);
/* Who sent the first packet (end 0), and to whom (end 1): an IP address, or the MAC that sent ARP. */
void sen_flow_address(const struct sen_flow_record *r, int end, char text[SEN_FLOW_TEXT]);

#define SEN_FLOWLOG_HEADER                                                              \
	"first_ts,last_ts,proto,src,sport,dst,dport,packets,bytes,score,flagged,class," \
	"reason"

/* The lines of `sentroid replay --flows`; `model` names the classes. */
void sen_flowlog_write(const struct sen_flowlog *log, const struct sen_model *model,
		       struct sen_csv *csv);

#endif
