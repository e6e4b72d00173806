/* SPDX-License-Identifier: BSD-3-Clause */
#include "batch.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "row.h"

#define MAX_PEERS (1u << 24)
#define MAX_CELLS (1u << 27)

#define NO_BIN UINT32_MAX /* of the history, or in a file already */

/* A session on its way into the order of all. */
struct place {
	int64_t start_ns;
	uint64_t index;
	size_t seq; /* by ring and number: the last word where workers gave the same index */
	const struct et_session *session;
	uint32_t bin;
};

struct work {
	struct batch *batch;
	struct bins bins;
	char *error;
	struct place *places;
	size_t *by_bin;     /* sessions by number, those of one bin together */
	size_t *bin_begins; /* in by_bin; one more than bins */
	struct et_policy *policy;
	struct et_stats_writer *writer;
	struct et_peer_table *table;
};

static int out_of_memory(const struct work *work)
{
	snprintf(work->error, ET_STATS_ERROR, "not enough memory for the minute files of %s",
		work->batch->folder->sensor);
	return -ENOMEM;
}

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void add_place(
	struct work *work, size_t *cnt, const struct et_session *session, uint32_t bin)
{
	work->places[*cnt] =
		(struct place){ session->start_ns, session->index, *cnt, session, bin };
	++*cnt;
}

static void place_stretch(struct work *work, size_t *cnt, const struct lot *lot, size_t i)
{
	int64_t stretch_ns = lot_stretch_minute(lot, i);
	int64_t covering_ns = claims_covering(work->batch->claims, et_ring_id(lot->intake->ring),
		lot->intake->stretches[i].first);
	size_t at, end = intake_sessions(lot->intake, i, &at);

	for (; at < end; at++) {
		const struct et_session *session = &lot->intake->sessions[at];
		int64_t floor_ns = lot_floor(lot, lot_session_minute(lot, i, stretch_ns, session));
		uint32_t bin = NO_BIN;

		if (covering_ns < floor_ns)
			bin = (uint32_t)bins_at(&work->bins, bins_target(&work->bins, floor_ns));
		add_place(work, cnt, session, bin);
	}
}

/* All sessions in their order, with the bin of each. */
static int sort_sessions(struct work *work)
{
	struct batch *batch = work->batch;
	size_t cnt = batch->history->cnt, at = 0;

	for (size_t l = 0; l < batch->lots_cnt; l++)
		for (size_t i = 0; i < batch->lots[l].take; i++) {
			size_t begin, end = intake_sessions(batch->lots[l].intake, i, &begin);

			cnt += end - begin;
		}
	work->places = malloc((cnt + 1) * sizeof(*work->places));
	batch->sessions = malloc((cnt + 1) * sizeof(*batch->sessions));
	if (!work->places || !batch->sessions)
		return -ENOMEM;
	for (size_t i = 0; i < batch->history->cnt; i++)
		add_place(work, &at, &batch->history->sessions[i], NO_BIN);
	for (size_t l = 0; l < batch->lots_cnt; l++)
		for (size_t i = 0; i < batch->lots[l].take; i++)
			place_stretch(work, &at, &batch->lots[l], i);
	qsort(work->places, cnt, sizeof(*work->places), place_cmp);
	for (size_t i = 0; i < cnt; i++)
		batch->sessions[i] = *work->places[i].session;
	batch->sessions_cnt = cnt;
	return 0;
}

/* Counts how many sessions each bin has, then lays their numbers down bin by bin. */
static int divide(struct work *work)
{
	size_t cnt = work->batch->sessions_cnt, bins = work->bins.cnt;
	size_t *next = calloc(bins + 1, sizeof(*next));

	work->bin_begins = calloc(bins + 1, sizeof(*work->bin_begins));
	work->by_bin = malloc((cnt + 1) * sizeof(*work->by_bin));
	if (!next || !work->bin_begins || !work->by_bin) {
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < cnt; i++)
		if (work->places[i].bin != NO_BIN)
			work->bin_begins[work->places[i].bin + 1]++;
	for (size_t b = 0; b < bins; b++) {
		work->bin_begins[b + 1] += work->bin_begins[b];
		next[b] = work->bin_begins[b];
	}
	for (size_t i = 0; i < cnt; i++)
		if (work->places[i].bin != NO_BIN)
			work->by_bin[next[work->places[i].bin]++] = i;
	free(next);
	return 0;
}

static int prepare(struct work *work)
{
	struct batch *batch = work->batch;
	struct et_stats_run run = { .books = batch->books,
		.sensor = batch->folder->sensor,
		.gateways = batch->options->gateways,
		.gateways_cnt = batch->options->gateways_cnt };

	if (bins_fill(&work->bins, batch->lots, batch->lots_cnt, batch->claims) != 0 ||
		sort_sessions(work) != 0 || divide(work) != 0)
		return out_of_memory(work);
	if (work->bins.cnt == 0)
		return 0; /* all of it is in files: the last exporter did not come to release it */
	work->policy = et_policy_new(batch->books, batch->sessions, batch->sessions_cnt);
	run.policy = work->policy;
	run.sessions = batch->sessions;
	run.cnt = batch->sessions_cnt;
	if (work->policy)
		work->writer = et_stats_writer_new(&run);
	work->table = et_peer_table_new(MAX_PEERS, MAX_CELLS);
	return work->writer && work->table ? 0 : out_of_memory(work);
}

