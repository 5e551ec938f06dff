// SPDX-License-Identifier: BSD-2-Clause
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"

/* Any socket will do. 0, or negative where there is no answer. */
static int ask(const char *ifname, unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -1;
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", ifname);
	err = ioctl(fd, what, request);
	close(fd);
	return err;
}

unsigned int sen_device_kind(const char *ifname)
{
	struct ifreq request = { 0 };

	return ask(ifname, SIOCGIFHWADDR, &request) ? ARPHRD_VOID : request.ifr_hwaddr.sa_family;
}

uint64_t sen_device_mac(const char *ifname)
{
	struct ifreq request = { 0 };
	uint64_t mac = 0;

	if (ask(ifname, SIOCGIFHWADDR, &request) || request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return 0;
	for (int i = 0; i < 6; i++)
		mac = mac << 8 | (uint8_t)request.ifr_hwaddr.sa_data[i];
	return mac;
}

bool sen_device_untags(const char *ifname)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq request = { .ifr_data = (char *)&flags };

	return !ask(ifname, SIOCETHTOOL, &request) && flags.data & ETH_FLAG_RXVLAN;
}
