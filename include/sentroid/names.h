/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every enumeration that leaves the kernel, each with its name and meaning for users, metrics and
 * documentation. The lists are append-only: numbers are part of the ABI.
 */
#ifndef SENTROID_NAMES_H
#define SENTROID_NAMES_H

/* What happens to a packet. */
#define SEN_VERDICTS(X)                            \
	X(PASS, "pass", "let through")             \
	X(ALERT, "alert", "let through, reported") \
	X(DROP, "drop", "dropped, reported")       \
	X(REDIRECT, "redirect", "sent elsewhere, reported")

/* Why a flow has the verdict that it has. */
#define SEN_REASONS(X)                                                                         \
	X(NONE, "none", "not evaluated yet")                                                   \
	X(NORMAL, "normal", "within the threshold of the model in force")                      \
	X(DISTANCE, "distance", "too far from every centroid of normal traffic")               \
	X(NO_MODEL, "no_model", "no model in force")                                           \
	X(UNTRACKED, "untracked", "no room in the flow table: every way of the set is in use") \
	X(ALLOWED, "allowed", "begun by a host of the allow list")

/* What a flow is taken for. NONE: nothing wrong with it. UNKNOWN: anomalous, like nothing labelled. */
#define SEN_CLASSES(X)                \
	X(NONE, "", "normal traffic") \
	SEN_ATTACK_CLASSES(X)
#define SEN_ATTACK_CLASSES(X)                                                                 \
	X(UNKNOWN, "unknown", "a novelty: unlike normal traffic and unlike labelled attacks") \
	X(SCAN, "scan", "a source tries many ports or hosts")                                 \
	X(SYN_FLOOD, "syn_flood", "many half-open connections to a target")                   \
	X(UDP_FLOOD, "udp_flood", "many UDP packets to a target from nowhere in particular")  \
	X(ICMP_FLOOD, "icmp_flood", "many ICMP packets to a target")                          \
	X(AMPLIFICATION, "amplification", "large answers that the target did not ask for")    \
	X(REFLECTION_TCP, "reflection_tcp", "TCP answers to connections never opened")        \
	X(BRUTE_FORCE, "brute_force", "repeated logins against one service")                  \
	X(SLOWLORIS, "slowloris", "many connections held open with hardly any payload")       \
	X(ARP_SPOOF, "arp_spoof", "ARP answers that nobody asked for")                        \
	X(BEACON, "beacon", "small exchanges at a steady interval")

/* Counters of the stats map, one of each per CPU. packets = parsed + the not_* + truncated;
 * errors are among those parsed. */
#define SEN_STATS(X)                                                                               \
	X(packets, "frames received")                                                              \
	X(bytes, "bytes received, layer 2 included")                                               \
	X(parsed, "packets attributed to a flow")                                                  \
	X(not_ip, "frames of other network protocols, passed")                                     \
	X(not_transport, "packets of other transport protocols, passed")                           \
	X(truncated, "frames cut inside a header, passed")                                         \
	X(fragments_unjoined, "later fragments whose first one was not seen, a flow of their own") \
	X(errors, "internal failures; the packet was passed")                                      \
	X(pass, "verdicts pass")                                                                   \
	X(alert, "verdicts alert")                                                                 \
	X(drop, "verdicts drop")                                                                   \
	X(redirect, "verdicts redirect")                                                           \
	X(flows_new, "flows that took an entry")                                                   \
	X(flows_replaced, "entries taken from a flow that had gone idle or quiet")                 \
	X(flows_untracked, "packets whose flow found no entry")                                    \
	X(flows_inherited, "packets that took over the standing verdict on their target")          \
	X(hosts_untracked, "source, target or pair lookups that found no entry")                   \
	X(set_contended, "misses that found their set locked by another CPU")                      \
	X(evaluations, "feature vectors scored")                                                   \
	X(memo_hits, "evaluations answered by an identical earlier vector")                        \
	X(flagged, "evaluations at or above the threshold")                                        \
	X(no_model, "evaluations without a model in force")                                        \
	X(shadow_evaluations, "vectors also scored by the shadow model")                           \
	X(shadow_only_active, "flagged by the active model only")                                  \
	X(shadow_only_shadow, "flagged by the shadow model only")                                  \
	X(events_sent, "samples put into the ring")                                                \
	X(events_lost_rate, "samples withheld by their rate limit")                                \
	X(events_lost_full, "samples lost because the ring was full")                              \
	X(allowed, "decision points of flows that the allow list exempts, not scored")

#define SEN_ENUM_VERDICT(id, name, help) SEN_VERDICT_##id,
#define SEN_ENUM_REASON(id, name, help)  SEN_REASON_##id,
#define SEN_ENUM_CLASS(id, name, help)   SEN_CLASS_##id,

enum sen_verdict {
	SEN_VERDICTS(SEN_ENUM_VERDICT) SEN_VERDICT_COUNT
};
enum sen_reason {
	SEN_REASONS(SEN_ENUM_REASON) SEN_REASON_COUNT
};
enum sen_class {
	SEN_CLASSES(SEN_ENUM_CLASS) SEN_CLASS_BUILTIN_COUNT
};

/* Class ids from here on are named by the model that carries them. */
#define SEN_CLASS_CUSTOM 32
#define SEN_CLASS_MAX    64

#endif
