/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap gen --port: the same traffic as ehlotap-gen writes to files, sent by DPDK.
 *
 *   profile -> scripts -> sessions -> mirror -> store, in memory -+-> sender, one lcore -> port
 *                                          \ -> ring -------------+
 *
 * The TLS stacks play their part before EAL starts: until then random bytes and the time come from
 * the seed, and EAL needs those of the machine.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fixed.h"
#include "port_eal.h"
#include "port_sender.h"
#include "ready.h"

#define LINGER_US 100000
#define WAITING   8192 /* frames of the ring */
#define TICK_NS   10000000
#define SENT_MAX  512

struct options {
	const char *profile, *truth;
	struct gen_port_args port;
	struct gen_rate rate;
	uint64_t seed, loops, seconds, memory;
	bool loops_set, drop, nano, quiet;
};

/* One run; what the sink of the ring needs, too. */
struct port_run {
	struct gen_sink sink; /* into the ring */
	struct gen_sender sender;
	struct gen_store store;
	struct gen_out *truth;
	unsigned lcore;
};

static volatile sig_atomic_t interrupted;

enum {
	OPT_PROFILE = 256,
	OPT_SEED,
	OPT_PORT,
	OPT_TRUTH,
	OPT_RATE,
	OPT_LOOPS,
	OPT_SECONDS,
	OPT_MEMORY,
	OPT_DROP,
	OPT_NO_HUGE,
	OPT_NANO,
	OPT_OUT,
};

static const struct option table[] = {
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "truth", required_argument, NULL, OPT_TRUTH },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "loops", required_argument, NULL, OPT_LOOPS },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "drop", no_argument, NULL, OPT_DROP },
	{ "no-huge", no_argument, NULL, OPT_NO_HUGE },
	{ "nanoseconds", no_argument, NULL, OPT_NANO },
	{ "out", required_argument, NULL, OPT_OUT },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void usage(void)
{
	fputs("Usage: ehlotap gen [EAL ARGUMENT... --] --profile FILE --port PORT [OPTION]...\n"
	      "Make mail traffic and send it to a DPDK port at a set rate.\n"
	      "\n"
	      "      --profile FILE   what the traffic is mixed of; see ehlotap gen --help\n"
	      "      --port PORT      PCI address, or a vdev: net_memif0,role=client,socket=...;\n"
	      "                       net_af_packet0,iface=eth1; net_pcap0,tx_pcap=FILE\n"
	      "      --rate RATE      500kpps, 2Mpps, 3Gbit (on the wire), max, or time: as the\n"
	      "                       profile has it (default time)\n"
	      "      --loops N        make all frames first, keep them in memory, send them N "
	      "times\n"
	      "                       with other clients each time; 0: until it is interrupted\n"
	      "      --seconds N      the same, until N seconds are over\n"
	      "      --memory SIZE    for frames in memory (default 1G)\n"
	      "      --drop           give up what the port does not take at once\n"
	      "      --no-huge        without hugepages\n"
	      "      --truth FILE     one session record per connection, as JSON lines; of the "
	      "first\n"
	      "                       loop\n"
	      "      --seed N         the same seed and profile give the same bytes (default 1)\n"
	      "      --nanoseconds    times in nanoseconds (default: microseconds)\n"
	      "  -q, --quiet          no progress, no summary\n"
	      "  -h, --help           this text\n"
	      "  -V, --version        the version\n"
	      "\n"
	      "Without --loops and --seconds frames are made while they are sent.\n",
		stdout);
}

static bool number(uint64_t *out, const char *name, const char *text, bool sized)
{
	static const char units[] = "KMGT";
	char *end;
	const char *unit;

	errno = 0;
	*out = strtoull(text, &end, 10);
	unit = sized && *end ? strchr(units, *end) : NULL;
	if (unit) {
		*out <<= 10 * (unit - units + 1);
		end++;
	}
	if (*text >= '0' && *text <= '9' && !*end && !errno && *out < UINT64_C(1) << 48)
		return true;
	fprintf(stderr, "ehlotap gen: --%s takes a %s, not \"%s\"\n", name,
		sized ? "size as 512M or 2G" : "number", text);
	return false;
}

static bool rate(struct gen_rate *out, const char *text)
{
	if (gen_rate_read(out, text))
		return true;
	fprintf(stderr,
		"ehlotap gen: --rate takes max, time, or a number with pps, kpps, Mpps, kbit, Mbit "
		"or Gbit behind it, not \"%s\"\n",
		text);
	return false;
}

