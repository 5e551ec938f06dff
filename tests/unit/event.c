// SPDX-License-Identifier: BSD-2-Clause
#include <netinet/in.h>
#include <string.h>

#include "event.h"

static void set_address(__u8 *addr, unsigned int host)
{
	memset(addr, 0, SEN_ADDR_BYTES);
	addr[10] = addr[11] = 0xff;
	addr[12] = 10;
	addr[13] = host >> 16 & 0xff;
	addr[14] = host >> 8 & 0xff;
	addr[15] = host & 0xff;
}

static void order(struct sen_event *ev, const __u8 *source, unsigned int sport, const __u8 *target,
		  unsigned int dport)
{
	int cmp = memcmp(source, target, SEN_ADDR_BYTES);
	int side = cmp > 0 || (!cmp && sport > dport);

	memcpy(ev->key.addr[side], source, SEN_ADDR_BYTES);
	memcpy(ev->key.addr[!side], target, SEN_ADDR_BYTES);
	ev->key.port[side] = (__u16)sport;
	ev->key.port[!side] = (__u16)dport;
	ev->flow_flags &= (__u8)~SEN_FLOW_INITIATOR_1;
	ev->flow_flags |= side ? SEN_FLOW_INITIATOR_1 : 0;
}

struct sen_event event_make(__u8 proto, unsigned int source, unsigned int sport,
			    unsigned int target, unsigned int dport)
{
	struct sen_event ev = { .version = SEN_EVENT_VERSION,
				.packets = 1,
				.evaluations = 1,
				.bytes = 74,
				.model_version = 1 };
	__u8 from[SEN_ADDR_BYTES], to[SEN_ADDR_BYTES];

	set_address(from, source);
	set_address(to, target);
	if (proto == SEN_PROTO_ARP) {
		memset(from, 0, sizeof(from));
		from[0] = 2;
		from[5] = (__u8)source;
	}
	ev.key.proto = proto;
	order(&ev, from, sport, to, dport);
	event_plain(&ev, SEN_FEATURE_FLOW_PACKETS, 1);
	event_plain(&ev, SEN_FEATURE_FLOW_MIN_LEN, 60);
	ev.vector.v[SEN_FEATURE_FLOW_IS_TCP] = proto == IPPROTO_TCP ? SEN_LG_YES : 0;
	ev.vector.v[SEN_FEATURE_FLOW_IS_UDP] = proto == IPPROTO_UDP ? SEN_LG_YES : 0;
	return ev;
}

void event_window(struct sen_event *ev, enum sen_feature feature, unsigned int events)
{
	ev->vector.v[feature] = (__u16)sen_lg_events(events * SEN_EVENT_UNIT);
}

void event_plain(struct sen_event *ev, enum sen_feature feature, unsigned int value)
{
	ev->vector.v[feature] = (__u16)sen_lg(value);
}

void event_spoof(struct sen_event *ev, unsigned int host)
{
	int side = !!(ev->flow_flags & SEN_FLOW_INITIATOR_1);
	__u8 from[SEN_ADDR_BYTES], to[SEN_ADDR_BYTES];
	unsigned int sport = ev->key.port[side], dport = ev->key.port[!side];

	memcpy(to, ev->key.addr[!side], sizeof(to));
	set_address(from, host);
	order(ev, from, sport, to, dport);
}
