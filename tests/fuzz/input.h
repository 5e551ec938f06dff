/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fuzz_path reads and seeds writes: two bytes of options, then frames, each behind a header of six
 * bytes. Numbers are little endian; large ones are kept as a mantissa and a shift, so that a changed bit
 * makes a small difference or a huge one.
 */
#ifndef SENTROID_FUZZ_INPUT_H
#define SENTROID_FUZZ_INPUT_H

#include <stdint.h>

#define INPUT_OPTIONS 2

/* First byte of the options: enum sen_mode, the model (0: none, 1: flags everything, else any), whether
 * there is a shadow model, whether every target is under flood; second one: how often a long flow is
 * evaluated. */
#define INPUT_MODE(byte)   (((byte)&3) % 3)
#define INPUT_MODEL(byte)  ((byte) >> 2 & 7)
#define INPUT_SHADOW(byte) ((byte) >> 5 & 1)
#define INPUT_FLOOD(byte)  ((byte) >> 6 & 1)

struct input_header {
	uint16_t size; /* bytes of the frame; more than are left: all of them */
	uint16_t time; /* since the last frame, ns: 10 bits, shifted by the next 5; top bit: back */
	uint16_t more; /* bytes that were cut off: 11 bits, shifted by the next 5 */
} __attribute__((packed));

static inline int64_t input_time(const struct input_header *h)
{
	int64_t ns = (int64_t)(h->time & 0x3ff) << (h->time >> 10 & 31);

	return h->time & 0x8000 ? -ns : ns;
}

static inline uint32_t input_wire(const struct input_header *h, uint32_t held)
{
	uint64_t wire = held + ((uint64_t)(h->more & 0x7ff) << (h->more >> 11));

	return wire > UINT32_MAX ? UINT32_MAX : wire;
}

/* The nearest number below that a mantissa of so many bits can hold. */
static inline uint16_t input_number(uint64_t value, unsigned int bits)
{
	unsigned int shift = 0;

	while (value >> bits && shift < 31) {
		value >>= 1;
		shift++;
	}
	return (value & ((1u << bits) - 1)) | shift << bits;
}

#endif
