/* SPDX-License-Identifier: BSD-3-Clause */
#include "bins.h"

#include <errno.h>
#include <stdlib.h>

/* Decided before 1970 or after 2200: a clock that is not set. Keeps arithmetic within 64 bits. */
#define LAST_NS (INT64_C(7258118400) * ET_NS_PER_S)

int bins_init(struct bins *bins, const struct folder *folder)
{
	struct folder_file *files;
	size_t cnt;
	int rc = folder_list(&files, &cnt, folder, false);

	*bins = (struct bins){ 0 };
	if (rc != 0)
		return rc;
	bins->taken = malloc((cnt + 1) * sizeof(*bins->taken));
	for (size_t i = 0; i < cnt && bins->taken; i++)
		if (i == 0 || files[i].minute_ns != files[i - 1].minute_ns)
			bins->taken[bins->taken_cnt++] = files[i].minute_ns;
	free(files);
	return bins->taken ? 0 : -ENOMEM;
}

void bins_free(struct bins *bins)
{
	for (size_t i = 0; i < bins->cnt; i++)
		free(bins->v[i].loads);
	free(bins->v);
	free(bins->taken);
	*bins = (struct bins){ 0 };
}

int64_t bins_target(const struct bins *bins, int64_t minute_ns)
{
	size_t low = 0, high = bins->taken_cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bins->taken[middle] < minute_ns)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < bins->taken_cnt && bins->taken[low] == minute_ns; low++)
		minute_ns += ET_NS_PER_MIN;
	return minute_ns;
}

