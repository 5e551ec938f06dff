// SPDX-License-Identifier: BSD-2-Clause
/*
 * The generator of user/livegen.h as a command:
 *
 *   livegen --ifname IF --dst MAC/IP [--rate PPS] [--seconds S] [--flows N] [--syn|--udp] [--cpu N]
 *          [--mix]
 *
 * Prints, as JSON, how many frames were made, and how many the interface says it sent or dropped. With
 * --mix five of every 16 frames are odd ones (bpf/livegen.bpf.c); "odd" is how many of each were made.
 */
#include <arpa/inet.h>
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

#include "livegen.h"

#define SECONDS_MAX 3600
#define FRAMES_MAX  10000000000ull
#define FLOWS_MAX   (1u << 31)
#define FULL_CHUNK  65536 /* frames in a call without a rate: some milliseconds */
#define CALLS_A_S   500   /* with one */

struct options {
	struct sen_livegen_options gen;
	const char *ifname;
	uint64_t rate; /* 0: as fast as can be */
	unsigned int seconds;
	int cpu;
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
	uint8_t *m = o->gen.mac;

	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx/%63s", &m[0], &m[1], &m[2], &m[3], &m[4],
		      &m[5], ip) == 7 &&
	       inet_pton(AF_INET, ip, &o->gen.ip) == 1;
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
		o->gen.flows = parse_number(value, FLOWS_MAX, &n) ? n : 0;
		return n;
	case 'p':
		o->gen.port = parse_number(value, 65535, &n) ? n : 0;
		return n;
	case 'c':
		o->cpu = parse_number(value, CPU_SETSIZE - 1, &n) ? (int)n : -1;
		return o->cpu >= 0;
	case 'm':
		o->gen.mix = true;
		return true;
	case 'u':
	case 'S':
		o->gen.udp = c == 'u';
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
	return o->ifname && o->gen.ip.s_addr && optind == argc;
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

static int run(const struct options *o, struct sen_livegen *gen)
{
	uint64_t start = now_ns(), end = start + o->seconds * 1000000000ull, made = 0, turn = 0;
	int err = 0;

	while (!err && !is_over(o, end, made)) {
		uint64_t frames = frames_due(o, start, made);

		if (frames)
			err = sen_livegen_send(gen, frames);
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

static void report(const struct options *o, unsigned long long made, double seconds,
		   const struct counters *before)
{
	struct counters after = settled_counters(o->ifname);

	printf("{\"frames\": %llu, \"sent\": %llu, \"dropped\": %llu, \"seconds\": %.3f, "
	       "\"pps\": %.0f",
	       made, after.sent - before->sent, after.dropped - before->dropped, seconds,
	       seconds > 0 ? made / seconds : 0);
	if (o->gen.mix)
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
	struct options o = { .gen.flows = 1, .seconds = 1, .cpu = -1 };
	struct sen_livegen *gen;
	struct counters before;
	uint64_t start;
	int err;

	if (!parse_options(argc, argv, &o))
		return usage();
	o.gen.ifindex = if_nametoindex(o.ifname);
	if (!o.gen.ifindex)
		return fail("finding interface", o.ifname, errno);
	if (o.cpu >= 0 && !use_cpu(o.cpu))
		return fail("choosing CPU", o.ifname, errno);
	err = sen_livegen_open(&o.gen, &gen);
	if (err)
		return fail("loading program", o.ifname, -err);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	before = read_counters(o.ifname);
	start = now_ns();
	err = run(&o, gen);
	if (err)
		fail("sending", o.ifname, -err);
	else
		report(&o, sen_livegen_made(gen), (now_ns() - start) / 1e9, &before);
	sen_livegen_close(gen);
	return err ? 1 : 0;
}
