/* SPDX-License-Identifier: BSD-3-Clause */

/* bench-rooms: what single rooms cost. benchmarks/README.md says how to run and read it. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

typedef void room_fn(struct bench *bench, struct inputs *in);

static const struct {
	const char *name;
	room_fn *run;
} rooms[] = {
	{ "packet", room_decode },
	{ "flow", room_flow },
	{ "order", room_order },
	{ "match", room_match },
	{ "mail", room_mail },
	{ "tls", room_tls },
	{ "conn", room_conn },
	{ "ring", room_ring },
	{ "feed", room_feed },
	{ "peer", room_peer },
	{ "patterns", room_patterns },
};

#define ROOMS (sizeof(rooms) / sizeof(rooms[0]))
#define USUAL (ROOMS - 1) /* the last one only when it is named */

struct options {
	struct bench_options bench;
	const char *storm, *gateway; /* without ".pcap" and ".truth.jsonl" */
	bool json;
	bool wanted[ROOMS];
};

void *rooms_memory(size_t cnt, size_t size)
{
	void *memory = calloc(cnt ? cnt : 1, size);

	if (!memory) {
		fputs("bench-rooms: not enough memory\n", stderr);
		exit(2);
	}
	return memory;
}

static void usage(FILE *to)
{
	fputs("usage: bench-rooms --storm NAME --gateway NAME [--rounds N] [--quick] [--json]\n"
	      "                   [--flows N,...] [--peers N,...] [ROOM...]\n"
	      "NAME.pcap and NAME.truth.jsonl are made by ehlotap gen.\n"
	      "Rooms:",
		to);
	for (size_t i = 0; i < ROOMS; i++)
		fprintf(to, " %s", rooms[i].name);
	fputc('\n', to);
}

/* "10000,1000000" */
static bool read_sizes(uint32_t out[BENCH_SIZES_MAX + 1], const char *text)
{
	unsigned n = 0;
	char *end;

	for (; n < BENCH_SIZES_MAX; text = end + 1) {
		unsigned long value = strtoul(text, &end, 10);

		if (end == text || value < 1 || value > 1u << 24)
			return false;
		out[n++] = (uint32_t)value;
		out[n] = 0;
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
	}
	return false;
}

static bool want(struct options *o, const char *name)
{
	for (size_t i = 0; i < ROOMS; i++) {
		if (strcmp(rooms[i].name, name) == 0) {
			o->wanted[i] = true;
			return true;
		}
	}
	fprintf(stderr, "bench-rooms: no room '%s'\n", name);
	return false;
}

static bool read_option(struct options *o, int c, const char *arg)
{
	switch (c) {
	case 's': o->storm = arg; return true;
	case 'g': o->gateway = arg; return true;
	case 'r':
		o->bench.rounds = (unsigned)strtoul(arg, NULL, 10);
		return o->bench.rounds >= 1 && o->bench.rounds <= BENCH_ROUNDS_MAX;
	case 'q': o->bench.quick = true; return true;
	case 'j': o->json = true; return true;
	case 'f': return read_sizes(o->bench.flows, arg);
	case 'p': return read_sizes(o->bench.peers, arg);
	default: return false;
	}
}

static bool read_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "storm", required_argument, NULL, 's' },
		{ "gateway", required_argument, NULL, 'g' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "quick", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "flows", required_argument, NULL, 'f' },
		{ "peers", required_argument, NULL, 'p' },
		{ 0 },
	};
	int c;

	*o = (struct options){ .bench = { .rounds = 0 } };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (!read_option(o, c, optarg))
			return false;
	if (!o->storm || !o->gateway)
		return false;
	if (o->bench.rounds == 0)
		o->bench.rounds = o->bench.quick ? 2 : 9;
	if (o->bench.flows[0] == 0)
		read_sizes(o->bench.flows, o->bench.quick ? "1000,10000" : "10000,1000000,4000000");
	if (o->bench.peers[0] == 0)
		read_sizes(o->bench.peers, o->bench.quick ? "300,3000" : "3000,100000,1000000");
	for (int i = optind; i < argc; i++)
		if (!want(o, argv[i]))
			return false;
	for (size_t i = 0; i < USUAL && optind == argc; i++)
		o->wanted[i] = true;
	return true;
}

static int load(struct inputs *in, struct corpus *corpus, const char *name)
{
	char pcap[4096], truth[4096];

	snprintf(pcap, sizeof(pcap), "%s.pcap", name);
	snprintf(truth, sizeof(truth), "%s.truth.jsonl", name);
	return corpus_load(corpus, &in->parsers, pcap, truth);
}

/* Each round starts with another room: a slow drift of the machine hits all alike. */
static void run(struct bench *bench, struct inputs *in, const struct options *o)
{
	for (unsigned r = 0; r < o->bench.rounds; r++) {
		for (size_t i = 0; i < ROOMS; i++) {
			size_t k = (i + r) % ROOMS;

			if (!o->wanted[k])
				continue;
			bench_room(bench, rooms[k].name);
			rooms[k].run(bench, in);
		}
	}
}

int main(int argc, char **argv)
{
	struct inputs *in = rooms_memory(1, sizeof(*in));
	struct options o;
	struct bench *bench;
	int rc = 2;

	if (!read_options(&o, argc, argv)) {
		usage(stderr);
		free(in);
		return 2;
	}
	bench = bench_new(&o.bench);
	if (bench && parsers_open(&in->parsers) == 0 && load(in, &in->storm, o.storm) == 0 &&
		load(in, &in->gateway, o.gateway) == 0) {
		run(bench, in, &o);
		bench_print(bench, o.json);
		rc = 0;
	}
	corpus_free(&in->storm);
	corpus_free(&in->gateway);
	parsers_close(&in->parsers);
	bench_free(bench);
	free(in);
	return rc;
}