/* The first bin that is not before the minute. */
static size_t find(const struct bins *bins, int64_t minute_ns)
{
	size_t low = 0, high = bins->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bins->v[middle].minute_ns < minute_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t bins_at(struct bins *bins, int64_t minute_ns)
{
	if (bins->v[bins->last].minute_ns != minute_ns)
		bins->last = find(bins, minute_ns);
	return bins->last;
}

/* The bin, made if need be; NULL when memory is short. */
static struct bin *make(struct bins *bins, int64_t minute_ns)
{
	size_t at;

	if (bins->last < bins->cnt && bins->v[bins->last].minute_ns == minute_ns)
		return &bins->v[bins->last];
	at = find(bins, minute_ns);
	if (at == bins->cnt || bins->v[at].minute_ns != minute_ns) {
		if (bins->cnt == bins->cap) {
			size_t cap = bins->cap ? bins->cap * 2 : 16;
			struct bin *v = reallocarray(bins->v, cap, sizeof(*v));

			if (!v)
				return NULL;
			bins->v = v;
			bins->cap = cap;
		}
		for (size_t i = bins->cnt++; i > at; i--)
			bins->v[i] = bins->v[i - 1];
		bins->v[at] = (struct bin){ .minute_ns = minute_ns };
	}
	bins->last = at;
	return &bins->v[at];
}

static int64_t minute_of(int64_t ts_ns)
{
	return et_time_minute(ts_ns < 0 ? 0 : ts_ns > LAST_NS ? LAST_NS : ts_ns);
}

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The minute in which the engine was started. */
static int64_t begin_of(const struct lot *lot)
{
	uint64_t us = et_ring_id(lot->intake->ring)->generation;

	return us < (uint64_t)(LAST_NS / 1000) ? minute_of((int64_t)us * 1000) : 0;
}

/*
 * An open stretch is the end of a ring whose writer is gone. Its minute must come out the same when
 * some files of the batch are there already: so it rests on what the ring holds and the disk.
 */
int64_t lot_stretch_minute(const struct lot *lot, size_t i)
{
	const struct intake *intake = lot->intake;
	int64_t minute_ns = lot->floor_ns;
	size_t at, end;

	if (intake->stretches[i].closed)
		return minute_of(intake->stretches[i].mark.minute_ns);
	if (i > 0) /* all but the last are closed */
		minute_ns = max(minute_ns, minute_of(intake->stretches[i - 1].mark.minute_ns));
	end = intake_sessions(intake, i, &at);
	if (at == end && i == 0)
		minute_ns = max(minute_ns, begin_of(lot));
	for (; at < end; at++)
		minute_ns = max(minute_ns, minute_of(intake->sessions[at].decided_ns));
	return minute_ns;
}

/* A session was decided while its engine ran, and before the mark behind it. */
int64_t lot_session_minute(
	const struct lot *lot, size_t i, int64_t stretch_ns, const struct et_session *session)
{
	int64_t own_ns = min(minute_of(session->decided_ns), stretch_ns);

	if (lot->intake->stretches[i].closed)
		own_ns = max(own_ns, min(begin_of(lot), stretch_ns));
	return own_ns;
}

int64_t lot_floor(const struct lot *lot, int64_t own_ns)
{
	return max(own_ns, lot->floor_ns);
}

/* The first minute that a stretch covers: the one behind the mark before it, if that is near. */
static int64_t first_covered(const struct lot *lot, size_t i, int64_t stretch_ns)
{
	const struct stretch *stretch = &lot->intake->stretches[i];
	const int64_t hole_ns = ET_STATS_HOLE_MAX * ET_NS_PER_MIN;
	int64_t before_ns =
		i > 0 ? minute_of(lot->intake->stretches[i - 1].mark.minute_ns) : lot->floor_ns;
	int64_t first_ns = stretch_ns;

	if (stretch->closed && stretch->mark.minutes > 1)
		first_ns -=
			min((int64_t)stretch->mark.minutes - 1, ET_STATS_HOLE_MAX) * ET_NS_PER_MIN;
	if (before_ns != INT64_MIN && before_ns < first_ns && first_ns - before_ns <= hole_ns)
		first_ns = before_ns + ET_NS_PER_MIN;
	return max(first_ns, 0);
}

static void touch(struct bin *bin, const struct lot *lot)
{
	if (bin->touched && bin->touched->generation == lot->generation)
		return;
	bin->touched = lot;
	bin->workers_expected += lot->workers;
}

static int add_load(struct bin *bin, const struct lot *lot, const struct stretch *stretch)
{
	if (bin->loads_cnt == bin->loads_cap) {
		size_t cap = bin->loads_cap ? bin->loads_cap * 2 : 8;
		struct load *v = reallocarray(bin->loads, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		bin->loads = v;
		bin->loads_cap = cap;
	}
	bin->loads[bin->loads_cnt++] = (struct load){ lot, stretch };
	return 0;
}

static int count_mark(struct bin *bin, const struct lot *lot, const struct stretch *stretch)
{
	const struct et_feed_mark *mark = &stretch->mark;
	int64_t covered_ns = mark->end_ns > mark->first_ns ? mark->end_ns - mark->first_ns : 0;
	uint32_t minutes = mark->minutes;

	bin->marks++;
	bin->marks_missing += minutes - 1;
	et_feed_mark_add(&bin->sums, mark);
	bin->seconds_ns = max(bin->seconds_ns, covered_ns);
	if (bin->counted == lot) { /* of two marks of one ring the later says what is open */
		bin->open -= bin->counted_open;
		bin->undecided -= bin->counted_undecided;
	}
	bin->counted = lot;
	bin->counted_open = mark->flows_open;
	bin->counted_undecided = mark->undecided_open;
	bin->open += mark->flows_open;
	bin->undecided += mark->undecided_open;
	return add_load(bin, lot, stretch);
}

/* Bins for the minutes that the stretch covers and that have no file. */
static int cover(struct bins *bins, const struct lot *lot, size_t i, int64_t stretch_ns)
{
	const struct stretch *stretch = &lot->intake->stretches[i];
	int64_t minute_ns = first_covered(lot, i, stretch_ns);

	for (; minute_ns <= stretch_ns; minute_ns += ET_NS_PER_MIN) {
		struct bin *bin;

		if (bins_target(bins, minute_ns) != minute_ns)
			continue;
		bin = make(bins, minute_ns);
		if (!bin)
			return -ENOMEM;
		touch(bin, lot);
		if (stretch->closed && bin->seen != lot) {
			bin->seen = lot;
			bin->workers_seen++;
		}
	}
	return 0;
}

/* One item of the stretch; *bin is the one that it goes into, NULL if it is in a file already. */
static int put(struct bin **bin, struct bins *bins, const struct lot *lot, int64_t own_ns,
	int64_t covering_ns)
{
	int64_t floor_ns = lot_floor(lot, own_ns), target_ns;

	*bin = NULL;
	if (covering_ns >= floor_ns)
		return 0;
	target_ns = bins_target(bins, floor_ns);
	*bin = make(bins, target_ns);
	if (!*bin)
		return -ENOMEM;
	touch(*bin, lot);
	return 0;
}

static int fill_stretch(
	struct bins *bins, const struct lot *lot, size_t i, const struct claims *claims)
{
	const struct stretch *stretch = &lot->intake->stretches[i];
	int64_t stretch_ns = lot_stretch_minute(lot, i);
	int64_t covering_ns =
		claims_covering(claims, et_ring_id(lot->intake->ring), stretch->first);
	size_t at, end = intake_sessions(lot->intake, i, &at);
	struct bin *bin;
	int rc = cover(bins, lot, i, stretch_ns);

	for (; at < end && rc == 0; at++) {
		int64_t own_ns = lot_session_minute(lot, i, stretch_ns, &lot->intake->sessions[at]);

		rc = put(&bin, bins, lot, own_ns, covering_ns);
		if (rc == 0 && bin) {
			bin->items++;
			bin->late += bin->minute_ns > own_ns;
		}
	}
	if (rc == 0)
		rc = put(&bin, bins, lot, stretch_ns, covering_ns);
	if (rc != 0 || !bin)
		return rc;
	bin->items += stretch->peers_cnt;
	bin->late += bin->minute_ns > stretch_ns ? stretch->peers_cnt : 0;
	bin->damaged += stretch->damaged;
	return stretch->closed ? count_mark(bin, lot, stretch) : 0;
}

int bins_fill(struct bins *bins, const struct lot *lots, size_t cnt, const struct claims *claims)
{
	int rc = 0;

	for (size_t l = 0; l < cnt; l++)
		for (size_t i = 0; i < lots[l].take && rc == 0; i++)
			rc = fill_stretch(bins, &lots[l], i, claims);
	return rc;
}
