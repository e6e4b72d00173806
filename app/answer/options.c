/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer_inputs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_JSON = 256,
	OPT_PEER,
	OPT_SERVER,
	OPT_SERVICE,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_SENSOR,
	OPT_TOP,
	OPT_COLOUR,
	OPT_GATEWAY,
	OPT_PORTS,
};

static const struct option shared[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ "peer", required_argument, NULL, OPT_PEER },
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "service", required_argument, NULL, OPT_SERVICE },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "sensor", required_argument, NULL, OPT_SENSOR },
	{ "top", required_argument, NULL, OPT_TOP },
	{ "color", required_argument, NULL, OPT_COLOUR },
	{ "colour", required_argument, NULL, OPT_COLOUR },
	{ "gateway", required_argument, NULL, OPT_GATEWAY },
	{ "ports", required_argument, NULL, OPT_PORTS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
};
#define SHARED (sizeof(shared) / sizeof(shared[0]))

static void usage(const struct answer_options *options, const struct answer_program *program)
{
	printf("Usage: %s %s\n%s\n\n", options->program, program->synopsis, program->does);
	fputs("PATH is a minute file (.jsonl, .jsonl.zst), a folder of them, or a capture that\n"
	      "\"ehlotap read\" reads; - is a capture on standard input. Several are answered for\n"
	      "together.\n\n",
		stdout);
	if (program->options)
		printf("Question:\n%s\n", program->options);
	fputs("What is looked at:\n"
	      "      --peer WHO        only peers of this address, ADDR/LEN, host name or\n"
	      "                        .example.org (all names below it); may be given again\n"
	      "      --server WHO      only servers of it\n"
	      "      --service LIST    smtp, submission, smtps, lmtp, imap, imaps, pop3, pop3s, "
	      "sieve\n"
	      "      --since TIME      minutes from 2026-11-22, 2026-11-22T10:31 or @SECONDS "
	      "(UTC)\n"
	      "      --until TIME      minutes before it\n"
	      "      --sensor NAME     minute files of this sensor\n"
	      "      --gateway ADDR[/LEN], --ports LIST\n"
	      "                        for captures, as with \"ehlotap read\"\n"
	      "\n"
	      "Output:\n"
	      "      --json            one JSON object\n"
	      "      --top N           lines of each list; 0: all (default 20)\n"
	      "      --color WHEN      always, never or auto (default: auto, on a terminal)\n"
	      "  -q, --quiet           no warnings but those of what could not be read at all\n"
	      "  -h, --help            this text\n"
	      "  -V, --version         the version\n"
	      "\n"
	      "Exit status: 0 all was read; 1 some input is damaged, all before the damage was "
	      "used;\n"
	      "2 wrong usage, or nothing could be read.\n",
		stdout);
	if (program->examples)
		printf("\nExamples:\n%s", program->examples);
}

static bool mistake(
	const struct answer_options *options, const char *name, const char *takes, const char *text)
{
	fprintf(stderr, "%s: --%s takes %s, not \"%s\"\n", options->program, name, takes, text);
	return false;
}

static bool who(const struct answer_options *options, struct answer_who *list, size_t *cnt,
	const char *name, const char *text)
{
	static const char host[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_*";

	if (*cnt == ANSWER_WHO_MAX) {
		fprintf(stderr, "%s: more than %d --%s\n", options->program, ANSWER_WHO_MAX, name);
		return false;
	}
	list[*cnt] = (struct answer_who){ 0 };
	if (et_peer_net_parse(&list[*cnt].net, text) != 0) {
		/* an address with a fault in it is no name: those hold a letter */
		if (!text[0] || text[strspn(text, host)] || text[strspn(text, "0123456789.")] == 0)
			return mistake(options, name,
				"an address, ADDRESS/LENGTH, a host name or .example.org", text);
		list[*cnt].name = text;
	}
	++*cnt;
	return true;
}

static bool services(struct answer_options *options, const char *list)
{
	const char *at = list;

	while (*at) {
		size_t n = strcspn(at, ",");
		unsigned i = 1;

		for (; i < ET_SERVICE_MAX; i++) {
			const char *name = et_service_name((enum et_service)i);

			if (name && strlen(name) == n && memcmp(name, at, n) == 0)
				break;
		}
		if (i == ET_SERVICE_MAX)
			return mistake(options, "service",
				"names of services with commas between them, as in smtp,submission",
				list);
		options->services |= 1u << i;
		at += n + (at[n] == ',');
	}
	return options->services != 0 || mistake(options, "service", "the name of a service", list);
}

static bool colour(struct answer_options *options, const char *text)
{
	static const char *const words[] = { "never", "always", "auto" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(text, words[i]) == 0) {
			options->colour = i < 2 ? i : -1;
			return true;
		}
	}
	return mistake(options, "color", "always, never or auto", text);
}

