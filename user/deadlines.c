// SPDX-License-Identifier: BSD-2-Clause
#include "deadlines.h"

#include <stdbool.h>

#define LIFE_MAX (SEN_LIFE_MAX >> SEN_DEADLINE_SHIFT)
/* Wound back to here: half of the way to where it would come round. */
#define LONG_OVER 0x4000

static int units_left(__u16 deadline, __u16 now)
{
	return (__s16)(deadline - now);
}

/* As life_left() of bpf/table.bpf.h has it: further ahead than any life is behind. */
static bool is_alive(__u16 deadline, __u16 now)
{
	int left = units_left(deadline, now);

	return left > 0 && left <= LIFE_MAX;
}

uint64_t sen_deadlines_alive(const struct sen_set *sets, size_t count, __u16 now)
{
	uint64_t alive = 0;

	for (size_t i = 0; i < count; i++)
		for (int way = 0; way < SEN_WAYS; way++)
			alive += sets[i].tag[way] && is_alive(sets[i].deadline[way], now);
	return alive;
}

static bool refresh(struct sen_set *set, int way, __u16 now)
{
	__u16 was = *(volatile __u16 *)&set->deadline[way];
	int left = units_left(was, now);

	if (!set->tag[way] || (left >= -LONG_OVER && left <= LIFE_MAX))
		return false;
	return __sync_bool_compare_and_swap(&set->deadline[way], was, (__u16)(now - LONG_OVER));
}

uint64_t sen_deadlines_refresh(struct sen_set *sets, size_t count, __u16 now)
{
	uint64_t refreshed = 0;

	for (size_t i = 0; i < count; i++)
		for (int way = 0; way < SEN_WAYS; way++)
			refreshed += refresh(&sets[i], way, now);
	return refreshed;
}
