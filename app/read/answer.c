/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "et_report.h"

/* Peers and cells of the whole run; beyond that the table counts what it leaves out. */
#define MAX_PEERS (1u << 22)
#define MAX_CELLS (1u << 25)

static int complain(const char *what, int err)
{
	fprintf(stderr, "ehlotap read: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 2;
}

/* All records in one array, in order, with ids of one set of books. */
struct joined {
	struct et_books books;
	struct et_session *sessions;
	size_t cnt;
};

struct place {
	int64_t start_ns;
	uint64_t index;
	const struct et_session *session;
};

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int join(struct joined *joined, struct crew *crew)
{
	struct place *places;
	size_t at = 0, cnt;
	int err = et_books_init(&joined->books, UINT32_MAX, SIZE_MAX / 4);

	for (unsigned i = 0; i < crew_cnt(crew) && !err; i++) {
		struct worker *worker = crew_worker(crew, i);
		struct et_session *records = worker_records(worker, &cnt);

		joined->cnt += cnt;
		err = worker_out_of_memory(worker)
			      ? -ENOMEM
			      : et_books_merge(&joined->books, worker_books(worker), records, cnt);
	}
	if (err)
		return err;
	places = malloc((joined->cnt + 1) * sizeof(*places));
	joined->sessions = malloc((joined->cnt + 1) * sizeof(*joined->sessions));
	for (unsigned i = 0; i < crew_cnt(crew) && places && joined->sessions; i++) {
		struct et_session *records = worker_records(crew_worker(crew, i), &cnt);

		for (size_t j = 0; j < cnt; j++)
			places[at++] = (struct place){ records[j].start_ns, records[j].index,
				&records[j] };
	}
	if (places && joined->sessions) {
		/* Sorting what names a record moves a tenth of the bytes that records have. */
		qsort(places, at, sizeof(*places), place_cmp);
		for (size_t i = 0; i < at; i++)
			joined->sessions[i] = *places[i].session;
	}
	err = places && joined->sessions ? 0 : -ENOMEM;
	free(places);
	return err;
}

static void capture_of(struct et_stats_capture *capture, const struct tally *tally)
{
	et_stats_capture_init(capture);
	capture->packets = (int64_t)tally->frames;
	capture->bytes = (int64_t)tally->bytes;
	capture->duplicates = (int64_t)tally->order.duplicates;
	capture->gaps = (int64_t)tally->order.gaps;
	capture->flows_new = (int64_t)tally->flows;
	capture->flows_evicted = (int64_t)tally->drops[ET_DROP_FLOW_TABLE];
	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		capture->drops[i] = (int64_t)tally->drops[i];
}

static int write_minutes(const struct options *options, struct et_stats_writer *writer,
	const struct tallies *tallies, const struct reading *reading)
{
	struct et_stats_minute *minutes = calloc(tallies->cnt + 1, sizeof(*minutes));
	char error[ET_STATS_ERROR];
	int err;

	if (!minutes)
		return complain("minute files", ENOMEM);
	for (size_t i = 0; i < tallies->cnt; i++) {
		int64_t begin = tallies->v[i].minute_ns;
		int64_t end = begin > INT64_MAX - ET_NS_PER_MIN ? INT64_MAX : begin + ET_NS_PER_MIN;

		minutes[i].minute_ns = begin;
		capture_of(&minutes[i].capture, &tallies->v[i]);
		/* The first and the last minute are covered in part. */
		if (reading->first_ns > begin)
			begin = reading->first_ns < end ? reading->first_ns : end;
		if (reading->last_ns < end)
			end = reading->last_ns > begin ? reading->last_ns : begin;
		minutes[i].capture.seconds = (double)(end - begin) / 1e9;
	}
	err = et_stats_minutes(writer, error, options->minutes, minutes, tallies->cnt);
	if (err)
		fprintf(stderr, "ehlotap read: %s\n", error);
	free(minutes);
	return err ? 2 : 0;
}

static bool is_stdout(const char *sessions)
{
	return sessions && strcmp(sessions, "-") == 0;
}

static int cannot_write(const char *sessions, int err)
{
	fprintf(stderr, "ehlotap read: cannot write %s: %s\n",
		is_stdout(sessions) ? "the sessions" : sessions, strerror(err));
	return 2;
}

/* Whether the path names a file that is also read. */
static bool is_input(const struct options *options, const char *path)
{
	struct stat out, in;

	if (stat(path, &out) != 0 || !S_ISREG(out.st_mode))
		return false;
	for (int i = 0; i < options->files_cnt; i++)
		if (stat(options->files[i], &in) == 0 && in.st_dev == out.st_dev &&
			in.st_ino == out.st_ino)
			return true;
	return false;
}

static int check_folder(const char *dir)
{
	struct stat stat_of;
	int err = stat(dir, &stat_of) ? errno : S_ISDIR(stat_of.st_mode) ? 0 : ENOTDIR;

	if (!err && access(dir, W_OK | X_OK) != 0)
		err = errno;
	if (!err)
		return 0;
	fprintf(stderr, "ehlotap read: cannot write into the folder %s: %s%s\n", dir, strerror(err),
		err == ENOENT ? "; make it first" : "");
	return 2;
}

int answer_prepare(const struct options *options, FILE **sessions)
{
	*sessions = NULL;
	if (options->minutes && check_folder(options->minutes) != 0)
		return 2;
	if (!options->sessions)
		return 0;
	if (is_input(options, options->sessions)) {
		fprintf(stderr, "ehlotap read: %s is also an input; nothing was written\n",
			options->sessions);
		return 2;
	}
	*sessions = is_stdout(options->sessions) ? stdout : fopen(options->sessions, "w");
	return *sessions ? 0 : cannot_write(options->sessions, errno);
}

static int write_sessions(
	const struct options *options, struct et_stats_writer *writer, size_t cnt, FILE *out)
{
	int err = 0;

	errno = 0;
	for (size_t i = 0; i < cnt && !err; i++)
		err = et_stats_session(writer, out, i) ? (errno ? errno : EIO) : 0;
	if ((out == stdout ? fflush(out) : fclose(out)) != 0 && !err)
		err = errno;
	return err ? cannot_write(options->sessions, err) : 0;
}

static int print(const struct options *options, const struct et_stats_run *run,
	const struct tally *total, const struct reading *reading)
{
	FILE *out = is_stdout(options->sessions) ? stderr : stdout;
	const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org: not when empty */
	struct et_report report = { .run = run,
		.first_ns = reading->first_ns,
		.last_ns = reading->last_ns,
		.files = reading->state.readable + reading->state.unreadable,
		.unreadable = reading->state.unreadable,
		.damaged = reading->state.damaged,
		.top = options->top };
	int err;

	report.colour = options->colour == -1 ? isatty(fileno(out)) && (!no_colour || !*no_colour)
					      : options->colour;
	capture_of(&report.capture, total);
	if (reading->state.frames > 0)
		report.capture.seconds =
			((double)reading->last_ns - (double)reading->first_ns) / 1e9;
	report.peers = et_peer_table_new(MAX_PEERS, MAX_CELLS);
	if (!report.peers)
		return complain("the answer", ENOMEM);
	et_stats_count(report.peers, run);
	report.capture.table_lost = (int64_t)et_peer_refused(report.peers);
	errno = 0;
	err = options->json ? et_report_json(&report, out) : et_report_text(&report, out);
	if (err == -EIO && errno)
		err = errno; /* says more: a full disk, a closed output */
	et_peer_table_free(report.peers);
	return err ? complain("cannot print the answer", err) : 0;
}

static int write_all(const struct options *options, const struct et_stats_run *run,
	const struct reading *reading, FILE *sessions)
{
	const struct tallies *tallies = &reading->tallies;
	struct et_stats_writer *writer = et_stats_writer_new(run);
	struct tally total = { 0 };
	int code = 0;

	if (!writer)
		return complain("records", ENOMEM);
	for (size_t i = 0; i < tallies->cnt; i++)
		tally_add(&total, &tallies->v[i]);
	if (sessions)
		code = write_sessions(options, writer, run->cnt, sessions);
	if (options->minutes && !code)
		code = write_minutes(options, writer, tallies, reading);
	if (!options->quiet && !code)
		code = print(options, run, &total, reading);
	et_stats_writer_free(writer);
	return code;
}

int answer(
	const struct options *options, struct crew *crew, struct reading *reading, FILE *sessions)
{
	struct joined joined = { 0 };
	struct et_stats_run run = { .sensor = options->sensor,
		.gateways = options->gateways,
		.gateways_cnt = options->gateways_cnt };
	struct et_policy *policy = NULL;
	int err = join(&joined, crew), code;

	for (unsigned i = 0; i < crew_cnt(crew) && !err; i++)
		err = tallies_merge(&reading->tallies, worker_tallies(crew_worker(crew, i)));
	if (!err) {
		policy = et_policy_new(&joined.books, joined.sessions, joined.cnt);
		err = policy ? 0 : -ENOMEM;
	}
	if (err) {
		code = complain("records", err);
	} else {
		run.books = &joined.books;
		run.policy = policy;
		run.sessions = joined.sessions;
		run.cnt = joined.cnt;
		code = write_all(options, &run, reading, sessions);
	}
	et_policy_free(policy);
	free(joined.sessions);
	et_books_free(&joined.books);
	return code;
}