/* One option. -1: go on; else the exit code. */
static int option(struct options *o, int opt)
{
	bool good = true;

	switch (opt) {
	case OPT_PROFILE: o->profile = optarg; break;
	case OPT_PORT: o->port.port = optarg; break;
	case OPT_TRUTH: o->truth = optarg; break;
	case OPT_DROP: o->drop = true; break;
	case OPT_NO_HUGE: o->port.no_huge = true; break;
	case OPT_NANO: o->nano = true; break;
	case 'q': o->quiet = true; break;
	case 'h': usage(); return 0;
	case 'V': puts("ehlotap " ET_VERSION); return 0;
	case OPT_SEED: good = gen_ready_seed(&o->seed, optarg); break;
	case OPT_RATE: good = rate(&o->rate, optarg); break;
	case OPT_LOOPS:
		o->loops_set = true;
		good = number(&o->loops, "loops", optarg, false);
		break;
	case OPT_SECONDS: good = number(&o->seconds, "seconds", optarg, false); break;
	case OPT_MEMORY: good = number(&o->memory, "memory", optarg, true); break;
	case OPT_OUT:
		fputs("ehlotap gen: --out and --port do not go together\n", stderr);
		good = false;
		break;
	default: good = false; break;
	}
	if (!good)
		fputs("Try: ehlotap gen --port x --help\n", stderr);
	return good ? -1 : 2;
}

/* -1: go on; else the exit code. */
static int options_read(struct options *o, int argc, char **argv)
{
	int opt, rc, first = 0;

	*o = (struct options){ .seed = 1, .memory = 1 << 30, .rate = { GEN_RATE_TIME, 0 } };
	for (int i = 1; i < argc && first == 0; i++)
		first = strcmp(argv[i], "--") == 0 ? i : 0;
	o->port.args = (const char *const *)(argv + 1);
	o->port.args_cnt = first > 0 ? first - 1 : 0;
	argv[first] = (char *)"ehlotap gen"; /* for the messages of getopt */
	argc -= first;
	argv += first;
	while ((opt = getopt_long(argc, argv, "qhV", table, NULL)) != -1) {
		rc = option(o, opt);
		if (rc >= 0)
			return rc;
	}
	if (o->profile && o->port.port && optind == argc)
		return -1;
	if (optind < argc)
		fprintf(stderr,
			"ehlotap gen: \"%s\" is no option; arguments for EAL come first, with -- "
			"behind them\n",
			argv[optind]);
	else
		fprintf(stderr, "ehlotap gen: --%s is missing\n", o->profile ? "port" : "profile");
	fputs("Try: ehlotap gen --port x --help\n", stderr);
	return 2;
}

/* ---- signals */

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void tick(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = TICK_NS }, NULL);
}

/* ---- the sink: a ring that the sender empties */

static int sink_frame(struct gen_sink *sink, const struct gen_frame *frame)
{
	struct port_run *run = (struct port_run *)sink;
	unsigned vain = 0;

	while (!et_port_tx_put(run->sender.tx, frame->bytes, frame->len, frame->ts_ns)) {
		if (interrupted || atomic_load(&run->sender.over))
			return -EINTR;
		/* the ring is full: at most rates that takes longer than a nap to change */
		if (++vain > 16)
			nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	}
	sink->frames++;
	sink->bytes += frame->len;
	return 0;
}

static int sink_close(struct gen_sink *sink)
{
	(void)sink;
	return 0;
}

/* ---- making and sending */

static bool wait_link(struct port_run *run, const struct options *o)
{
	bool told = false;

	while (!et_port_tx_link(run->sender.tx)) {
		if (interrupted)
			return false;
		if (!told)
			fprintf(stderr, "ehlotap gen: waiting for a link of port %s\n",
				o->port.port);
		told = true;
		tick();
	}
	return true;
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "ehlotap gen: %s%s%s\n", what ? what : "", what ? ": " : "",
		strerror(-error));
	return 1;
}

/* Into memory or, while they are sent, into the ring. 0 or -errno. */
static int make(struct port_run *run, struct gen_run *gen, const struct options *o)
{
	uint64_t begin = gen_real_ns();
	int rc;

	gen->sink = run->sender.store ? &run->store.sink : &run->sink;
	rc = gen_run(gen);
	if (rc == 0 && !o->quiet)
		gen_ready_sum_up(gen, gen_real_ns() - begin, gen->sink->frames, gen->sink->bytes);
	if (rc == -ENOSPC)
		fprintf(stderr,
			"ehlotap gen: the frames take more than --memory %" PRIu64
			"M; give more, ask for fewer sessions, or send without --loops and "
			"--seconds\n",
			o->memory >> 20);
	return rc;
}

static int send_all(struct port_run *run, struct gen_run *gen, const struct options *o)
{
	struct gen_sender *s = &run->sender;
	int rc = 0;

	if (s->store)
		rc = make(run, gen, o);
	if (rc != 0 || !wait_link(run, o))
		return rc;
	rc = et_port_launch(run->lcore, gen_sender_run, s);
	if (rc == 0 && !s->store)
		rc = make(run, gen, o);
	atomic_store_explicit(&s->made, true, memory_order_release);
	while (rc == 0 && !interrupted && !atomic_load(&s->over))
		tick();
	atomic_store(&s->stop, true);
	et_port_join();
	return rc == -EINTR ? 0 : rc;
}

/* ---- what became of it */

static double seconds_of(const struct gen_sender *s)
{
	return s->begin ? (double)(s->end - s->begin) / (double)et_port_cycles_per_s() : 0;
}

