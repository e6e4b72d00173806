/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PEERS (1u << 24)
#define MAX_CELLS (1u << 27)

/* A session, in the order of et_story_cmp: that of run.sessions among those of one moment. */
struct slot {
	int64_t decided_ns;
	size_t session;
};

struct job {
	struct et_stats_writer *writer;
	char *error;
	int dir_fd;
	const char *dir;
	struct slot *slots; /* sorted */
	size_t slots_cnt;
	struct et_peer_table *table;
	struct et_story_table *stories;
	uint64_t dropped; /* of them, before this minute */
};

static int fail(const struct job *job, const char *what, int err)
{
	snprintf(job->error, ET_STATS_ERROR, "cannot %s %.200s: %s", what, job->dir, strerror(err));
	return -err;
}

static int slot_cmp(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->decided_ns != y->decided_ns)
		return x->decided_ns < y->decided_ns ? -1 : 1;
	return x->session < y->session ? -1 : x->session > y->session;
}

/* The capture object of a minute without packets: known to be none if packets are counted at all. */
static struct et_stats_capture empty_capture(bool counted)
{
	struct et_stats_capture capture;

	et_stats_capture_init(&capture);
	if (counted) {
		capture.packets = 0;
		capture.bytes = 0;
	}
	return capture;
}

/* The minute after `now` that needs a file: the next one with something in it, or the next one. */
static int64_t minute_after(int64_t now_ns, int64_t next_ns)
{
	/* unsigned: the two ends of time are further apart than 63 bits hold */
	uint64_t hole_ns = (uint64_t)next_ns - (uint64_t)now_ns;

	if (hole_ns / (uint64_t)ET_NS_PER_MIN > ET_STATS_HOLE_MAX)
		return next_ns;
	return now_ns + ET_NS_PER_MIN;
}

static int64_t slot_minute(const struct slot *slot)
{
	return et_time_minute(slot->decided_ns);
}

/* Counts the sessions of one minute, slots[*s..), into the table and the stories. */
static int count_minute(struct job *job, size_t *s, int64_t minute_ns)
{
	const struct et_stats_run *run = &job->writer->run;

	et_peer_clear(job->table);
	for (; *s < job->slots_cnt && slot_minute(&job->slots[*s]) == minute_ns; ++*s) {
		size_t i = job->slots[*s].session;
		struct et_fallback fallback;

		if (et_stats_follow(job->writer, &fallback, job->stories, i) != 0)
			return fail(job, "write minute files to", ENOMEM);
		et_peer_add(job->table, &run->sessions[i], et_policy_cause(run->policy, i),
			fallback.is);
	}
	return 0;
}

/* Writes the file of a minute whose sessions are counted. */
static int put_file(struct job *job, const struct et_stats_capture *capture, int64_t minute_ns)
{
	int64_t end_ns =
		minute_ns > INT64_MAX - ET_NS_PER_MIN ? INT64_MAX : minute_ns + ET_NS_PER_MIN;
	struct et_stats_stories stories = { 0 };
	struct et_stats_file file = { .dir = job->dir,
		.dir_fd = job->dir_fd,
		.minute_ns = minute_ns,
		.capture = capture,
		.table = job->table,
		.stories = &stories };
	uint64_t dropped;

	stories.rows = et_story_minute(job->stories, &stories.cnt, end_ns);
	if (!stories.rows)
		return fail(job, "write minute files to", ENOMEM);
	stories.open = et_story_open_cnt(job->stories);
	dropped = et_story_dropped_cnt(job->stories);
	stories.dropped = dropped - job->dropped;
	job->dropped = dropped;
	return et_stats_file(job->writer, job->error, &file);
}

static int put_files(struct job *job, const struct et_stats_minute *minutes, size_t cnt)
{
	struct et_stats_capture empty = empty_capture(cnt > 0);
	size_t s = 0, m = 0;
	int64_t now = INT64_MAX, next;
	int rc = 0;

	if (job->slots_cnt > 0)
		now = slot_minute(&job->slots[0]);
	if (cnt > 0 && minutes[0].minute_ns < now)
		now = minutes[0].minute_ns;
	while (rc == 0 && (s < job->slots_cnt || m < cnt)) {
		const struct et_stats_capture *capture = &empty;

		rc = count_minute(job, &s, now);
		if (m < cnt && minutes[m].minute_ns == now)
			capture = &minutes[m].capture;
		if (rc == 0)
			rc = put_file(job, capture, now);
		while (m < cnt && minutes[m].minute_ns <= now)
			m++;
		next = INT64_MAX;
		if (s < job->slots_cnt)
			next = slot_minute(&job->slots[s]);
		if (m < cnt && minutes[m].minute_ns < next)
			next = minutes[m].minute_ns;
		if (next != INT64_MAX)
			now = minute_after(now, next);
	}
	return rc;
}

static void sort_sessions(struct job *job)
{
	const struct et_stats_run *run = &job->writer->run;

	for (size_t i = 0; i < run->cnt; i++)
		job->slots[i] = (struct slot){
			.decided_ns = run->sessions[i].decided_ns,
			.session = i,
		};
	job->slots_cnt = run->cnt;
	if (run->cnt > 1)
		qsort(job->slots, run->cnt, sizeof(*job->slots), slot_cmp);
}

int et_stats_minutes(struct et_stats_writer *writer, char error[static ET_STATS_ERROR],
	const char *dir, const struct et_stats_minute *minutes, size_t cnt)
{
	struct job job = { .writer = writer, .error = error, .dir = dir };
	int rc;

	error[0] = '\0';
	job.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job.dir_fd < 0)
		return fail(&job, "open the folder", errno);
	job.slots = calloc(writer->run.cnt + 1, sizeof(*job.slots));
	job.table = et_peer_table_new(MAX_PEERS, MAX_CELLS);
	job.stories = et_story_new(ET_STORY_MAX);
	if (job.slots && job.table && job.stories) {
		sort_sessions(&job);
		rc = put_files(&job, minutes, cnt);
		/* once for all: the renames are on disk when we return */
		if (rc == 0 && fsync(job.dir_fd) != 0 && errno != EINVAL)
			rc = fail(&job, "sync the folder", errno);
	} else {
		rc = fail(&job, "write minute files to", ENOMEM);
	}
	et_peer_table_free(job.table);
	et_story_free(job.stories);
	free(job.slots);
	close(job.dir_fd);
	return rc;
}
