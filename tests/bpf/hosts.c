// SPDX-License-Identifier: BSD-2-Clause
#include "hosts.h"

void tcp(struct rig *rig, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport, uint8_t flags,
	 uint16_t payload)
{
	struct packet p;

	rig_send(rig, packet_tcp(&p, from, sport, to, dport, flags, payload));
}

void udp(struct rig *rig, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport,
	 uint16_t payload)
{
	struct packet p;

	rig_send(rig, packet_udp(&p, from, sport, to, dport, payload));
}

uint32_t feature(struct rig *rig, enum sen_feature which)
{
	return rig_last_event(rig)->vector.v[which];
}

struct sen_source *source(struct rig *rig, uint32_t host)
{
	struct sen_source *s = rig_source(rig, LAYER_IP4, host);

	assert_non_null(s);
	return s;
}

struct sen_target *target(struct rig *rig, uint32_t host)
{
	struct sen_target *t = rig_target(rig, LAYER_IP4, host);

	assert_non_null(t);
	return t;
}
