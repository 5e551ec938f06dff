// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traffic at the speed of XDP: frames of a live test_run (kernel 5.18 or later), each of another flow,
 * sent out of an interface. What is behind a veth takes them only if it has an XDP program or GRO.
 *
 *   livegen --ifname IF --dst MAC/IP [--rate PPS] [--seconds S] [--flows N] [--syn|--udp] [--cpu N]
 *          [--mix]
 *
 * Prints, as JSON, how many frames were made, and how many the interface says it sent or dropped. With
 * --mix five of every 16 frames are odd ones (bpf/livegen.bpf.c); "odd" is how many of each were made.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "livegen.skel.h"

#define HEADERS     54
#define FRAME_BYTES 60
#define SECONDS_MAX 3600
#define FRAMES_MAX  10000000000ull
#define FLOWS_MAX   (1u << 31)
#define FULL_CHUNK  65536 /* frames in a call without a rate: some milliseconds */
#define CALLS_A_S   500   /* with one */

struct options {
	const char *ifname;
	uint64_t rate; /* 0: as fast as can be */
	unsigned int seconds, flows;
	int cpu;
	bool udp, mix;
	uint8_t mac[6];
	struct in_addr ip;
	uint16_t port;
};

struct counters {
	unsigned long long sent, dropped;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int usage(void)
{
	fprintf(stderr, "usage: livegen --ifname IF --dst MAC/IP [--rate PPS] [--seconds S]\n"
			"               [--flows N] [--syn|--udp] [--port N] [--cpu N] [--mix]\n");
	return 2;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end && *out <= max;
}

/* "02:00:00:00:00:01/10.0.0.1" */
static bool parse_destination(const char *text, struct options *o)
{
	char ip[64];
	uint8_t *m = o->mac;

	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx/%63s", &m[0], &m[1], &m[2], &m[3], &m[4],
		      &m[5], ip) == 7 &&
	       inet_pton(AF_INET, ip, &o->ip) == 1;
}

static bool parse_option(int c, const char *value, struct options *o)
{
	uint64_t n = 0;

	switch (c) {
	case 'i':
		o->ifname = value;
		return true;
	case 'd':
		return parse_destination(value, o);
	case 'r':
		return parse_number(value, 1000000000, &o->rate);
	case 's':
		o->seconds = parse_number(value, SECONDS_MAX, &n) ? n : 0;
		return n;
	case 'f':
		o->flows = parse_number(value, FLOWS_MAX, &n) ? n : 0;
		return n;
	case 'p':
		o->port = parse_number(value, 65535, &n) ? n : 0;
		return n;
	case 'c':
		o->cpu = parse_number(value, CPU_SETSIZE - 1, &n) ? (int)n : -1;
		return o->cpu >= 0;
	case 'm':
		o->mix = true;
		return true;
	case 'u':
	case 'S':
		o->udp = c == 'u';
		return true;
	default:
		return false;
	}
}

static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{ "ifname", required_argument, NULL, 'i' },
		{ "dst", required_argument, NULL, 'd' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "flows", required_argument, NULL, 'f' },
		{ "port", required_argument, NULL, 'p' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "mix", no_argument, NULL, 'm' },
		{ "udp", no_argument, NULL, 'u' },
		{ "syn", no_argument, NULL, 'S' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		if (!parse_option(c, optarg, o))
			return false;
	return o->ifname && o->ip.s_addr && optind == argc;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t sum16(const uint8_t *at, size_t bytes)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < bytes; i += 2)
		sum += at[i] << 8 | at[i + 1];
	return sum;
}

static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* Headers with all that is the same in every frame, and the sums over them. */
static void fill_template(struct livegen__rodata *ro, const struct options *o)
{
	uint8_t f[HEADERS] = { 0 }, *ip = f + 14, *l4 = f + 34;
	const uint16_t l4_len = HEADERS - 34;

	memcpy(f, o->mac, 6);
	memcpy(f + 6, own_mac, 6);
	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, HEADERS - 14);
	ip[8] = 64;
	ip[9] = o->udp ? IPPROTO_UDP : IPPROTO_TCP;
	memcpy(ip + 16, &o->ip, 4);
	put16(l4 + 2, o->port ? o->port : o->udp ? 53 : 80);
	if (o->udp) {
		put16(l4 + 4, l4_len);
	} else {
		l4[12] = 5 << 4;
		l4[13] = 0x02;
		put16(l4 + 14, 65535);
	}
	memcpy((void *)ro->gen_template, f, sizeof(f));
	ro->gen_ip_sum = sum16(ip, 20);
	ro->gen_l4_sum = sum16(l4, l4_len) + sum16(ip + 16, 4) + ip[9] + l4_len;
	ro->gen_l4_check = o->udp ? 1 : 6;
}

/* A question of the host that the other frames come from, for their target. */
static void fill_arp(struct livegen__rodata *ro, const struct options *o)
{
	uint8_t arp[sizeof(ro->gen_arp)] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	memcpy(arp + 8, own_mac, 6);
	memcpy(arp + 24, &o->ip, 4);
	memcpy((void *)ro->gen_arp, arp, sizeof(arp));
}

static struct livegen *load(const struct options *o, unsigned int ifindex)
{
	struct livegen *skel = livegen__open();

