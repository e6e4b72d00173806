/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap read: the engine over capture files. Reads frames, decodes them, hands the segments to
 * the crew, and answers.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "patterns.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void on_warning(void *ctx, const char *sentence)
{
	(void)ctx;
	if (!interrupted) /* what a signal breaks off is not damaged */
		fprintf(stderr, "ehlotap read: %s\n", sentence);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One line on the terminal, after the first second and then five times a second. */
struct progress {
	bool wanted, shown;
	double begin_s, last_s;
};

static void progress_show(struct progress *progress, const struct et_source *source)
{
	double now = now_s();
	struct et_source_state state;

	if (!progress->wanted || now - progress->begin_s < 1 || now - progress->last_s < 0.2)
		return;
	progress->last_s = now;
	progress->shown = true;
	et_source_state(&state, source);
	if (state.bytes_total)
		fprintf(stderr, "\r%3.0f%%  %.1f M packets, %.1f M/s ",
			100.0 * (double)state.bytes_read / (double)state.bytes_total,
			(double)state.frames / 1e6,
			(double)state.frames / 1e6 / (now - progress->begin_s));
	else
		fprintf(stderr, "\r%.1f M packets, %.1f M/s ", (double)state.frames / 1e6,
			(double)state.frames / 1e6 / (now - progress->begin_s));
}

static void progress_end(const struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}

/* The reader's own counts: frames, bytes and drops, by minutes of the capture's clock. */
struct counting {
	struct tallies *tallies;
	struct tally *now;
	int64_t end_ns; /* of its minute */
	bool out_of_memory;
};

static struct tally *count(struct counting *counting, const struct et_frame *frame)
{
	static struct tally spare;

	if (!counting->now || frame->clock_ns > counting->end_ns) {
		int64_t begin_ns = et_time_minute(frame->clock_ns);

		counting->end_ns = begin_ns > INT64_MAX - ET_NS_PER_MIN
					   ? INT64_MAX
					   : begin_ns + ET_NS_PER_MIN - 1;
		counting->now = tallies_at(counting->tallies, frame->clock_ns);
		if (!counting->now) {
			counting->out_of_memory = true;
			return &spare;
		}
	}
	counting->now->frames++;
	counting->now->bytes += frame->len;
	return counting->now;
}

static int read_all(struct reading *reading, struct et_source *source, struct crew *crew,
	uint64_t hash_seed, bool quiet)
{
	struct progress progress = { .wanted = !quiet && isatty(STDERR_FILENO),
		.begin_s = now_s() };
	struct counting counting = { .tallies = &reading->tallies };
	struct et_frame frame;
	struct parcel parcel;

	while (!interrupted && et_source_next(source, &frame)) {
		struct tally *tally = count(&counting, &frame);
		enum et_drop drop = et_packet_decode(&parcel.segment, &frame);

		if (frame.index == 1 || frame.ts_ns < reading->first_ns)
			reading->first_ns = frame.ts_ns;
		reading->clock_ns = reading->last_ns = frame.clock_ns;
		if (frame.index % 1024 == 0)
			progress_show(&progress, source);
		if (drop != ET_KEEP) {
			tally->drops[drop]++;
			continue;
		}
		parcel.side = et_flow_key(&parcel.key, &parcel.hash, &parcel.segment, hash_seed);
		parcel.frame = frame.index;
		parcel.ts_ns = frame.ts_ns;
		parcel.clock_ns = frame.clock_ns;
		crew_push(crew, &parcel);
	}
	crew_finish(crew, reading->clock_ns);
	progress_end(&progress);
	et_source_state(&reading->state, source);
	return counting.out_of_memory ? -ENOMEM : 0;
}

static struct crew *make_crew(
	const struct options *options, const struct et_match_db *db, uint64_t *hash_seed)
{
	uint32_t flows = options->max_flows / options->workers + 1;
	struct worker_limits limits = { .flows = flows,
		.undecided = flows < (1u << 20) ? flows : 1u << 20,
		.hold_blocks = 1u << 16,
		.message_bytes = 64u << 20,
		.dict_entries = 1u << 22,
		.dict_bytes = (size_t)1 << 30 };

	*hash_seed = hash_seed_new();
	return crew_new(options->workers, &limits, db, &options->ports, *hash_seed);
}

static int run(const struct options *options, struct et_source *source, struct crew *crew,
	uint64_t hash_seed)
{
	/* without SA_RESTART, so that a pipe on which nothing comes is left too: see et_source.h */
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };
	struct reading reading = { 0 };
	FILE *sessions;
	int code;

	et_source_state(&reading.state, source);
	if (reading.state.readable == 0 || answer_prepare(options, &sessions) != 0)
		return 2;
	sigaction(SIGINT, &action, NULL);
	if (read_all(&reading, source, crew, hash_seed, options->quiet) != 0) {
		fputs("ehlotap read: not enough memory for the counters\n", stderr);
		code = 2;
	} else {
		if (interrupted)
			fprintf(stderr,
				"ehlotap read: interrupted; the answer covers the first %llu "
				"packets\n",
				(unsigned long long)reading.state.frames);
		code = answer(options, crew, &reading, sessions);
	}
	if (code == 0 && (interrupted || reading.state.damaged || reading.state.unreadable))
		code = 1;
	free(reading.tallies.v);
	return code;
}

int main(int argc, char **argv)
{
	struct options options;
	int code = options_read(&options, argc, argv);
	char err[512];
	struct et_source *source;
	struct et_match_db *db;
	struct crew *crew = NULL;
	uint64_t hash_seed;

	if (code >= 0)
		return code;
	source = et_source_open(options.files, (size_t)options.files_cnt, on_warning, NULL);
	db = patterns_open(err, sizeof(err));
	if (!db)
		fprintf(stderr, "ehlotap read: %s\n", err);
	else
		crew = make_crew(&options, db, &hash_seed);
	if (source && crew) {
		code = run(&options, source, crew, hash_seed);
	} else {
		if (db)
			fputs("ehlotap read: not enough memory; try fewer --workers or a smaller "
			      "--max-flows\n",
				stderr);
		code = 2;
	}
	crew_free(crew);
	et_match_db_free(db);
	et_source_close(source);
	return code;
}
