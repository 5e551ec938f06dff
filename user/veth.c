// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "veth.h"

struct request {
	struct nlmsghdr header;
	char payload[512];
};

/* Room at the end of a message. */
static void *extend(struct request *r, size_t bytes)
{
	void *at = (char *)r + NLMSG_ALIGN(r->header.nlmsg_len);

	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + bytes;
	return at;
}

static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t bytes)
{
	struct rtattr *attr = extend(r, RTA_LENGTH(bytes));

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(bytes);
	if (bytes)
		memcpy(RTA_DATA(attr), data, bytes);
	return attr;
}

/* What was put since then is inside the attribute. */
static void nest_end(struct request *r, struct rtattr *attr)
{
	attr->rta_len = (char *)r + r->header.nlmsg_len - (char *)attr;
}

static void put_interface(struct request *r, const char *name, unsigned int queues)
{
	put(r, IFLA_IFNAME, name, strlen(name) + 1);
	put(r, IFLA_NUM_RX_QUEUES, &queues, sizeof(queues));
	put(r, IFLA_NUM_TX_QUEUES, &queues, sizeof(queues));
}

static void fill(struct request *r, const char *name, const char *peer, unsigned int queues)
{
	struct rtattr *info, *data, *other;

	r->header.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
	r->header.nlmsg_type = RTM_NEWLINK;
	r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
	put_interface(r, name, queues);
	info = put(r, IFLA_LINKINFO, NULL, 0);
	put(r, IFLA_INFO_KIND, "veth", 4);
	data = put(r, IFLA_INFO_DATA, NULL, 0);
	other = put(r, VETH_INFO_PEER, NULL, 0);
	extend(r, sizeof(struct ifinfomsg));
	put_interface(r, peer, queues);
	nest_end(r, other);
	nest_end(r, data);
	nest_end(r, info);
}

/* Send and wait for the kernel's word on it. */
static int perform(const struct request *r)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[sizeof(struct request)];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;

	if (fd < 0)
		return -errno;
	if (send(fd, r, r->header.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		err = -errno;
	else
		err = answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
	close(fd);
	return err;
}

static int set_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq request = { .ifr_flags = IFF_UP };

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		err = -errno;
	close(fd);
	return err;
}

int sen_veth_make(const char *name, const char *peer, unsigned int queues)
{
	struct request request = { 0 };
	int err;

	fill(&request, name, peer, queues);
	err = perform(&request);
	if (!err)
		err = set_up(name);
	return err ? err : set_up(peer);
}
