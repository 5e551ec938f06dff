/* SPDX-License-Identifier: BSD-2-Clause */
/* What every replay of a capture has in common, by test_run or natively. */
#ifndef SENTROID_REPLAY_H
#define SENTROID_REPLAY_H

#include <string.h>

#include "capture.h"
#include "sentroid/abi.h"

/* The bytes of a frame that the program is given. What the capture cut off is not there: zeros in its
 * place would be read as addresses and ports. */
static inline uint32_t sen_frame_head(const struct sen_frame *f, uint8_t head[SEN_REPLAY_BYTES])
{
	uint32_t size = f->captured < SEN_REPLAY_BYTES ? f->captured : SEN_REPLAY_BYTES;

	memcpy(head, f->data, size);
	return size;
}

/* Keys of the table hashes: replaying twice must give the same bits, and they decide who shares a set. */
static inline uint64_t sen_replay_seed(unsigned int i)
{
	return 0x9e3779b97f4a7c15ull * (i + 1);
}

#endif
