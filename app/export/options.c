/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "et_stats.h"

#define ZSTD_DEFAULT 3
#define ZSTD_MAX     19

static void usage(void)
{
	fputs("Usage: ehlotap export --to DIR [OPTION]...\n"
	      "Write what ehlotap live has seen into one file per minute.\n"
	      "\n"
	      "ehlotap live leaves its records in rings, in shared memory. This program takes\n"
	      "them out, argues the causes, and writes DIR/SENSOR-YYYYMMDDTHHMMZ.jsonl for each\n"
	      "UTC minute. A ring gives its memory back only when the file is on disk: either\n"
	      "side can be killed at any moment, and every session is counted once.\n"
	      "\n"
	      "      --to DIR          the folder; it must exist\n"
	      "      --sensor NAME     only this sensor (default: all, each with its own files)\n"
	      "      --once            write what the rings hold, then exit. Of a running\n"
	      "                        capture only minutes that are over; the rest stays\n"
	      "\n"
	      "Files:\n"
	      "      --zstd[=LEVEL]    compress, level 1 to 19 (default 3); names end in .zst\n"
	      "      --keep-days N     delete files that are older\n"
	      "      --keep-bytes SIZE delete the oldest when a sensor's files take more; SIZE\n"
	      "                        in bytes or with K, M, G or T. The newest is always kept\n"
	      "      --gateway ADDR[/LEN]  an address of yours; tells which peers are in- and\n"
	      "                        outbound. May be given several times, for IPv4 and IPv6\n"
	      "\n"
	      "Waiting and memory:\n"
	      "      --grace SECONDS   wait so long for a worker that is behind the others\n"
	      "                        (default 5); what it says later is in the next file\n"
	      "      --history N       sessions of the last hour that are remembered, so that\n"
	      "                        causes can be argued from them (default 131072)\n"
	      "\n"
	      "  -q, --quiet           only errors\n"
	      "  -h, --help            this text\n"
	      "  -V, --version         the version\n"
	      "\n"
	      "Exit status: 0 all is written; 1 a ring could not be read or is damaged, or a\n"
	      "file could not be written; 2 wrong usage, or no work could be begun.\n"
	      "\n"
	      "Examples:\n"
	      "  ehlotap export --to /var/lib/ehlotap --gateway 192.0.2.25 --zstd --keep-days 90\n"
	      "  ehlotap export --to . --once --sensor gw1     after a crash: save what is there\n",
		stdout);
}

enum {
	OPT_TO = 256,
	OPT_SENSOR,
	OPT_ONCE,
	OPT_ZSTD,
	OPT_KEEP_DAYS,
	OPT_KEEP_BYTES,
	OPT_GATEWAY,
	OPT_GRACE,
	OPT_HISTORY,
};

static const struct option table[] = {
	{ "to", required_argument, NULL, OPT_TO },
	{ "sensor", required_argument, NULL, OPT_SENSOR },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "zstd", optional_argument, NULL, OPT_ZSTD },
	{ "keep-days", required_argument, NULL, OPT_KEEP_DAYS },
	{ "keep-bytes", required_argument, NULL, OPT_KEEP_BYTES },
	{ "gateway", required_argument, NULL, OPT_GATEWAY },
	{ "grace", required_argument, NULL, OPT_GRACE },
	{ "history", required_argument, NULL, OPT_HISTORY },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool number(uint32_t *out, const char *name, const char *text, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < min || value > max) {
		fprintf(stderr, "ehlotap export: --%s takes a number from %u to %u, not \"%s\"\n",
			name, min, max, text);
		return false;
	}
	*out = (uint32_t)value;
	return true;
}

/* "500M": powers of 1024. */
static bool size(uint64_t *out, const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (*text < '0' || *text > '9' || (unit ? end[1] : *end) || value == 0 ||
		value > UINT64_C(1) << (62 - shift)) {
		fprintf(stderr,
			"ehlotap export: --keep-bytes takes a size as 500M or 20G, not \"%s\"\n",
			text);
		return false;
	}
	*out = (uint64_t)value << shift;
	return true;
}

static bool gateway(struct options *options, const char *text)
{
	if (options->gateways_cnt == GATEWAYS_MAX) {
		fprintf(stderr, "ehlotap export: more than %d --gateway\n", GATEWAYS_MAX);
		return false;
	}
	if (et_peer_net_parse(&options->gateways[options->gateways_cnt], text) != 0) {
		fprintf(stderr,
			"ehlotap export: --gateway takes an address or ADDRESS/LENGTH, not "
			"\"%s\"\n",
			text);
		return false;
	}
	options->gateways_cnt++;
	return true;
}

static bool sensor(struct options *options, const char *text)
{
	options->sensor = text;
	if (et_stats_sensor_ok(text))
		return true;
	fprintf(stderr,
		"ehlotap export: --sensor takes 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front, "
		"not \"%s\"\n",
		text);
	return false;
}

static bool zstd(struct options *options, const char *text)
{
	uint32_t level = ZSTD_DEFAULT;

	if (text && !number(&level, "zstd", text, 1, ZSTD_MAX))
		return false;
	options->zstd_level = (int)level;
	return true;
}

static bool take(struct options *options, int opt)
{
	switch (opt) {
	case OPT_TO: options->dir = optarg; return true;
	case OPT_SENSOR: return sensor(options, optarg);
	case OPT_ONCE: options->once = true; return true;
	case OPT_ZSTD: return zstd(options, optarg);
	case OPT_KEEP_DAYS: return number(&options->keep_days, "keep-days", optarg, 1, 36500);
	case OPT_KEEP_BYTES: return size(&options->keep_bytes, optarg);
	case OPT_GATEWAY: return gateway(options, optarg);
	case OPT_GRACE: return number(&options->grace_s, "grace", optarg, 0, 3600);
	case OPT_HISTORY: return number(&options->history, "history", optarg, 0, 1u << 24);
	case 'q': options->quiet = true; return true;
	default: return false; /* getopt has printed why */
	}
}

static int mistake(const char *sentence, const char *what)
{
	if (sentence)
		fprintf(stderr, "ehlotap export: %s%s\n", sentence, what);
	fputs("Try: ehlotap export --help\n", stderr);
	return 2;
}

int options_read(struct options *options, int argc, char **argv)
{
	int opt;

	*options = (struct options){ .grace_s = 5, .history = 131072 };
	argv[0] = (char *)"ehlotap export"; /* for the messages of getopt */
	while ((opt = getopt_long(argc, argv, "qhV", table, NULL)) != -1) {
		if (opt == 'h') {
			usage();
			return 0;
		}
		if (opt == 'V') {
			puts("ehlotap " ET_VERSION);
			return 0;
		}
		if (!take(options, opt))
			return mistake(NULL, "");
	}
	if (optind < argc)
		return mistake("there is nothing to do with ", argv[optind]);
	if (!options->dir)
		return mistake("say with --to DIR where the minute files go", "");
	return -1;
}
