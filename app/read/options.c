/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "et_stats.h"

static void usage(void)
{
	fputs("Usage: ehlotap read [OPTION]... FILE...\n"
	      "Tell from captures which mail peers spoke TLS, which did not, and why.\n"
	      "\n"
	      "FILE is a pcap or pcapng file, plain or compressed with gzip or zstd; - is "
	      "standard\n"
	      "input. Several files are read as one capture, in the order of their time stamps.\n"
	      "\n"
	      "Output:\n"
	      "      --sessions OUT    write one JSON line per connection to OUT; - is standard "
	      "output,\n"
	      "                        and the answer then goes to standard error\n"
	      "      --minutes DIR     write one stats file per minute into DIR\n"
	      "      --json            print the answer as one JSON object\n"
	      "  -q, --quiet           print no answer and no progress\n"
	      "      --top N           lines of each list in the answer; 0: all (default 20)\n"
	      "      --color WHEN      always, never or auto (default: auto, on a terminal)\n"
	      "\n"
	      "What is read:\n"
	      "      --gateway ADDR[/LEN]  an address of yours; tells which peers are in- and "
	      "outbound.\n"
	      "                        May be given several times, for IPv4 and IPv6\n"
	      "      --ports LIST      more mail ports, as PORT=SERVICE[,...]; services: smtp,\n"
	      "                        submission, smtps, lmtp, imap, imaps, pop3, pop3s, sieve, "
	      "none\n"
	      "      --sensor NAME     name in the records and of the minute files (default: "
	      "read)\n"
	      "\n"
	      "Work:\n"
	      "      --workers N       threads that follow connections (default 1); the result is "
	      "the\n"
	      "                        same for any N\n"
	      "      --max-flows N     connections followed at a time (default 4000000)\n"
	      "\n"
	      "  -h, --help            this text\n"
	      "  -V, --version         the version\n"
	      "\n"
	      "Exit status: 0 all was read; 1 some input is damaged, all before the damage was "
	      "used;\n"
	      "2 wrong usage, or nothing could be read.\n"
	      "\n"
	      "Examples:\n"
	      "  ehlotap read mx.pcapng\n"
	      "  ehlotap read --gateway 192.0.2.25 --minutes stats mx-*.pcap.zst\n"
	      "  timeout 3600 tcpdump -w - port 25 | ehlotap read -q --sessions - - | jq "
	      ".tls.outcome\n",
		stdout);
}

enum {
	OPT_SESSIONS = 256,
	OPT_MINUTES,
	OPT_JSON,
	OPT_TOP,
	OPT_COLOUR,
	OPT_GATEWAY,
	OPT_PORTS,
	OPT_SENSOR,
	OPT_WORKERS,
	OPT_MAX_FLOWS,
};

static const struct option table[] = {
	{ "sessions", required_argument, NULL, OPT_SESSIONS },
	{ "minutes", required_argument, NULL, OPT_MINUTES },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "top", required_argument, NULL, OPT_TOP },
	{ "color", required_argument, NULL, OPT_COLOUR },
	{ "colour", required_argument, NULL, OPT_COLOUR },
	{ "gateway", required_argument, NULL, OPT_GATEWAY },
	{ "ports", required_argument, NULL, OPT_PORTS },
	{ "sensor", required_argument, NULL, OPT_SENSOR },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "max-flows", required_argument, NULL, OPT_MAX_FLOWS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool number(uint32_t *out, const char *name, const char *text, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < min || value > max) {
		fprintf(stderr, "ehlotap read: --%s takes a number from %u to %u, not \"%s\"\n",
			name, min, max, text);
		return false;
	}
	*out = (uint32_t)value;
	return true;
}

static bool colour(struct options *options, const char *text)
{
	static const char *const words[] = { "never", "always", "auto" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(text, words[i]) == 0) {
			options->colour = i < 2 ? i : -1;
			return true;
		}
	}
	fprintf(stderr, "ehlotap read: --color takes always, never or auto, not \"%s\"\n", text);
	return false;
}

static bool gateway(struct options *options, const char *text)
{
	if (options->gateways_cnt == GATEWAYS_MAX) {
		fprintf(stderr, "ehlotap read: more than %d --gateway\n", GATEWAYS_MAX);
		return false;
	}
	if (et_peer_net_parse(&options->gateways[options->gateways_cnt], text) != 0) {
		fprintf(stderr,
			"ehlotap read: --gateway takes an address or ADDRESS/LENGTH, not \"%s\"\n",
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
		"ehlotap read: --sensor takes 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front, "
		"not \"%s\"\n",
		text);
	return false;
}

static bool ports(struct options *options, const char *text)
{
	char err[256];

	if (et_ports_parse(&options->ports, err, sizeof(err), text) == 0)
		return true;
	fprintf(stderr, "ehlotap read: --ports: %s\n", err);
	return false;
}

static bool take(struct options *options, int opt)
{
	switch (opt) {
	case OPT_SESSIONS: options->sessions = optarg; return true;
	case OPT_MINUTES: options->minutes = optarg; return true;
	case OPT_JSON: options->json = true; return true;
	case 'q': options->quiet = true; return true;
	case OPT_TOP: return number(&options->top, "top", optarg, 0, 1000000);
	case OPT_COLOUR: return colour(options, optarg);
	case OPT_GATEWAY: return gateway(options, optarg);
	case OPT_PORTS: return ports(options, optarg);
	case OPT_SENSOR: return sensor(options, optarg);
	case OPT_WORKERS: return number(&options->workers, "workers", optarg, 1, 256);
	case OPT_MAX_FLOWS: return number(&options->max_flows, "max-flows", optarg, 1000, 1u << 26);
	default: return false; /* getopt has printed why */
	}
}

int options_read(struct options *options, int argc, char **argv)
{
	int opt;

	*options = (struct options){
		.sensor = "read", .workers = 1, .max_flows = 4000000, .top = 20, .colour = -1
	};
	et_ports_default(&options->ports);
	argv[0] = (char *)"ehlotap read"; /* for the messages of getopt */
	while ((opt = getopt_long(argc, argv, "qhV", table, NULL)) != -1) {
		if (opt == 'h') {
			usage();
			return 0;
		}
		if (opt == 'V') {
			puts("ehlotap " ET_VERSION);
			return 0;
		}
		if (!take(options, opt)) {
			fputs("Try: ehlotap read --help\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		fputs("ehlotap read: no capture file given\nTry: ehlotap read --help\n", stderr);
		return 2;
	}
	options->files = (const char *const *)(argv + optind);
	options->files_cnt = argc - optind;
	return -1;
}
