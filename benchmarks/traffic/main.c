/*
 * et-traffic: mail traffic for benchmarks, as a capture file.
 *
 * Sessions of SMTP with STARTTLS, as many at once as asked for, their packets mixed by time. The
 * TLS in them was spoken by OpenSSL (record.h); a session is drawn (session.h), then played packet
 * by packet (play.h) from a heap ordered by time. Memory is one slot per concurrent session.
 */
#include "fixed.h"
#include "play.h"
#include "truth.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define VARIANTS        2 /* recordings of each profile */
#define CONCURRENCY_MAX 100000
#define START_NS        ((uint64_t)ET_FIXED_EPOCH_S * 1000000000u)

static const struct et_mix mixes[] = {
	{ .name = "storm",
		.sessions = 200000,
		.concurrency = 1000,
		.share = { 0.435, 0.050, 0.350, 0.040, 0.025, 0.100 },
		.mail_median = 2000,
		.mail_sigma = 0.8,
		.mail_max = 40000,
		.lone_ack = 0.52 },
	{ .name = "gateway",
		.sessions = 17500,
		.concurrency = 500,
		.share = { 0.435, 0.050, 0.350, 0.040, 0.025, 0.100 },
		.mail_median = 25000,
		.mail_sigma = 1.7,
		.mail_max = 25e6,
		.lone_ack = 0.52 },
};

struct options {
	const struct et_mix *mix;
	uint64_t sessions;
	uint64_t seed;
	uint32_t concurrency;
	const char *out;
	const char *truth;
};

/* A running capture: slots of sessions, and the heap of those that still have packets. */
struct run {
	const struct options *opt;
	struct et_world world;
	struct et_wire wire;
	FILE *truth;
	struct et_play *slots;
	struct et_play **heap;
	uint32_t heap_cnt;
	uint64_t made;
	uint64_t last_ns;
};

static void usage(FILE *to)
{
	fputs("usage: et-traffic --mix storm|gateway --out FILE [--truth FILE] [--sessions N]\n"
	      "                  [--seed N] [--concurrency N]\n",
		to);
}

static int parse_number(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || *out < min || *out > max) {
		fprintf(stderr,
			"et-traffic: '%s' is not a number from %" PRIu64 " to %" PRIu64 "\n", text,
			min, max);
		return -1;
	}
	return 0;
}

static const struct et_mix *find_mix(const char *name)
{
	for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++)
		if (!strcmp(mixes[i].name, name))
			return &mixes[i];
	fprintf(stderr, "et-traffic: no mix '%s': storm or gateway\n", name);
	return NULL;
}

static int parse_option(struct options *o, int c, const char *arg)
{
	uint64_t n = 0;
	int rc = 0;

	switch (c) {
	case 'm': o->mix = find_mix(arg); return o->mix ? 0 : -1;
	case 'n': return parse_number(&o->sessions, arg, 1, 1u << 30);
	case 's': return parse_number(&o->seed, arg, 0, UINT64_MAX);
	case 'c':
		rc = parse_number(&n, arg, 1, CONCURRENCY_MAX);
		o->concurrency = (uint32_t)n;
		return rc;
	case 'o': o->out = arg; return 0;
	case 't': o->truth = arg; return 0;
	default: usage(stderr); return -1;
	}
}

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "mix", required_argument, NULL, 'm' },
		{ "sessions", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "concurrency", required_argument, NULL, 'c' },
		{ "out", required_argument, NULL, 'o' },
		{ "truth", required_argument, NULL, 't' },
		{ 0 },
	};
	int c;

	*o = (struct options){ .seed = 1 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (parse_option(o, c, optarg))
			return -1;
	if (!o->mix || !o->out || optind < argc) {
		usage(stderr);
		return -1;
	}
	if (!o->sessions)
		o->sessions = o->mix->sessions;
	if (!o->concurrency)
		o->concurrency = o->mix->concurrency;
	if (o->concurrency > o->sessions)
		o->concurrency = (uint32_t)o->sessions;
	return 0;
}

/* Lines of base64, here and there one that a careless analyzer takes for dialogue. */
static uint8_t *make_text(struct et_rng *rng)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char *const odd[] = { "250-STARTTLS", "STARTTLS", "220 2.0.0 Ready", "QUIT" };
	uint8_t *text = malloc((size_t)ET_TEXT_LINES * ET_TEXT_LINE);

	if (!text)
		return NULL;
	for (unsigned i = 0; i < ET_TEXT_LINES; i++) {
		uint8_t *line = text + (size_t)i * ET_TEXT_LINE;

		for (unsigned k = 0; k < ET_TEXT_LINE - 2; k++)
			line[k] = (uint8_t)digits[et_rng_below(rng, 64)];
		if (i % 512 == 100) {
			memset(line, ' ', ET_TEXT_LINE - 2);
			memcpy(line, odd[i / 512 % 4], strlen(odd[i / 512 % 4]));
		}
		line[ET_TEXT_LINE - 2] = '\r';
		line[ET_TEXT_LINE - 1] = '\n';
	}
	return text;
}

