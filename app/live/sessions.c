/* SPDX-License-Identifier: BSD-3-Clause */
#include "sessions.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history.h"
#include "intake.h"
#include "et_stats.h"

/* Sessions of the last hour that explain later ones; as many as the exporter keeps. */
#define HISTORY_MAX  131072
#define BOOK_ENTRIES (1u << 24)
#define BOOK_BYTES   ((size_t)4 << 30)
#define READ_AT_ONCE 4096
#define PAUSE_US     50000

struct sessions {
	const struct engine *engine;
	FILE *out;
	struct et_books books;
	struct history history;
	struct intake *intakes[LOOPS_MAX];
	unsigned cnt;
	int64_t told_ns; /* the newest minute that is written */
	pthread_t thread;
	_Atomic bool reopen, end;
	bool failed;
};

/* A record, and whether it is to be written or only explains others. */
struct place {
	const struct et_session *session;
	bool fresh;
};

/* All records of a pass in order. */
struct joined {
	struct et_session *sessions;
	bool *fresh;
	size_t cnt;
};

static int place_cmp(const void *a, const void *b)
{
	return et_session_cmp(
		((const struct place *)a)->session, ((const struct place *)b)->session);
}

static size_t fresh_cnt(const struct intake *intake, size_t stretches)
{
	size_t at;

	return stretches ? intake_sessions(intake, stretches - 1, &at) : 0;
}

/* take: how many stretches of each intake. */
static int join(struct joined *joined, const struct sessions *s, const size_t *take)
{
	size_t cnt = s->history.cnt, n = 0;
	struct place *places;

	for (unsigned i = 0; i < s->cnt; i++)
		cnt += fresh_cnt(s->intakes[i], take[i]);
	places = malloc((cnt + 1) * sizeof(*places));
	joined->sessions = malloc((cnt + 1) * sizeof(*joined->sessions));
	joined->fresh = malloc(cnt + 1);
	joined->cnt = cnt;
	if (!places || !joined->sessions || !joined->fresh) {
		free(places);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->history.cnt; i++)
		places[n++] = (struct place){ &s->history.sessions[i], false };
	for (unsigned i = 0; i < s->cnt; i++)
		for (size_t j = 0; j < fresh_cnt(s->intakes[i], take[i]); j++)
			places[n++] = (struct place){ &s->intakes[i]->sessions[j], true };
	qsort(places, n, sizeof(*places), place_cmp);
	for (size_t i = 0; i < n; i++) {
		joined->sessions[i] = *places[i].session;
		joined->fresh[i] = places[i].fresh;
	}
	free(places);
	return 0;
}

static int write_lines(struct sessions *s, const struct joined *joined)
{
	struct et_policy *policy = et_policy_new(&s->books, joined->sessions, joined->cnt);
	struct et_stats_run run = { .books = &s->books,
		.policy = policy,
		.sessions = joined->sessions,
		.cnt = joined->cnt,
		.sensor = s->engine->config->sensor };
	struct et_stats_writer *writer = policy ? et_stats_writer_new(&run) : NULL;
	int err = writer ? 0 : -ENOMEM;

	for (size_t i = 0; i < joined->cnt && !err; i++)
		if (joined->fresh[i])
			err = et_stats_session(writer, s->out, i);
	if (fflush(s->out) != 0 && !err)
		err = -EIO;
	et_stats_writer_free(writer);
	et_policy_free(policy);
	return err;
}

/* Goes on with new books that hold only what the history needs. */
static int forget(struct sessions *s, const struct joined *joined)
{
	struct et_books books;
	struct history history;
	int64_t last_ns = joined->cnt ? joined->sessions[joined->cnt - 1].start_ns : 0;

	if (et_books_init(&books, BOOK_ENTRIES, BOOK_BYTES) != 0)
		return -ENOMEM;
	if (history_keep(&history, &books, &s->books, joined->sessions, joined->cnt, HISTORY_MAX,
		    last_ns) != 0) {
		et_books_free(&books);
		return -ENOMEM;
	}
	history_free(&s->history);
	et_books_free(&s->books);
	s->history = history;
	s->books = books;
	for (unsigned i = 0; i < s->cnt; i++)
		intake_restart(s->intakes[i], &s->books);
	return 0;
}

