// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traffic made up: a capture on standard output, the same bytes for the same command line.
 *
 * usage: traffic SEED KIND@START+SECONDS ...      e.g. traffic 1 benign@0+300 scan@100+20
 *
 * Hosts of benign traffic are in 10.0.0.0/8, attackers in 198.18.0.0/15 (RFC 2544), or have MACs that
 * begin with 02:66.
 */
#include <err.h>
#include <math.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/packet.h"
#include "../bpf/random.h"

#define EPOCH_S     1700000000
#define NS          1000000000ull
#define SERVER      0x0a000002u /* 10.0.0.2 */
#define RESOLVER    0x0a000003u
#define GATEWAY     0x0a000001u
#define STORE       0x0a000004u
#define CLIENT(n)   (0x0a000100u + (n))
#define CLIENTS     24
#define ATTACKER    0xc6120042u /* 198.18.0.66 */
#define EVIL_MAC    0x026600000001
#define GATEWAY_MAC 0x020000000001
#define SNAP        192 /* bytes kept of a frame */

struct stamped {
	uint64_t ns;
	size_t order;
	uint32_t len;
	uint8_t *data;
};

static struct stamped *frames;
static size_t count, room;
static uint64_t seed;

static double uniform(double low, double high)
{
	return low + (high - low) * (double)(random_next(&seed) >> 11) / (double)(1ull << 53);
}

static uint32_t below(uint32_t n)
{
	return random_next(&seed) % n;
}

/* Seconds to the next of events that come at a rate. */
static double wait_for(double per_second)
{
	return -log(1 - uniform(0, 1)) / per_second;
}

static void emit(double at, const struct packet *p)
{
	if (count == room) {
		room = room ? 2 * room : 65536;
		frames = reallocarray(frames, room, sizeof(*frames));
	}
	if (!frames)
		err(1, "memory");
	frames[count] =
		(struct stamped){ .ns = (uint64_t)(at * 1e9), .order = count, .len = p->len };
	frames[count].data = malloc(p->len);
	if (!frames[count].data)
		err(1, "memory");
	memcpy(frames[count++].data, p->data, p->len);
}

struct talk {
	uint32_t client, server;
	uint16_t port, service;
	double at, round_trip;
};

static void say(struct talk *t, bool by_client, uint8_t flags, uint16_t payload)
{
	struct packet p;

	t->at += t->round_trip * uniform(0.4, 0.6);
	if (by_client)
		packet_tcp(&p, t->client, t->port, t->server, t->service, flags, payload);
	else
		packet_tcp(&p, t->server, t->service, t->client, t->port, flags, payload);
	emit(t->at, &p);
}

static struct talk talk_new(double at, uint32_t client, uint32_t server, uint16_t service)
{
	return (struct talk){ client,  server, (uint16_t)(20000 + below(40000)),
			      service, at,     uniform(0.0005, 0.02) };
}

static void shake_hands(struct talk *t)
{
	say(t, true, TCP_SYN, 0);
	say(t, false, TCP_SYN | TCP_ACK, 0);
	say(t, true, TCP_ACK, 0);
}

static void part(struct talk *t)
{
	say(t, true, TCP_FIN | TCP_ACK, 0);
	say(t, false, TCP_FIN | TCP_ACK, 0);
	say(t, true, TCP_ACK, 0);
}

/* ---- benign ---- */

static void web(double at, uint32_t client)
{
	struct talk t = talk_new(at, client, SERVER, below(3) ? 443 : 80);
	unsigned int requests = 1 + below(4);

	shake_hands(&t);
	while (requests--) {
		say(&t, true, TCP_PSH | TCP_ACK, 120 + below(600));
		for (unsigned int n = 1 + below(12); n; n--)
			say(&t, false, TCP_ACK, n > 1 ? 1400 : 100 + below(1200));
		say(&t, true, TCP_ACK, 0);
		t.at += uniform(0, 0.5);
	}
	part(&t);
}

static void lookup(double at, uint32_t client, uint16_t service, uint16_t answer)
{
	uint16_t port = 20000 + below(40000);
	struct packet p;

	emit(at, packet_udp(&p, client, port, RESOLVER, service, 30 + below(30)));
	emit(at + uniform(0.001, 0.03), packet_udp(&p, RESOLVER, service, client, port, answer));
}

static void shell(double at, uint32_t client)
{
	struct talk t = talk_new(at, client, SERVER, 22);

	shake_hands(&t);
	for (unsigned int keys = 40 + below(200); keys; keys--) {
		say(&t, true, TCP_PSH | TCP_ACK, 36);
		say(&t, false, TCP_PSH | TCP_ACK, 36 + below(400));
		t.at += uniform(0.05, 0.6);
	}
	part(&t);
}

static void ask_gateway(double at, uint32_t client)
{
	struct packet p;

	emit(at, packet_arp(&p, ARP_QUESTION, 0x020000000000 + client, client, GATEWAY));
	emit(at + 0.0004, packet_arp(&p, ARP_ANSWER, GATEWAY_MAC, GATEWAY, client));
}

static void benign(double start, double seconds)
{
	for (double at = start + wait_for(12); at < start + seconds; at += wait_for(12)) {
		uint32_t client = CLIENT(below(CLIENTS)), what = below(100);

		if (what < 45)
			web(at, client);
		else if (what < 85)
			lookup(at, client, 53, 60 + below(300));
		else if (what < 92)
			lookup(at, client, 123, 48);
		else if (what < 99)
			ask_gateway(at, client);
		else
			shell(at, client);
	}
}

