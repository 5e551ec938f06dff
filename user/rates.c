// SPDX-License-Identifier: BSD-2-Clause
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rates.h"

struct sen_rates_entry {
	uint64_t first_ns; /* tells the flows of an entry apart */
	uint32_t packets;  /* both ways, may come round */
};

struct sen_rates *sen_rates_new(uint32_t entries, size_t room)
{
	struct sen_rates *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->n_entries = entries;
	r->room = room;
	r->entries = calloc(entries, sizeof(*r->entries));
	r->rows = calloc(room, sizeof(*r->rows));
	if (r->entries && r->rows)
		return r;
	sen_rates_free(r);
	return NULL;
}

void sen_rates_free(struct sen_rates *r)
{
	if (!r)
		return;
	free(r->entries);
	free(r->rows);
	free(r);
}

void sen_rates_begin(struct sen_rates *r, const struct sen_stats *stats, int64_t now_ms)
{
	const __u64 *now = (const __u64 *)stats, *before = (const __u64 *)&r->stats;
	__u64 *change = (__u64 *)&r->change;

	for (size_t i = 0; i < sizeof(*stats) / sizeof(*now); i++)
		change[i] = now[i] - before[i];
	r->seconds = (double)(now_ms - r->read_ms) / 1000;
	r->stats = *stats;
	r->read_ms = now_ms;
	r->n = 0;
}

static bool outranks(const struct sen_rates_row *a, const struct sen_rates_row *b)
{
	bool flagged = a->flow.flags & SEN_FLOW_FLAGGED;

	if (flagged != !!(b->flow.flags & SEN_FLOW_FLAGGED))
		return flagged;
	if (flagged && a->flow.score != b->flow.score)
		return a->flow.score > b->flow.score;
	return a->packets > b->packets;
}

/* In its place among the rows; the last one gives way where there is no room. */
static void insert(struct sen_rates *r, const struct sen_rates_row *row)
{
	size_t at = r->n;

	if (r->n < r->room)
		r->n++;
	else if (!r->room || !outranks(row, &r->rows[--at]))
		return;
	for (; at && outranks(row, &r->rows[at - 1]); at--)
		r->rows[at] = r->rows[at - 1];
	r->rows[at] = *row;
}

void sen_rates_flow(void *rates, uint32_t entry, const struct sen_flow *flow)
{
	struct sen_rates *r = rates;
	struct sen_rates_row row = { .flow = *flow };
	uint32_t packets = flow->packets[0] + flow->packets[1];
	struct sen_rates_entry *e;

	if (entry >= r->n_entries)
		return;
	e = &r->entries[entry];
	row.packets = (uint32_t)(packets - (e->first_ns == flow->first_ns ? e->packets : 0));
	e->first_ns = flow->first_ns;
	e->packets = packets;
	if (row.packets)
		insert(r, &row);
}
