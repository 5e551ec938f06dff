// SPDX-License-Identifier: BSD-2-Clause
#include <stddef.h>

#include "cancel.h"
#include "clock.h"

static _Thread_local _Atomic int64_t *noted;

bool sen_cancelled(const atomic_bool *cancel)
{
	if (noted)
		atomic_store_explicit(noted, sen_now_ms(), memory_order_relaxed);
	return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

void sen_cancel_note(_Atomic int64_t *asked_ms)
{
	noted = asked_ms;
}