/* A service that was not there before: small questions, answers twice as long as any of the web's. */
static void use_store(double at, uint32_t client)
{
	struct talk t = talk_new(at, client, STORE, 8443);

	shake_hands(&t);
	for (unsigned int n = 2 + below(6); n; n--) {
		say(&t, true, TCP_PSH | TCP_ACK, 1200);
		for (unsigned int k = 20 + below(20); k; k--)
			say(&t, false, TCP_ACK, 1400);
		t.at += uniform(0, 0.2);
	}
	part(&t);
}

/* A job that comes round: one host asks for all it has missed, one connection after the other. */
static void run_job(double at)
{
	for (int n = 0; n < 12; n++, at += 0.15)
		use_store(at, CLIENT(CLIENTS));
}

/* Normal traffic that has moved: a new service, larger packets, a job each half minute. */
static void moved(double start, double seconds)
{
	for (double at = start + wait_for(3); at < start + seconds; at += wait_for(3))
		use_store(at, CLIENT(below(CLIENTS)));
	for (double at = start + 5; at < start + seconds; at += 30)
		run_job(at);
}

/* ---- attacks ---- */

/* A SYN to each port, a RST from most. */
static void scan(double start, double seconds)
{
	double step = 1.0 / 50;
	uint16_t port = 1;
	struct packet p;

	for (double at = start; at < start + seconds; at += step, port++) {
		uint16_t from = 30000 + below(30000);

		emit(at, packet_tcp(&p, ATTACKER, from, SERVER, port, TCP_SYN, 0));
		if (below(10))
			emit(at + 0.001,
			     packet_tcp(&p, SERVER, port, ATTACKER, from, TCP_RST | TCP_ACK, 0));
	}
}

/* From anywhere to one service, faster than it can answer. */
static void syn_flood(double start, double seconds)
{
	struct packet p;

	for (double at = start; at < start + seconds; at += 1.0 / 4000)
		emit(at, packet_tcp(&p, 0xc6130000u + below(65536), 1024 + below(60000), SERVER, 80,
				    TCP_SYN, 0));
}

static void brute_force(double start, double seconds)
{
	for (double at = start; at < start + seconds; at += uniform(0.2, 0.5)) {
		struct talk t = talk_new(at, ATTACKER, SERVER, 22);

		shake_hands(&t);
		for (int n = 0; n < 6; n++) {
			say(&t, n & 1, TCP_PSH | TCP_ACK, 40 + below(200));
			say(&t, !(n & 1), TCP_PSH | TCP_ACK, 40 + below(80));
		}
		say(&t, false, TCP_RST, 0);
	}
}

/* Many connections, each kept open by a few bytes now and then. */
static void slowloris(double start, double seconds)
{
	for (int n = 0; n < 200; n++) {
		struct talk t = talk_new(start + n * 0.02, ATTACKER, SERVER, 80);

		shake_hands(&t);
		say(&t, true, TCP_PSH | TCP_ACK, 80);
		while (t.at < start + seconds) {
			t.at += uniform(4, 8);
			say(&t, true, TCP_PSH | TCP_ACK, 4 + below(12));
			say(&t, false, TCP_ACK, 0);
		}
	}
}

/* Answers that nobody asked for: the gateway's address is here now. */
static void arp_spoof(double start, double seconds)
{
	struct packet p;

	for (double at = start; at < start + seconds; at += 0.5)
		emit(at, packet_arp(&p, ARP_ANSWER, EVIL_MAC, GATEWAY, CLIENT(below(CLIENTS))));
}

/* Large answers from many resolvers to one client. */
static void amplification(double start, double seconds)
{
	struct packet p;

	for (double at = start; at < start + seconds; at += 1.0 / 5000)
		emit(at, packet_udp(&p, 0xc6130000u + below(500), 53, CLIENT(3), 40000, 1400));
}

static const struct kind {
	const char *name;
	void (*make)(double start, double seconds);
} kinds[] = {
	{ "benign", benign },
	{ "moved", moved },
	{ "scan", scan },
	{ "syn_flood", syn_flood },
	{ "brute_force", brute_force },
	{ "slowloris", slowloris },
	{ "arp_spoof", arp_spoof },
	{ "amplification", amplification },
};

static void make(const char *what)
{
	double start, seconds;
	char name[32];

	if (sscanf(what, "%31[a-z_]@%lf+%lf", name, &start, &seconds) != 3)
		errx(2, "%s: not KIND@START+SECONDS", what);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(name, kinds[i].name) != 0)
			continue;
		kinds[i].make(start, seconds);
		return;
	}
	errx(2, "%s: no such kind", name);
}

static int by_time(const void *a, const void *b)
{
	const struct stamped *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void write_capture(void)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_dumper_t *out = pcap_dump_fopen(dead, stdout);

	if (!out)
		errx(1, "%s", pcap_geterr(dead));
	for (size_t i = 0; i < count; i++) {
		struct pcap_pkthdr h = { .caplen = frames[i].len, .len = frames[i].len };

		h.caplen = h.len < SNAP ? h.len : SNAP;
		h.ts.tv_sec = (time_t)(EPOCH_S + frames[i].ns / NS);
		h.ts.tv_usec = (suseconds_t)(frames[i].ns % NS / 1000);
		pcap_dump((u_char *)out, &h, frames[i].data);
		free(frames[i].data);
	}
	pcap_dump_close(out);
	pcap_close(dead);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: traffic SEED KIND@START+SECONDS ...");
	seed = strtoull(argv[1], NULL, 0);
	for (int i = 2; i < argc; i++)
		make(argv[i]);
	qsort(frames, count, sizeof(*frames), by_time);
	write_capture();
	free(frames);
	return 0;
}
