/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap gen: mail traffic of any size, with its truth beside it.
 *
 *   profile -> scripts (real TLS stacks, once) -> sessions -> mirror -> sink
 *                                                    |
 *                                                    +-> truth
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixed.h"
#include "port_become.h"
#include "ready.h"

struct options {
	const char *profile, *out, *truth;
	uint64_t seed;
	bool nano, quiet;
};

enum { OPT_PROFILE = 256, OPT_SEED, OPT_OUT, OPT_TRUTH, OPT_NANO, OPT_KEYS };

static const struct option table[] = {
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "truth", required_argument, NULL, OPT_TRUTH },
	{ "nanoseconds", no_argument, NULL, OPT_NANO },
	{ "keys", no_argument, NULL, OPT_KEYS },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void usage(void)
{
	fputs("Usage: ehlotap gen --profile FILE --out FILE [OPTION]...\n"
	      "Make mail traffic of any size as a capture, and the truth about each session.\n"
	      "\n"
	      "      --profile FILE   what the traffic is mixed of\n"
	      "      --out FILE       the capture: pcap, or pcapng if the name says so; .gz or "
	      ".zst\n"
	      "                       behind it compresses; - is standard output\n"
	      "      --port PORT      send them by DPDK instead: see  ehlotap gen --port x --help\n"
	      "      --truth FILE     one session record per connection, as JSON lines\n"
	      "      --seed N         the same seed and profile give the same bytes (default 1)\n"
	      "      --nanoseconds    time stamps in nanoseconds (default: microseconds)\n"
	      "      --keys           print all keys of a profile, with their defaults\n"
	      "  -q, --quiet          no progress, no summary\n"
	      "  -h, --help           this text\n"
	      "  -V, --version        the version\n"
	      "\n"
	      "Exit status: 0 all was made; 1 a file could not be written, or a TLS stack does not "
	      "do what\nthe profile asks of it; 2 wrong usage or profile.\n"
	      "\n"
	      "Example:\n"
	      "  ehlotap gen --profile mix.ini --seed 7 --out mix.pcap.zst --truth mix.jsonl\n",
		stdout);
}

/* -1: go on; else the exit code. */
static int options_read(struct options *o, int argc, char **argv)
{
	int opt;

	*o = (struct options){ .seed = 1 };
	argv[0] = (char *)"ehlotap gen"; /* for the messages of getopt */
	while ((opt = getopt_long(argc, argv, "qhV", table, NULL)) != -1) {
		switch (opt) {
		case OPT_PROFILE: o->profile = optarg; break;
		case OPT_OUT: o->out = optarg; break;
		case OPT_TRUTH: o->truth = optarg; break;
		case OPT_NANO: o->nano = true; break;
		case 'q': o->quiet = true; break;
		case 'h': usage(); return 0;
		case 'V': puts("ehlotap " ET_VERSION); return 0;
		case OPT_KEYS: gen_profile_print_keys(); return 0;
		case OPT_SEED:
			if (gen_ready_seed(&o->seed, optarg))
				break;
			/* fall through */
		default: fputs("Try: ehlotap gen --help\n", stderr); return 2;
		}
	}
	if (o->profile && o->out && optind == argc)
		return -1;
	if (optind < argc)
		fprintf(stderr, "ehlotap gen: \"%s\" is no option\n", argv[optind]);
	else
		fprintf(stderr, "ehlotap gen: --%s is missing\n", o->profile ? "out" : "profile");
	fputs("Try: ehlotap gen --help\n", stderr);
	return 2;
}

static int complain(const char *path, int error)
{
	fprintf(stderr, "ehlotap gen: cannot write %s: %s\n", path, strerror(-error));
	return 1;
}

static int make(const struct options *o, const struct gen_profile *profile,
	const struct gen_scripts *scripts)
{
	struct gen_run run = { .profile = profile,
		.scripts = scripts,
		.seed = o->seed,
		.step_ns = o->nano ? 1 : 1000,
		.progress = !o->quiet && isatty(STDERR_FILENO) };
	uint64_t begin = gen_real_ns(), packets, bytes;
	int rc, sink_rc, truth_rc;

	run.sink = gen_sink_file(o->out, o->nano);
	if (!run.sink)
		return complain(o->out, -errno);
	run.truth = o->truth ? gen_out_open(o->truth) : NULL;
	if (o->truth && !run.truth) {
		rc = complain(o->truth, -errno);
		run.sink->close(run.sink);
		return rc;
	}
	rc = gen_run(&run);
	packets = run.sink->frames;
	bytes = run.sink->bytes;
	sink_rc = run.sink->close(run.sink);
	truth_rc = gen_out_close(run.truth);
	if (sink_rc || truth_rc)
		return complain(sink_rc ? o->out : o->truth, sink_rc ? sink_rc : truth_rc);
	if (rc) {
		fprintf(stderr, "ehlotap gen: %s\n", strerror(-rc));
		return 1;
	}
	if (!o->quiet)
		gen_ready_sum_up(&run, gen_real_ns() - begin, packets, bytes);
	return 0;
}

int main(int argc, char **argv)
{
	struct gen_ready ready;
	struct options o;
	int rc;

	if (gen_port_wanted(argc, argv))
		return gen_port_become(argv);
	rc = options_read(&o, argc, argv);
	if (rc >= 0)
		return rc;
	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of writing */
	rc = gen_ready_make(&ready, o.profile, o.seed);
	if (rc == 0)
		rc = make(&o, &ready.profile, &ready.scripts);
	gen_ready_free(&ready);
	return rc;
}