/* Sums from full rings that go into the bin. */
static void merge_sums(struct work *work, const struct bin *bin)
{
	const struct batch *batch = work->batch;

	for (size_t l = 0; l < batch->lots_cnt; l++) {
		const struct lot *lot = &batch->lots[l];

		for (size_t i = 0; i < lot->take; i++) {
			const struct stretch *stretch = &lot->intake->stretches[i];
			int64_t floor_ns;

			if (!stretch->peers)
				continue;
			floor_ns = lot_floor(lot, lot_stretch_minute(lot, i));
			if (bins_target(&work->bins, floor_ns) != bin->minute_ns ||
				claims_covering(batch->claims, et_ring_id(lot->intake->ring),
					stretch->first) >= floor_ns)
				continue;
			et_peer_merge(work->table, stretch->peers);
		}
	}
}

static int claim(struct work *work, int64_t minute_ns)
{
	const struct batch *batch = work->batch;
	int rc = 0;

	for (size_t l = 0; l < batch->lots_cnt && rc == 0; l++) {
		const struct lot *lot = &batch->lots[l];

		if (lot->to > lot->from)
			rc = claims_add(work->batch->claims,
				&(struct claim){ *et_ring_id(lot->intake->ring), minute_ns,
					lot->from, lot->to });
	}
	return rc;
}

/* The order in which sessions are told: et_story.h. */
static int told_cmp(const void *a, const void *b, void *sessions)
{
	const struct et_session *s = sessions;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int rc = et_story_cmp(&s[x], &s[y]);

	return rc ? rc : x < y ? -1 : x > y;
}

/* Counts the sessions of a bin into the table, and tells the stories of them. */
static int count_bin(struct work *work, size_t b)
{
	struct batch *batch = work->batch;
	size_t begin = work->bin_begins[b], end = work->bin_begins[b + 1];

	et_peer_clear(work->table);
	if (end - begin > 1)
		qsort_r(&work->by_bin[begin], end - begin, sizeof(*work->by_bin), told_cmp,
			batch->sessions);
	for (size_t i = begin; i < end; i++) {
		size_t s = work->by_bin[i];
		struct et_fallback fallback;

		if (et_stats_follow(work->writer, &fallback, batch->stories->table, s) != 0)
			return out_of_memory(work);
		et_peer_add(work->table, &batch->sessions[s], et_policy_cause(work->policy, s),
			fallback.is);
	}
	merge_sums(work, &work->bins.v[b]);
	return 0;
}

static int write_bin(struct work *work, size_t b)
{
	struct batch *batch = work->batch;
	const struct bin *bin = &work->bins.v[b];
	struct et_stats_capture capture;
	struct et_stats_stories stories = { 0 };
	struct et_stats_file file = { .dir = batch->folder->path,
		.dir_fd = batch->folder->fd,
		.minute_ns = bin->minute_ns,
		.capture = &capture,
		.table = work->table,
		.stories = &stories,
		.zstd_level = batch->options->zstd_level,
		.keep = true };
	int rc = count_bin(work, b);

	if (rc == 0)
		rc = stories_write(
			batch->stories, &stories, work->error, batch->folder, bin->minute_ns);
	if (rc != 0)
		return rc;
	row_capture(&capture, bin, et_peer_refused(work->table));
	file.members = row_members(bin, batch->lots, batch->lots_cnt);
	if (!file.members)
		return out_of_memory(work);
	rc = et_stats_file(work->writer, work->error, &file);
	json_decref(file.members);
	if (rc != 0)
		return rc;
	stories_publish(batch->stories, batch->folder);
	batch->files++;
	batch->items += bin->items;
	return 0;
}

/*
 * Claims are made when all is written, or breaks off: while the batch lasts its items are told by
 * what was on disk when it began.
 */
static int write_all(struct work *work)
{
	struct batch *batch = work->batch;
	size_t b = 0;
	int rc = 0;

	for (; b < work->bins.cnt && rc == 0; b++) {
		if (batch->go_on && !batch->go_on())
			rc = -EINTR;
		else
			rc = write_bin(work, b);
		if (rc != 0) {
			if (rc != -EINTR)
				stories_undo(batch->stories, batch->folder);
			break;
		}
		batch->newest_ns = work->bins.v[b].minute_ns;
	}
	for (size_t i = 0; i < b; i++)
		if (claim(work, work->bins.v[i].minute_ns) != 0)
			return out_of_memory(work);
	if (rc == 0 && fsync(batch->folder->fd) != 0 && errno != EINVAL) {
		snprintf(work->error, ET_STATS_ERROR, "cannot sync the folder %s: %s",
			batch->folder->path, strerror(errno));
		rc = -errno;
	}
	return rc;
}

int batch_write(struct batch *batch, char error[static ET_STATS_ERROR])
{
	struct work work = { .batch = batch, .error = error };
	int rc = bins_init(&work.bins, batch->folder);

	error[0] = '\0';
	batch->newest_ns = INT64_MIN;
	if (rc != 0) {
		snprintf(error, ET_STATS_ERROR, "cannot read the folder %s: %s",
			batch->folder->path, strerror(-rc));
		return rc;
	}
	rc = stories_load(batch->stories, error, batch->folder);
	if (rc == 0)
		rc = prepare(&work);
	if (rc == 0)
		rc = write_all(&work);
	et_stats_writer_free(work.writer);
	et_policy_free(work.policy);
	et_peer_table_free(work.table);
	bins_free(&work.bins);
	free(work.places);
	free(work.by_bin);
	free(work.bin_begins);
	return rc;
}

void batch_free(struct batch *batch)
{
	free(batch->sessions);
	batch->sessions = NULL;
	batch->sessions_cnt = 0;
}