static int make_world(struct et_world *w, const struct options *o)
{
	struct et_certs certs = { 0 };
	struct et_rng rng;
	int rc;

	*w = (struct et_world){ .seed = o->seed, .mix = o->mix };
	et_rng_seed(&rng, o->seed, UINT64_MAX - 1);
	w->text = make_text(&rng);
	w->recs = calloc(et_profile_cnt * VARIANTS, sizeof(*w->recs));
	if (!w->text || !w->recs)
		return -1;
	rc = et_fixed_install(o->seed);
	if (!rc)
		rc = et_certs_make(&certs);
	while (!rc && w->rec_cnt < et_profile_cnt * VARIANTS) {
		rc = et_recording_make(&w->recs[w->rec_cnt], &certs, &rng,
			&et_profiles[w->rec_cnt % et_profile_cnt]);
		w->rec_cnt++;
	}
	et_certs_free(&certs);
	return rc ? rc : et_peers_make(&w->peers, o->seed, w->recs, w->rec_cnt);
}

static void free_world(struct et_world *w)
{
	for (size_t i = 0; i < w->rec_cnt; i++)
		et_recording_free(&w->recs[i]);
	free(w->recs);
	free(w->text);
	et_peers_free(&w->peers);
}

static bool before(const struct et_play *a, const struct et_play *b)
{
	if (a->next_ns != b->next_ns)
		return a->next_ns < b->next_ns;
	return a->session.id < b->session.id;
}

/* The top's time has moved on: sinks it to its place. */
static void sink_top(struct run *r)
{
	struct et_play *item = r->heap[0];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= r->heap_cnt)
			break;
		if (child + 1 < r->heap_cnt && before(r->heap[child + 1], r->heap[child]))
			child++;
		if (before(item, r->heap[child]))
			break;
		r->heap[at] = r->heap[child];
		at = child;
	}
	r->heap[at] = item;
}

static int start_session(struct run *r, struct et_play *slot, uint64_t start_ns)
{
	et_session_make(&slot->session, &r->world, r->made++, start_ns);
	et_play_start(slot);
	return r->truth ? et_truth_put(r->truth, &slot->session) : 0;
}

/* Opens the first sessions a little apart; in this order the array is a heap already. */
static int fill_heap(struct run *r)
{
	for (uint32_t i = 0; i < r->opt->concurrency; i++) {
		if (start_session(r, &r->slots[i], START_NS + (uint64_t)i * 300000))
			return -EIO;
		r->heap[r->heap_cnt++] = &r->slots[i];
	}
	return 0;
}

static int play_all(struct run *r)
{
	int rc = fill_heap(r);

	while (!rc && r->heap_cnt > 0) {
		struct et_play *top = r->heap[0];
		uint64_t now = top->next_ns;

		rc = et_play_next(top, &r->wire, &r->world);
		if (rc < 0)
			return rc;
		if (rc == 0 && r->made < r->opt->sessions)
			rc = start_session(r, top, now + 1000000) ? -EIO : 0;
		else if (rc == 0)
			r->heap[0] = r->heap[--r->heap_cnt];
		else
			rc = 0;
		r->last_ns = now;
		if (r->heap_cnt > 0)
			sink_top(r);
	}
	return rc;
}

static int run_all(struct run *r)
{
	uint32_t n = r->opt->concurrency;
	int rc;

	r->slots = calloc(n, sizeof(*r->slots));
	r->heap = calloc(n, sizeof(struct et_play *));
	if (!r->slots || !r->heap)
		return -ENOMEM;
	rc = et_wire_open(&r->wire, r->opt->out);
	if (!rc && r->opt->truth) {
		r->truth = fopen(r->opt->truth, "w");
		rc = r->truth ? 0 : -errno;
	}
	if (!rc)
		rc = play_all(r);
	if (r->truth && fclose(r->truth) && !rc)
		rc = -errno;
	if (et_wire_close(&r->wire) && !rc)
		rc = -EIO;
	return rc;
}

int main(int argc, char **argv)
{
	struct options opt;
	struct run run = { .opt = &opt };
	int rc;

	if (parse_options(&opt, argc, argv))
		return 2;
	rc = make_world(&run.world, &opt);
	if (rc) {
		fputs("et-traffic: the recordings could not be made\n", stderr);
	} else {
		rc = run_all(&run);
		if (rc)
			fprintf(stderr, "et-traffic: %s: %s\n", opt.out, strerror(-rc));
		else
			fprintf(stderr,
				"%s: %" PRIu64 " sessions, %" PRIu64 " packets, %" PRIu64
				" bytes of frames (%.1f each), %.1f s of traffic\n",
				opt.mix->name, run.made, run.wire.packets, run.wire.bytes,
				(double)run.wire.bytes / (double)run.wire.packets,
				(double)(run.last_ns - START_NS) / 1e9);
	}
	free_world(&run.world);
	free(run.slots);
	free(run.heap);
	return rc ? 1 : 0;
}
