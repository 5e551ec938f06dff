// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beacon.h"
#include "endpoint.h"

#define SETS 1024
#define WAYS 8
/* So many intervals, none of them short, hardly apart, nothing much said in any. */
#define LEAST_INTERVALS 12
#define LEAST_SECONDS   5.0
#define MOST_DEVIATION  0.1 /* of the mean */
#define MOST_BYTES      20000
#define PAUSE           3.0 /* intervals without a call end a row */

struct entry {
	uint64_t pair;     /* hash of source, target, service and protocol; 0: free */
	uint64_t start_ns; /* of the last flow */
	unsigned int intervals;
	bool known;
	double mean, m2; /* of the intervals, s and s^2 */
	uint64_t bytes;  /* of the largest exchange in the row */
};

struct sen_beacons {
	struct entry set[SETS][WAYS];
};

int sen_beacons_new(struct sen_beacons **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void sen_beacons_free(struct sen_beacons *b)
{
	free(b);
}

/* Networks of one's own: RFC 1918, 3927, 6598, 4193, 4291; and what is for all to hear. */
static bool is_inside(const __u8 *addr)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	const __u8 *v4 = addr + 12;

	if (memcmp(addr, mapped, sizeof(mapped)))
		return (addr[0] & 0xfe) == 0xfc || (addr[0] == 0xfe && addr[1] >= 0x80) ||
		       addr[0] == 0xff || !addr[0];
	return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 169 && v4[1] == 254) ||
	       (v4[0] == 100 && (v4[1] & 0xc0) == 64) || v4[0] == 127 || v4[0] >= 224 || !v4[0];
}

/* Names, time and discovery go by the clock everywhere. */
static bool is_clockwork(unsigned int service)
{
	return service == 53 || service == 123 || service == 853 || service == 1900 ||
	       service == 3478 || service == 5353;
}

static bool is_candidate(const struct sen_event *ev)
{
	return (ev->key.proto == IPPROTO_TCP || ev->key.proto == IPPROTO_UDP) &&
	       is_inside(sen_event_source(ev)) && !is_inside(sen_event_target(ev)) &&
	       !is_clockwork(sen_event_service(ev));
}

static uint64_t mix(const __u8 *a, const __u8 *b, uint64_t rest)
{
	uint64_t both[2] = { sen_addr_hash(a) + 3 * sen_addr_hash(b), rest };

	return sen_addr_hash((const __u8 *)both) | 1;
}

/* The entry of a pair, or the one in its set that has been silent for longest. */
static struct entry *find(struct sen_beacons *b, uint64_t pair)
{
	struct entry *set = b->set[pair >> 32 & (SETS - 1)], *oldest = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].pair == pair)
			return &set[i];
		if (set[i].start_ns < oldest->start_ns)
			oldest = &set[i];
	}
	*oldest = (struct entry){ .pair = pair };
	return oldest;
}

static void add_interval(struct entry *e, double seconds)
{
	double delta;

	/* The caller was away, or this is no clock at all: another row begins. */
	if (e->intervals && seconds > PAUSE * e->mean) {
		e->intervals = 0;
		e->mean = e->m2 = 0;
		e->bytes = 0;
		return;
	}
	delta = seconds - e->mean;
	e->mean += delta / ++e->intervals;
	e->m2 += delta * (seconds - e->mean);
}

static bool is_beacon(const struct entry *e)
{
	return !e->known && e->intervals >= LEAST_INTERVALS && e->mean >= LEAST_SECONDS &&
	       e->bytes <= MOST_BYTES && sqrt(e->m2 / e->intervals) <= MOST_DEVIATION * e->mean;
}

bool sen_beacons_event(struct sen_beacons *b, const struct sen_event *ev, bool known, char *reason,
		       size_t size)
{
	uint64_t rest = (uint64_t)sen_event_service(ev) << 8 | ev->key.proto;
	const __u8 *source = sen_event_source(ev), *target = sen_event_target(ev);
	struct entry *e;

	if (!is_candidate(ev))
		return false;
	e = find(b, mix(source, target, rest));
	e->known |= known;
	if (ev->evaluations == 1) {
		if (e->start_ns && ev->time_ns > e->start_ns)
			add_interval(e, (double)(ev->time_ns - e->start_ns) / 1e9);
		e->start_ns = ev->time_ns;
	}
	if (ev->bytes > e->bytes)
		e->bytes = ev->bytes;
	if (!is_beacon(e))
		return false;
	snprintf(
		reason, size,
		"calls the same service at a steady interval: %u times every %.1f s, give or take %.1f%%",
		e->intervals + 1, e->mean, 100 * sqrt(e->m2 / e->intervals) / e->mean);
	return true;
}