	if (!skel)
		return NULL;
	fill_template(skel->rodata, o);
	fill_arp(skel->rodata, o);
	skel->rodata->gen_mix = o->mix;
	skel->rodata->gen_flows = o->flows;
	skel->rodata->gen_ifindex = ifindex;
	if (!livegen__load(skel))
		return skel;
	livegen__destroy(skel);
	return NULL;
}

/* One call: so many frames. 0 or a negative errno. */
static int send_chunk(int prog_fd, unsigned int ifindex, uint64_t frames)
{
	uint8_t frame[FRAME_BYTES] = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame), .ingress_ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = frames,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = frames < 64 ? frames : 64);

	return bpf_prog_test_run_opts(prog_fd, &opts);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR && !stopped)
		;
}

/* As many frames as are due by now, but no more at once than a second's worth. */
static uint64_t frames_due(const struct options *o, uint64_t start, uint64_t made)
{
	uint64_t due;

	if (!o->rate)
		return FULL_CHUNK;
	due = (uint64_t)((double)(now_ns() - start) * o->rate / 1e9) + 1;
	due = due > o->rate * o->seconds ? o->rate * o->seconds : due;
	due = due > made ? due - made : 0;
	return due > o->rate ? o->rate : due;
}

/* Setting up a call takes the kernel milliseconds: with a rate, the last frames are sent after the end. */
static bool is_over(const struct options *o, uint64_t end, uint64_t made)
{
	uint64_t now = now_ns();

	if (stopped || made >= FRAMES_MAX || now >= end + 1000000000)
		return true;
	return o->rate ? made >= o->rate * o->seconds : now >= end;
}

static int run(const struct options *o, const struct livegen *skel, unsigned int ifindex)
{
	uint64_t start = now_ns(), end = start + o->seconds * 1000000000ull, made = 0, turn = 0;
	int prog_fd = bpf_program__fd(skel->progs.livegen), err = 0;

	while (!err && !is_over(o, end, made)) {
		uint64_t frames = frames_due(o, start, made);

		if (frames)
			err = send_chunk(prog_fd, ifindex, frames);
		made += frames;
		if (o->rate)
			sleep_until(start + ++turn * (1000000000ull / CALLS_A_S));
	}
	return err == -EINTR ? 0 : err;
}

/* The interface's own account, from /proc/net/dev of this namespace. */
static struct counters read_counters(const char *ifname)
{
	struct counters c = { 0 };
	char line[512], name[64];
	FILE *f = fopen("/proc/net/dev", "re");

	while (f && fgets(line, sizeof(line), f)) {
		struct counters read;

		if (sscanf(line, " %63[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu %*u %llu",
			   name, &read.sent, &read.dropped) == 3 &&
		    !strcmp(name, ifname))
			c = read;
	}
	if (f)
		fclose(f);
	return c;
}

/* The receiver of a veth is behind its sender: wait until the counters stand still. */
static struct counters settled_counters(const char *ifname)
{
	struct counters before, after = read_counters(ifname);

	for (int i = 0; i < 50; i++) {
		before = after;
		sleep_until(now_ns() + 20000000);
		after = read_counters(ifname);
		if (!memcmp(&before, &after, sizeof(before)))
			break;
	}
	return after;
}

/* How many of the frames so far were at a place of the period of 16. */
static unsigned long long made_at(unsigned long long made, unsigned int place)
{
	return made / 16 + (made % 16 > place);
}

static void report_odd(unsigned long long made)
{
	static const char *const names[] = { "not_ip", "not_transport", "truncated",
					     "fragments_unjoined", "arp" };

	printf(", \"odd\": {");
	for (unsigned int i = 0; i < 5; i++)
		printf("%s\"%s\": %llu", i ? ", " : "", names[i], made_at(made, 11 + i));
	printf("}");
}

static void report(const struct options *o, const struct livegen *skel, double seconds,
		   const struct counters *before)
{
	struct counters after = settled_counters(o->ifname);
	unsigned long long made = skel->bss->gen_count;

	printf("{\"frames\": %llu, \"sent\": %llu, \"dropped\": %llu, \"seconds\": %.3f, "
	       "\"pps\": %.0f",
	       made, after.sent - before->sent, after.dropped - before->dropped, seconds,
	       seconds > 0 ? made / seconds : 0);
	if (o->mix)
		report_odd(made);
	printf("}\n");
}

static int fail(const char *what, const char *on, int err)
{
	fprintf(stderr, "livegen: %s: %s: %s\n", what, on, strerror(err));
	return 1;
}

static bool use_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 1, .flows = 1, .cpu = -1 };
	struct counters before;
	unsigned int ifindex;
	struct livegen *skel;
	uint64_t start;
	int err;

	if (!parse_options(argc, argv, &o))
		return usage();
	ifindex = if_nametoindex(o.ifname);
	if (!ifindex)
		return fail("finding interface", o.ifname, errno);
	if (o.cpu >= 0 && !use_cpu(o.cpu))
		return fail("choosing CPU", o.ifname, errno);
	skel = load(&o, ifindex);
	if (!skel)
		return fail("loading program", o.ifname, errno);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	before = read_counters(o.ifname);
	start = now_ns();
	err = run(&o, skel, ifindex);
	if (err)
		fail("sending", o.ifname, -err);
	else
		report(&o, skel, (now_ns() - start) / 1e9, &before);
	livegen__destroy(skel);
	return err ? 1 : 0;
}