static bool top(struct answer_options *options, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > 1000000)
		return mistake(options, "top", "a number from 0 to 1000000", text);
	options->top = (uint32_t)value;
	return true;
}

static bool gateway(struct answer_options *options, const char *text)
{
	struct et_peer_net net;

	if (options->gateways_cnt == ANSWER_WHO_MAX || et_peer_net_parse(&net, text) != 0)
		return mistake(options, "gateway", "an address or ADDRESS/LENGTH", text);
	options->gateways[options->gateways_cnt++] = text;
	return true;
}

static bool moment(
	const struct answer_options *options, int64_t *out_ns, const char *name, const char *text)
{
	return answer_time_parse(out_ns, text) ||
	       mistake(options, name, "2026-11-22, 2026-11-22T10:31 or @SECONDS, in UTC", text);
}

static bool sensor(struct answer_options *options, const char *text)
{
	options->sensor = text;
	return et_stats_sensor_ok(text) ||
	       mistake(options, "sensor", "1 to 64 of A-Z a-z 0-9 . _ - and no dot in front", text);
}

static bool take(struct answer_options *options, int opt)
{
	switch (opt) {
	case OPT_JSON: options->json = true; return true;
	case 'q': options->quiet = true; return true;
	case OPT_PEER: return who(options, options->peers, &options->peers_cnt, "peer", optarg);
	case OPT_SERVER:
		return who(options, options->servers, &options->servers_cnt, "server", optarg);
	case OPT_SERVICE: return services(options, optarg);
	case OPT_SINCE: return moment(options, &options->since_ns, "since", optarg);
	case OPT_UNTIL: return moment(options, &options->until_ns, "until", optarg);
	case OPT_SENSOR: return sensor(options, optarg);
	case OPT_TOP: return top(options, optarg);
	case OPT_COLOUR: return colour(options, optarg);
	case OPT_GATEWAY: return gateway(options, optarg);
	case OPT_PORTS: options->ports = optarg; return true;
	default: return false; /* getopt has printed why */
	}
}

static void join(struct option out[static SHARED + ANSWER_OWN_MAX + 1], const struct option *own)
{
	size_t cnt = SHARED;

	memcpy(out, shared, sizeof(shared));
	for (; own && own->name && cnt < SHARED + ANSWER_OWN_MAX; own++)
		out[cnt++] = *own;
	out[cnt] = (struct option){ 0 };
}

static int no_path(const struct answer_options *options)
{
	fprintf(stderr, "%s: no minute file, folder or capture given\nTry: %s --help\n",
		options->program, options->program);
	return 2;
}

int answer_options_read(
	struct answer_options *options, int argc, char **argv, const struct answer_program *program)
{
	static char name[64]; /* outlives the call: for sentences */
	struct option table[SHARED + ANSWER_OWN_MAX + 1];
	int opt;

	*options = (struct answer_options){
		.top = 20, .colour = -1, .since_ns = INT64_MIN, .until_ns = INT64_MAX
	};
	snprintf(name, sizeof(name), "ehlotap %s", program->name);
	options->program = argv[0] = name; /* for the messages of getopt */
	join(table, program->own);
	while ((opt = getopt_long(argc, argv, "qhV", table, NULL)) != -1) {
		bool good;

		if (opt == 'h') {
			usage(options, program);
			return 0;
		}
		if (opt == 'V') {
			puts("ehlotap " ET_VERSION);
			return 0;
		}
		good = opt >= ANSWER_OWN ? program->take(program->ctx, opt, optarg)
					 : take(options, opt);
		if (!good) {
			fprintf(stderr, "Try: %s --help\n", name);
			return 2;
		}
	}
	options->paths = (const char *const *)(argv + optind);
	options->paths_cnt = (size_t)(argc - optind);
	return optind < argc ? -1 : no_path(options);
}

bool answer_colour(const struct answer_options *options, FILE *out)
{
	const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org: not when empty */

	if (options->colour != -1)
		return options->colour;
	return isatty(fileno(out)) && (!no_colour || !*no_colour);
}
