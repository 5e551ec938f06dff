/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel tells of an interface, in the network namespace of the calling thread. */
#ifndef SENTROID_DEVICE_H
#define SENTROID_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

/* What kind of hardware its addresses are of, ARPHRD_*; ARPHRD_VOID where that cannot be told. */
unsigned int sen_device_kind(const char *ifname);
/* Hardware address in the low 48 bits, 0 where the interface has none. */
uint64_t sen_device_mac(const char *ifname);
/* Whether it takes VLAN tags off what comes in, before any program sees it. */
bool sen_device_untags(const char *ifname);

#endif