static void complain(struct sessions *s, int err)
{
	if (!s->failed)
		fprintf(stderr, "ehlotap live: cannot write the sessions to %s: %s\n",
			s->engine->config->sessions, strerror(err == -EIO && errno ? errno : -err));
	s->failed = true;
}

static void write_taken(struct sessions *s, const size_t *take)
{
	struct joined joined = { 0 };
	int err = join(&joined, s, take);

	errno = 0;
	if (!err)
		err = write_lines(s, &joined);
	for (unsigned i = 0; i < s->cnt; i++)
		if (take[i] > 0)
			intake_release(s->intakes[i], s->intakes[i]->stretches[take[i] - 1].end);
	if (!err)
		err = forget(s, &joined);
	if (err)
		complain(s, err);
	free(joined.sessions);
	free(joined.fresh);
}

/* Writes the minutes that all loops have told; at the end everything. */
static void pass(struct sessions *s, bool all)
{
	size_t take[LOOPS_MAX] = { 0 };
	int64_t shown_ns = INT64_MAX;

	for (unsigned i = 0; i < s->cnt; i++) {
		while (intake_read(s->intakes[i], READ_AT_ONCE))
			;
		if (intake_shown(s->intakes[i]) < shown_ns)
			shown_ns = intake_shown(s->intakes[i]);
	}
	if (!all && shown_ns <= s->told_ns)
		return;
	for (unsigned i = 0; i < s->cnt; i++) {
		const struct intake *intake = s->intakes[i];

		while (take[i] < intake->stretches_cnt &&
			(all || (intake->stretches[take[i]].closed &&
					intake->stretches[take[i]].mark.minute_ns <= shown_ns)))
			take[i]++;
	}
	write_taken(s, take);
	s->told_ns = shown_ns;
}

static bool open_file(struct sessions *s)
{
	const char *path = s->engine->config->sessions;
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "a");

	if (!out) {
		fprintf(stderr, "ehlotap live: cannot write %s: %s\n", path, strerror(errno));
		return false;
	}
	if (s->out && s->out != stdout)
		fclose(s->out);
	s->out = out;
	return true;
}

static void *run(void *arg)
{
	struct sessions *s = arg;

	while (!atomic_load(&s->end)) {
		pass(s, false);
		if (atomic_exchange(&s->reopen, false))
			open_file(s);
		usleep(PAUSE_US);
	}
	pass(s, true);
	return NULL;
}

static void sessions_free(struct sessions *s)
{
	for (unsigned i = 0; i < s->cnt; i++)
		intake_free(s->intakes[i]);
	history_free(&s->history);
	et_books_free(&s->books);
	if (s->out && s->out != stdout)
		fclose(s->out);
	free(s);
}

struct sessions *sessions_start(const struct engine *engine)
{
	struct sessions *s = calloc(1, sizeof(*s));
	bool ready;

	if (!s)
		return NULL;
	s->engine = engine;
	s->told_ns = INT64_MIN;
	ready = et_books_init(&s->books, BOOK_ENTRIES, BOOK_BYTES) == 0;
	for (unsigned i = 0; i < engine->workers_cnt && ready; i++) {
		struct loop *loop = engine->workers[i];

		s->intakes[i] = intake_new(loop->sessions_reader, &s->books);
		ready = s->intakes[i] != NULL;
		loop->sessions_reader = NULL;
		s->cnt += ready;
	}
	ready = ready && open_file(s) && pthread_create(&s->thread, NULL, run, s) == 0;
	if (!ready) {
		sessions_free(s);
		return NULL;
	}
	return s;
}

void sessions_reopen(struct sessions *s)
{
	atomic_store(&s->reopen, true);
}

int sessions_end(struct sessions *s)
{
	bool failed;

	atomic_store(&s->end, true);
	pthread_join(s->thread, NULL);
	failed = s->failed;
	sessions_free(s);
	return failed ? -1 : 0;
}