static void sum_up(const struct gen_sender *s, const struct et_port_tx_counts *counts)
{
	double took = seconds_of(s), lag = (double)s->lag / (double)et_port_cycles_per_s();

	fprintf(stderr,
		"sent %" PRIu64 " frames, %" PRIu64 " bytes, %" PRIu64
		" bytes on the wire, in %.3f s: %.3f Mpps, %.3f Gbit/s on the wire\n",
		s->frames, s->bytes, s->wire_bytes, took,
		took > 0 ? (double)s->frames / took / 1e6 : 0,
		took > 0 ? (double)s->wire_bytes * 8 / took / 1e9 : 0);
	fprintf(stderr,
		"refused by the port at first: %" PRIu64 "; dropped: %" PRIu64
		"; lost by the port: %" PRIu64 "; longest lag behind the schedule: %.3f ms\n",
		s->refused, s->dropped, counts->errors, lag * 1e3);
	if (s->store)
		fprintf(stderr, "%" PRIu64 " whole loops\n", s->loops_done);
	if (s->starved)
		fprintf(stderr,
			"%" PRIu64 " frames were made too late: the generator is slower than the "
			"rate; --loops sends faster\n",
			s->starved);
	if (interrupted)
		fputs("interrupted: the truth tells of more than was sent\n", stderr);
}

/* The last line of the truth. */
static int put_sent(
	struct gen_out *truth, const struct gen_sender *s, const struct et_port_tx_counts *counts)
{
	char *to = (char *)gen_out_room(truth, SENT_MAX);

	if (!to)
		return -EIO;
	gen_out_done(truth,
		(uint32_t)snprintf(to, SENT_MAX,
			"{\"type\":\"sent\",\"v\":1,\"loops\":%" PRIu64 ",\"frames\":%" PRIu64
			",\"bytes\":%" PRIu64 ",\"wire_bytes\":%" PRIu64 ",\"refused\":%" PRIu64
			",\"dropped\":%" PRIu64 ",\"lost\":%" PRIu64
			",\"seconds\":%.6f,\"lag_s\":%.6f,\"interrupted\":%s}\n",
			s->loops_done, s->frames, s->bytes, s->wire_bytes, s->refused, s->dropped,
			counts->errors, seconds_of(s),
			(double)s->lag / (double)et_port_cycles_per_s(),
			interrupted ? "true" : "false"));
	return 0;
}

static int finish(struct port_run *run, const struct options *o, int rc)
{
	struct et_port_tx_counts counts;
	int truth_rc = 0;

	et_port_tx_counts(&counts, run->sender.tx);
	if (run->truth && rc == 0)
		put_sent(run->truth, &run->sender, &counts);
	truth_rc = gen_out_close(run->truth);
	if (truth_rc)
		return complain(o->truth, truth_rc);
	if (rc == -ENOSPC)
		return 1;
	if (rc)
		return complain(NULL, rc);
	if (!o->quiet)
		sum_up(&run->sender, &counts);
	return 0;
}

static int run_port(struct options *o, const struct gen_ready *ready)
{
	static struct port_run run = { .sink = { .frame = sink_frame, .close = sink_close } };
	struct gen_run gen = { .profile = &ready->profile,
		.scripts = &ready->scripts,
		.seed = o->seed,
		.step_ns = o->nano ? 1 : 1000,
		.progress = !o->quiet && isatty(STDERR_FILENO) };
	bool preload = o->loops_set || o->seconds > 0, tunnel = false;
	int rc;

	for (unsigned i = 0; i < GEN_ENCAPS; i++)
		tunnel = tunnel || ready->profile.encap[i] > 0;
	o->port.frame_max = gen_frame_longest((uint32_t)ready->profile.mss, tunnel);
	o->port.waiting = preload ? 0 : WAITING;
	run.sender.tx = gen_port_open(&o->port, &run.lcore);
	if (!run.sender.tx)
		return 1;
	rc = preload ? gen_store_open(&run.store, o->memory) : 0;
	if (rc == 0 && preload)
		run.sender.store = &run.store;
	if (rc == 0 && o->truth && !(gen.truth = run.truth = gen_out_open(o->truth)))
		rc = -errno;
	if (rc != 0) {
		rc = complain(preload && !run.sender.store ? "--memory" : o->truth, rc);
		gen_store_close(&run.store);
		et_port_tx_close(run.sender.tx);
		return rc;
	}
	run.sender.rate = o->rate;
	run.sender.clients = ready->profile.clients;
	run.sender.loops = o->loops;
	run.sender.seconds = o->seconds;
	run.sender.drop = o->drop;
	rc = finish(&run, o, send_all(&run, &gen, o));
	gen_store_close(&run.store);
	/* memif takes its ring away with it: what the other side has not read yet would be lost */
	usleep(LINGER_US);
	et_port_tx_close(run.sender.tx);
	return rc;
}

int main(int argc, char **argv)
{
	struct gen_ready ready;
	struct options o;
	int rc = options_read(&o, argc, argv);

	if (rc >= 0)
		return rc;
	catch_signals();
	rc = gen_ready_make(&ready, o.profile, o.seed);
	gen_fixed_end();
	if (rc == 0) {
		rc = run_port(&o, &ready);
		et_port_close(NULL);
	}
	gen_ready_free(&ready);
	return rc;
}
